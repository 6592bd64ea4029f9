# SPDX-License-Identifier: Apache-2.0
"""`./inspire serve CHECKPOINT`: a policy on a socket, for `--policy remote` and openpi's clients.

What does the work is inspire_policy.serving, which runs without ROS and without this command.
"""

from __future__ import annotations

import argparse
import asyncio
import signal

from inspire_bringup.computing_arguments import add_computing
from inspire_labeler.formulation import Formulation
from inspire_labeler.viewer import VIEWERS
from inspire_policy.families import FAMILIES, create
from inspire_policy.serving import PolicyServer

HELP = "Let others use a policy over a socket: a robot's node, or an openpi client."
THIS_MACHINE = ('127.0.0.1', 'localhost', '::1')
OPTIONS = ('checkpoint', 'reasoning', 'backend', 'threads', 'kind', 'device')   # of the family


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        'On the robot: ./inspire demo --policy remote --address HOST:PORT. From another machine, '
        'through ssh, as there is no password: ssh -L 8000:127.0.0.1:8000 HOST. An openpi client '
        'sends observation/image and observation/wrist_image (H, W, 3 uint8), observation/state '
        '(six joint angles [rad] and the gripper width [m]) and prompt, and gets actions (K, 7): '
        'docs/remote.md. One client at a time; Ctrl-C ends it.')
    parser.add_argument('checkpoint', nargs='?', default='', metavar='CHECKPOINT',
                        help="folder of what the policy was trained to (default: the family's)")
    parser.add_argument('--policy', default='nano',
                        choices=sorted({*FAMILIES} - {'expert', 'remote'}),
                        help='family (default: nano)')
    parser.add_argument('--host', default='127.0.0.1',
                        help='address to listen on (default: 127.0.0.1, this machine alone)')
    parser.add_argument('--port', type=port, default=8000,
                        help='0: any that is free (default: 8000)')
    parser.add_argument('--viewer', default='libero', choices=sorted(VIEWERS),
                        help='for whom left is left (default: libero)')
    parser.add_argument('--formulation', default='direction', choices=[*map(str, Formulation)],
                        help='how is asked for a client that does not ask itself (default: '
                             'direction)')
    parser.add_argument('--reasoning', choices=('full', 'drafted', 'every_n', 'off'),
                        help="when it answers (default: the family's)")
    add_computing(parser)
    parser.add_argument('--threads', metavar='N',
                        help="of the processor (default: the family's)")


def port(text: str) -> int:
    """A port's number. Raises ArgumentTypeError."""
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f'{text!r} is not a whole number in 0..65535')
    return int(text)


def run(arguments: argparse.Namespace) -> int:
    from inspire_labeler.instruction import warm_up
    options = {name: value for name in OPTIONS if (value := getattr(arguments, name))}
    policy = create(arguments.policy, viewer=arguments.viewer, **options)
    description = {'family': arguments.policy, 'viewer': arguments.viewer,
                   'checkpoint': arguments.checkpoint}
    server = PolicyServer(policy, description, Formulation(arguments.formulation), say)
    warm_up()    # the tagger's data takes seconds to load: not while a robot waits
    asyncio.run(serve(server, arguments.host, arguments.port))
    return 0


async def serve(server: PolicyServer, host: str, wanted: int) -> None:
    """Serve until Ctrl-C or SIGTERM."""
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with server.listening(host, wanted) as listening:
        chosen = listening.sockets[0].getsockname()[1]
        say(f'serving on ws://{host}:{chosen} until Ctrl-C')
        if host not in THIS_MACHINE:
            say(f'whoever reaches {host}:{chosen} can use this policy: there is no password')
        await ended.wait()
    say('ended')


def say(text: str) -> None:
    print(text, flush=True)

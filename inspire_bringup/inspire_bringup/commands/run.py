# SPDX-License-Identifier: Apache-2.0
"""`./inspire run act --task pick_ball`, `run piper`: the stages of a loop, for you to work with.

Where launch_ros is installed, `ros2 launch inspire_bringup act.launch.py task:=pick_ball` does the
same from the same table, with the conductor.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from inspire_bringup import runner
from inspire_bringup.loops import LOOPS
from inspire_bringup.narrator import Narrator
from inspire_bringup.parts import ensure_for
from inspire_bringup.session import (
    add_options,
    choose_stages,
    given_options,
    new_folder,
    own_domain,
    run_stages,
)
from inspire_bringup.stages import Argument, Loop

HELP = 'Start the stages of a loop and keep them running, collect episodes, or drive an arm.'

# In `act` you give the instructions yourself; collecting is nothing without the conductor.
CONDUCTED = {'act': False, 'collect': True, 'piper': False}
FOR_THE_CONDUCTOR = ('instruction', 'episodes', 'keep', 'timeout', 'progress_period', 'directory')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    loops = parser.add_subparsers(dest='loop', required=True, metavar='LOOP')
    for loop in LOOPS.values():
        each = loops.add_parser(loop.name, help=loop.description, description=loop.description)
        add_options(each, asked_for(loop))
        each.add_argument(
            '--without',
            action='append',
            default=[],
            metavar='STAGE',
            help='leave a stage out, to run your own in its place (can be repeated)',
        )
        each.add_argument('--runs', type=Path, default=Path('runs'), help='folder for logs')


def asked_for(loop: Loop) -> tuple[Argument, ...]:
    """Return the arguments that make sense for the loop as this command runs it."""
    hidden = () if CONDUCTED[loop.name] else FOR_THE_CONDUCTOR
    return tuple(argument for argument in loop.arguments if argument.name not in hidden)


def run(arguments: argparse.Namespace) -> int:
    loop = LOOPS[arguments.loop]
    given = given_options(arguments, asked_for(loop))
    if given.get('directory'):
        given['directory'] = str(Path(given['directory']).resolve())
    without = list(arguments.without)
    if not CONDUCTED[loop.name] and any(stage.foreground for stage in loop.stages):
        without.append('episode')
    stages = choose_stages(loop, given, without)
    ensure_for(given)
    narrator = Narrator()
    folder = new_folder(arguments.runs)
    with own_domain() as (domain, _):
        narrator.say(f'{loop.name} runs in ROS domain {domain}; logs: {folder / "log"}')
        narrator.say(f'look inside: ROS_DOMAIN_ID={domain} ./inspire echo (or shell). End: Ctrl-C')
        outcome = run_stages(stages, folder, narrator.show, domain)
    narrator.finish()
    if outcome.code == runner.INTERRUPTED and not CONDUCTED[loop.name]:
        return 0  # Ctrl-C is how it ends
    if outcome.code != 0:
        wrong = outcome.message or '; '.join(narrator.errors) or 'not every episode succeeded'
        raise RuntimeError(wrong)
    return 0

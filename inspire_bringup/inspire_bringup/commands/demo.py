# SPDX-License-Identifier: Apache-2.0
"""`./inspire demo`: the whole pipeline on a real ROS 2 graph, told as it happens.

Sets a simulated table up, lets the policy say where things are and act on it, records everything,
and leaves a folder with the episode, a video with the reasoning drawn into it, and a report.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from inspire_bringup.command_line import dying_of_interrupts
from inspire_bringup.loops import ACT, ADDRESS, ARM, CHECKPOINT, POLICY, RATE, REASONING, SEED
from inspire_bringup.narrator import Narrator
from inspire_bringup.parts import ensure_for
from inspire_bringup.runner import INTERRUPTED, Outcome
from inspire_bringup.session import (
    choose_stages,
    new_folder,
    option_type,
    own_domain,
    run_stages,
)
from inspire_policy.families import FAMILIES
from inspire_sim.tasks import find

HELP = 'Watch the robot say where things are, and act on it; leaves a video and a report.'
DEFAULT = 'pick_ball'
# What the shipped network did in 9 of 10 episodes or more (docs/results.md).
LEARNED = frozenset({'pick_ball', 'pick_plug', 'pick_orange', 'banana_in_plate', 'cup_in_plate',
                     'pull_plate', 'push_plate', 'banana_on_towel', 'ball_on_book'})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        'instruction',
        nargs='?',
        default='',
        help='what the robot is told; one of the fifteen tasks unless --task is given, too',
    )
    parser.add_argument('--task', default='', help=f'task id (default: {DEFAULT})')
    parser.add_argument(
        '--seed', type=option_type(SEED), default=SEED.default, help='which world (default: 0)'
    )
    look = parser.add_mutually_exclusive_group()
    look.add_argument('--headless', action='store_true', help='no window (the default)')
    look.add_argument('--viewer', action='store_true', help="show the world in MuJoCo's window")
    parser.add_argument(
        '--policy',
        choices=FAMILIES,
        help='family (default: nano, the shipped network, for what it can do: '
             f'{", ".join(sorted(LEARNED))}; else {POLICY.default})',
    )
    parser.add_argument('--checkpoint', default='', metavar='DIR', help=CHECKPOINT.description)
    parser.add_argument('--address', default='', help=ADDRESS.description)
    parser.add_argument('--reasoning', default='', choices=REASONING.choices[1:],
                        help=REASONING.description)
    parser.add_argument(
        '--arm', choices=ARM.choices, default=ARM.default, help=ARM.description
    )
    parser.add_argument('--runs', type=Path, default=Path('runs'), help='folder of all runs')
    parser.add_argument('--no-record', action='store_true', help='no episode, video or report')
    parser.add_argument('--no-video', action='store_true', help='no video')
    parser.add_argument(
        '--rtf',
        type=option_type(RATE),
        default=RATE.default,
        help='simulated seconds a second; 0: as fast as it goes',
    )


def run(arguments: argparse.Namespace) -> int:
    task = arguments.task or arguments.instruction or DEFAULT
    asked, _ = find(task, arguments.seed)  # unknown tasks are refused before anything starts
    if arguments.policy is None:
        arguments.policy = 'nano' if asked.id in LEARNED else POLICY.default
    if arguments.viewer and not os.environ.get('DISPLAY', os.environ.get('WAYLAND_DISPLAY')):
        raise ValueError('--viewer needs a display, and DISPLAY is not set; leave it out')
    folder = new_folder(arguments.runs)
    narrator = Narrator()
    narrator.say(f'policy: {arguments.policy}', 'dim')
    outcome = act(arguments, task, folder, narrator)
    narrator.finish()
    if outcome.code != 0:
        wrong = outcome.message or '; '.join(narrator.errors) or 'the robot did not succeed'
        print(f'inspire demo: {wrong}', file=sys.stderr)
    if outcome.code != INTERRUPTED and not arguments.no_record:
        write_results(folder, narrator, video=not arguments.no_video)
    narrator.say(f'everything of this run: {folder}')
    return outcome.code


def act(arguments: argparse.Namespace, task: str, folder: Path, narrator: Narrator) -> Outcome:
    """Run the stages until the episode is over."""
    given = {
        'task': task,
        'instruction': arguments.instruction if arguments.task else '',
        'seed': str(arguments.seed),
        'policy': arguments.policy,
        'checkpoint': str(Path(arguments.checkpoint).resolve()) if arguments.checkpoint else '',
        'address': arguments.address,
        'reasoning': arguments.reasoning,
        'arm': arguments.arm,
        'window': str(arguments.viewer),
        'record': str(not arguments.no_record),
        'real_time_factor': str(arguments.rtf),
        'directory': str(folder),
        'progress_period': '0.5' if narrator.console.is_terminal else '5.0',
    }
    stages = choose_stages(ACT, given)
    ensure_for(given)
    with own_domain() as (domain, chosen):
        if not chosen:
            narrator.say(
                f'ROS domain {domain} (to look inside: ROS_DOMAIN_ID={domain} ./inspire echo)',
                'dim',
            )
        narrator.progress('starting the simulation, labeler, policy and recorder ...')
        return run_stages(stages, folder, narrator.show, domain)


def write_results(folder: Path, narrator: Narrator, video: bool) -> None:
    """Render the video and write the report, if there is an episode to make them from."""
    if not (folder / 'manifest.json').exists():
        return
    with dying_of_interrupts():
        from inspire_bringup import report
        from inspire_bringup import video as video_module
    if video:
        drawn = video_module.render(folder, lambda done: narrator.progress(f'video {done:.0%}'))
        narrator.finish()
        narrator.say(f'video:  {drawn}')
    narrator.progress('report ...')
    written = report.write(folder)
    narrator.finish()
    narrator.say(f'report: {written}')

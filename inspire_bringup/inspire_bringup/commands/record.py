# SPDX-License-Identifier: Apache-2.0
"""`./inspire record`: record the running graph until Ctrl-C, with a live line about it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rich.console import Console

from inspire_bringup.loops import SEED
from inspire_bringup.recording import Status
from inspire_bringup.session import add_options, option_type
from inspire_bringup.stages import Argument

HELP = 'Record the running graph as an episode until Ctrl-C.'

DURATION = Argument(
    'duration', 'Stop after so many seconds (0: at Ctrl-C).', 0.0, kind=float, lower=0.0
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--out', type=Path, metavar='DIR', help='folder of the episode (default: runs/<time>)'
    )
    parser.add_argument(
        '--instruction', default='', help='what the robot is told, for the manifest'
    )
    parser.add_argument('--task', default='', help='task id, for the manifest')
    add_options(parser, [DURATION])
    parser.add_argument(
        '--seed', type=option_type(SEED), default=0, help='seed of the world, for the manifest'
    )


def run(arguments: argparse.Namespace) -> int:
    # Imported here: `./inspire record --help` needs no ROS.
    from inspire_bringup.ros_record import record

    console = Console(stderr=True)
    last = record(
        directory=str(arguments.out or ''),
        instruction=arguments.instruction,
        task=arguments.task,
        seed=arguments.seed,
        seconds=arguments.duration,
        show=lambda status: show(console, status),
    )
    if console.is_terminal:
        console.print()
    for warning in last.warnings:
        print(warning, file=sys.stderr)
    print(last.folder)
    return 1 if last.failure or not last.messages else 0


def show(console: Console, status: Status) -> None:
    """Print the live line over the one before it."""
    if console.is_terminal:
        console.print(line(status), end='\r', highlight=False, overflow='ellipsis', no_wrap=True)


def line(status: Status) -> str:
    """Sum up in a line what is being recorded."""
    rate = status.messages / status.duration if status.duration else 0.0
    lost = f'{status.lost:,} lost' if status.lost else 'nothing lost'
    return (
        f'{status.duration:7.1f} s  {status.messages:,} messages ({rate:,.0f}/s)  '
        f'{status.bytes / 1e6:.1f} MB  {lost}  {status.folder}  '
    )

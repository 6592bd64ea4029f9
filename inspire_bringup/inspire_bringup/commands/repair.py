# SPDX-License-Identifier: Apache-2.0
"""`./inspire repair EPISODE`: make a bag that was cut off or damaged a proper one again."""

from __future__ import annotations

import argparse
from pathlib import Path

from inspire_bringup.repair import repair

HELP = 'Make an episode readable for every tool again after a crash or a loss of power.'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('episode', type=Path, help='folder of a run, of its bag, or a .mcap file')


def run(arguments: argparse.Namespace) -> int:
    report = repair(arguments.episode)
    held = f'{report.messages:,} messages, {report.seconds:.1f} s'
    if report.original is None:
        print(f'{report.bag} is whole: {held}')
        return 0
    for damage in report.damage:
        print(f'  {damage}')
    print(f'{report.bag} is repaired: {held}')
    print(f'the file as it was found: {report.original}')
    return 0

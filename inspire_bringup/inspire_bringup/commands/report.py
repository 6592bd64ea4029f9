# SPDX-License-Identifier: Apache-2.0
"""`./inspire report EPISODE`: one page about an episode, readable in any browser."""

from __future__ import annotations

import argparse
from pathlib import Path

from inspire_bringup.report import write

HELP = 'Write the report of an episode: answers against truth, motion, rates, losses, timings.'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('episode', type=Path, help='folder of a run')


def run(arguments: argparse.Namespace) -> int:
    print(write(arguments.episode))
    return 0

# SPDX-License-Identifier: Apache-2.0
"""`./inspire video EPISODE`: render an episode again in full quality, the reasoning beside it."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.progress import Progress

from inspire_bringup.video import render

HELP = 'Render the video of an episode again from its recorded states, with the reasoning.'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('episode', type=Path, help='folder of a run')


def run(arguments: argparse.Namespace) -> int:
    with Progress(transient=True) as progress:
        bar = progress.add_task('rendering', total=1.0)
        path = render(arguments.episode, lambda done: progress.update(bar, completed=done))
    print(path)
    return 0

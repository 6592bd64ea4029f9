# SPDX-License-Identifier: Apache-2.0
"""`./inspire evaluate`: how often a policy succeeds, in closed loop, on many processes.

It needs no ROS. Every episode becomes a line of a table on disk as soon as it ends, so that
nothing is lost when the run is stopped.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import time
from collections.abc import Sequence
from dataclasses import astuple
from pathlib import Path
from statistics import median

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from inspire_bringup.output import require_writable
from inspire_labeler.formulation import Formulation
from inspire_labeler.viewer import VIEWERS
from inspire_policy.evaluation import (
    COLUMNS,
    Job,
    Row,
    Score,
    Setting,
    as_json,
    jobs,
    scores,
    wilson,
)
from inspire_policy.families import FAMILIES
from inspire_policy.workers import evaluate

HELP = 'Measure how often a policy succeeds, on many processes.'
INTERRUPTED = 130


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--policy', required=True, choices=sorted(FAMILIES), help='which family')
    parser.add_argument('--episodes', type=int, default=20, metavar='N',
                        help='of every instruction (default: 20)')
    parser.add_argument('--workers', type=int, default=os.cpu_count() or 1, metavar='K',
                        help='processes (default: one for each core)')
    parser.add_argument('--tasks', default='', metavar='ID,...',
                        help='only these tasks (default: all fifteen)')
    parser.add_argument('--seed', type=int, default=0, metavar='S',
                        help='of the first episode of every instruction (default: 0)')
    parser.add_argument('--viewer', default='libero', choices=sorted(VIEWERS),
                        help='from where the scene is seen (default: libero)')
    parser.add_argument('--formulation', default='direction', choices=[*map(str, Formulation)],
                        help='how the questions are asked (default: direction)')
    parser.add_argument('--json', type=Path, metavar='FILE',
                        help='write the successes of every instruction to a file')
    parser.add_argument('--rows', type=Path, metavar='FILE',
                        help='the table of episodes (default: beside the JSON file, or in runs/)')


def run(arguments: argparse.Namespace) -> int:
    ids = [name.strip() for name in arguments.tasks.split(',') if name.strip()]
    todo = jobs(ids, arguments.episodes, arguments.seed)
    setting = Setting(arguments.policy, arguments.viewer, arguments.formulation)
    path = rows_path(arguments)
    for file in filter(None, (path, arguments.json)):
        require_writable(file)
    rows, interrupted = collect(setting, todo, arguments.workers, path)
    found = scores(rows)
    console = Console()
    console.print(table(found, rows))
    for row in failures(rows)[:20]:
        console.print(f'[red]failed[/] {row.instruction}, seed {row.seed}: '
                      f'{row.error or row.detail}', highlight=False)
    console.print(f'rows: {path}', highlight=False)
    if arguments.json:
        text = json.dumps(as_json(found, str(path)), indent=2)
        arguments.json.write_text(text + '\n', encoding='utf-8')
    if interrupted:
        console.print(f'stopped after {len(rows)} of {len(todo)} episodes')
    return INTERRUPTED if interrupted else 0


def rows_path(arguments: argparse.Namespace) -> Path:
    """Where the table of episodes goes."""
    if arguments.rows:
        return Path(arguments.rows)
    if arguments.json:
        return Path(arguments.json).with_suffix('.rows.csv')
    return Path('runs') / f'evaluate-{time.strftime("%Y%m%d-%H%M%S")}.csv'


def collect(setting: Setting, todo: Sequence[Job], workers: int,
            path: Path) -> tuple[list[Row], bool]:
    """Run all episodes, writing each down; (rows, whether it was stopped by Ctrl-C)."""
    rows: list[Row] = []
    order = {(job.instruction, job.seed): number for number, job in enumerate(todo)}
    columns = (TextColumn('{task.description}'), BarColumn(), MofNCompleteColumn(),
               TextColumn('{task.fields[rate]}'), TimeRemainingColumn())
    episodes = evaluate(setting, todo, workers)     # refuses before an older table is touched
    with path.open('w', newline='', encoding='utf-8') as file, \
            Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        written = csv.writer(file)
        written.writerow(COLUMNS)
        bar = progress.add_task(setting.policy, total=len(todo), rate='')
        try:
            for row in episodes:
                rows.append(row)
                written.writerow(astuple(row))
                file.flush()
                share = sum(one.success for one in rows) / len(rows)
                progress.update(bar, advance=1, rate=f'{share:.1%} succeed')
        except KeyboardInterrupt:
            return rows, True
        finally:
            episodes.close()
    rows.sort(key=lambda row: order[row.instruction, row.seed])
    write(path, rows)
    return rows, False


def write(path: Path, rows: Sequence[Row]) -> None:
    """The table of episodes as CSV."""
    with path.open('w', newline='', encoding='utf-8') as file:
        written = csv.writer(file)
        written.writerow(COLUMNS)
        written.writerows(map(astuple, rows))


def table(found: Sequence[Score], rows: Sequence[Row]) -> Table:
    """Successes of each instruction, then of the seen, the unseen and all tasks."""
    drawn = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))    # fits 80 columns
    drawn.add_column('instruction', no_wrap=True)
    for heading in ('success', 'rate', '95 % interval', 'steps'):
        drawn.add_column(heading, justify='right', no_wrap=True)
    for before, score in zip((None, *found), found, strict=False):
        if before is not None and before.split != score.split:
            drawn.add_section()
        mine = [row for row in rows if row.instruction == score.instruction]
        drawn.add_row(score.instruction, *numbers(score.successes, score.episodes), steps(mine))
    drawn.add_section()
    for name in ('seen', 'unseen', 'all'):
        mine = [row for row in rows if name in (row.split, 'all')]
        if mine:
            drawn.add_row(f'{name} tasks', *numbers(sum(row.success for row in mine), len(mine)),
                          steps(mine), style='bold')
    return drawn


def numbers(successes: int, episodes: int) -> tuple[str, str, str]:
    """Successes of episodes, their rate, and where the rate lies with 95 % confidence."""
    low, high = wilson(successes, episodes)
    return (f'{successes}/{episodes}', f'{successes / episodes:.0%}',
            f'{100 * low:.0f} to {100 * high:.0f} %')


def steps(rows: Sequence[Row]) -> str:
    """The median length of the episodes that succeeded, in steps of 0.05 s."""
    counts = [row.steps for row in rows if row.success]
    return f'{median(counts):.0f}' if counts else '-'


def failures(rows: Sequence[Row]) -> list[Row]:
    """The episodes that failed, in the order of tasks and seeds."""
    return sorted((row for row in rows if not row.success), key=lambda row: (row.task, row.seed))

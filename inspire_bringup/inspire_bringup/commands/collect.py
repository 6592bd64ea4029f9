# SPDX-License-Identifier: Apache-2.0
"""`./inspire collect`: demonstrations of the expert as a dataset, on many processes.

It needs no ROS (`./inspire run collect` records bags from a running graph instead). Every episode
is on disk as soon as it ends, and the same command goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import signal
import threading
import time
from collections.abc import Generator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from inspire_bringup.output import require_writable
from inspire_bringup.provenance import git_revision
from inspire_labeler.viewer import VIEWERS
from inspire_policy.collecting import FIRST_SEED, Collecting, NumberedJob, collect, numbered
from inspire_policy.correcting import Correcting, correct
from inspire_policy.dataset_format import CAMERAS
from inspire_policy.dataset_writer import DatasetWriter, Outcome
from inspire_policy.evaluation import jobs
from inspire_sim.tasks import TASKS, task
from inspire_sim.variation import Variation

HELP = 'Collect demonstrations of the expert as a dataset, on many processes, without ROS.'
INTERRUPTED = 130
SPLITS = ('seen', 'unseen', 'all')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--out', type=Path, required=True, metavar='DIR',
                        help='folder of the dataset; one that was started goes on')
    parser.add_argument('--episodes', type=int, default=100, metavar='N',
                        help='of every instruction (default: 100)')
    parser.add_argument('--tasks', default='', metavar='ID,...',
                        help='only these tasks (default: all of the split)')
    parser.add_argument('--split', default='seen', choices=SPLITS,
                        help='which tasks (default: seen; a policy that is to be measured on the '
                        'unseen ones must never be trained on them)')
    parser.add_argument('--seed', type=int, default=FIRST_SEED, metavar='S',
                        help='of the first episode of every instruction (default: '
                        f'{FIRST_SEED}; evaluation counts from 0, and what is evaluated must not '
                        'be trained on)')
    parser.add_argument('--workers', type=int, default=os.cpu_count() or 1, metavar='K',
                        help='processes (default: one for each core)')
    parser.add_argument('--ray', action='store_true',
                        help='processes of the Ray cluster that RAY_ADDRESS names (pip install '
                        'ray), not of this machine')
    parser.add_argument('--image-size', type=int, default=Collecting.image_size, metavar='PIXELS',
                        help='side of the pictures (default: %(default)s)')
    parser.add_argument('--stride', type=int, default=Collecting.stride, metavar='STEPS',
                        help='from one observed instant to the next, 0.05 s each '
                        '(default: %(default)s)')
    parser.add_argument('--disturbances', type=float, default=Collecting.disturbances,
                        metavar='N', help='times that the arm is pushed off its way in a typical '
                        'episode (default: %(default)g)')
    parser.add_argument('--corrections', action='store_true',
                        help='let the arm come to places that no demonstration leads to, and '
                        'keep what the expert would do from there')
    parser.add_argument('--glances', type=int, default=Correcting.glances, metavar='N',
                        help='with --corrections: random places of the arm before each episode '
                        '(default: %(default)s)')
    parser.add_argument('--around', type=float, default=Correcting.around, metavar='SHARE',
                        help='with --corrections: share of the random places, up to 0.75, that '
                        'are near any of the things there, in place of the one to move: so that '
                        'the others are seen from near by, too (default: %(default)g)')
    parser.add_argument('--holding', type=float, default=Correcting.holding, metavar='SHARE',
                        help='with --corrections: share of episodes before which the arm takes '
                        'hold of any of the things there, so that it is seen in the hand, too '
                        '(default: %(default)g)')
    parser.add_argument('--carried', type=int, default=Correcting.carried, metavar='N',
                        help='with --holding: places to which it brings what it holds then '
                        '(mostly what is to be moved, near where that goes; default: '
                        '%(default)s)')
    parser.add_argument('--longest', type=int, default=Correcting.longest, metavar='STEPS',
                        help='with --corrections: steps until an episode ends; 0: only glances '
                        '(default: %(default)s)')
    parser.add_argument('--checkpoint', type=Path, metavar='DIR',
                        help='with --corrections: the policy of this checkpoint moves the arm, '
                        'and is corrected (DAgger)')
    parser.add_argument('--variation', default=str(Variation.NONE),
                        choices=[*map(str, Variation)],
                        help='with --corrections: what is changed in the world, as by '
                        './inspire evaluate (distractors: up to six things more)')
    parser.add_argument('--viewer', default='libero', choices=sorted(VIEWERS),
                        help='from where the scene is seen (default: libero)')
    parser.add_argument('--json', type=Path, metavar='FILE',
                        help='write the card and what was achieved to a file')


def run(arguments: argparse.Namespace) -> int:
    setting = setting_of(arguments)
    ids = chosen(arguments.tasks, arguments.split)
    todo = numbered(jobs(ids, arguments.episodes, arguments.seed))
    if arguments.json:
        require_writable(arguments.json)
    writer = DatasetWriter(arguments.out, settings(setting, ids, arguments), {
        'command': command(arguments),
        'git': git_revision(Path(__file__).resolve().parent)})
    begin = time.monotonic()
    outcomes, interrupted = watched(
        correct(setting, writer, todo, arguments.workers, arguments.ray)
        if isinstance(setting, Correcting) else
        collect(setting, writer, todo, arguments.workers, arguments.ray), writer, todo)
    seconds = time.monotonic() - begin
    card = writer.finish(complete=not interrupted and writer.tried.issuperset(
        job.episode for job in todo))
    say(Console(), writer, outcomes, seconds)
    if arguments.json:
        text = json.dumps({**card, 'run': speed(outcomes, seconds)}, indent=2)
        arguments.json.write_text(text + '\n', encoding='utf-8')
    return INTERRUPTED if interrupted else 0


def setting_of(arguments: argparse.Namespace) -> Collecting | Correcting:
    """How is collected. Raises ValueError."""
    if arguments.corrections:
        chosen = str(arguments.checkpoint.resolve()) if arguments.checkpoint else ''
        return Correcting(arguments.viewer, arguments.image_size, arguments.glances,
                          around=arguments.around, holding=arguments.holding,
                          carried=arguments.carried, checkpoint=chosen,
                          longest=arguments.longest, variation=Variation(arguments.variation))
    if arguments.checkpoint or arguments.variation != Variation.NONE:
        raise ValueError('--checkpoint and --variation have a meaning with --corrections only: '
                         'demonstrations are the expert\'s, in the world as it is')
    return Collecting(arguments.viewer, arguments.image_size, arguments.stride,
                      arguments.disturbances)


def command(arguments: argparse.Namespace) -> str:
    """The command that makes this dataset, with everything that decides what is in it."""
    words = ['./inspire', 'collect']
    how: tuple[str, ...] = ('stride', 'disturbances')
    if arguments.corrections:
        words, how = [*words, '--corrections'], (
            'glances', 'around', 'holding', 'carried', 'longest', 'checkpoint', 'variation')
    for name in ('out', 'episodes', 'tasks', 'split', 'seed', 'image_size', *how, 'viewer'):
        value = getattr(arguments, name)
        words += [f'--{name.replace("_", "-")}', str(value)] if value not in ('', None) else []
    return shlex.join(words)


def chosen(names: str, split: str) -> list[str]:
    """Ids of the tasks. Raises UnknownTask, ValueError for a task of another split."""
    valid = [one.id for one in TASKS if split in (one.split, 'all')]
    asked = [name.strip() for name in names.split(',') if name.strip()]
    for one in map(task, asked):
        if one.id not in valid:
            raise ValueError(f'{one.id} is one of the {one.split} tasks; valid with --split '
                             f'{split}: {", ".join(valid)}')
    return asked or valid


def settings(setting: Collecting | Correcting, ids: Sequence[str],
             arguments: argparse.Namespace) -> dict[str, Any]:
    """What has to be the same where a dataset goes on."""
    source = 'corrections' if isinstance(setting, Correcting) else 'expert'
    return {'source': source, 'cameras': list(CAMERAS), **asdict(setting), 'tasks': list(ids),
            'first_seed': arguments.seed}


def watched(episodes: Generator[Outcome, None, None], writer: DatasetWriter,
            todo: Sequence[NumberedJob]) -> tuple[list[Outcome], bool]:
    """Collect with a progress bar: (outcomes, whether it was stopped by Ctrl-C)."""
    outcomes: list[Outcome] = []
    columns = (TextColumn('{task.description}'), BarColumn(), MofNCompleteColumn(),
               TextColumn('{task.fields[rate]}'), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        there = sum(job.episode in writer.tried for job in todo)
        bar = progress.add_task('episodes', total=len(todo), completed=there, rate='')
        try:
            stop_as_ctrl_c()
            for outcome in episodes:
                outcomes.append(outcome)
                share = sum(one.success for one in outcomes) / len(outcomes)
                progress.update(bar, advance=1, rate=f'{share:.1%} succeed')
        except KeyboardInterrupt:
            return outcomes, True
        finally:
            episodes.close()
    return outcomes, False


def stop_as_ctrl_c() -> None:
    """Have whoever ends this process be answered as Ctrl-C is: a shell ignores that one for what
    runs in its background."""
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.default_int_handler)


def speed(outcomes: Sequence[Outcome], seconds: float) -> dict[str, float]:
    """What this run achieved."""
    rows = sum(one.rows for one in outcomes if one.success)
    return {'episodes': len(outcomes), 'succeeded': sum(one.success for one in outcomes),
            'rows': rows, 'seconds': round(seconds, 1),
            'episodes_per_second': round(len(outcomes) / seconds, 3),
            'rows_per_second': round(rows / seconds, 2)}


def say(console: Console, writer: DatasetWriter, outcomes: Sequence[Outcome],
        seconds: float) -> None:
    """The dataset as it is now, what failed, and how fast it went."""
    console.print(table(list(writer.outcomes.values())))
    for one in [one for one in outcomes if not one.success][:20]:
        console.print(f'[red]failed[/] {one.instruction}, seed {one.seed}: '
                      f'{one.error or one.detail}', highlight=False)
    found = speed(outcomes, seconds)
    console.print(f'{writer.folder}: {len(writer.episodes)} episodes, '
                  f'{sum(one.rows for one in writer.episodes.values())} rows; this run: '
                  f'{found["episodes"]} episodes in {found["seconds"]} s '
                  f'({found["episodes_per_second"]} episodes/s, {found["rows_per_second"]} '
                  'rows/s)', highlight=False)


def table(outcomes: Sequence[Outcome]) -> Table:
    """What became of the episodes of each instruction, and of all."""
    drawn = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    drawn.add_column('instruction', no_wrap=True)
    for heading in ('kept', 'rate', 'rows', 'pushes'):
        drawn.add_column(heading, justify='right', no_wrap=True)
    for name in dict.fromkeys(one.instruction for one in outcomes):
        drawn.add_row(name, *numbers([one for one in outcomes if one.instruction == name]))
    drawn.add_section()
    drawn.add_row('all', *numbers(outcomes), style='bold')
    return drawn


def numbers(outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    """Successes, their rate, rows, pushes an episode."""
    count, kept = len(outcomes), [one for one in outcomes if one.success]
    return (f'{len(kept)}/{count}', f'{len(kept) / count:.0%}' if count else '-',
            str(sum(one.rows for one in kept)),
            f'{sum(one.pushes for one in outcomes) / count:.1f}' if count else '-')

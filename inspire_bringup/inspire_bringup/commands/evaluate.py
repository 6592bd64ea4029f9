# SPDX-License-Identifier: Apache-2.0
"""`./inspire evaluate`: how often a policy succeeds, in closed loop, on many processes.

It needs no ROS. Every episode becomes a line of a table on disk as soon as it ends, so that
nothing is lost when the run is stopped, and `--resume` goes on from there.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from inspire_bringup import evaluation_page, evaluation_table, failure_video
from inspire_bringup.computing_arguments import add_computing
from inspire_bringup.evaluation_page import Evaluation
from inspire_bringup.file_digest import digest
from inspire_bringup.output import require_writable
from inspire_bringup.provenance import machine, versions
from inspire_labeler.formulation import Formulation
from inspire_labeler.viewer import VIEWERS
from inspire_policy import row_table
from inspire_policy.closed_loop import loaded_from, make_policy
from inspire_policy.evaluation import Job, Row, Setting, jobs
from inspire_policy.evaluation_summary import as_json
from inspire_policy.families import FAMILIES
from inspire_policy.forcing import Forced
from inspire_policy.success_rate import scores
from inspire_policy.workers import evaluate
from inspire_sim.variation import Variation

HELP = 'Measure how often a policy succeeds, on many processes.'
INTERRUPTED = 130
# Passed on to the family:
OPTIONS = ('checkpoint', 'address', 'reasoning', 'backend', 'threads', 'kind', 'device')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    policy = parser.add_argument_group('the policy')
    policy.add_argument('--policy', required=True, choices=sorted(FAMILIES), help='which family')
    policy.add_argument('--checkpoint', metavar='DIR',
                        help="what it was trained to (default: the family's own)")
    policy.add_argument('--address', metavar='HOST:PORT',
                        help='of the server of the policy remote; it serves one at a time, so '
                             'with --workers 1')
    policy.add_argument('--reasoning', choices=('full', 'drafted', 'every_n', 'off'),
                        help="when it answers its questions (default: the family's)")
    add_computing(policy)
    policy.add_argument('--threads', metavar='N',
                        help='of each process, for a family that takes it (default: 1)')
    policy.add_argument('--forced', default=Forced.NONE, choices=[*map(str, Forced)],
                        help='put the right or a wrong word into the prompt in place of each of '
                             'its answers; right: its place too, where it reads places')
    trials = parser.add_argument_group('the episodes')
    trials.add_argument('--episodes', type=int, default=20, metavar='N',
                        help='of every instruction (default: 20)')
    trials.add_argument('--tasks', default='', metavar='ID,...',
                        help='only these tasks (default: all fifteen)')
    trials.add_argument('--seed', type=int, default=0, metavar='S',
                        help='of the first episode of every instruction (default: 0)')
    trials.add_argument('--variation', default=Variation.NONE, choices=[*map(str, Variation)],
                        help='what is changed in the world (default: none)')
    trials.add_argument('--viewer', default='libero', choices=sorted(VIEWERS),
                        help='from where the scene is seen (default: libero)')
    trials.add_argument('--formulation', default='direction', choices=[*map(str, Formulation)],
                        help='how the questions are asked (default: direction)')
    parser.add_argument('--workers', type=int, default=os.cpu_count() or 1, metavar='K',
                        help='processes (default: one for each core)')
    parser.add_argument('--resume', action='store_true',
                        help='keep the episodes that the table has (--rows or --json)')
    parser.add_argument('--json', type=Path, metavar='FILE', help='write the figures to a file')
    parser.add_argument('--html', type=Path, metavar='FILE', help='write a page about them')
    parser.add_argument('--videos', type=int, default=0, metavar='N',
                        help='make videos of the first N episodes that fail')
    parser.add_argument('--rows', type=Path, metavar='FILE',
                        help='the table of episodes (default: beside the JSON file, or in runs/)')


def run(arguments: argparse.Namespace) -> int:
    ids = [name.strip() for name in arguments.tasks.split(',') if name.strip()]
    todo = jobs(ids, arguments.episodes, arguments.seed)
    setting, path = setting_of(arguments), rows_path(arguments)
    kept = kept_rows(path, setting, todo) if arguments.resume else []
    make_policy(setting)    # what cannot be made is refused before an older table is touched
    for file in filter(None, (path, arguments.json, arguments.html)):
        require_writable(file)
    with ExitStack() as stack:
        if arguments.videos:
            tracks = TemporaryDirectory(prefix='.tracks-', dir=path.parent)
            setting = replace(setting, tracks=stack.enter_context(tracks))
        rows, interrupted = collect(setting, todo, arguments.workers, path, kept,
                                    arguments.videos)
        videos = {} if interrupted else render(setting, todo, path)
    console = Console()
    show(console, rows, path, videos)
    tell(arguments, rows, setting, path, videos)
    if interrupted:
        console.print(f'stopped after {len(rows)} of {len(todo)} episodes')
    return INTERRUPTED if interrupted else 0


def setting_of(arguments: argparse.Namespace) -> Setting:
    """What is evaluated, and how."""
    options = {name: value for name in OPTIONS if (value := getattr(arguments, name))}
    setting = Setting(arguments.policy, arguments.viewer, arguments.formulation, options=options,
                      variation=Variation(arguments.variation), forced=Forced(arguments.forced))
    path = loaded_from(setting)
    return replace(setting, checkpoint_sha256=digest(path)) if path is not None else setting


def rows_path(arguments: argparse.Namespace) -> Path:
    """Where the table of episodes goes."""
    if arguments.rows:
        return Path(arguments.rows)
    if arguments.json:
        return Path(arguments.json).with_suffix('.rows.csv')
    if arguments.resume:
        raise ValueError('--resume needs --rows FILE or --json FILE: which table is to be resumed')
    return Path('runs') / f'evaluate-{time.strftime("%Y%m%d-%H%M%S")}.csv'


def kept_rows(path: Path, setting: Setting, todo: Sequence[Job]) -> list[Row]:
    """The episodes that a table has already. Raises ValueError where they are of another run."""
    if not path.exists():
        return []
    rows, theirs = row_table.read(path)
    if rows and theirs is None:
        raise ValueError(f'{path} does not say of what setting it is: it cannot be resumed')
    if theirs is not None and (differ := row_table.differences(theirs, setting)):
        raise ValueError(f'{path} is of another setting ({"; ".join(differ)}): it cannot be '
                         f'resumed')
    asked = {(job.instruction, job.seed) for job in todo}
    beyond = [row for row in rows if (row.instruction, row.seed) not in asked]
    if beyond:
        raise ValueError(f'{path} has {len(beyond)} episodes that are not asked for, such as '
                         f'{beyond[0].instruction!r}, seed {beyond[0].seed}')
    return rows


def collect(setting: Setting, todo: Sequence[Job], workers: int, path: Path,
            kept: Sequence[Row], videos: int) -> tuple[list[Row], bool]:
    """Run all episodes that are not kept, writing each down; (rows, whether it was stopped by
    Ctrl-C)."""
    rows = list(kept)
    keys = [(job.instruction, job.seed) for job in todo]
    have = {(row.instruction, row.seed) for row in rows}
    left = [job for job in todo if (job.instruction, job.seed) not in have]
    columns = (TextColumn('{task.description}'), BarColumn(), MofNCompleteColumn(),
               TextColumn('{task.fields[rate]}'), TimeRemainingColumn())
    episodes = evaluate(setting, left, workers)     # refuses before an older table is touched
    row_table.write(path, rows, setting)
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task(setting.policy, total=len(todo), completed=len(rows), rate='')
        try:
            for row in episodes:
                rows.append(row)
                row_table.append(path, row, setting)
                share = sum(one.success for one in rows) / len(rows)
                progress.update(bar, advance=1, rate=f'{share:.1%} succeed')
                if not row.success:
                    drop_tracks(setting, todo, videos)
        except KeyboardInterrupt:
            return rows, True
        finally:
            episodes.close()
    rows = row_table.in_order(rows, keys)
    row_table.write(path, rows, setting)
    return rows, False


def drop_tracks(setting: Setting, todo: Sequence[Job], keep: int) -> None:
    """Keep the tracks of the first `keep` episodes that failed, in the order of the jobs."""
    if setting.tracks:
        there = [path for job in todo if (path := setting.track(job)).exists()]
        for path in there[keep:]:
            path.unlink()


def render(setting: Setting, todo: Sequence[Job], path: Path) -> dict[tuple[str, int], Path]:
    """Make the videos of the tracks that are left, in a folder beside the table."""
    if not setting.tracks:
        return {}
    folder = path.with_suffix('.videos')
    made = {(job.instruction, job.seed): folder / setting.track(job).with_suffix('.mp4').name
            for job in todo if setting.track(job).exists()}
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task('videos', total=len(made))
        tracks = [setting.track(job) for job in todo if (job.instruction, job.seed) in made]
        for _ in failure_video.render_all(tracks, list(made.values())):
            progress.update(bar, advance=1)
    return made


def show(console: Console, rows: Sequence[Row], path: Path,
         videos: dict[tuple[str, int], Path]) -> None:
    """Say on the terminal how it went."""
    console.print(evaluation_table.table(scores(rows), rows))
    for row in evaluation_table.failures(rows)[:20]:
        console.print(f'[red]failed[/] {row.instruction}, seed {row.seed}: '
                      f'{row.error or row.detail}', highlight=False)
    for line in evaluation_table.lines(rows):
        console.print(line, highlight=False, soft_wrap=True)
    console.print(f'rows: {path}', highlight=False, soft_wrap=True)
    if videos:
        console.print(f'videos: {next(iter(videos.values())).parent}', highlight=False,
                      soft_wrap=True)


def tell(arguments: argparse.Namespace, rows: Sequence[Row], setting: Setting, path: Path,
         videos: dict[tuple[str, int], Path]) -> None:
    """Write the files that were asked for."""
    found = scores(rows)
    made_with = {'workers': arguments.workers, 'versions': versions(), 'machine': machine()}
    if arguments.json:
        content = {**as_json(found, rows, setting, str(path)), **made_with}
        arguments.json.write_text(json.dumps(content, indent=2) + '\n', encoding='utf-8')
    if arguments.html:
        about = Evaluation(tuple(rows), setting, str(path), arguments.workers, versions(),
                           machine(), videos)
        arguments.html.write_text(evaluation_page.page(about, arguments.html.parent),
                                  encoding='utf-8')

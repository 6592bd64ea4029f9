# SPDX-License-Identifier: Apache-2.0
"""An evaluation as a terminal shows it: successes, then answers, times and smoothness in lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from rich import box
from rich.table import Table

from inspire_policy.answer_tally import Accuracy
from inspire_policy.evaluation import Row
from inspire_policy.evaluation_summary import SPLITS, answers_by, misses, motion, stage_times
from inspire_policy.success_rate import Score, wilson


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
    for name in (*SPLITS, 'all'):
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


def lines(rows: Sequence[Row]) -> Iterator[str]:
    """What is to be said below the table."""
    answers = answers_by(rows, lambda row, case: row.split)
    for split in SPLITS:
        if split in answers:
            yield f'answers, {split}: {accuracy_line(answers[split])}'
    for split, miss in misses(rows).items():
        yield (f'places, {split}: {100 * miss.p50:.1f} cm off (median; 95 %: '
               f'{100 * miss.p95:.1f} cm) in {miss.answers} answers')
    times = stage_times(rows)
    if times:
        shown = ', '.join(f'{one.stage} {one.p50:.1f}/{one.p95:.1f}/{one.p99:.1f}'
                          for one in times)
        yield f'ms a decision (median/95 %/99 %): {shown}'
    moved = motion(rows)
    if moved.jerk is not None:
        seam = '' if moved.seam is None or moved.inside is None else (
            f'; velocity step {moved.seam:.4f} m/s at seams, {moved.inside:.4f} inside chunks')
        yield f'jerk of the commanded tcp: {moved.jerk:.1f} m/s³{seam}'


def accuracy_line(one: Accuracy) -> str:
    """How right answers were, in words."""
    share = '-' if one.share is None else f'{one.share:.1%}'
    return (f'{share} of {one.clear} right ({one.contradictions} wrong about grasped); within '
            f'1 cm of a boundary {one.near_right} of {one.near}')

# SPDX-License-Identifier: Apache-2.0
"""The page of an evaluation: one HTML file that needs nothing else, for any browser.

Success of each task with its interval, seen and unseen; the answers against the truth; how long
decisions took; how smooth the motion was; every failure with its reason and, where there is one,
its video; and with what all of it was measured.
"""

from __future__ import annotations

import base64
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader

from inspire_bringup import evaluation_charts as charts
from inspire_bringup.evaluation_charts import Rate
from inspire_bringup.evaluation_table import failures
from inspire_labeler.rule import VOCABULARY
from inspire_policy.answer_tally import Accuracy
from inspire_policy.evaluation import Row, Setting
from inspire_policy.evaluation_summary import (
    SPLITS,
    answers_by,
    misses,
    motion,
    stage_times,
    words,
)
from inspire_policy.success_rate import scores, wilson
from inspire_policy.true_answers import PHASES, ROLES
from inspire_sim.tasks import TASKS

# Videos beyond this, all together, are referred to instead of being put into the page [bytes].
LARGEST_EMBEDDED = 40 << 20
# Failures that are shown at once; the others can be unfolded.
SHOWN = 12


@dataclass(frozen=True)
class Evaluation:
    """What the page is about. videos: (instruction, seed) -> file."""

    rows: tuple[Row, ...]
    setting: Setting
    path: str
    workers: int
    versions: Mapping[str, str]
    machine: Mapping[str, str]
    videos: Mapping[tuple[str, int], Path] = field(default_factory=dict)


@dataclass(frozen=True)
class Part:
    """Answers about objects in one role, in one phase, of one split."""

    split: str
    role: str
    phase: str
    accuracy: Accuracy


@dataclass(frozen=True)
class Failure:
    """An episode that failed, and its video for a src attribute, or ''."""

    row: Row
    reason: str
    video: str


def page(about: Evaluation, folder: Path = Path()) -> str:
    """Return the page as HTML; `folder` is where it will lie."""
    environment = Environment(
        loader=PackageLoader('inspire_bringup', 'templates'),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    rows = about.rows
    failed = list(_failures(about, folder))
    return environment.get_template('evaluation.html.j2').render(
        about=about,
        setting=_setting(about),
        totals=totals(rows),
        success=charts.rates([*_tasks(rows), *totals(rows)]) if rows else '',
        scores=scores(rows),
        parts=parts(rows),
        objects=sorted(answers_by(rows, lambda row, case: (row.split, case.object)).items()),
        answers=answers_by(rows, lambda row, case: row.split),
        words=word_table(rows),
        misses=misses(rows),
        times=stage_times(rows),
        stages=charts.stages(stage_times(rows)),
        motions=[(split, motion(mine)) for split in SPLITS
                 if (mine := [row for row in rows if row.split == split])],
        failed=failed,
        shown=SHOWN,
        reasons=Counter(one.reason.partition(':')[0] for one in failed if one.row.error),
        recipe=recipe(about),
    )


def totals(rows: Sequence[Row]) -> list[Rate]:
    """The rates of the seen, the unseen and all tasks."""
    found = []
    for name in (*SPLITS, 'all'):
        mine = [row for row in rows if name in (row.split, 'all')]
        if mine:
            found.append(_rate(f'{name} tasks', name, mine))
    return found


def _tasks(rows: Sequence[Row]) -> Iterator[Rate]:
    for task in TASKS:
        mine = [row for row in rows if row.task == task.id]
        if mine:
            yield _rate(task.id.replace('_', ' '), task.split, mine)


def _rate(name: str, kind: str, rows: Sequence[Row]) -> Rate:
    successes = sum(row.success for row in rows)
    return Rate(name, kind, successes, len(rows), wilson(successes, len(rows)))


def parts(rows: Sequence[Row]) -> list[Part]:
    """The accuracy of answers, by split, role and phase."""
    found = answers_by(rows, lambda row, case: (row.split, case.role, case.phase))
    return [Part(*key, found[key]) for key in
            ((split, role, phase) for split in SPLITS for role in ROLES for phase in PHASES)
            if key in found]


def word_table(rows: Sequence[Row]) -> dict[str, Any]:
    """What was said where each word was true, as shares of each true word's answers."""
    counts = words(rows)
    order = [word for each in VOCABULARY.values() for word in each]
    named = sorted({word for pair in counts for word in pair},
                   key=lambda word: (order.index(word) if word in order else len(order), word))
    lines = []
    for true in named:
        total = sum(counts[true, said] for said in named)
        if total:
            lines.append((true, total, [(said, counts[true, said], counts[true, said] / total)
                                        for said in named]))
    return {'words': named, 'lines': lines}


def _failures(about: Evaluation, folder: Path) -> Iterator[Failure]:
    size = sum(path.stat().st_size for path in about.videos.values() if path.exists())
    for row in failures(about.rows):
        path = about.videos.get((row.instruction, row.seed))
        video = _source(path, folder, size) if path is not None and path.exists() else ''
        yield Failure(row, row.error or row.detail or 'no reason given', video)


def _source(path: Path, folder: Path, size: int) -> str:
    """A video for a src attribute: embedded, or where it lies when all are too large."""
    if size > LARGEST_EMBEDDED:
        return os.path.relpath(path, folder)
    return 'data:video/mp4;base64,' + base64.b64encode(path.read_bytes()).decode()


def _setting(about: Evaluation) -> list[tuple[str, str]]:
    """What was evaluated, as names and values; what is as usual is left out."""
    described = about.setting.described()
    options = described.pop('options')
    usual = Setting(about.setting.policy).described()
    seeds = [row.seed for row in about.rows]
    return [
        ('policy', described.pop('policy')),
        *options.items(),
        *((name.replace('_', ' '), str(value)[:16]) for name, value in described.items()
          if value != usual[name]),
        ('seeds', f'{min(seeds)} to {max(seeds)}' if seeds else 'none'),
        ('workers', str(about.workers)),
    ]


def recipe(about: Evaluation) -> str:
    """The command that measures the same again."""
    setting, rows = about.setting, about.rows
    every = {instruction: [row.seed for row in rows if row.instruction == instruction]
             for instruction in {row.instruction for row in rows}}
    words_ = ['./inspire evaluate', f'--policy {setting.policy}']
    words_ += [f'--{name} {value}' for name, value in setting.options.items()]
    words_ += [f'--{name} {getattr(setting, name)}'
               for name in ('forced', 'variation', 'viewer', 'formulation')
               if getattr(setting, name) != getattr(Setting(setting.policy), name)]
    tasks = [task.id for task in TASKS if any(row.task == task.id for row in rows)]
    if len(tasks) < len(TASKS):
        words_.append(f'--tasks {",".join(tasks)}')
    if every:
        words_.append(f'--episodes {max(len(seeds) for seeds in every.values())}')
        words_.append(f'--seed {min(min(seeds) for seeds in every.values())}')
    return ' '.join([*words_, f'--workers {about.workers}', '--json FILE --html FILE'])

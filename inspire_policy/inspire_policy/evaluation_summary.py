# SPDX-License-Identifier: Apache-2.0
"""An evaluation in figures: successes, answers, the time of a decision, smoothness."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

import numpy as np

from inspire_policy.answer_tally import Accuracy, Case, Tally, accuracy
from inspire_policy.evaluation import Row, Setting
from inspire_policy.success_rate import Score
from inspire_policy.true_answers import PHASES, ROLES

SPLITS = ('seen', 'unseen')
K = TypeVar('K')


@dataclass(frozen=True)
class StageTime:
    """How long a stage of a decision took [ms]."""

    stage: str
    decisions: int
    p50: float
    p95: float
    p99: float


@dataclass(frozen=True)
class Miss:
    """How far from where an object was it was believed to be [m], over all answers that tell."""

    answers: int
    p50: float
    p95: float


@dataclass(frozen=True)
class Motion:
    """Medians over the episodes: jerk [m/s³], velocity step at the seams and inside the chunks
    [m/s]; None where no episode has any."""

    episodes: int
    jerk: float | None
    seam: float | None
    inside: float | None

    @property
    def ratio(self) -> float | None:
        """How many times larger the step at a seam is than inside."""
        return self.seam / self.inside if self.seam is not None and self.inside else None


def answers_by(rows: Sequence[Row], key: Callable[[Row, Case], K]) -> dict[K, Accuracy]:
    """How right the answers were, by whatever `key` tells apart."""
    groups: dict[K, list[Tally]] = {}
    for row in rows:
        for tally in row.answers:
            groups.setdefault(key(row, tally.case), []).append(tally)
    return {name: accuracy(tallies) for name, tallies in groups.items()}


def words(rows: Sequence[Row]) -> Counter[tuple[str, str]]:
    """How often each word was said where each was true, away from boundaries: (true, said)."""
    found: Counter[tuple[str, str]] = Counter()
    for row in rows:
        for case, times in row.answers:
            if not case.near:
                found[case.true, case.said] += times
    return found


def stage_times(rows: Sequence[Row]) -> tuple[StageTime, ...]:
    """How long each stage of a decision took, in the order of the stages."""
    stages: dict[str, list[float]] = {}
    for row in rows:
        for stage, values in row.timings.items():
            stages.setdefault(stage, []).extend(values)
    return tuple(StageTime(stage, len(values), *(round(float(value), 3) for value in
                                                 np.percentile(values, (50, 95, 99))))
                 for stage, values in stages.items())


def misses(rows: Sequence[Row]) -> dict[str, Miss]:
    """How far off objects were believed to be, by split; a policy that tells no places has none.
    """
    found = {split: [each for row in rows if row.split == split for each in row.misses]
             for split in SPLITS}
    return {split: Miss(len(values), *(round(float(each), 4)
                                       for each in np.percentile(values, (50, 95))))
            for split, values in found.items() if values}


def motion(rows: Sequence[Row]) -> Motion:
    """How smooth the commanded motion was."""
    medians = []
    for name in ('jerk', 'seam', 'inside'):
        values = [value for row in rows if (value := getattr(row, name)) is not None]
        medians.append(round(float(np.median(values)), 6) if values else None)
    return Motion(sum(row.jerk is not None for row in rows), *medians)


def as_json(found: Sequence[Score], rows: Sequence[Row], setting: Setting,
            rows_path: str) -> dict[str, Any]:
    """What `./inspire evaluate --json` writes."""
    moved = motion(rows)
    return {
        'tasks': [asdict(score) for score in found],
        'rows': rows_path,
        'setting': setting.described(),
        'answers': _answers(rows),
        'places': {split: asdict(one) for split, one in misses(rows).items()},
        'timings': [asdict(one) for one in stage_times(rows)],
        'smoothness': {**asdict(moved), 'ratio': moved.ratio},
    }


def _answers(rows: Sequence[Row]) -> dict[str, Any]:
    by_split = answers_by(rows, lambda row, case: row.split)
    by_part = answers_by(rows, lambda row, case: (row.split, case.role, case.phase))
    by_object = answers_by(rows, lambda row, case: (row.split, case.object))
    parts = [(split, role, phase) for split in SPLITS for role in ROLES for phase in PHASES]
    return {
        **{split: _counts(by_split[split]) for split in SPLITS if split in by_split},
        'parts': [{'split': split, 'role': role, 'phase': phase,
                   **_counts(by_part[split, role, phase])}
                  for split, role, phase in parts if (split, role, phase) in by_part],
        'objects': [{'split': split, 'object': name, **_counts(one)}
                    for (split, name), one in sorted(by_object.items())],
        'words': [{'true': true, 'said': said, 'count': count}
                  for (true, said), count in sorted(words(rows).items())],
    }


def _counts(one: Accuracy) -> dict[str, Any]:
    return {**asdict(one), 'share': one.share}

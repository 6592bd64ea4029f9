# SPDX-License-Identifier: Apache-2.0
"""Where things are, told in words, and asked for: lessons for a model that reads and cannot see.

A situation is an instant of a dataset. Its text lists objects with their place seen from the
gripper, in whole centimetres along the viewer's axes; then the questions are the project's own,
and the answers those that the labels' rule gives to what the text says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspire_labeler.question import Question, question
from inspire_labeler.rule import answer
from inspire_policy.dataset import Dataset
from inspire_policy.prompt import Segment

HELD_OUT = 25      # every 25th seed, as in training from pictures
MOST = 3           # objects of a situation
CENTIMETRE = 0.01  # m


@dataclass(frozen=True)
class Situation:
    """A text, what is asked about it, and the right answers."""

    text: str
    questions: tuple[Question, ...]
    answers: tuple[str, ...]

    @property
    def prompt(self) -> tuple[Segment, ...]:
        """The text and the questions, each followed by its answer; then nothing is done."""
        asked = [Segment((('' if number else self.text) + f'\nQuestion: {one.text} Answer:',), one)
                 for number, one in enumerate(self.questions)]
        return (*asked, Segment(('\n',), None))


class Lessons:
    """The situations of a dataset, drawn from all but the held-out seeds, or from those."""

    def __init__(self, data: Dataset, held_out: int = HELD_OUT) -> None:
        """Raises ValueError where nothing is left to learn from, or to be examined in."""
        self._data = data
        apart = np.array([episode.seed % held_out == 0 for episode in data.episodes], bool)
        of_row = np.repeat(apart, np.diff(data.starts))
        self._rows = {True: np.flatnonzero(of_row), False: np.flatnonzero(~of_row)}
        for kind, rows in self._rows.items():
            if not len(rows):
                raise ValueError(f'{data.folder} has no {"held-out " if kind else ""}episode: of '
                                 f'its seeds every {held_out}th is held out')

    def draw(self, count: int, random: np.random.Generator,
             held_out: bool = False) -> list[Situation]:
        """So many situations, each drawn by itself."""
        rows = random.choice(self._rows[held_out], count)
        return [self._situation(int(row), random) for row in rows]

    def _situation(self, row: int, random: np.random.Generator) -> Situation:
        names = self._data.episode_of(row).names
        named = [number for number, name in enumerate(names) if name]
        chosen = random.permutation(named)[:MOST]
        offsets, grasped = self._data.offsets(row), self._data.grasped(row)
        return told([names[one] for one in chosen], offsets[chosen], grasped[chosen])


def told(names: Sequence[str], offsets: NDArray[np.float32],
         grasped: NDArray[np.bool_]) -> Situation:
    """The situation of objects at `offsets` (N, 3) [m], object minus tcp in the viewer frame."""
    rounded = np.rint(np.asarray(offsets, np.float64) / CENTIMETRE).astype(int)
    lines = [f'{name}: in the gripper' if held else f'{name}: x {x} y {y} z {z}'
             for name, (x, y, z), held in zip(names, rounded, grasped, strict=True)]
    asked = tuple(question(name) for name in names)
    answers = tuple(answer(place * CENTIMETRE, bool(held), one.formulation)
                    for place, held, one in zip(rounded, grasped, asked, strict=True))
    return Situation('\n'.join(lines), asked, answers)

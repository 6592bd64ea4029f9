# SPDX-License-Identifier: Apache-2.0
"""Answers counted against the truth: by object, its part, the phase of the episode, and the words.

A case is near a boundary when an error of 1 cm could change its word; those are counted apart. A
contradiction of `grasped` (said of what is not held, or not said of what is) is wrong wherever it
happens; how many of the wrong ones are such is said beside.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from inspire_labeler.formulation import GRASPED
from inspire_policy.policy import Answer
from inspire_policy.true_answers import TrueAnswer

NEAR_BOUNDARY = 0.01   # m


class Case(NamedTuple):
    """What answers are told apart by. near: within 1 cm of a boundary of the rule."""

    object: str
    role: str
    phase: str
    true: str
    said: str
    near: bool

    @property
    def right(self) -> bool:
        """Whether the true word was said."""
        return self.said == self.true

    @property
    def contradicts_grasp(self) -> bool:
        """Whether one of the two words, and not the other, is `grasped`."""
        return (self.said == GRASPED) != (self.true == GRASPED)


class Tally(NamedTuple):
    """How often a case came up."""

    case: Case
    times: int


def judged(answers: Sequence[Answer], true: Sequence[TrueAnswer], phase: str) -> list[Case]:
    """The cases of one decision: those of its answers whose truth is known, by object.

    An answer withheld (an empty text) is none.
    """
    known = {one.question.object: one for one in true if one.word}
    return [Case(said.question.object, known[said.question.object].role, phase,
                 known[said.question.object].word, said.text,
                 known[said.question.object].margin < NEAR_BOUNDARY)
            for said in answers if said.text and said.question.object in known]


def missed(answers: Sequence[Answer], true: Sequence[TrueAnswer]) -> list[float]:
    """How far from where each object is an answer puts it [m], of those that tell."""
    known = {one.question.object: one.offset for one in true}
    return [round(float(np.linalg.norm(said.offset - known[said.question.object])), 4)
            for said in answers if said.offset is not None and said.question.object in known]


def tallied(cases: Iterable[Case]) -> tuple[Tally, ...]:
    """Count equal cases, in the order in which they came up."""
    return tuple(Tally(case, times) for case, times in Counter(cases).items())


@dataclass(frozen=True)
class Accuracy:
    """How often what was said was true.

    clear and right: answers away from every boundary, and those of them that were right. near and
    near_right: those within 1 cm of one. contradictions: wrong clear answers about `grasped`.
    """

    clear: int = 0
    right: int = 0
    near: int = 0
    near_right: int = 0
    contradictions: int = 0

    @property
    def share(self) -> float | None:
        """The share of clear answers that were right; None of none."""
        return self.right / self.clear if self.clear else None


def accuracy(tallies: Iterable[Tally]) -> Accuracy:
    """Sum up."""
    clear = right = near = near_right = contradictions = 0
    for case, times in tallies:
        if case.near:
            near, near_right = near + times, near_right + times * case.right
        else:
            clear, right = clear + times, right + times * case.right
            contradictions += times * case.contradicts_grasp
    return Accuracy(clear, right, near, near_right, contradictions)

# SPDX-License-Identifier: Apache-2.0
"""Answers that are put into a policy's prompt in place of its own: does it act on what it says?

`right` puts the truth, the place of the object too where the policy reads places; `wrong` another
word of the same set, drawn from the episode's seed anew for each decision. A policy that can be
treated so has attributes `forced` and `placed`, empty by default, which it reads at each decision.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Protocol, runtime_checkable
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from inspire_labeler.rule import VOCABULARY
from inspire_policy.true_answers import TrueAnswer


class Forced(StrEnum):
    """Which words are put into the prompt; its value is the name used on the command line."""

    NONE = 'none'
    RIGHT = 'right'
    WRONG = 'wrong'


@runtime_checkable
class Forceable(Protocol):
    """A policy that takes words and places for its own, by the object's phrase; places (3,) are
    the object minus the tcp, in the viewer frame [m]."""

    forced: Mapping[str, str]
    placed: Mapping[str, NDArray[np.float64]]


class Forcing:
    """The words for one episode's decisions, in their order."""

    def __init__(self, kind: Forced, instruction: str, seed: int) -> None:
        self._kind = kind
        self._random = np.random.default_rng(
            [seed, crc32(instruction.encode()), crc32(b'forced answers')])

    def words(self, true: Sequence[TrueAnswer]) -> dict[str, str]:
        """A word for each object whose answer is known; empty where nothing is forced."""
        if self._kind is Forced.NONE:
            return {}
        return {one.question.object: one.word if self._kind is Forced.RIGHT else self._wrong(one)
                for one in true if one.word}

    def places(self, true: Sequence[TrueAnswer]) -> dict[str, NDArray[np.float64]]:
        """Where each object is, where the truth is forced."""
        if self._kind is not Forced.RIGHT:
            return {}
        return {one.question.object: one.offset for one in true if one.word}

    def _wrong(self, one: TrueAnswer) -> str:
        others = [word for word in VOCABULARY[one.question.formulation] if word != one.word]
        return str(others[self._random.integers(len(others))])

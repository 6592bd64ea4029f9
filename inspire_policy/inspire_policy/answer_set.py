# SPDX-License-Identifier: Apache-2.0
"""The closed set of a question's answers, position by position.

An answer is one of its options, or, where options are a product ("front|back", "right|left",
"up|down", grasped), one word of each position in turn; an option without `|` then stands alone.
Decoding takes the best of `alternatives` at each position, so an answer outside the set cannot be
given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray


def alternatives(options: Sequence[str], before: Sequence[str]) -> tuple[str, ...]:
    """The words that may come after the words `before`; none: the answer is complete."""
    positions = [option.split('|') for option in options if '|' in option]
    if not positions:
        return () if before else tuple(options)
    alone = tuple(option for option in options if '|' not in option)
    if not before:
        return (*positions[0], *alone)
    if before[0] in alone or len(before) == len(positions):
        return ()
    return tuple(positions[len(before)])


def holds(options: Sequence[str], answer: str) -> bool:
    """Whether `answer` is in the set."""
    before: list[str] = []
    for word in answer.split():
        if word not in alternatives(options, before):
            return False
        before.append(word)
    return bool(before) and not alternatives(options, before)


def best(logits: ArrayLike, ids: Mapping[str, int],
         words: Sequence[str]) -> tuple[str, tuple[float, ...]]:
    """The word with the largest logit, and the probability of each among `words`.

    The logits (vocabulary,) of these words are gathered, so no other token can win. Of equal ones
    the first is taken. Raises ValueError where one of them is NaN.
    """
    own: NDArray[np.float64] = np.asarray(logits)[[ids[word] for word in words]].astype(np.float64)
    if np.isnan(own).any() or own.max() == -np.inf:
        raise ValueError(f'the logits of {", ".join(words)} are {own.tolist()}; valid: numbers')
    if own.max() == np.inf:
        own = np.where(own == np.inf, 0.0, -np.inf)
    share = np.exp(own - own.max())
    return words[int(np.argmax(own))], tuple((share / share.sum()).tolist())

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


def places(options: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """The words that may stand at each place of an answer; an option without `|` stands alone."""
    positions = [tuple(option.split('|')) for option in options if '|' in option]
    if not positions:
        return (tuple(options),)
    alone = tuple(option for option in options if '|' not in option)
    return ((*positions[0], *alone), *positions[1:])


def alternatives(options: Sequence[str], before: Sequence[str]) -> tuple[str, ...]:
    """The words that may come after the words `before`; none: the answer is complete."""
    words = places(options)
    if len(before) == len(words) or (before and before[0] in options):
        return ()
    return words[len(before)]


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
    """`choice` among words that are one token each, from the logits (vocabulary,) of all tokens.

    The logits of these words are gathered, so no other token can win.
    """
    return choice(np.asarray(logits)[[ids[word] for word in words]], words)


def choice(scores: ArrayLike, words: Sequence[str]) -> tuple[str, tuple[float, ...]]:
    """The word with the largest score, and the probability of each. Of equal ones the first is
    taken.

    scores: logits, or logarithms of chances, one for each word. Raises ValueError where one is
    NaN.
    """
    own: NDArray[np.float64] = np.asarray(scores).astype(np.float64)
    if np.isnan(own).any() or own.max() == -np.inf:
        raise ValueError(f'the logits of {", ".join(words)} are {own.tolist()}; valid: numbers')
    if own.max() == np.inf:
        own = np.where(own == np.inf, 0.0, -np.inf)
    share = np.exp(own - own.max())
    return words[int(np.argmax(own))], tuple((share / share.sum()).tolist())

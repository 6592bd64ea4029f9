# SPDX-License-Identifier: Apache-2.0
"""Logits made to get an answer out of a decoder that is not in the question's set."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from inspire_labeler.formulation import OPTIONS, Formulation
from inspire_policy.answer_set import alternatives, best, holds

VOCABULARY = 64   # tokens, of which the answers' words are a few

Decode = Callable[[Any, dict[str, int], tuple[str, ...]], tuple[str, Any]]


def invalid_answers(count: int, seed: int, decode: Decode = best) -> int:
    """How many of `count` answers, decoded from adversarial logits, are in no set.

    The logits are of all sizes; forbidden tokens are certain, allowed ones hopeless, or all but
    one impossible.
    """
    random = np.random.default_rng(seed)
    forms = list(Formulation)
    words = sorted({word for form in forms for option in OPTIONS[form]
                    for word in option.split('|')})
    places = random.permutation(VOCABULARY)[:len(words)].tolist()
    ids = dict(zip(words, places, strict=True))
    allowed = np.zeros(VOCABULARY, bool)
    allowed[places] = True
    invalid = 0
    for number in range(count):
        options = OPTIONS[forms[number % len(forms)]]
        said: list[str] = []
        while choices := alternatives(options, said):
            logits = _logits(random, allowed, [ids[word] for word in choices])
            said.append(decode(logits, {word: ids[word] for word in choices}, choices)[0])
            if said[-1] not in choices:
                break
        invalid += not holds(options, ' '.join(said))
    return invalid


def _logits(random: np.random.Generator, allowed: Any, own: list[int]) -> Any:
    logits = random.standard_normal(VOCABULARY) * 10.0 ** random.integers(-3, 30)
    kind = random.integers(5)
    if kind == 1:
        logits[own] = -1e30 * (1.0 + random.random(len(own)))
    elif kind == 2:
        logits[~allowed] = np.inf
    elif kind == 3:
        logits[own[1:]] = -np.inf
    elif kind == 4:
        logits[own] = -np.abs(logits[own])
    return logits

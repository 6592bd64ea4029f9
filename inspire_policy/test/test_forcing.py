# SPDX-License-Identifier: Apache-2.0
"""A wrong word is never the right one, comes from the set, and from the seed."""

from collections import Counter

import numpy as np
import pytest

from inspire_labeler.formulation import Formulation
from inspire_labeler.question import question
from inspire_labeler.rule import VOCABULARY
from inspire_policy.forcing import Forced, Forcing
from inspire_policy.true_answers import TrueAnswer


def true(word: str, formulation: Formulation = Formulation.DIRECTION,
         phrase: str = 'the ball') -> TrueAnswer:
    return TrueAnswer(question(phrase, formulation), 'moved', word, 0.05, np.zeros(3))


def test_right_words_are_the_truth_and_none_are_none() -> None:
    both = [true('left'), true('grasped', phrase='the book')]
    assert Forcing(Forced.RIGHT, 'x', 0).words(both) == {'the ball': 'left', 'the book': 'grasped'}
    assert Forcing(Forced.NONE, 'x', 0).words(both) == {}


@pytest.mark.parametrize('formulation', Formulation)
def test_wrong_words_are_any_other_of_the_set(formulation: Formulation) -> None:
    vocabulary = VOCABULARY[formulation]
    forcing = Forcing(Forced.WRONG, 'pick up the ball', 1)
    drawn = Counter(forcing.words([true(vocabulary[0], formulation)])['the ball']
                    for _ in range(600))
    assert vocabulary[0] not in drawn and set(drawn) <= set(vocabulary)
    assert len(drawn) == min(len(vocabulary) - 1, len(drawn))
    if len(vocabulary) < 12:
        assert set(drawn) == set(vocabulary[1:])


def test_they_come_from_the_episodes_seed() -> None:
    def words(instruction: str, seed: int) -> list[dict[str, str]]:
        forcing = Forcing(Forced.WRONG, instruction, seed)
        return [forcing.words([true('left')]) for _ in range(20)]

    assert words('a', 1) == words('a', 1)
    assert words('a', 1) != words('a', 2) and words('a', 1) != words('b', 1)


def test_an_answer_that_is_not_known_is_not_forced() -> None:
    assert Forcing(Forced.WRONG, 'a', 0).words([true('')]) == {}

# SPDX-License-Identifier: Apache-2.0
"""Right, wrong, near a boundary, contradicting a grasp: each answer counts once."""

import numpy as np
import pytest

from inspire_labeler.formulation import Formulation
from inspire_labeler.question import question
from inspire_policy.answer_tally import Accuracy, Case, accuracy, judged, missed, tallied
from inspire_policy.policy import Answer, Source
from inspire_policy.true_answers import TrueAnswer

BALL = question('the ball')


def said(word: str, about=BALL) -> Answer:
    return Answer(about, word, (), None, Source.POLICY)


def true(word: str, margin: float = 0.05) -> TrueAnswer:
    return TrueAnswer(BALL, 'moved', word, margin, np.array([0.1, 0.0, -0.2]))


def counted(word: str, truth: TrueAnswer) -> Accuracy:
    return accuracy(tallied(judged([said(word)], [truth], 'before')))


def test_an_answer_is_right_or_wrong_away_from_boundaries() -> None:
    assert counted('left', true('left')) == Accuracy(clear=1, right=1)
    assert counted('up', true('left')) == Accuracy(clear=1)


def test_within_a_centimetre_of_a_boundary_it_counts_apart() -> None:
    assert counted('left', true('left', 0.0099)) == Accuracy(near=1, near_right=1)
    assert counted('up', true('left', 0.0099)) == Accuracy(near=1)
    assert counted('up', true('left', 0.0101)) == Accuracy(clear=1)


@pytest.mark.parametrize(('word', 'truth'), [('grasped', true('left')),
                                             ('left', true('grasped', np.inf))])
def test_a_contradiction_of_grasped_is_wrong_and_named(word: str, truth: TrueAnswer) -> None:
    assert counted(word, truth) == Accuracy(clear=1, contradictions=1)


def test_grasped_of_what_is_grasped_is_right_wherever_it_is() -> None:
    assert counted('grasped', true('grasped', np.inf)) == Accuracy(clear=1, right=1)


def test_what_is_withheld_or_not_asked_about_is_no_case() -> None:
    other = question('the book', Formulation.DIRECTION)
    assert judged([said('')], [true('left')], 'before') == []
    assert judged([said('left', other)], [true('left')], 'before') == []
    assert judged([said('left')], [true('')], 'before') == []


def test_equal_cases_are_counted_and_the_sum_is_that_of_the_parts() -> None:
    cases = (judged([said('left')], [true('left')], 'before') * 3
             + judged([said('up')], [true('left')], 'after') * 2)
    tallies = tallied(cases)
    assert [(one.case.said, one.times) for one in tallies] == [('left', 3), ('up', 2)]
    assert accuracy(tallies) == Accuracy(clear=5, right=3)
    assert accuracy(tallies).share == 0.6 and Accuracy().share is None
    assert Case('the ball', 'moved', 'before', 'left', 'left', False).right


def test_a_miss_is_how_far_off_an_object_is_believed_to_be() -> None:
    told = Answer(BALL, 'left', (), np.array([0.1, 0.03, -0.16]), Source.POLICY)
    other = Answer(question('the book'), 'left', (), np.zeros(3), Source.POLICY)
    assert missed([told, said('left'), other], [true('left')]) == [0.05]

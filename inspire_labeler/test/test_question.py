# SPDX-License-Identifier: Apache-2.0
"""Questions: the paper's texts, character by character."""

import pytest

from inspire_labeler.formulation import Formulation
from inspire_labeler.instruction import InstructionError
from inspire_labeler.question import question, questions


@pytest.mark.parametrize('asked, text', [
    ('direction', 'In which direction is the blue cup relative to the robot?'),
    ('direction_3d', 'In which direction is the blue cup relative to the robot? x, y, z:'),
    ('proximity', 'What is the distance between the robot and the blue cup?'),
    ('location_3d',
     'What is the accurate position of the blue cup relative to the robot? x, y, z:'),
    ('distance', 'What is the accurate distance between the robot and the blue cup?'),
])
def test_the_text_is_that_of_the_paper(asked, text):
    assert question('the blue cup', Formulation(asked)).text == text


def test_one_question_per_object_in_the_order_of_mention():
    asked = questions('put the ball on the book')
    assert [each.object for each in asked] == ['the ball', 'the book']
    assert asked[0].options == ('left', 'right', 'up', 'down', 'front', 'back', 'grasped')


def test_product_options_are_listed_position_by_position():
    assert questions('pick up the ball', Formulation.DIRECTION_3D)[0].options == (
        'front|back', 'right|left', 'up|down', 'grasped')


def test_an_instruction_without_object_has_no_questions_but_an_error():
    with pytest.raises(InstructionError, match="'stop'"):
        questions('stop')

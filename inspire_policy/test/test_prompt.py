# SPDX-License-Identifier: Apache-2.0
import pytest

from inspire_labeler.question import questions
from inspire_policy.prompt import Layout, Mark, answered, plain, segments

INSTRUCTION = 'Put the ball on the book.'
ASKED = questions(INSTRUCTION)


def test_vqa_first_asks_in_the_order_of_mention_and_ends_with_the_actions():
    prompt = segments(Layout.VQA_FIRST, INSTRUCTION, ASKED)
    assert [segment.question for segment in prompt] == [*ASKED, None]
    assert prompt[-1].marks == (Mark.DO, 'put the ball on the book', Mark.ACT)
    assert prompt[0].marks == (Mark.DIRECTION, 'the ball', Mark.ANSWER)


def test_instruct_first_says_the_instruction_before_the_first_question():
    prompt = segments(Layout.INSTRUCT_FIRST, INSTRUCTION, ASKED)
    assert [segment.question for segment in prompt] == [*ASKED, None]
    assert prompt[0].marks[:2] == (Mark.DO, 'put the ball on the book')
    assert prompt[-1].marks == (Mark.ACT,)


@pytest.mark.parametrize('layout', Layout)
def test_every_layout_fills_the_actions_last_and_says_what_to_do_once(layout):
    prompt = segments(layout, INSTRUCTION, ASKED)
    assert prompt[-1].question is None
    said = [mark for segment in prompt for mark in segment.marks]
    assert said.count(Mark.DO) == 1
    do = {Layout.NAMED_ONCE: 'put on', Layout.ANSWERS_FOR_NAMES: 'put',
          Layout.ANSWERS_FOR_PICTURES: 'put'}.get(
        layout, 'put the ball on the book')
    assert said[said.index(Mark.DO) + 1] == do


@pytest.mark.parametrize(('instruction', 'left'), [
    ('Pick up THE orange!', 'pick up'),
    ('stack the left bowl on the middle bowl', 'stack on'),
    ('pull out the top plate from the cabinet', 'pull out from')])
def test_an_instruction_can_leave_out_what_the_questions_name(instruction, left):
    assert segments(Layout.NAMED_ONCE, instruction, questions(instruction))[-1].marks[1] == left


@pytest.mark.parametrize(('instruction', 'left'), [
    ('Put the ball on the book.', ('put', 0, 'on', 1)),
    ('pick up the orange', ('pick up', 0)),
    ('stack the left bowl on the middle bowl', ('stack', 0, 'on', 1))])
def test_answers_can_stand_in_the_place_of_names(instruction, left):
    prompt = segments(Layout.ANSWERS_FOR_NAMES, instruction, questions(instruction))
    assert prompt[-1].marks == (Mark.DO, *left, Mark.ACT)
    assert all(segment.alone for segment in prompt)
    assert prompt[-1].text == tuple(mark for mark in prompt[-1].marks if isinstance(mark, str))


def test_what_an_instruction_calls_otherwise_is_still_answered_for():
    assert answered('put it there', ASKED) == ('put it there', 0, 1)
    assert answered('put the ball there', ASKED) == ('put', 0, 'there', 1)


def test_without_questions_there_is_one_segment():
    assert len(segments(Layout.NONE, INSTRUCTION, ASKED)) == 1
    assert segments(Layout.VQA_FIRST, INSTRUCTION, ()) == segments(Layout.NONE, INSTRUCTION, ASKED)


def test_instructions_are_said_in_lower_case_without_a_stop():
    assert plain('  Pick up\nthe BALL!  ') == 'pick up the ball'

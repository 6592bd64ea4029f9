# SPDX-License-Identifier: Apache-2.0
"""The expert answers as the labels do, acts on what is there, and says what it cannot do."""

from collections.abc import Iterator

import numpy as np
import pytest

from inspire_labeler.formulation import OPTIONS, Formulation
from inspire_labeler.question import questions
from inspire_labeler.rule import answer
from inspire_policy import families
from inspire_policy.families.expert import one_hot
from inspire_policy.policy import (
    BadInstruction,
    Decision,
    Policy,
    PolicyObservation,
    Source,
    UnknownObject,
)
from inspire_sim.world import TableWorld, Truth
from piper_driver.pose import Pose

TOOL_DOWN = np.array([1.0, 0.0, 0.0, 0.0])


def at(x: float, y: float, z: float) -> Pose:
    return Pose(np.array([x, y, z]), TOOL_DOWN)


def seen(instruction: str, truth: Truth | None) -> PolicyObservation:
    tcp = truth.tcp if truth else at(0.3, 0.0, 0.2)
    return PolicyObservation(0.0, {}, np.zeros(6), np.zeros(6), 0.07, 0.0, tcp, instruction,
                             truth)


def truth(objects: dict[str, Pose], grasped: frozenset[str] = frozenset()) -> Truth:
    return Truth(0.0, at(0.3, 0.0, 0.2), objects, grasped, 0.07)


def asked(
    instruction: str, formulation: Formulation = Formulation.DIRECTION, viewer: str = 'libero'
) -> Policy:
    expert = families.create('expert', viewer=viewer)
    expert.reset(instruction, questions(instruction, formulation))
    return expert


@pytest.fixture
def world() -> Iterator[TableWorld]:
    world = TableWorld(cameras=())
    yield world
    world.close()


def decide(expert: Policy, world: TableWorld) -> Decision:
    return expert.decide(seen(world.instruction, world.truth()))


def test_it_answers_by_the_rule_and_is_sure() -> None:
    expert = asked('put the ball on the book')
    objects = {'ball': at(0.3, -0.15, 0.15), 'book': at(0.35, 0.1, 0.01)}
    ball, book = expert.decide(seen('', truth(objects))).answers
    assert (ball.text, book.text) == ('left', 'down')  # y is the viewer's right
    np.testing.assert_allclose(ball.offset, [0.0, -0.15, -0.05])
    assert (ball.frame, book.frame) == ('ball', 'book')
    assert ball.source is Source.EXPERT
    assert dict(zip(ball.question.options, ball.probabilities, strict=True))['left'] == 1.0
    assert sum(ball.probabilities) == 1.0


def test_left_is_left_for_the_viewer_it_was_told_of() -> None:
    expert = asked('pick up the ball', viewer='piper_real')  # viewer's right is base_link's +x
    decision = expert.decide(seen('', truth({'ball': at(0.1, -0.05, 0.15)})))
    assert decision.answers[0].text == 'left'
    np.testing.assert_allclose(decision.answers[0].offset, [0.05, -0.2, -0.05], atol=1e-12)


@pytest.mark.parametrize('formulation', list(Formulation))
def test_every_formulation_has_an_answer_that_its_rule_gives(formulation: Formulation) -> None:
    expert = asked('pick up the ball', formulation)
    (given,) = expert.decide(seen('', truth({'ball': at(0.12, 0.05, 0.15)}))).answers
    assert given.text == answer([-0.18, 0.05, -0.05], False, formulation)
    assert given.probabilities == one_hot(given.text, OPTIONS[formulation])


def test_what_both_fingers_touch_is_grasped() -> None:
    expert = asked('pick up the ball')
    held = truth({'ball': at(0.3, 0.0, 0.2)}, frozenset({'ball'}))
    assert expert.decide(seen('', held)).answers[0].text == 'grasped'


def test_the_left_bowl_stays_the_same_bowl_wherever_it_goes() -> None:
    expert = asked('stack the left bowl on the middle bowl')
    places = {'bowl_1': 0.1, 'bowl_2': -0.12, 'bowl_3': 0.0}
    bowls = {frame: at(0.3, y, 0.03) for frame, y in places.items()}
    first = expert.decide(seen('', truth(bowls)))
    assert [each.frame for each in first.answers] == ['bowl_2', 'bowl_3']
    bowls['bowl_2'] = at(0.3, 0.2, 0.1)
    second = expert.decide(seen('', truth(bowls)))
    assert [each.frame for each in second.answers] == ['bowl_2', 'bowl_3']


@pytest.mark.parametrize(
    ('instruction', 'error', 'message'),
    [
        ('pick up the unicorn', UnknownObject, "no 'unicorn'.*there is now: ball, book"),
        ('pick up the plug', UnknownObject, "'the plug' is not there.*ball, book"),
        ('stack the book on the ball', BadInstruction, 'no script for this.*did you mean'),
    ],
)
def test_what_it_cannot_do_is_said_with_what_it_could(
    instruction: str, error: type[Exception], message: str
) -> None:
    there = truth({'ball': at(0.3, 0.1, 0.02), 'book': at(0.3, -0.1, 0.01)})
    with pytest.raises(error, match=message):
        asked(instruction).decide(seen(instruction, there))


def test_an_object_that_vanishes_is_named() -> None:
    expert = asked('put the ball on the book')
    both = {'ball': at(0.3, 0.1, 0.02), 'book': at(0.3, -0.1, 0.01)}
    expert.decide(seen('', truth(both)))
    with pytest.raises(UnknownObject, match="'the book' .book. is gone; there is now: ball"):
        expert.decide(seen('', truth({'ball': both['ball']})))


def test_without_the_truth_it_does_not_guess() -> None:
    with pytest.raises(ValueError, match='needs the truth'):
        asked('pick up the ball').decide(seen('pick up the ball', None))


def test_the_transcript_asks_first_and_acts_last() -> None:
    there = truth({'ball': at(0.3, 0.2, 0.2), 'book': at(0.3, -0.1, 0.01)})
    lines = asked('put the ball on the book').decide(seen('', there)).transcript.split('\n')
    question = 'Question: In which direction is the {} relative to the robot? Answer: {}'
    assert lines == [
        question.format('ball', 'right'),
        question.format('book', 'down'),
        'What action should the robot take to put the ball on the book?',
    ]


def test_it_solves_a_task_and_says_that_it_is_done(world: TableWorld) -> None:
    world.reset('pick_ball', 1)
    expert = asked(world.instruction)
    said = []
    for _ in range(40):
        decision = decide(expert, world)
        said.append(decision.answers[0].text)
        for action in decision.actions:
            world.step(action)
        if decision.done:
            break
    assert decision.done
    assert world.success().achieved, world.success().detail
    assert said[-1] == 'grasped'
    assert said[0] != 'grasped'


def test_a_family_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(families.UnknownFamily, match="no policy 'oracle'; policies: expert"):
        families.create('oracle')

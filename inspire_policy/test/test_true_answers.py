# SPDX-License-Identifier: Apache-2.0
"""What a question's answer is: the same as the labels', settled on the same objects."""

from types import SimpleNamespace

import numpy as np
import pytest

from inspire_labeler.formulation import Formulation
from inspire_labeler.question import questions
from inspire_labeler.viewer import viewer
from inspire_policy.answer_tally import missed
from inspire_policy.families import create
from inspire_policy.policy import PolicyObservation
from inspire_policy.true_answers import TrueAnswers
from inspire_sim.tasks import variants
from inspire_sim.world import TableWorld
from piper_driver.pose import Pose

LEVEL = np.array([0.0, 0.0, 0.0, 1.0])


def scene(held: bool = False, **places: tuple[float, float, float]) -> SimpleNamespace:
    objects = {frame: Pose(np.array(place), LEVEL) for frame, place in places.items()}
    return SimpleNamespace(objects=objects, tcp=Pose.identity(),
                           grasped=frozenset(objects if held else ()), gripper_width=0.05)


@pytest.mark.parametrize('instruction', [variant.instruction for variant in variants()][::3])
@pytest.mark.parametrize('seen_by', ['libero', 'piper_real'])
def test_they_are_the_answers_of_the_expert(instruction: str, seen_by: str) -> None:
    world = TableWorld(cameras=(), viewer_yaw=viewer(seen_by).yaw)
    world.reset(instruction, 5)
    asked = questions(instruction)
    truth, arm = world.truth(), world.arm_state()
    expert = create('expert', viewer=seen_by)
    expert.reset(instruction, asked)
    decision = expert.decide(PolicyObservation(
        0.0, {}, np.array(arm.position), np.array(arm.velocity), arm.gripper_width,
        arm.gripper_velocity, truth.tcp, instruction, truth, world.commanded))
    true = TrueAnswers(instruction, asked, truth, viewer(seen_by)).now(truth)
    assert [one.word for one in true] == [one.text for one in decision.answers]
    assert max(missed(decision.answers, true)) < 1e-4
    roles = {one.question.object: one.role for one in true}
    assert 'moved' in roles.values() and 'other' not in roles.values()


def test_the_left_bowl_stays_the_same_bowl() -> None:
    start = scene(bowl_1=(0.3, -0.2, 0.0), bowl_2=(0.3, 0.0, 0.0), bowl_3=(0.3, 0.2, 0.0))
    instruction = 'stack the left bowl on the right bowl'
    true = TrueAnswers(instruction, questions(instruction), start, viewer('libero'))
    assert true.moved == 'bowl_1'
    later = scene(bowl_1=(0.1, 0.5, 0.0), bowl_2=(0.3, 0.0, 0.0), bowl_3=(0.3, 0.2, 0.0))
    left, right = true.now(later)
    assert (left.role, left.word, right.role, right.word) == ('moved', 'right', 'target', 'front')
    assert left.margin == pytest.approx(0.4 / np.sqrt(2))


def test_the_phase_is_told_by_what_is_held() -> None:
    instruction = 'pick up the ball'
    free, held = scene(ball=(0.3, 0.0, 0.0)), scene(True, ball=(0.0, 0.0, 0.0))
    true = TrueAnswers(instruction, questions(instruction), free, viewer('libero'))
    phases = [true.phase(one) for one in (free, free, held, held, free, held, free)]
    assert phases == ['before', 'before', 'holding', 'holding', 'after', 'holding', 'after']
    (answer,) = true.now(held)
    assert (answer.word, answer.margin) == ('grasped', np.inf)


def test_every_formulation_has_its_answers() -> None:
    instruction, place = 'pick up the ball', scene(ball=(0.25, -0.1, 0.02))
    words = [TrueAnswers(instruction, questions(instruction, each), place,
                         viewer('libero')).now(place)[0].word for each in Formulation]
    assert words == ['front', 'front left up', 'middle', '2 -1 0', '2']

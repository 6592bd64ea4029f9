# SPDX-License-Identifier: Apache-2.0
"""Pushes: smooth, bounded, small close to things, and the same for the same episode."""

import numpy as np
import pytest

from inspire_policy.disturbance import (
    CLOSE,
    DISTURBED_PHASES,
    FREE,
    LARGEST_STEP,
    REST,
    Disturber,
    Push,
)
from inspire_policy.policy import checked_actions
from inspire_sim.expert import PHASES
from inspire_sim.sights import Truth
from piper_driver.pose import Pose

TURN = np.array([0.0, 0.0, 0.0, 1.0])


def truth(height: float = 0.2, distance: float = 0.3, held: bool = False) -> Truth:
    tcp = Pose(np.array([0.3, 0.0, height]), TURN)
    ball = Pose(np.array([0.3, distance, height]), TURN)
    return Truth(0.0, tcp, {'ball': ball}, frozenset({'ball'} if held else ()), 0.07)


def pushes(seed: int, scene: Truth, steps: int = 4000, wanted: float = 5.0) -> list[Push]:
    disturber = Disturber('pick up the ball', seed, wanted)
    found = (disturber.push(scene, 'approach', 4) for _ in range(steps // 4))
    return [push for push in found if push is not None]


def test_the_same_episode_is_pushed_the_same_way() -> None:
    one, other = pushes(1, truth()), pushes(1, truth())
    assert len(one) == len(other) > 20
    assert all(np.array_equal(a.steps, b.steps) for a, b in zip(one, other, strict=True))
    assert not np.array_equal(one[0].steps, pushes(2, truth())[0].steps)


@pytest.mark.parametrize(('scene', 'sizes'), [
    (truth(), FREE), (truth(distance=0.05), CLOSE), (truth(held=True), CLOSE)])
def test_a_push_is_as_large_as_where_it_happens_allows(scene: Truth,
                                                       sizes: tuple[float, float]) -> None:
    for push in pushes(0, scene):
        total = push.steps.sum(axis=0)
        assert sizes[0] <= np.linalg.norm(total[:3]) <= sizes[1]
        assert np.array_equal(total[3:5], [0, 0])
        assert abs(total[5]) <= 0.2


def test_a_push_begins_and_ends_slowly_and_stays_below_what_the_arm_follows() -> None:
    for push in pushes(0, truth()):
        lengths = np.linalg.norm(push.steps[:, :3], axis=1)
        assert lengths.max() <= LARGEST_STEP
        assert lengths[0] < lengths.max() > lengths[-1]


@pytest.mark.parametrize('scene', [truth(height=0.1), truth(distance=0.05), truth(held=True)])
def test_close_to_something_or_to_the_table_no_push_goes_down(scene: Truth) -> None:
    assert all(push.steps[:, 2].min() >= 0 for push in pushes(0, scene))


def test_a_push_is_an_action_with_the_gripper_as_it_was_told() -> None:
    actions = pushes(0, truth())[0].actions(0.03)
    assert np.array_equal(checked_actions(actions), actions)
    assert (actions[:, 6] == 0.03).all()


def test_pushes_come_as_often_as_was_asked_for() -> None:
    counts = []
    for seed in range(300):
        disturber = Disturber('pick up the ball', seed, 2.0)
        counts.append(sum(disturber.push(truth(), 'approach', 4) is not None
                          for _ in range(130 // 4)))
    assert 1.6 < np.mean(counts) < 2.4
    assert min(counts) == 0


def test_after_a_push_the_arm_may_come_back() -> None:
    disturber = Disturber('pick up the ball', 0, 10.0)
    came = [disturber.push(truth(), 'approach', 4) is not None for _ in range(2000)]
    assert np.diff(np.flatnonzero(came)).min() * 4 >= REST


def test_none_are_made_where_none_are_wanted_or_the_fingers_are_at_work() -> None:
    assert not pushes(0, truth(), wanted=0.0)
    assert set(PHASES) > DISTURBED_PHASES
    for phase in set(PHASES) - DISTURBED_PHASES:
        disturber = Disturber('pick up the ball', 0, 10.0)
        assert not any(disturber.push(truth(), phase, 4) for _ in range(500))


def test_an_impossible_number_is_refused() -> None:
    with pytest.raises(ValueError, match='-1'):
        Disturber('pick up the ball', 0, -1)

# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from inspire_sim.motion import EASING, SPEED, STEP, TURN_SPEED, Leg, Mover
from piper_driver.pose import Pose, apply_delta

START = Pose(np.array([0.25, 0.0, 0.20]), np.array([0.0, 1.0, 0.0, 0.0]))


def leg_to(translation: tuple[float, ...], rotation: tuple[float, ...], **leg: object) -> Leg:
    return Leg('go', apply_delta(START, translation, rotation), 0.05, **leg)


def travel(leg: Leg, most: int = 200) -> list[np.ndarray]:
    mover, actions = Mover(START), []
    while not mover.arrived(leg) and len(actions) < most:
        actions.append(mover.step(leg))
    return actions


@pytest.mark.parametrize(('translation', 'rotation'), [
    ((0.2, 0.0, 0.0), (0.0, 0.0, 0.0)), ((0.1, -0.1, -0.15), (0.3, 0.0, 1.0)),
    ((0.0, 0.0, 0.004), (0.0, 0.0, 0.0)), ((0.0, 0.0, 0.0), (0.0, 1.5, 0.0))])
def test_a_leg_arrives_smoothly(translation: tuple[float, ...],
                                rotation: tuple[float, ...]) -> None:
    actions = np.array(travel(leg_to(translation, rotation)))
    assert 0 < len(actions) < 80
    np.testing.assert_allclose(actions[:, :3].sum(axis=0), translation, atol=0.0007)
    speeds = np.linalg.norm(actions[:, :3], axis=1) / STEP
    assert speeds.max() <= SPEED + 1e-9
    assert np.linalg.norm(actions[:, 3:6], axis=1).max() <= TURN_SPEED * STEP + 1e-9
    changes = np.diff(actions[:, :3], axis=0, prepend=0.0) / STEP
    assert np.linalg.norm(changes, axis=1).max() <= EASING * STEP + 1e-9


def test_it_does_not_run_past_the_goal() -> None:
    leg = leg_to((0.0, 0.0, -0.15), (0.0, 0.0, 0.0))
    mover = Mover(START)
    heights = []
    for _ in range(60):
        mover.step(leg)
        heights.append(mover.pose.position[2])
    assert min(heights) > 0.05 - 0.001
    assert heights[-1] == pytest.approx(0.05, abs=1e-4)


def test_a_goal_that_is_passed_is_not_stopped_at() -> None:
    stopping = travel(leg_to((0.2, 0.0, 0.0), (0.0,) * 3))
    passing = travel(leg_to((0.2, 0.0, 0.0), (0.0,) * 3, passing=True))
    assert len(passing) < len(stopping)
    assert np.linalg.norm(passing[-1][:3]) > 3 * np.linalg.norm(stopping[-1][:3])


def test_the_width_is_that_of_the_leg() -> None:
    assert {action[6] for action in travel(leg_to((0.1, 0, 0), (0, 0, 0)))} == {0.05}

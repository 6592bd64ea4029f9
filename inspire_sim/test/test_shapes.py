# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from inspire_sim import aims
from inspire_sim.shapes import SHAPES
from inspire_sim.tasks import Goal, variants
from piper_driver.limits import PIPER
from piper_driver.pose import Pose

MOVED = sorted({frame for variant in variants() if variant.goal is not Goal.PUSH
                for frame in variant.moved.candidates})


@pytest.mark.parametrize('frame', MOVED)
def test_what_is_to_be_grasped_fits_between_the_fingers(frame: str) -> None:
    shape = SHAPES[frame]
    assert 0.0 < shape.width <= 0.055
    assert shape.width + 0.012 <= shape.opening <= PIPER.gripper_upper


@pytest.mark.parametrize('frame', sorted(SHAPES))
def test_the_base_is_found_back_from_the_grasp_frame(frame: str) -> None:
    random = np.random.default_rng(2)
    shape = SHAPES[frame]
    for _ in range(20):
        body = Pose(random.uniform(-1, 1, 3), random.normal(size=4))
        turn = random.uniform(-np.pi, np.pi)
        np.testing.assert_allclose(shape.base(body @ shape.grasp(turn)), body.position, atol=1e-12)


@pytest.mark.parametrize('frame', sorted(set(SHAPES) - {'cabinet'}))
def test_the_foot_is_the_middle_of_the_underside_whatever_is_taken_hold_of(frame: str) -> None:
    """Of what stands: in its own coordinates, seen from the arm, and of a ball that has rolled."""
    random, shape = np.random.default_rng(4), SHAPES[frame]
    for yaw in random.uniform(-np.pi, np.pi, 5):
        body = Pose(np.array([0.3, -0.1, 0.02]),
                    np.array([0.0, 0.0, np.sin(yaw / 2), np.cos(yaw / 2)]))
        grasp = body @ shape.grasp(random.uniform(-np.pi, np.pi))
        np.testing.assert_allclose(aims.foot(shape, grasp), body.position, atol=1e-12)
        eye = Pose(random.uniform(-1, 1, 3), random.normal(size=4))
        np.testing.assert_allclose(
            aims.foot(shape, eye @ grasp, eye.rotation[:, 2]), (eye @ body).position, atol=1e-12)
    if shape.rolls:
        rolled = Pose(grasp.position, random.normal(size=4))
        np.testing.assert_allclose(aims.foot(shape, rolled), body.position, atol=1e-12)


def test_a_rim_points_x_axis_points_outwards() -> None:
    grasp = SHAPES['blue_cup'].grasp(np.pi / 2)
    assert grasp.position[1] == pytest.approx(np.hypot(*grasp.position[:2]))
    np.testing.assert_allclose(grasp.rotation[:, 0], [0, 1, 0], atol=1e-12)

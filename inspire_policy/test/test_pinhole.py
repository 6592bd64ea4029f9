# SPDX-License-Identifier: Apache-2.0
"""Where things are in a picture."""

import numpy as np
import pytest

from inspire_policy.pinhole import spot
from inspire_sim.cameras import CAMERA, intrinsics, optical_pose, project
from inspire_sim.world import TableWorld
from piper_driver.pose import Pose

K = np.array([[100.0, 0.0, 49.5], [0.0, 100.0, 29.5], [0.0, 0.0, 1.0]])
AHEAD = Pose.identity()


def test_what_is_right_of_the_middle_and_below_it_is_so_in_the_picture() -> None:
    assert spot(np.array([0.0, 0.0, 2.0]), AHEAD, K, 100, 60) == pytest.approx((0.5, 0.5))
    right, below = spot(np.array([0.2, 0.1, 1.0]), AHEAD, K, 100, 60) or (0.0, 0.0)
    assert (right, below) == pytest.approx((0.7, 0.5 + 10 / 60))
    left, _ = spot(np.array([-0.2, 0.1, 1.0]), AHEAD, K, 100, 60) or (0.0, 0.0)
    assert left == pytest.approx(1.0 - right)


@pytest.mark.parametrize('place', [(0.0, 0.0, -1.0), (0.0, 0.0, 0.0), (9.0, 0.0, 1.0),
                                   (np.nan, 0.0, 1.0)])
def test_what_is_behind_beside_or_nowhere_is_in_no_picture(place: tuple[float, ...]) -> None:
    assert spot(np.array(place), AHEAD, K, 100, 60) is None


def test_it_agrees_with_the_world_whose_pictures_are_drawn() -> None:
    """`inspire_sim.cameras.project` is held against rendered pictures by its own tests."""
    world = TableWorld(image_size=(224, 224))
    world.reset('pick up the ball', 1)
    camera = optical_pose(world.data, CAMERA)
    view = intrinsics(world.model, CAMERA, 224, 224)
    for pose in world.truth().objects.values():
        found = spot(pose.position, camera, view.matrix, 224, 224)
        pixel = project(pose.position, camera, view)
        assert found == pytest.approx(tuple((pixel + 0.5) / 224))
    world.close()

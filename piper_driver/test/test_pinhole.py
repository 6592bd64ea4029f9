# SPDX-License-Identifier: Apache-2.0
"""Where things are in a picture; inspire_sim/test/test_cameras.py compares rendered ones."""

import numpy as np
import pytest

from piper_driver.pinhole import project, spot
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


def test_many_places_are_projected_at_once() -> None:
    places = np.array([[[0.0, 0.0, 2.0], [0.2, 0.1, 1.0]], [[0.0, 0.0, -2.0], [0.0, 0.0, 1.0]]])
    camera = Pose(np.array([0.1, 0.0, -1.0]), np.array([0.0, 0.0, np.sqrt(0.5), np.sqrt(0.5)]))
    pixels = project(places, camera, K)
    assert pixels.shape == (2, 2, 2) and np.isnan(pixels[1, 0]).all()
    for index in np.ndindex(2, 2):
        assert project(places[index], camera, K) == pytest.approx(pixels[index], nan_ok=True)
    # it is turned by 90 degrees about its axis: y is to its right, x up
    assert pixels[0, 1] == pytest.approx([49.5 + 100 * 0.1 / 2, 29.5 - 100 * 0.1 / 2])

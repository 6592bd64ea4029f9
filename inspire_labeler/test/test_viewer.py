# SPDX-License-Identifier: Apache-2.0
"""The viewer's frame: presets, and that words follow the viewer."""

import math

import numpy as np
import pytest

from inspire_labeler.rule import answer, codes
from inspire_labeler.viewer import VIEWERS, Viewer, quarter, viewer


def test_libero_is_base_link_itself():
    assert np.array_equal(viewer('libero').rotation_base_to_viewer, np.eye(3))


def test_piper_real_has_x_minus_y_of_the_base_and_y_plus_x():
    rotation = viewer('piper_real').rotation_base_to_viewer
    assert (rotation @ [1, 2, 3]).tolist() == [-2.0, 1.0, 3.0]


def test_what_is_in_front_of_the_robot_is_right_for_the_viewer_beside_it():
    ahead = np.array([0.3, 0.0, 0.0])
    assert answer(VIEWERS['libero'].rotation_base_to_viewer @ ahead) == 'front'
    assert answer(VIEWERS['piper_real'].rotation_base_to_viewer @ ahead) == 'right'


def test_turning_viewer_and_offset_together_changes_no_word():
    generator = np.random.default_rng(1)
    for yaw in generator.uniform(-math.pi, math.pi, 20):
        turn = Viewer('turned', yaw).rotation_base_to_viewer
        offsets = generator.normal(size=(500, 3))
        # An offset given in a base that was turned the other way.
        assert np.array_equal(codes((turn @ (turn.T @ offsets.T)).T), codes(offsets))


def test_the_quaternion_turns_viewer_axes_into_base_axes():
    for preset in (*VIEWERS.values(), Viewer('odd', 0.7)):
        x, y, z, w = preset.quaternion_viewer_in_base
        cosine, sine = 1 - 2 * z * z, 2 * z * w
        viewer_in_base = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])
        assert (x, y) == (0, 0)
        assert np.allclose(viewer_in_base.T, preset.rotation_base_to_viewer, atol=1e-15)


def test_of_four_sides_the_one_that_points_away_is_the_heading():
    assert quarter(0.1, 0.0) == pytest.approx(0.1)
    assert quarter(0.1, math.pi / 2) == pytest.approx(0.1 + math.pi / 2)
    generator = np.random.default_rng(3)
    for angle, bearing in generator.uniform(-math.pi, math.pi, (50, 2)):
        found = quarter(angle, bearing)
        assert abs(found - bearing) <= math.pi / 4 + 1e-12
        assert abs(math.remainder(found - angle, math.pi / 2)) < 1e-12
    assert math.isnan(quarter(math.nan, 0.3))


def test_an_unknown_viewer_is_refused_with_the_presets():
    with pytest.raises(ValueError, match="'left'; viewers: libero, piper_real"):
        viewer('left')

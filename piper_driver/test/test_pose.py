# SPDX-License-Identifier: Apache-2.0
"""Poses compose, invert, differ and interpolate as rigid motions do."""

from math import nan, pi, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from piper_driver.pose import (
    Pose,
    apply_delta,
    quaternion_from_matrix,
    quaternion_from_rotation_vector,
    rotation_vector_from_quaternion,
    slerp,
)

numbers = st.floats(-2, 2, allow_nan=False)
vectors = st.tuples(numbers, numbers, numbers)
poses = st.builds(lambda p, r: Pose(p, quaternion_from_rotation_vector(*r)), vectors, vectors)


def _same(a, b, tolerance=1e-9):
    return np.allclose(a.matrix, b.matrix, atol=tolerance)


def test_a_quarter_turn_about_z_takes_x_to_y():
    pose = Pose((1, 2, 3), (0, 0, sqrt(0.5), sqrt(0.5)))
    assert np.allclose(pose.rotation @ [1, 0, 0], [0, 1, 0])
    assert np.allclose((pose @ Pose((1, 0, 0), (0, 0, 0, 1))).position, [1, 3, 3])


def test_a_delta_moves_in_the_parents_axes_and_turns_in_place():
    turned = Pose((1, 2, 3), (0, 0, sqrt(0.5), sqrt(0.5)))
    moved = apply_delta(turned, (0.1, 0, 0), (0, 0, pi / 2))
    assert np.allclose(moved.position, [1.1, 2, 3])
    assert np.allclose(moved.rotation @ [1, 0, 0], [-1, 0, 0])


@settings(max_examples=200)
@given(poses, poses)
def test_composition_is_the_product_of_matrices(a, b):
    assert np.allclose((a @ b).matrix, a.matrix @ b.matrix, atol=1e-9)


@given(poses)
def test_the_inverse_undoes(a):
    assert _same(a @ a.inverse(), Pose.identity())


@given(poses, poses)
def test_the_difference_leads_from_one_to_the_other(a, b):
    assert _same(apply_delta(a, *a.difference(b)), b, 1e-7)
    assert np.linalg.norm(a.difference(b)[1]) <= pi + 1e-9


@given(poses, poses)
def test_interpolation_starts_here_ends_there_and_goes_evenly(a, b):
    assert _same(a.interpolate(b, 0.0), a)
    assert _same(a.interpolate(b, 1.0), b, 1e-7)
    half = a.interpolate(b, 0.5)
    whole = np.linalg.norm(a.difference(b)[1])
    if whole < 3.1:         # at half a turn there are two ways
        assert np.isclose(np.linalg.norm(a.difference(half)[1]), whole / 2, atol=1e-6)


@given(poses)
def test_a_matrix_and_a_pose_are_each_others_inverse(a):
    assert _same(Pose.from_matrix(a.matrix), a)


@pytest.mark.parametrize('axis', [(1, 0, 0), (0, 1, 0), (0, 0, 1), (0.6, 0.8, 0)])
def test_half_turns_come_back_from_their_matrix(axis):
    pose = Pose((0, 0, 0), (*axis, 0))
    assert np.allclose(abs(np.dot(quaternion_from_matrix(pose.rotation), (*axis, 0))), 1)


def test_a_rotation_vector_is_the_short_way():
    back = rotation_vector_from_quaternion(quaternion_from_rotation_vector(0, 0, 1.5 * pi))
    assert np.allclose(back, (0, 0, -0.5 * pi))


def test_slerp_takes_the_short_way_between_q_and_minus_q():
    assert np.allclose(np.abs(slerp((0, 0, 0, 1), (0, 0, 0, -1), 0.5)), (0, 0, 0, 1))


@pytest.mark.parametrize(('position', 'quaternion', 'words'), [
    ((0, 0, nan), (0, 0, 0, 1), 'not finite'),
    ((0, 0, 0), (0, 0, nan, 1), 'not finite'),
    ((0, 0, 0), (0, 0, 0, 0), 'no direction'),
    ((0, 0), (0, 0, 0, 1), 'shape'),
    ((0, 0, 0), (0, 0, 1), 'shape')])
def test_what_is_no_pose_is_refused(position, quaternion, words):
    with pytest.raises(ValueError, match=words):
        Pose(position, quaternion)


def test_a_pose_cannot_be_changed_from_outside():
    place = np.zeros(3)
    pose = Pose(place, (0, 0, 0, 2))
    place[0] = 5.0
    assert pose.position[0] == 0.0
    assert pose.quaternion[3] == 1.0
    with pytest.raises(ValueError, match='read-only'):
        pose.position[0] = 1.0

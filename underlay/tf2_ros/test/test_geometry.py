# SPDX-License-Identifier: Apache-2.0
"""The tuples against scipy's rotations, and the laws that transforms obey."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation, Slerp

from tf2_ros.geometry import IDENTITY, compose, interpolate, invert

seeds = st.integers(0, 2**31)


def transform(seed):
    """Any transform: a random position and a uniformly random rotation."""
    random = np.random.default_rng(seed)
    position = random.uniform(-5.0, 5.0, 3)
    quaternion = Rotation.random(random_state=seed).as_quat()
    return (*position.tolist(), *quaternion.tolist())


def matrix(value):
    result = np.eye(4)
    result[:3, :3] = Rotation.from_quat(value[3:]).as_matrix()
    result[:3, 3] = value[:3]
    return result


@given(seeds, seeds)
def test_composition_is_the_product_of_the_matrices(one, two):
    a, b = transform(one), transform(two)
    assert matrix(compose(a, b)) == pytest.approx(matrix(a) @ matrix(b), abs=1e-9)


@given(seeds)
def test_a_transform_times_its_inverse_is_the_identity(seed):
    a = transform(seed)
    assert matrix(compose(a, invert(a))) == pytest.approx(np.eye(4), abs=1e-9)
    assert matrix(compose(invert(a), a)) == pytest.approx(np.eye(4), abs=1e-9)


@given(seeds, seeds, st.floats(0.0, 1.0))
def test_interpolation_is_lerp_and_slerp(one, two, ratio):
    a, b = transform(one), transform(two)
    got = interpolate(a, b, ratio)
    wanted = Slerp([0, 1], Rotation.from_quat([a[3:], b[3:]]))(ratio)
    assert got[:3] == pytest.approx(np.array(a[:3]) * (1 - ratio) + np.array(b[:3]) * ratio)
    assert (Rotation.from_quat(got[3:]).inv() * wanted).magnitude() < 1e-6


@given(seeds, st.floats(0.0, 1.0))
def test_interpolation_takes_the_shorter_arc_whatever_the_sign(seed, ratio):
    a, b = transform(seed), transform(seed + 1)
    flipped = (*b[:3], *(-value for value in b[3:]))
    one, two = interpolate(a, b, ratio), interpolate(a, flipped, ratio)
    assert matrix(one) == pytest.approx(matrix(two), abs=1e-9)


def test_interpolation_between_equal_and_nearly_equal_rotations_is_exact():
    assert interpolate(IDENTITY, IDENTITY, 0.5) == IDENTITY
    tiny = (0.0, 0.0, 0.0, *Rotation.from_rotvec([2e-6, 0, 0]).as_quat())
    half = Rotation.from_quat(interpolate(IDENTITY, tiny, 0.5)[3:]).as_rotvec()
    assert half == pytest.approx([1e-6, 0, 0], rel=1e-6)

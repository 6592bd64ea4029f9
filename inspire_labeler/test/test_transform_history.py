# SPDX-License-Identifier: Apache-2.0
"""Transforms at an instant: interpolation, gaps, time jumps, chains."""

import math

import numpy as np
import pytest

from inspire_labeler.transform_history import (
    MissingTransform,
    Sample,
    TransformHistory,
    conjugate,
    interpolate,
    multiply,
    rotate,
)

MS = 1_000_000
IDENTITY = (0.0, 0.0, 0.0, 1.0)


def moved(child, milliseconds, x, parent='world', turn=IDENTITY):
    return Sample(parent, child, milliseconds * MS, (x, 0.0, 0.0, *turn))


def about_z(angle):
    return (0.0, 0.0, math.sin(angle / 2), math.cos(angle / 2))


@pytest.fixture
def history():
    return TransformHistory()


def test_a_sample_is_itself_at_its_own_stamp_and_interpolated_between(history):
    history.add(moved('ball', 0, 1.0))
    history.add(moved('ball', 10, 2.0))
    assert history.position('ball', 0) == ('world', (1.0, 0.0, 0.0))
    assert history.position('ball', 10 * MS) == ('world', (2.0, 0.0, 0.0))
    assert history.position('ball', 5 * MS) == ('world', (1.5, 0.0, 0.0))


def test_nothing_is_extrapolated(history):
    history.add(moved('ball', 100, 1.0))
    with pytest.raises(MissingTransform, match='world -> ball at 0.050 s: the first one is at'):
        history.position('ball', 50 * MS)
    with pytest.raises(MissingTransform, match=r'at 0.150 s: the last one is 0.050 s older'):
        history.position('ball', 150 * MS)
    with pytest.raises(MissingTransform, match="no transform of 'cup' was ever published"):
        history.position('cup', 100 * MS)


def test_a_gap_longer_than_max_gap_is_not_interpolated(history):
    for at in (0, 100, 201):
        history.add(moved('ball', at, float(at)))
    assert history.position('ball', 50 * MS)[1][0] == 50.0
    with pytest.raises(MissingTransform, match=r'a gap of 0.101 s, more than 0.1 s'):
        history.position('ball', 150 * MS)
    assert history.position('ball', 201 * MS)[1][0] == 201.0


def test_of_samples_with_one_stamp_the_first_counts_and_late_ones_are_dropped(history):
    for at, x in ((0, 0.0), (10, 1.0), (10, 7.0), (4, 9.0), (20, 2.0)):
        history.add(moved('ball', at, x))
    assert [history.position('ball', at * MS)[1][0] for at in (5, 10, 15)] == [0.5, 1.0, 1.5]


def test_time_that_jumps_back_starts_the_frame_anew(history):
    for at in range(5000, 5100, 10):
        history.add(moved('ball', at, 5.0))
    history.add(moved('ball', 1000, 1.0))
    history.add(moved('ball', 1010, 1.0))
    assert history.newest('ball') == 1010 * MS
    assert history.position('ball', 1005 * MS)[1][0] == 1.0


def test_what_is_older_than_the_window_is_forgotten_but_nothing_within_it():
    history = TransformHistory(window=1000 * MS, max_gap=100 * MS)
    for at in range(0, 10_000, 10):
        history.add(moved('ball', at, float(at)))
    assert history.position('ball', 8995 * MS)[1][0] == 8995.0
    with pytest.raises(MissingTransform, match='the first one is at'):
        history.position('ball', 500 * MS)
    assert len(history._series['ball'].stamps) <= 201


def test_a_chain_is_composed_up_to_its_root(history):
    history.add_static(Sample('world', 'base_link', 0, (0.0, 1.0, 0.0, *about_z(math.pi / 2))))
    for at in (0, 10):
        history.add(moved('link', at, 2.0, parent='base_link'))
    history.add_static(Sample('link', 'tcp', 0, (0.0, 0.5, 0.0, *IDENTITY)))
    # base_link's x is the world's y, its y the world's -x.
    root, position = history.position('tcp', 5 * MS)
    assert root == 'world' and np.allclose(position, (-0.5, 3.0, 0.0), atol=1e-15)
    root, turn = history.rotation('tcp', 5 * MS)
    assert root == 'world' and np.allclose(turn, about_z(math.pi / 2))
    assert history.newest('tcp') == 10 * MS


def test_a_static_chain_is_known_for_ever_and_a_broken_one_never(history):
    history.add_static(Sample('base_link', 'viewer', 0, (0.0, 0.0, 0.0, *IDENTITY)))
    assert history.newest('viewer') == 2**63 - 1
    assert history.newest('nobody') is None
    assert history.position('viewer', -5)[0] == 'base_link'


def test_the_newest_of_a_chain_is_that_of_its_slowest_part(history):
    history.add(moved('a', 30, 0.0))
    history.add(moved('b', 10, 0.0, parent='a'))
    assert history.newest('b') == 10 * MS


def test_a_frame_that_gets_another_parent_starts_anew(history):
    history.add(moved('ball', 0, 1.0))
    history.add(moved('ball', 10, 2.0, parent='tcp'))
    with pytest.raises(MissingTransform, match='tcp -> ball at 0.005 s: the first one'):
        history.position('ball', 5 * MS)


def test_transforms_in_a_circle_are_refused(history):
    history.add(moved('a', 0, 1.0, parent='b'))
    history.add(moved('b', 0, 1.0, parent='a'))
    with pytest.raises(MissingTransform, match='circle'):
        history.position('a', 0)


def test_rotations_go_the_short_way_at_constant_speed():
    start, end = (0.0, 0.0, 0.0, *about_z(0.2)), (0.0, 0.0, 0.0, *about_z(1.0))
    minus_end = (0.0, 0.0, 0.0, *(-each for each in about_z(1.0)))
    for share in (0.0, 0.25, 0.5, 1.0):
        expected = about_z(0.2 + 0.8 * share)
        for target in (end, minus_end):
            assert np.allclose(interpolate(start, target, share)[3:], expected, atol=1e-14)


def test_equal_rotations_stay_and_nearly_equal_ones_stay_unit():
    turn = (0.0, 0.0, 0.0, *about_z(0.3))
    assert np.allclose(interpolate(turn, turn, 0.3)[3:], turn[3:])
    other = (0.0, 0.0, 0.0, *about_z(0.3 + 1e-9))
    assert math.isclose(math.hypot(*interpolate(turn, other, 0.5)[3:]), 1.0)


def test_rotating_and_rotating_back_gives_the_point_again():
    generator = np.random.default_rng(2)
    for _ in range(100):
        turn = tuple(each / 1 for each in generator.normal(size=4))
        turn = tuple(each / math.hypot(*turn) for each in turn)
        point = tuple(generator.normal(size=3))
        assert np.allclose(rotate(conjugate(turn), rotate(turn, point)), point)
        assert np.allclose(multiply(conjugate(turn), turn), IDENTITY, atol=1e-15)


def test_a_quaternion_of_zeros_gives_no_number():
    zero = (0.0,) * 7
    assert all(math.isnan(each) for each in interpolate(zero, zero, 0.5)[3:])


def test_contradicting_settings_are_refused():
    with pytest.raises(ValueError, match='max_gap is 5 ns, expected between 0 and window 5 ns'):
        TransformHistory(window=5, max_gap=5)

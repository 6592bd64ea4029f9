# SPDX-License-Identifier: Apache-2.0
"""The arm's state at an image's instant lies between its neighbours."""

import numpy as np
import pytest

from inspire_policy.joint_history import JointHistory, JointSample

MS = 1_000_000


def sample(stamp: int, value: float) -> JointSample:
    return JointSample(stamp, np.full(6, value), np.full(6, -value), value / 100, -value / 10)


@pytest.fixture
def history() -> JointHistory:
    history = JointHistory()
    history.add(sample(100 * MS, 1.0))
    history.add(sample(105 * MS, 2.0))
    return history


def test_between_two_samples_it_is_interpolated(history: JointHistory) -> None:
    found = history.at(101 * MS, tolerance=0)
    assert found is not None
    np.testing.assert_allclose(found.positions, 1.2)
    np.testing.assert_allclose(found.velocities, -1.2)
    assert found.width == pytest.approx(0.012)
    assert found.width_velocity == pytest.approx(-0.12)


@pytest.mark.parametrize(('stamp', 'value'), [(100, 1.0), (105, 2.0)])
def test_at_a_sample_it_is_the_sample(history: JointHistory, stamp: int, value: float) -> None:
    found = history.at(stamp * MS, tolerance=0)
    assert found is not None
    np.testing.assert_array_equal(found.positions, value)


@pytest.mark.parametrize('stamp', [98, 107])
def test_outside_the_nearest_counts_only_within_the_tolerance(
    history: JointHistory, stamp: int
) -> None:
    assert history.at(stamp * MS, tolerance=2 * MS) is not None
    assert history.at(stamp * MS, tolerance=1 * MS) is None


def test_when_time_is_set_back_the_past_is_forgotten(history: JointHistory) -> None:
    history.add(sample(3 * MS, 9.0))
    assert history.at(100 * MS, tolerance=MS) is None
    assert history.latest is not None
    assert history.latest.stamp == 3 * MS


def test_an_empty_history_knows_nothing() -> None:
    assert JointHistory().at(0, tolerance=10**12) is None
    assert JointHistory().latest is None

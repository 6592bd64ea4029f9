# SPDX-License-Identifier: Apache-2.0
"""Smoothness is zero where nothing changes, and as computed by hand where something does."""

import numpy as np
import pytest

from inspire_policy.smoothness import Smoothness, smoothness

STEP = 0.05


def along_x(*values: float) -> np.ndarray:
    return np.outer(values, [1.0, 0.0, 0.0])


def test_a_steady_motion_has_no_jerk_and_no_steps() -> None:
    found = smoothness(along_x(*np.arange(17) * 0.002), [0, 8])
    assert (found.jerk, found.seam, found.inside) == pytest.approx((0.0, 0.0, 0.0), abs=1e-9)


def test_the_jerk_is_that_of_the_third_power() -> None:
    times = np.arange(40) * STEP
    found = smoothness(along_x(*(0.7 / 6.0 * times**3)), [0])
    assert found.jerk == pytest.approx(0.7) and found.seam is None


def test_a_step_at_a_seam_is_told_from_those_inside() -> None:
    # 1 mm a step in the first chunk of four, 2 mm in the second: 0.02 m/s more at the seam.
    found = smoothness(along_x(0, 1e-3, 2e-3, 3e-3, 4e-3, 6e-3, 8e-3, 10e-3, 12e-3), [0, 4])
    assert (found.seam, found.inside) == pytest.approx((0.02, 0.0))
    shifted = smoothness(along_x(0, 1e-3, 2e-3, 3e-3, 4e-3, 6e-3, 8e-3, 10e-3, 12e-3), [0, 3])
    assert (shifted.seam, shifted.inside) == pytest.approx((0.0, 0.0))


def test_turning_the_motion_in_space_changes_nothing() -> None:
    random = np.random.default_rng(1)
    path = np.cumsum(random.normal(scale=1e-3, size=(50, 3)), axis=0)
    turn, _ = np.linalg.qr(random.normal(size=(3, 3)))
    one, two = smoothness(path, range(0, 49, 8)), smoothness(path @ turn.T + 1.0, range(0, 49, 8))
    assert (one.jerk, one.seam, one.inside) == pytest.approx((two.jerk, two.seam, two.inside))


@pytest.mark.parametrize('count', range(3))
def test_too_short_a_motion_has_none(count: int) -> None:
    assert smoothness(np.zeros((count, 3)), [0]) == Smoothness(None, None, None)


def test_chunks_of_one_step_have_seams_only() -> None:
    found = smoothness(along_x(0, 1, 2, 3, 4), [0, 1, 2, 3])
    assert found.inside is None and found.seam == pytest.approx(0.0)

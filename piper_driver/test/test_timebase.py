# SPDX-License-Identifier: Apache-2.0
"""Stamps go on evenly whatever the clock they come from does, and there and back is the same."""

import random
from itertools import pairwise

import pytest

from piper_driver.timebase import JUMP, Timebase


def test_a_clock_that_goes_in_steps_gives_even_stamps():
    timebase, jitter = Timebase(), random.Random(1)
    stamps = [timebase.observe(100.0 + 0.005 * tick + jitter.uniform(0, 0.001),
                               0.01 * (tick // 2)) for tick in range(1000)]
    steps = [after - before for before, after in pairwise(stamps[200:])]
    assert min(steps) > 0.003 and max(steps) < 0.007
    assert stamps[-1] == pytest.approx(0.01 * 499.5, abs=0.005)


def test_stamps_never_repeat_while_the_clock_stands_still():
    timebase = Timebase()
    stamps = [timebase.observe(5.0 + 0.0001 * tick, 7.0) for tick in range(100)]
    assert all(after > before for before, after in pairwise(stamps))


@pytest.mark.parametrize('jump', [3600.0, -3600.0, 2 * JUMP])
def test_a_clock_that_was_set_is_followed_at_once_and_counted(jump):
    timebase = Timebase()
    timebase.observe(1.0, 1000.0)
    assert timebase.observe(1.005, 1000.005 + jump) == 1000.005 + jump
    assert timebase.jumps == 1


def test_there_and_back_is_the_same_time():
    timebase = Timebase()
    timebase.observe(50.0, 1_800_000_000.0)
    assert timebase.to_steady(timebase.to_ros(50.123)) == pytest.approx(50.123, abs=1e-6)
    assert timebase.to_ros(50.5) == pytest.approx(1_800_000_000.5, abs=1e-6)

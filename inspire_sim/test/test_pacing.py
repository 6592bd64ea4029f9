# SPDX-License-Identifier: Apache-2.0
import pytest

from inspire_sim.pacing import LARGEST_LAG, Pace


class FakeWall:
    """A clock that only sleeping and `spend` move."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def spend(self, seconds: float) -> None:
        self.now += seconds


def make(factor: float) -> tuple[FakeWall, Pace]:
    wall = FakeWall()
    return wall, Pace(factor, 0.005, wall, wall.sleep)


def test_a_hundred_steps_take_their_time_over_the_factor() -> None:
    for factor, seconds in ((1.0, 0.5), (2.0, 0.25), (0.5, 1.0)):
        wall, pace = make(factor)
        for _ in range(100):
            wall.spend(0.001)
            pace.wait()
        assert wall.now - 100.0 == pytest.approx(seconds)


def test_factor_zero_never_waits() -> None:
    wall, pace = make(0.0)
    for _ in range(10):
        pace.wait()
    assert wall.slept == [] and pace.dropped == 0.0


def test_small_lags_are_made_up_for() -> None:
    wall, pace = make(1.0)
    wall.spend(0.015)
    for _ in range(10):
        pace.wait()
    assert wall.now - 100.0 == pytest.approx(0.05)
    assert pace.dropped == 0.0


def test_a_stall_is_dropped_and_no_burst_follows() -> None:
    wall, pace = make(1.0)
    wall.spend(3.0)
    pace.wait()
    assert pace.dropped == pytest.approx(3.0 - 0.005) and pace.dropped > LARGEST_LAG
    for _ in range(10):
        pace.wait()
    assert wall.slept[-10:] == pytest.approx([0.005] * 10)


def test_a_pause_is_no_stall() -> None:
    wall, pace = make(1.0)
    wall.spend(60.0)
    pace.restart()
    pace.wait()
    assert pace.dropped == 0.0 and wall.slept == pytest.approx([0.005])


def test_a_negative_factor_is_refused_by_value() -> None:
    with pytest.raises(ValueError, match='real time factor is -1.0; valid'):
        make(-1.0)

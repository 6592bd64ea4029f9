# SPDX-License-Identifier: Apache-2.0
"""The world waits for a late command, and not for a dead commander."""

from __future__ import annotations

import pytest

from inspire_sim.patience import LATE, LONGEST, Patience


class Commander:
    """Sends a command at each of these wall times; the wall clock moves when somebody sleeps."""

    def __init__(self, *wall_times: float) -> None:
        self.wall, self.due, self.last = 0.0, list(wall_times), 0.0
        self.patience = Patience(self.overdue, lambda: self.wall, self.sleep)

    def sleep(self, duration: float) -> None:
        self.wall += duration

    def overdue(self, now: float) -> float:
        while self.due and self.due[0] <= self.wall:
            self.due.pop(0)
            self.last = now
        return now - self.last

    def run(self, until: float) -> float:
        """Advance simulated time in no wall time; return the longest silence seen [s]."""
        longest = 0.0
        for tick in range(1, round(until / 0.005) + 1):
            self.patience.wait(tick * 0.005)
            longest = max(longest, self.overdue(tick * 0.005))
        return longest


def test_a_commander_in_time_is_not_waited_for() -> None:
    commander = Commander(*[0.0] * 100)
    commander.patience.wait(LATE / 2)
    assert commander.wall == 0.0


def test_a_late_command_stops_the_world_until_it_comes() -> None:
    commander = Commander(*(0.1 * count for count in range(1, 100)))
    assert commander.run(until=0.5) <= LATE + 1e-9
    assert commander.patience.waited == pytest.approx(commander.wall)


def test_a_dead_commander_costs_a_moment_once() -> None:
    commander = Commander(0.1)
    assert commander.run(until=1.0) > 0.5
    assert commander.wall == pytest.approx(0.1 + LONGEST, abs=0.01)


def test_a_commander_that_comes_back_is_waited_for_again() -> None:
    commander = Commander(0.0)
    commander.run(until=1.0)                  # dead: nobody waits any more
    commander.due = [commander.wall]
    commander.patience.wait(1.0)              # back
    commander.due = [commander.wall + 0.1]    # and late once
    begin = commander.wall
    commander.patience.wait(1.0 + 2 * LATE)
    assert commander.wall - begin == pytest.approx(0.1, abs=0.01)

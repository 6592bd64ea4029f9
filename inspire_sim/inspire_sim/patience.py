# SPDX-License-Identifier: Apache-2.0
"""Simulated time waits for a command that is late, for a moment of wall time.

A commander gets its share of the processor in wall time, but its silence is counted in simulated
time. On a busy machine the two have nothing to do with each other: the simulation ran on for
100 ms while the policy, alive and well, waited for a core, and the arm's watchdog stopped it. So
the world goes no further while a command of a running stream is overdue. A commander that is dead
costs `LONGEST` of wall time once; in simulated time the arm holds exactly as soon as before.
"""

import time
from collections.abc import Callable

LATE = 0.01     # simulated [s] overdue from which on it is waited for
LONGEST = 0.25  # wall [s] that one command is waited for
LOOK = 0.001    # wall [s] between looks


class Patience:
    """Waits for commands that are overdue."""

    def __init__(self, overdue: Callable[[float], float],
                 clock: Callable[[], float] = time.monotonic,
                 sleep: Callable[[float], object] = time.sleep) -> None:
        """`overdue(now)` looks for commands and says for how long [s] the next one is overdue."""
        self.waited = 0.0   # wall [s], altogether
        self._overdue, self._clock, self._sleep = overdue, clock, sleep
        self._left = LONGEST

    def wait(self, now: float) -> None:
        """Return when no command is overdue at `now` [s], or none is to be expected any more."""
        while self._overdue(now) > LATE:
            if self._left <= 0.0:
                return
            begin = self._clock()
            self._sleep(LOOK)
            spent = self._clock() - begin
            self._left -= spent
            self.waited += spent
        self._left = LONGEST

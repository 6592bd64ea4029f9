# SPDX-License-Identifier: Apache-2.0
"""Simulated time against wall time, without making up for what was lost.

A stall (a reset, a busy machine) is forgotten instead of being caught up in a burst: a burst would
give the policy less wall time per step than it has a right to.
"""

import time
from collections.abc import Callable

LARGEST_LAG = 0.02   # wall seconds that may be made up for: jitter, not a stall


class Pace:
    """Waits until the next step of `step` [s] is due, at `factor` times real time (0: never)."""

    def __init__(self, factor: float, step: float,
                 clock: Callable[[], float] = time.monotonic,
                 sleep: Callable[[float], object] = time.sleep) -> None:
        """Start now. Raises ValueError for a negative factor."""
        if factor < 0.0:
            raise ValueError(f'real time factor is {factor}; '
                             'valid: 0 (as fast as possible) or more')
        self.dropped = 0.0
        self._period = step / factor if factor else 0.0
        self._clock, self._sleep = clock, sleep
        self._due = clock()

    def wait(self) -> None:
        """Return when the next step is due; wall time beyond LARGEST_LAG is dropped."""
        if not self._period:
            return
        self._due += self._period
        early = self._due - self._clock()
        if early > 0.0:
            self._sleep(early)
        elif -early > LARGEST_LAG:
            self.dropped += -early
            self._due -= early

    def restart(self) -> None:
        """Count from now on: what passed was a pause, not a stall."""
        self._due = self._clock()

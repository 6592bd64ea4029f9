# SPDX-License-Identifier: Apache-2.0
"""The time that a robot lives in, which may be simulated: it can stand still, run slower, or jump.
"""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """Time [s], and waiting for it. Both may be called from any thread."""

    def now(self) -> float:
        """Return the present time."""

    def wait_until(self, time: float, /) -> bool:
        """Wait until `time` and return True; return False early after at most 0.1 s of a person's
        time.

        The early return lets a caller look whether it is still wanted, although the time stands
        still.
        """

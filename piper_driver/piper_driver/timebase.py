# SPDX-License-Identifier: Apache-2.0
"""Two clocks: the steady one that the control loop counts in, and ROS time, which stamps are in.

Durations (the watchdog's, a step's) must not depend on a clock that somebody can set, so the loop
counts steady seconds; a stamp from the graph is turned into steady time by its age. ROS time that
goes in steps (simulated: 100 Hz) is smoothed; one that was set, or jumped, is followed at once.
"""

from __future__ import annotations

JUMP = 0.05         # a deviation that is a jump and no jitter [s]
_GAIN = 0.1         # share of a deviation that each observation corrects
_LEAST = 1e-6       # by which a stamp is later than the one before it, but after a jump [s]


class Timebase:
    """ROS time as a function of steady time, from observations of both."""

    def __init__(self) -> None:
        """Start without an observation: then the two are the same."""
        self._pair = (0.0, 0.0)     # steady and ROS time of the same instant; replaced as one
        self._stamp = 0.0
        self._seen = False
        self.jumps = 0

    def observe(self, steady: float, ros: float) -> float:
        """Note that it is `ros` [s] at `steady` [s]; return the stamp of what happened then."""
        expected = self.to_ros(steady)
        if not self._seen or abs(ros - expected) > JUMP:
            self.jumps += self._seen
            self._seen = True
            self._stamp = ros
        else:
            ros = expected + _GAIN * (ros - expected)
            self._stamp = max(ros, self._stamp + _LEAST)
        self._pair = (steady, ros)
        return self._stamp

    def to_ros(self, steady: float) -> float:
        """Return the ROS time [s] of a steady one."""
        at, ros = self._pair
        return ros + steady - at

    def to_steady(self, ros: float) -> float:
        """Return the steady time [s] of a ROS one."""
        at, then = self._pair
        return at + ros - then

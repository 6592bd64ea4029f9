# SPDX-License-Identifier: Apache-2.0
"""From steps to a motion: where the tcp and the fingers are to be at any time.

A chunk's steps are integrated on the last commanded pose, never on the measured one: the arm's lag
would otherwise be counted again at each chunk. Between two waypoints the position is interpolated
along a line and the rotation along the shorter arc; after the last waypoint the trajectory holds
there for good.

A trajectory is a value: extending or stopping one gives another. So one thread samples while
another decides.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from piper_driver.pose import Pose, apply_delta

STOP_SAMPLES = 16  # waypoints of a stop: at 0.1 s one every 6 ms, finer than the stream


@dataclass(frozen=True)
class SetPoint:
    """What the arm is told at one instant: the tcp's pose in base_link and the gripper's width
    [m].
    """

    pose: Pose
    width: float


@dataclass(frozen=True)
class Trajectory:
    """Waypoints in the order of their times [s]; before the first and after the last it stands
    still.
    """

    times: tuple[float, ...]
    points: tuple[SetPoint, ...]

    def __post_init__(self) -> None:
        if not self.times or len(self.times) != len(self.points):
            raise ValueError(f'{len(self.times)} times for {len(self.points)} points')

    @classmethod
    def holding(cls, pose: Pose, width: float, time: float) -> Trajectory:
        """Stand at `pose` from `time` on."""
        return cls((time,), (SetPoint(pose, width),))

    @property
    def end_time(self) -> float:
        return self.times[-1]

    @property
    def end(self) -> SetPoint:
        """The last commanded set-point, on which the next chunk is integrated."""
        return self.points[-1]

    def sample(self, time: float) -> SetPoint:
        """Return the set-point of `time`, by line and arc between its two waypoints."""
        after = bisect_right(self.times, time)
        if after == 0:
            return self.points[0]
        if after == len(self.times):
            return self.points[-1]
        begin, finish = self.times[after - 1], self.times[after]
        share = (time - begin) / (finish - begin)
        one, two = self.points[after - 1], self.points[after]
        return SetPoint(
            one.pose.interpolate(two.pose, share), one.width + share * (two.width - one.width)
        )

    def extended(
        self, actions: NDArray[np.float64], step_duration: float, now: float
    ) -> Trajectory:
        """Append the steps (K, 7): at the end, or from `now` on when the end has passed.

        What lies before `now` is forgotten.
        """
        start = max(now, self.end_time)
        kept = max(bisect_right(self.times, now) - 1, 0)
        times, points = list(self.times[kept:]), list(self.points[kept:])
        if start > times[-1]:  # held until now: the wait is not part of the first step
            times.append(start)
            points.append(points[-1])
        for count, action in enumerate(actions, start=1):
            pose = apply_delta(points[-1].pose, action[:3], action[3:6])
            times.append(start + count * step_duration)
            points.append(SetPoint(pose, float(action[6])))
        return Trajectory(tuple(times), tuple(points))

    def stopped(self, now: float, within: float) -> Trajectory:
        """Slow down evenly along the same path and stand still `within` seconds from `now`.

        The path's own time u runs at speed 1 now and 0 at the end: u = t - t^2 / 2T.
        """
        if now >= self.end_time or within <= 0.0:
            here = self.sample(now)
            return Trajectory.holding(here.pose, here.width, now)
        shares = [count / STOP_SAMPLES for count in range(STOP_SAMPLES + 1)]
        return Trajectory(
            tuple(now + share * within for share in shares),
            tuple(self.sample(now + within * (share - share * share / 2)) for share in shares),
        )

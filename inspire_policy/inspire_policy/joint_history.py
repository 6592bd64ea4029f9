# SPDX-License-Identifier: Apache-2.0
"""The arm's state at the instant of an image: joint states of the last moments, interpolated."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class JointSample:
    """Positions (6,) [rad], velocities (6,) [rad/s], the gripper's width [m] and how fast it
    changes [m/s], at `stamp` [ns]."""

    stamp: int
    positions: NDArray[np.float64]
    velocities: NDArray[np.float64]
    width: float
    width_velocity: float


class JointHistory:
    """The last `length` samples, in the order of their stamps. Any thread may add or ask."""

    def __init__(self, length: int = 200) -> None:
        self._samples: deque[JointSample] = deque(maxlen=length)

    def add(self, sample: JointSample) -> None:
        """Take a sample. One that is older than the last means that time was set back: begin anew.
        """
        if self._samples and sample.stamp < self._samples[-1].stamp:
            self._samples.clear()
        self._samples.append(sample)

    @property
    def latest(self) -> JointSample | None:
        return self._samples[-1] if self._samples else None

    def at(self, stamp: int, tolerance: int) -> JointSample | None:
        """Return the state at `stamp` [ns], between its neighbours.

        Outside the history the nearest sample counts if it is within `tolerance` ns; else None.
        """
        samples = list(self._samples)
        if not samples:
            return None
        after = bisect_left(samples, stamp, key=lambda sample: sample.stamp)
        if after in (0, len(samples)):
            nearest = samples[min(after, len(samples) - 1)]
            return nearest if abs(nearest.stamp - stamp) <= tolerance else None
        one, two = samples[after - 1], samples[after]
        share = (stamp - one.stamp) / (two.stamp - one.stamp)
        return JointSample(
            stamp,
            one.positions + share * (two.positions - one.positions),
            one.velocities + share * (two.velocities - one.velocities),
            one.width + share * (two.width - one.width),
            one.width_velocity + share * (two.width_velocity - one.width_velocity),
        )

# SPDX-License-Identifier: Apache-2.0
"""A node's clock as this package's `Clock`: waiting ends with the tick of /clock that reaches the
time.

rclpy's own `sleep_until` does not fit: a standing clock would keep it asleep, and in Jazzy each
call leaves a callback behind in the context.
"""

from __future__ import annotations

import threading
import time

import rclpy.clock
from rclpy.duration import Duration
from rclpy.time import ClockType

LONGEST_WAIT = 0.1  # s of a person's time, after which a caller is let back in


class RosClock:
    """Follows ROS time, simulated or not. Any thread may call any method."""

    def __init__(self, clock: rclpy.clock.Clock) -> None:
        if clock.clock_type is not ClockType.ROS_TIME:
            raise ValueError(f'clock is of {clock.clock_type}; valid: ROS_TIME')
        self._clock = clock
        self._ticked = threading.Condition()
        every_change = rclpy.clock.JumpThreshold(
            min_forward=Duration(nanoseconds=1),
            min_backward=Duration(nanoseconds=-1),
            on_clock_change=True,
        )
        self._handler = clock.create_jump_callback(every_change, post_callback=self._tick)

    def close(self) -> None:
        self._handler.unregister()

    def now(self) -> float:
        return self._clock.now().nanoseconds * 1e-9

    def wait_until(self, time_: float, /) -> bool:
        limit = time.monotonic() + LONGEST_WAIT
        with self._ticked:
            while (remaining := time_ - self.now()) > 0.0:
                patience = limit - time.monotonic()
                if patience <= 0.0:
                    return False
                simulated = self._clock.ros_time_is_active
                self._ticked.wait(patience if simulated else min(patience, remaining))
        return True

    def _tick(self, _: rclpy.clock.TimeJump) -> None:
        with self._ticked:
            self._ticked.notify_all()

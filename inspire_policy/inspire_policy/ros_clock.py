# SPDX-License-Identifier: Apache-2.0
"""A node's clock as this package's `Clock`: waiting ends with the tick of /clock that reaches the
time.

The commands' rhythm hangs on these ticks, so they do not come through the node's executor, where a
tick waits for whatever else has come (measured on two busy cores: now and then 60 to 150 ms, for
which the arm's watchdog stops it). A thread waits for /clock and nothing else, and wakes
whoever waits for that time and nobody else.
"""

from __future__ import annotations

import struct
import threading
import time

from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node
from rosgraph_msgs.msg import Clock

from piper_driver.qos import CLOCK
from piper_driver.ros_inbox import Inbox
from piper_driver.ros_time import leave_clock

LONGEST_WAIT = 0.1  # s of a person's time, after which a caller is let back in


class RosClock:
    """Follows the node's time, simulated or not. Any thread may call any method."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._simulated = leave_clock(node)
        self._now = 0.0
        self._changing = threading.Lock()
        self._waiting: list[tuple[float, threading.Event]] = []
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name='clock')
        if self._simulated:
            self._inbox = Inbox(node)
            self._ticks = self._inbox.subscribe(Clock, '/clock', self._tick, CLOCK, raw=True)
            self._thread.start()

    def close(self) -> None:
        """Stop following; the time stands still."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join()

    def now(self) -> float:
        return self._now if self._simulated else self._node.get_clock().now().nanoseconds * 1e-9

    def wait_until(self, time_: float, /) -> bool:
        if not self._simulated:
            time.sleep(min(max(time_ - self.now(), 0.0), LONGEST_WAIT))
            return self.now() >= time_
        reached = threading.Event()
        with self._changing:
            if self._now >= time_:
                return True
            self._waiting.append((time_, reached))
        return reached.wait(LONGEST_WAIT) or self._give_up(reached)

    def _give_up(self, reached: threading.Event) -> bool:
        """Wait no longer; return whether the time came at the last moment."""
        with self._changing:
            self._waiting = [one for one in self._waiting if one[1] is not reached]
        return reached.is_set()

    def _run(self) -> None:
        """Wait for ticks, as rclpy's wait_for_message waits for one message."""
        handle, context = self._ticks.handle, self._node.context.handle
        with handle, context:
            wait_set = rclpy_implementation.WaitSet(1, 0, 0, 0, 0, 0, context)
            while not self._closing.is_set():
                wait_set.clear_entities()
                wait_set.add_subscription(handle)
                wait_set.wait(int(LONGEST_WAIT * 1e9))
                self._inbox.take()

    def _tick(self, data: bytes) -> None:
        """Take a serialized rosgraph_msgs/Clock."""
        seconds, nanoseconds = struct.unpack_from('<iI' if data[1] & 1 else '>iI', data, 4)
        with self._changing:
            self._now = now = seconds + nanoseconds * 1e-9
            due = [reached for time_, reached in self._waiting if time_ <= now]
            self._waiting = [one for one in self._waiting if one[0] > now]
        for reached in due:
            reached.set()

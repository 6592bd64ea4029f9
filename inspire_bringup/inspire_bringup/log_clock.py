# SPDX-License-Identifier: Apache-2.0
"""Give each received message the time it is logged with, as rosbag2 does.

On the system's clock that is when the middleware received it. On simulated time it is the latest
`/clock` at that instant; which one that was is told by the reception times, so that messages may
be collected in batches and are logged as if each had been looked at when it came.
"""

import struct
import time
from collections.abc import Iterable
from typing import NamedTuple

from inspire_bringup.recording import Message

CLOCK_TOPIC = '/clock'


class Received(NamedTuple):
    """A serialized message as the middleware hands it over; times in ns of the system's clock."""

    topic: str
    received: int
    published: int
    sequence: int | None
    data: bytes


class LogClock:
    """Turns received messages into messages to record, in the order of reception."""

    def __init__(self, simulated: bool) -> None:
        self.simulated = simulated
        self.now: int | None = None  # ns; None until it is known
        self._waiting: list[Received] = []

    def stamp(self, batch: Iterable[Received]) -> list[Message]:
        """Stamp a batch. On simulated time, messages before the first clock wait for it."""
        ordered = self._waiting + sorted(batch, key=lambda one: one.received)
        self._waiting = []
        if not self.simulated:
            stamped = [_message(one, one.received or time.time_ns()) for one in ordered]
            self.now = stamped[-1].log_time if stamped else self.now
            return stamped
        if self.now is None:
            first = next((one for one in ordered if one.topic == CLOCK_TOPIC), None)
            if first is None:
                self._waiting = ordered
                return []
            self.now = clock_time(first.data)
        return [self._on_simulated_time(one) for one in ordered]

    def _on_simulated_time(self, one: Received) -> Message:
        if one.topic == CLOCK_TOPIC:
            self.now = clock_time(one.data)
        return _message(one, self.now or 0)


def clock_time(data: bytes) -> int:
    """Read a serialized rosgraph_msgs/Clock [ns]."""
    seconds, nanoseconds = struct.unpack_from('<iI' if data[1] & 1 else '>iI', data, 4)
    return int(seconds * 1_000_000_000 + nanoseconds)


def _message(one: Received, log_time: int) -> Message:
    return Message(one.topic, log_time, one.published, one.sequence, one.data)

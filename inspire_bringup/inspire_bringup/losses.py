# SPDX-License-Identifier: Apache-2.0
"""Count what a recording did not get, per topic, from what the middleware says about each message.

Three witnesses: the sequence number that each publisher gives its messages (a jump is a loss), the
middleware's own message-lost events, and the recorder's full queue. The stamps inside the messages
say whether a periodic topic paused (a gap), which is not a loss but is worth knowing.
"""

import struct
from dataclasses import dataclass, field

# A topic is called periodic once this many intervals between stamps were seen.
INTERVALS_TO_LEARN = 24
# An interval longer than this many periods is a gap.
GAP_PERIODS = 2.5


class SequenceTracks:
    """Losses from publication sequence numbers of a topic with one or several publishers.

    rclpy does not say which publisher a message came from, so numbers are assigned to the
    publisher whose last one they continue. With one publisher the count is exact; with several,
    numbers that could open a publisher not heard so far are not counted, so it is a lower bound.
    """

    def __init__(self) -> None:
        self.lost = 0
        self._lasts: list[int] = []

    def see(self, sequence: int, publishers: int = 1) -> None:
        """Take the next message's number; `publishers` is how many are known on the topic."""
        lasts = self._lasts
        for index, last in enumerate(lasts):
            if sequence == last + 1:
                lasts[index] = sequence
                return
        behind = [index for index, last in enumerate(lasts) if last < sequence]
        if len(lasts) < max(publishers, 1) or not behind:
            lasts.append(sequence)  # a publisher not heard so far, or one that started again
            del lasts[: -max(publishers, 1)]
            return
        nearest = max(behind, key=lasts.__getitem__)
        self.lost += sequence - lasts[nearest] - 1
        lasts[nearest] = sequence


class StampIntervals:
    """Period and gaps of the stamps of a topic [ns], in constant memory."""

    def __init__(self) -> None:
        self.gaps = 0
        self.longest = 0
        self.period = 0
        self._last: int | None = None
        self._learning: list[int] = []

    def see(self, stamp: int) -> None:
        """Take the next stamp; one that stands still or goes back makes no interval."""
        if self._last is None or stamp <= self._last:
            self._last = stamp if self._last is None else self._last
            return
        interval, self._last = stamp - self._last, stamp
        self.longest = max(self.longest, interval)
        if self.period:
            self.gaps += interval > GAP_PERIODS * self.period
            return
        self._learning.append(interval)
        if len(self._learning) == INTERVALS_TO_LEARN:
            self._learn()

    def _learn(self) -> None:
        """Call the topic periodic if most of its intervals lie within a third of their median."""
        ordered = sorted(self._learning)
        median = ordered[len(ordered) // 2]
        close = sum(abs(interval - median) <= median / 3 for interval in ordered)
        if close * 4 >= 3 * len(ordered):
            self.period = median
            self.gaps = sum(interval > GAP_PERIODS * median for interval in ordered)
        self._learning = []


@dataclass
class TopicLedger:
    """What was received and what was lost of one topic."""

    name: str
    type: str
    publishers: int = 1
    late: bool = False  # it appeared while recording: its first number says what went before
    count: int = 0
    bytes: int = 0
    lost_in_queue: int = 0
    lost_by_event: int = 0
    lost_before: int = 0
    first: int = 0
    last: int = 0
    sequences: SequenceTracks = field(default_factory=SequenceTracks)
    stamps: StampIntervals = field(default_factory=StampIntervals)

    def receive(self, log_time: int, size: int, sequence: int | None, stamp: int | None) -> None:
        """Enter one message: times in ns, size in bytes, None where there is none."""
        if not self.count:
            self.first = log_time
            self.lost_before = sequence - 1 if self.late and sequence else 0
        self.count += 1
        self.bytes += size
        self.last = log_time
        if sequence is not None:
            self.sequences.see(sequence, self.publishers)
        self.stamps.see(log_time if stamp is None else stamp)

    @property
    def lost_in_transport(self) -> int:
        """Sequence numbers and events see the same losses, neither all: the larger count."""
        return max(self.sequences.lost, self.lost_by_event)

    @property
    def lost(self) -> int:
        return self.lost_in_transport + self.lost_in_queue + self.lost_before

    @property
    def written(self) -> int:
        return self.count - self.lost_in_queue

    @property
    def rate(self) -> float:
        """Messages per second between the first and the last one [Hz]; 0 for fewer than two."""
        span = (self.last - self.first) * 1e-9
        return (self.count - 1) / span if self.count > 1 and span > 0 else 0.0

    def warning(self) -> str:
        """Return 'topic: what is wrong', or nothing."""
        wrong = []
        if self.lost_in_transport:
            wrong.append(f'{self.lost_in_transport} lost in transport')
        if self.lost_in_queue:
            wrong.append(f'{self.lost_in_queue} lost in the recorder (queue full or disk failed)')
        if self.lost_before:
            wrong.append(f'{self.lost_before} sent before the recorder knew the topic')
        if self.stamps.gaps:
            wrong.append(
                f'{self.stamps.gaps} gaps, the longest {self.stamps.longest * 1e-9:.2f} s'
            )
        return f'{self.name}: {", ".join(wrong)}' if wrong else ''


@dataclass(frozen=True)
class StampPlace:
    """Where a type keeps its stamp in a serialized message."""

    offset: int
    behind_length: bool  # the stamp is in the first element of a sequence that may be empty

    def read(self, data: bytes) -> int | None:
        """Return a CDR message's stamp [ns], or None where it has none."""
        order = '<' if data[1] & 1 else '>'
        if self.behind_length and not struct.unpack_from(order + 'I', data, 4)[0]:
            return None
        if len(data) < self.offset + 8:
            return None
        seconds, nanoseconds = struct.unpack_from(order + 'iI', data, self.offset)
        return int(seconds * 1_000_000_000 + nanoseconds)


def stamp_place(first_fields: list[str]) -> StampPlace | None:
    """Find the stamp from the types of the first fields, outermost first: ['std_msgs/Header'].

    CDR puts a 4-byte header first; a leading Header or Time lies behind it, and a leading sequence
    of messages that start with one (tf2_msgs/TFMessage) has its length between.
    """
    stamped = ('std_msgs/Header', 'builtin_interfaces/Time')
    if first_fields and first_fields[0] in stamped:
        return StampPlace(4, behind_length=False)
    if len(first_fields) > 1 and first_fields[0].endswith('[]') and first_fields[1] in stamped:
        return StampPlace(8, behind_length=True)
    return None

# SPDX-License-Identifier: Apache-2.0
"""The few messages a label is made of, read from their bytes on the wire.

The live node subscribes raw and the bag holds the same bytes, so both read them here. It needs no
ROS, and it costs a tenth of rclpy's conversion, which would take most of the node's time (TF alone
is some thousand transforms a second). A test compares each reader with rclpy's.

CDR: a header of 4 bytes (the second one's lowest bit: little endian), then the fields in order,
each aligned to its own size, counted from after the header. A string is its length with the
closing zero, then its bytes.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import lru_cache

from inspire_labeler.transform_history import SECOND, Sample

_HEADER = 4


class MalformedMessage(ValueError):
    """Bytes that are not the message they should be."""


@dataclass(frozen=True)
class JointPositions:
    """A sensor_msgs/JointState without its velocities and efforts."""

    stamp: int
    positions: dict[str, float]


@dataclass(frozen=True)
class JointStates:
    """A sensor_msgs/JointState without its efforts, as it came: lengths may differ."""

    stamp: int
    names: tuple[str, ...]
    positions: tuple[float, ...]
    velocities: tuple[float, ...]


class Reader:
    """Reads fields one after the other. Raises MalformedMessage at the end of the bytes."""

    def __init__(self, data: bytes) -> None:
        if len(data) < _HEADER or data[0] != 0 or data[1] not in (0, 1):
            raise MalformedMessage(f'{len(data)} bytes that do not begin with a CDR header')
        self._data = data
        self._order = '<' if data[1] else '>'
        self._at = _HEADER

    def unpack(self, code: str, size: int) -> tuple[float, ...]:
        """Values of one kind: struct code without order; size is that of one value."""
        self._at += -(self._at - _HEADER) % size
        try:
            values = struct.unpack_from(self._order + code, self._data, self._at)
        except struct.error:
            raise MalformedMessage(f'ends after {len(self._data)} bytes') from None
        self._at += struct.calcsize(self._order + code)
        return values

    def count(self) -> int:
        """The length of a sequence."""
        return int(self.unpack('I', 4)[0])

    def doubles(self, count: int) -> tuple[float, ...]:
        """That many float64."""
        return self.unpack(f'{count}d', 8)

    def string(self) -> str:
        """A string."""
        length = self.count()
        end = self._at + length
        if length == 0 or end > len(self._data):
            raise MalformedMessage(f'a string of {length} bytes in {len(self._data)}')
        text = _text(bytes(self._data[self._at:end - 1]))
        self._at = end
        return text

    def stamp(self) -> int:
        """A builtin_interfaces/Time [ns]."""
        seconds, nanoseconds = self.unpack('iI', 4)
        return int(seconds) * SECOND + int(nanoseconds)


@lru_cache(maxsize=4096)
def _text(data: bytes) -> str:
    return data.decode('utf-8', 'replace')


def read_transforms(data: bytes) -> list[Sample]:
    """A tf2_msgs/TFMessage. Leading slashes of frames are dropped, as tf2 does."""
    reader = Reader(data)
    samples = []
    for _ in range(reader.count()):
        stamp = reader.stamp()
        parent = reader.string().removeprefix('/')
        child = reader.string().removeprefix('/')
        samples.append(Sample(parent, child, stamp, reader.doubles(7)))  # type: ignore[arg-type]
    return samples


def read_header_stamp(data: bytes) -> int:
    """The stamp [ns] of any message that begins with a std_msgs/Header."""
    return Reader(data).stamp()


def read_string(data: bytes) -> str:
    """A std_msgs/String."""
    return Reader(data).string()


def read_contacts(data: bytes) -> tuple[int, frozenset[str]]:
    """(stamp [ns], frames touched by both fingers) of an inspire_msgs/GraspContacts."""
    reader = Reader(data)
    stamp = reader.stamp()
    reader.string()
    return stamp, frozenset(reader.string() for _ in range(reader.count()))


def read_joints(data: bytes) -> JointPositions:
    """A sensor_msgs/JointState. Raises MalformedMessage where names and positions differ."""
    joints = read_joint_states(data)
    names, positions = joints.names, joints.positions
    if len(names) != len(positions):
        raise MalformedMessage(f'{len(names)} joint names, {len(positions)} positions')
    return JointPositions(joints.stamp, dict(zip(names, positions, strict=True)))


def read_joint_states(data: bytes) -> JointStates:
    """A sensor_msgs/JointState, unchecked."""
    reader = Reader(data)
    stamp = reader.stamp()
    reader.string()
    names = tuple(reader.string() for _ in range(reader.count()))
    positions = reader.doubles(count) if (count := reader.count()) else ()
    velocities = reader.doubles(count) if (count := reader.count()) else ()
    return JointStates(stamp, names, positions, velocities)


@dataclass(frozen=True)
class RecordedAnswer:
    """An inspire_msgs/SpatialAnswer as far as labels need it."""

    formulation: str
    object: str
    object_frame: str
    text: str
    offset: tuple[float, float, float]
    source: int
    reason: str


@dataclass(frozen=True)
class RecordedReasoning:
    """An inspire_msgs/SpatialReasoning as far as labels need it."""

    stamp: int
    frame: str
    instruction: str
    answers: tuple[RecordedAnswer, ...]


def read_reasoning(data: bytes) -> RecordedReasoning:
    """An inspire_msgs/SpatialReasoning, up to its answers."""
    reader = Reader(data)
    stamp, frame, instruction = reader.stamp(), reader.string(), reader.string()
    return RecordedReasoning(stamp, frame, instruction,
                             tuple(_answer(reader) for _ in range(reader.count())))


def _answer(reader: Reader) -> RecordedAnswer:
    formulation, name, frame = reader.string(), reader.string(), reader.string()
    reader.string()
    for _ in range(reader.count()):
        reader.string()
    text = reader.string()
    probabilities = reader.count()
    if probabilities:
        reader.unpack(f'{probabilities}f', 4)
    x, y, z = reader.doubles(3)
    source = int(reader.unpack('B', 1)[0])
    return RecordedAnswer(formulation, name, frame, text, (x, y, z), source, reader.string())

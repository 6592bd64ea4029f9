# SPDX-License-Identifier: Apache-2.0
"""A message that is sent again and again with other numbers: they alone are written, as bytes.

rclpy converts a message field by field at each publication: of ten transforms that takes 0.2 ms,
and the messages of one control instant took a third of a core. Here rclpy serialises the message
once, full of numbers that occur nowhere else, and so shows where in the bytes each of them lies.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any

from builtin_interfaces.msg import Time
from geometry_msgs.msg import TransformStamped
from rclpy.serialization import serialize_message

from tf2_msgs.msg import TFMessage

HEADER = 4              # bytes before the first field, from which alignment counts
SECOND = 1_000_000_000  # ns
_STAMP = Time(sec=0x5EC0_0D5E, nanosec=0x2A20_5EC5)
_FIRST = 0x4E57_0000_1234_0000      # the bits of the first number; the next ones count up


class Template:
    """The bytes of a message whose strings and lengths stay as they are.

    Its stamps, all the same, and its float64 numbers can be changed.
    """

    def __init__(self, make: Callable[[Time, list[float]], Any], count: int = 0) -> None:
        """`make(stamp, numbers)` returns the message with `count` numbers in it.

        Raises ValueError where a number is to be found less or more than once.
        """
        marks = [struct.pack('=Q', _FIRST + index) for index in range(count)]
        numbers = [struct.unpack('=d', mark)[0] for mark in marks]
        self._data = bytearray(serialize_message(make(_STAMP, numbers)))
        self._stamp = struct.Struct('=iI')
        self._stamps = _places(self._data, self._stamp.pack(_STAMP.sec, _STAMP.nanosec), 4)
        self._count = count
        self._runs: list[tuple[struct.Struct, int, slice]] = []
        places = []
        for index, mark in enumerate(marks):
            found = _places(self._data, mark, 8)
            if len(found) != 1:
                raise ValueError(f'number {index} of {count} is {len(found)} times in the message')
            places += found
        begin = 0
        for end in range(1, count + 1):     # numbers that lie next to each other go in together
            if end == count or places[end] != places[end - 1] + 8:
                self._runs.append((struct.Struct(f'={end - begin}d'), places[begin],
                                   slice(begin, end)))
                begin = end

    def fill(self, stamp: float, numbers: Sequence[float] = ()) -> bytes:
        """Return the message with this stamp [s] and these numbers, ready to be published."""
        if len(numbers) != self._count:
            raise ValueError(f'{len(numbers)} numbers; the message has {self._count}')
        seconds, nanoseconds = divmod(round(stamp * 1e9), SECOND)
        for place in self._stamps:
            self._stamp.pack_into(self._data, place, seconds, nanoseconds)
        for run, place, part in self._runs:
            run.pack_into(self._data, place, *numbers[part])
        return bytes(self._data)


def transforms_template(frames: Sequence[tuple[str, str]]) -> Template:
    """The transforms of these (parent, child); each has seven numbers: x y z, qx qy qz qw."""
    def make(stamp: Time, numbers: list[float]) -> TFMessage:
        message = TFMessage()
        for index, (parent, child) in enumerate(frames):
            transform = TransformStamped(child_frame_id=child)
            transform.header.stamp, transform.header.frame_id = stamp, parent
            place, turn = transform.transform.translation, transform.transform.rotation
            place.x, place.y, place.z, *turned = numbers[7 * index:7 * index + 7]
            turn.x, turn.y, turn.z, turn.w = turned
            message.transforms.append(transform)
        return message
    return Template(make, 7 * len(frames))


def _places(data: bytes | bytearray, mark: bytes, size: int) -> list[int]:
    """Return where these bytes lie, aligned to `size`."""
    return [place for place in range(HEADER, len(data) - len(mark) + 1, size)
            if data[place:place + len(mark)] == mark]

# SPDX-License-Identifier: Apache-2.0
"""What of a bag's messages an export is made of, read from their bytes: no ROS is needed.

The readers stand beside those of `inspire_labeler.cdr`, which read what labels are made of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspire_labeler.cdr import MalformedMessage, Reader
from inspire_policy.pictures import Picture
from piper_driver.limits import GRIPPER_NAME, JOINT_NAMES

Array = NDArray[np.float64]

STATE_NAMES = (*JOINT_NAMES, GRIPPER_NAME)


class Series:
    """Values by rising stamp, between which lines are drawn. stamps [ns]."""

    def __init__(self, samples: Sequence[tuple[int, Array]], width: int) -> None:
        """Sort samples of `width` values each; of several with one stamp the first counts."""
        stamps = np.array([stamp for stamp, _ in samples], dtype=np.int64)
        self.stamps, first = np.unique(stamps, return_index=True)
        self.values = np.array([samples[index][1] for index in first]).reshape(-1, width)

    def __len__(self) -> int:
        return len(self.stamps)

    def covers(self, stamp: int, gap: int) -> bool:
        """Whether there are samples on both sides of an instant, or at it, no further apart than
        `gap` [ns]."""
        after = int(np.searchsorted(self.stamps, stamp))
        if after == len(self.stamps):
            return False
        if self.stamps[after] == stamp:
            return True
        return after > 0 and bool(self.stamps[after] - self.stamps[after - 1] <= gap)

    def at(self, stamp: int) -> Array:
        """The values at an instant; before the first and after the last sample those."""
        if not len(self):
            raise LookupError('no sample')
        after = int(np.searchsorted(self.stamps, stamp))
        if after == len(self) or (after == 0 or self.stamps[after] == stamp):
            return np.asarray(self.values[min(after, len(self) - 1)])
        begin, end = self.stamps[after - 1], self.stamps[after]
        share = float(stamp - begin) / float(end - begin)
        one, other = self.values[after - 1], self.values[after]
        return np.asarray(one + share * (other - one))


@dataclass(frozen=True)
class JointState:
    """A sensor_msgs/JointState of the arm. positions, velocities (7,): joint1..joint6, gripper;
    velocities are 0 where it has none."""

    stamp: int
    positions: Array
    velocities: Array


def read_joint_state(data: bytes) -> JointState:
    """Raises MalformedMessage where a joint is missing."""
    reader = Reader(data)
    stamp = reader.stamp()
    reader.string()
    names = [reader.string() for _ in range(reader.count())]
    positions = _doubles(reader)
    velocities = _doubles(reader) or (0.0,) * len(positions)
    if not len(names) == len(positions) == len(velocities):
        raise MalformedMessage(f'{len(names)} joints, {len(positions)} positions, '
                               f'{len(velocities)} velocities')
    missing = set(STATE_NAMES) - set(names)
    if missing:
        raise MalformedMessage(f'joints without {", ".join(sorted(missing))}')
    order = [names.index(each) for each in STATE_NAMES]
    return JointState(stamp, np.array(positions)[order], np.array(velocities)[order])


def read_pose(data: bytes) -> tuple[int, Array]:
    """(stamp [ns], x y z [m] and quaternion x y z w) of a geometry_msgs/PoseStamped."""
    reader = Reader(data)
    stamp = reader.stamp()
    reader.string()
    return stamp, np.array(reader.doubles(7))


def read_width(data: bytes) -> tuple[int, Array]:
    """(stamp [ns], the gripper's opening (1,) [m]) of a trajectory_msgs/JointTrajectory."""
    reader = Reader(data)
    stamp = reader.stamp()
    reader.string()
    names = [reader.string() for _ in range(reader.count())]
    if not reader.count():
        raise MalformedMessage('a trajectory without points')
    positions = _doubles(reader)
    if GRIPPER_NAME not in names or len(names) != len(positions):
        raise MalformedMessage(f'{len(positions)} positions of {", ".join(names) or "no joint"}')
    return stamp, np.array([positions[names.index(GRIPPER_NAME)]])


def read_success(data: bytes) -> tuple[int, float]:
    """(stamp [ns], for how long success has held [s]) of an inspire_msgs/TaskState."""
    reader = Reader(data)
    stamp = reader.stamp()
    for _ in range(4):
        reader.string()     # frame, task, instruction, split
    reader.unpack('I', 4)
    reader.unpack('B', 1)
    return stamp, float(reader.doubles(1)[0])


def read_picture(data: bytes) -> Picture:
    """A sensor_msgs/Image as (height, width, 3), RGB. Raises MalformedMessage for another kind
    than rgb8 and bgr8."""
    reader = Reader(data)
    reader.stamp()
    reader.string()
    height, width = reader.count(), reader.count()
    encoding = reader.string()
    reader.unpack('B', 1)
    step, size = reader.count(), reader.count()
    if encoding not in ('rgb8', 'bgr8'):
        raise MalformedMessage(f'an image in {encoding!r}; valid: rgb8, bgr8')
    if step < 3 * width or size != step * height:
        raise MalformedMessage(f'an image of {width} x {height} with {size} bytes, {step} a row')
    values = np.frombuffer(reader.unpack(f'{size}s', 1)[0], np.uint8)  # type: ignore[call-overload]
    picture = values.reshape(height, step)[:, :3 * width].reshape(height, width, 3)
    return np.ascontiguousarray(picture if encoding == 'rgb8' else picture[:, :, ::-1])


def _doubles(reader: Reader) -> tuple[float, ...]:
    count = reader.count()
    return reader.doubles(count) if count else ()

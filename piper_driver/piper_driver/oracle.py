# SPDX-License-Identifier: Apache-2.0
"""Says whether set-points kept the limits, from the limits and the set-points alone.

It shares nothing with what it checks but the table of limits: speeds and accelerations are
differences of what was sent over the time that passed, and the tcp's place comes from the joints'
origins in AgileX' URDF (piper_ros ac41fcbc), which the driver's own kinematics do not use. What
holds at the set-points has to hold half-way between two of them, too: the arm passes there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from piper_driver.limits import GRIPPER_NAME, JOINT_NAMES, Limits

Array: TypeAlias = NDArray[np.float64]

SILENCE = 0.02      # an arm that hears nothing for so long slows down by itself [s]
_ROUNDING = 1e-6    # of differences of floats, in every unit
# How far an arm that has never been so far within a face may go further out [m]: late ticks
# make it brake another way than was foreseen, and the models of the arm differ by 0.14 mm.
_EDGE = 0.001
_TCP = 0.145        # from link6 along its z [m]
# Origins of joint1..joint6 in the link before: xyz [m], rpy [rad]; each turns about its z.
_ORIGINS = (
    ((0.0, 0.0, 0.123), (0.0, 0.0, 0.0)),
    ((0.0, 0.0, 0.0), (1.5708, -0.1359, -3.1416)),
    ((0.28503, 0.0, 0.0), (0.0, 0.0, -1.7939)),
    ((-0.021984, -0.25075, 0.0), (1.5708, 0.0, 0.0)),
    ((0.0, 0.0, 0.0), (-1.5708, 0.0, 0.0)),
    ((8.8259e-05, -0.091, 0.0), (1.5708, 0.0, 0.0)),
)


def fingertips(joints: Array) -> Array:
    """Return the tcp's positions (n, 3) in base_link [m] at joint1..joint6 (n, 6) [rad]."""
    x, y, z = (np.full(len(joints), value) for value in (0.0, 0.0, _TCP))
    for (origin, rpy), angles in zip(reversed(_ORIGINS), reversed(joints.T), strict=True):
        s, c = np.sin(angles), np.cos(angles)
        turned = np.stack((c * x - s * y, s * x + c * y, z))
        x, y, z = np.reshape(origin, (3, 1)) + _rotation(*rpy) @ turned
    return np.stack((x, y, z), axis=1)


def _rotation(roll: float, pitch: float, yaw: float) -> Array:
    """Return Rz(yaw) Ry(pitch) Rx(roll)."""
    (sr, sp, sy), (cr, cp, cy) = np.sin((roll, pitch, yaw)), np.cos((roll, pitch, yaw))
    return np.array(((cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr),
                     (sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr),
                     (-sp, cp * sr, cp * cr)))


class Oracle:
    """Keeps one arm's set-points and checks them; `broken` counts breaches of each limit."""

    def __init__(self, limits: Limits) -> None:
        """Begin; `place` says where."""
        self.broken: Counter[str] = Counter()
        self.worst: dict[str, float] = {}       # how far each was exceeded, in its unit
        self.seen = 0
        self._limits = limits
        self._rows: list[tuple[float, ...]] = []

    def place(self, position: Sequence[float], width: float) -> None:
        """Note where an arm without a set-point is, at rest; what is outside may only come in."""
        self.judge()
        self._rows = [(0.0, *position, width)]

    def see(self, position: Sequence[float], width: float, dt: float) -> None:
        """Note a set-point, joints [rad] and opening [m], `dt` [s] after the one before it."""
        self.seen += 1
        self._rows.append((dt, *position, width))

    def judge(self) -> None:
        """Check what was seen since the arm was placed."""
        if len(self._rows) < 2:
            return
        rows = np.array(self._rows)
        self._rows = self._rows[-1:]
        for name, excess in _excesses(rows[1:, 0], rows[:, 1:7], rows[:, 7], self._limits):
            wrong = ~(excess <= _ROUNDING)      # what is no number breaks it, too
            if wrong.any():
                self.broken[name] += int(wrong.sum())
                self.worst[name] = max(self.worst.get(name, 0.0), float(excess[wrong].max()))


def _excesses(dt: Array, joints: Array, width: Array, limits: Limits
              ) -> Iterator[tuple[str, Array]]:
    """Yield how far each limit was exceeded; `dt` (n,) lie between set-points (n + 1, ...)."""
    velocity = np.diff(joints, axis=0) / dt[:, None]
    before = np.vstack((np.zeros(6), velocity[:-1]))
    speed, slow = np.abs(velocity), np.abs(before)
    turned = velocity * before < 0
    faster = np.where(turned, speed, speed - slow)      # after a turn all of it
    slower = np.where(turned, speed + slow, slow - speed)
    for joint, name in enumerate(JOINT_NAMES):
        yield f'{name} velocity', speed[:, joint] - limits.velocity[joint]
        yield f'{name} acceleration', faster[:, joint] - limits.acceleration[joint] * dt
        yield f'{name} deceleration', np.where(
            dt <= SILENCE, slower[:, joint] - limits.deceleration[joint] * dt, 0.0)
        yield f'{name} position', _further_out(np.maximum(
            limits.lower[joint] - joints[:, joint], joints[:, joint] - limits.upper[joint]))
    yield f'{GRIPPER_NAME} speed', np.abs(np.diff(width)) / dt - limits.gripper_speed
    yield f'{GRIPPER_NAME} width', _further_out(
        np.maximum(limits.gripper_lower - width, width - limits.gripper_upper))
    between = np.empty((2 * len(joints) - 1, 6))
    between[::2], between[1::2] = joints, (joints[1:] + joints[:-1]) / 2
    place = fingertips(between)
    for axis, name in enumerate('xyz'):
        along = place[:, axis]
        for face in (limits.workspace_lower[axis] - along, along - limits.workspace_upper[axis]):
            yield f'workspace box {name}', _further_out(face, _EDGE)
    yield 'table height', _further_out(limits.table_height - place[:, 2], _EDGE)


def _further_out(excess: Array, edge: float = 0.0) -> Array:
    """Return how far something is outside beyond what it has been at its best before.

    It may start outside, and come in.
    """
    best = np.minimum.accumulate(excess)[:-1]
    return excess[1:] - np.where(best > -edge, np.maximum(best, 0.0) + edge, 0.0)

# SPDX-License-Identifier: Apache-2.0
"""The moving pose between a stream of commanded poses and the inverse kinematics.

It travels to each new pose in the time until the next one is due, and waits there: between two
commands it interpolates, and it never runs past the last one. Where it has fallen behind (the arm
takes time to speed up) it catches up no faster than it can slow down again. A new stream starts
where the arm is, at a reduced speed until it has been caught up with.
"""

from __future__ import annotations

from math import sqrt

from piper_driver.limits import Limits
from piper_driver.pose import (
    Pose,
    Quaternion,
    Vector,
    quaternion_from_rotation_vector,
    quaternion_inverse,
    quaternion_product,
    rotation_vector_from_quaternion,
)

# A stream that starts away from the arm is approached at this speed, which grows until it has been
# caught up with; one that starts this near needs no ramp.
RAMP_SPEED = 0.15               # [m/s]
RAMP_TURN_RATE = 1.0            # [rad/s]
RAMP_GROWTH = 1.0               # [1/s], of both, as a share of their first values
RAMP_FREE = (0.005, 0.05)       # [m, rad]
# How fast it speeds up, and slows down when it has caught up: what joints can mostly follow, so
# that the tcp stays on its way; their own limits come after this in any case.
_ACCELERATION = 1.2             # [m/s^2]
_TURN_ACCELERATION = 5.0        # [rad/s^2]
_CATCH_UP = 1.0                 # [m/s^2]
_CATCH_UP_TURN = 4.0            # [rad/s^2]
_FIRST_INTERVAL = 0.01          # of a stream whose rate is not known yet [s]
_LONGEST_INTERVAL = 0.05
_PATIENCE = 0.005               # with a late command, beyond one and a half intervals [s]


class Cadence:
    """When commands come, when the next one is due, and when it is overdue."""

    def __init__(self) -> None:
        """Start without a command."""
        self.interval = _FIRST_INTERVAL
        self._last = 0.0

    def beat(self, now: float, first: bool) -> None:
        """Note a command at `now` [s]; the first of a stream has no interval before it."""
        if not first:
            gap = min(max(now - self._last, 0.0), _LONGEST_INTERVAL)
            self.interval += 0.2 * (gap - self.interval)
        self._last = now

    def silence(self, now: float) -> float:
        """Return the time since the last command [s]."""
        return now - self._last

    def overdue(self, now: float) -> float:
        """Return for how long the next command should have been here [s]; negative: not yet."""
        return self.silence(now) - 1.5 * self.interval

    def late(self, now: float) -> bool:
        """Whether the next command is later than a busy machine makes it.

        What has fallen behind a stream, or overshoots its end a little, brakes then, before the
        watchdog calls the stream dead: a machine that was only busy costs no more than this.
        """
        return self.overdue(now) > _PATIENCE

    def share(self, now: float, dt: float) -> float:
        """Return the part of the way left that a tick of `dt` takes to arrive when one is due."""
        return min(1.0, dt / max(self._last + self.interval - now + dt, dt))


class PoseReference:
    """A pose (`place` [m], `turn` xyzw, in base_link) on its way to `target`."""

    def __init__(self, limits: Limits, start: Pose) -> None:
        """Start at rest at a pose, as its own target."""
        self._limits = limits
        self._ramp: float | None = None     # not known yet; times the first speed; 0 caught up
        x, y, z = start.position.tolist()
        self.place: Vector = (x, y, z)
        self.turn: Quaternion = start.xyzw
        self.target = start
        self._to = (self.place, self.turn)
        self._speeds = (0.0, 0.0)       # of the stream [m/s, rad/s]
        self._speed = self._rate = 0.0  # its own

    def aim(self, place: Vector, turn: Quaternion, target: Pose, interval: float) -> None:
        """Set a new target, `interval` [s] after the one before it."""
        way, turning = _way(self._to, (place, turn))
        if self._ramp is None:
            near = _length(way) <= RAMP_FREE[0] and _length(turning) <= RAMP_FREE[1]
            self._ramp = 0.0 if near else 1.0
            self._to = (place, turn)
            way = turning = (0.0, 0.0, 0.0)
        time = max(interval, 0.001)
        self._speeds = (_length(way) / time, _length(turning) / time)
        self._to = (place, turn)
        self.target = target

    def advance(self, due: float, dt: float) -> None:
        """Go on for `dt` [s]: the share `due` of what is left, as far as the rates allow."""
        way, turning = _way((self.place, self.turn), self._to)
        distance, angle = _length(way), _length(turning)
        limits = self._limits
        top, top_rate = limits.tcp_speed, limits.tcp_turn_rate
        if self._ramp:
            top, top_rate = min(top, RAMP_SPEED * self._ramp), min(
                top_rate, RAMP_TURN_RATE * self._ramp)
        speed = min(self._speeds[0] + sqrt(2 * _CATCH_UP * distance),
                    self._speed + _ACCELERATION * dt, top)
        rate = min(self._speeds[1] + sqrt(2 * _CATCH_UP_TURN * angle),
                   self._rate + _TURN_ACCELERATION * dt, top_rate)
        share = min(due, _part(distance, speed * dt), _part(angle, rate * dt))
        if self._ramp:
            self._ramp = self._ramp + RAMP_GROWTH * dt if share < due else 0.0
        self._speed, self._rate = share * distance / dt, share * angle / dt
        x, y, z = self.place
        self.place = (x + share * way[0], y + share * way[1], z + share * way[2])
        self.turn = quaternion_product(quaternion_from_rotation_vector(
            share * turning[0], share * turning[1], share * turning[2]), self.turn)


def _part(way: float, step: float) -> float:
    return step / way if way > step else 1.0


def _way(start: tuple[Vector, Quaternion], end: tuple[Vector, Quaternion]
         ) -> tuple[Vector, Vector]:
    (ax, ay, az), (bx, by, bz) = start[0], end[0]
    return ((bx - ax, by - ay, bz - az),
            rotation_vector_from_quaternion(
                quaternion_product(end[1], quaternion_inverse(start[1]))))


def _length(vector: Vector) -> float:
    x, y, z = vector
    return sqrt(x * x + y * y + z * z)

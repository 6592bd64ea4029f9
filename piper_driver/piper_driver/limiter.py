# SPDX-License-Identifier: Apache-2.0
"""Set-points that keep position, velocity and acceleration limits whatever goal they follow.

Each tick moves the set-point towards a moving goal, joint by joint. Three laws keep it safe:
the velocity changes by no more than the acceleration (or, slowing down, the deceleration) allows;
it is never so high that braking would end beyond a joint's range; and a step is taken only if the
tcp stays in its box while braking afterwards. Each is an invariant: if it holds now, braking keeps
it, so there is always a safe next step. A set-point that starts outside (an arm switched on at its
stops) may come in, slowly, and never goes further out, beyond no face of the box.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from operator import gt

from piper_driver.kinematics import tcp_position
from piper_driver.limits import Limits
from piper_driver.pose import Vector

# Braking is checked at points at most this far apart [rad, summed over the joints]. Between two
# of them the tcp's path bends by less than a millimetre, which `_CLEARANCE` covers.
_SPACING = 0.1
_CLEARANCE = 0.001
_COMING_IN = 0.3    # speed of a joint while the tcp is outside its box [rad/s]


def _fastest(room: float, rate: float, dt: float) -> float:
    """Return the highest speed after which `room` still suffices to move for `dt` and brake."""
    if room <= 0:
        return 0.0
    change = rate * dt
    return sqrt(change * change + 2 * rate * room) - change


class Limiter:
    """The set-point: joint positions [rad] and velocities [rad/s], advanced tick by tick."""

    def __init__(self, limits: Limits, position: Sequence[float]) -> None:
        """Start at rest at `position` (6,)."""
        self._limits = limits
        self.blocked = False        # the last step braked because the goal led out of the box
        self.place(position)

    def place(self, position: Sequence[float]) -> None:
        """Set the set-point, at rest: where the arm is, not where it should go."""
        self.position = [float(value) for value in position]
        self.velocity = [0.0] * 6
        self._outside = self._outside_by(tcp_position(self.position))

    @property
    def moving(self) -> bool:
        """Whether the set-point has not come to rest yet."""
        return any(self.velocity)

    def follow(self, goal: Sequence[float], goal_velocity: Sequence[float], dt: float) -> None:
        """Advance by `dt` [s] towards `goal`, the goal's place and velocity at the tick's end."""
        velocity = [self._towards(joint, goal[joint], goal_velocity[joint], dt)
                    for joint in range(6)]
        self.blocked = not self._take(velocity, dt)
        if self.blocked:
            self.brake(dt)

    def brake(self, dt: float) -> None:
        """Advance by `dt` [s], slowing every joint down as hard as allowed."""
        velocity = []
        for speed, rate in zip(self.velocity, self._limits.deceleration, strict=True):
            change = rate * dt
            velocity.append(max(0.0, speed - change) if speed > 0 else min(0.0, speed + change))
        position = self._moved(velocity, dt)
        self._accept(position, velocity, self._outside_by(tcp_position(position)))

    def linger(self, share: float) -> None:
        """Note that the last step took longer: it was made for this share of the time it took.

        So much slower did the arm go, and from there it may speed up again.
        """
        self.velocity = [share * speed for speed in self.velocity]

    def _towards(self, joint: int, goal: float, goal_velocity: float, dt: float) -> float:
        """Return the joint's next velocity [rad/s]."""
        limits = self._limits
        position = self.position[joint]
        # catch up with the goal so that the speeds agree when the places do
        behind = goal - goal_velocity * dt - position
        if abs(behind) < 1e-9:      # rounding, which must not keep it from coming to rest
            behind = 0.0
        catch_up = _fastest(abs(behind), limits.acceleration[joint], dt)
        wanted = goal_velocity + (catch_up if behind > 0 else -catch_up)
        top = limits.velocity[joint] if max(self._outside) <= 0 else _COMING_IN
        highest = min(top, _fastest(limits.upper[joint] - position,
                                    limits.deceleration[joint], dt))
        lowest = max(-top, -_fastest(position - limits.lower[joint],
                                     limits.deceleration[joint], dt))
        wanted = min(max(wanted, lowest), highest)
        least, most = self._reachable(joint, dt)
        return min(max(wanted, least), most)

    def _reachable(self, joint: int, dt: float) -> tuple[float, float]:
        """Return the lowest and highest velocity the joint may have next [rad/s].

        Slowing down ends at rest: what lies beyond is speeding up in the other direction.
        """
        speed = self.velocity[joint]
        faster = self._limits.acceleration[joint] * dt
        slower = self._limits.deceleration[joint] * dt
        if speed >= 0:
            return max(speed - slower, -faster), speed + faster
        return speed - faster, min(speed + slower, faster)

    def _moved(self, velocity: list[float], dt: float) -> list[float]:
        return [place + speed * dt
                for place, speed in zip(self.position, velocity, strict=True)]

    def _take(self, velocity: list[float], dt: float) -> bool:
        """Take the step unless the tcp would leave its box in it or while braking after it."""
        position = self._moved(velocity, dt)
        allowed = [max(outside, -_CLEARANCE) for outside in self._outside]
        outside = self._outside_by(tcp_position(position))
        if any(map(gt, outside, allowed)):
            return False
        rates = self._limits.deceleration
        time = max(abs(speed) / rate for speed, rate in zip(velocity, rates, strict=True))
        angle = sum(speed * speed / (2 * rate)
                    for speed, rate in zip(velocity, rates, strict=True))
        count = 1 + int(angle / _SPACING)
        for index in range(1, count + 1):
            elapsed = time * index / count
            stopping = [place + _braked(speed, rate, elapsed) for place, speed, rate
                        in zip(position, velocity, rates, strict=True)]
            if any(map(gt, self._outside_by(tcp_position(stopping)), allowed)):
                return False
        self._accept(position, velocity, outside)
        return True

    def _accept(self, position: list[float], velocity: list[float],
                outside: tuple[float, ...]) -> None:
        self.position, self.velocity, self._outside = position, velocity, outside

    def _outside_by(self, point: Vector) -> tuple[float, ...]:
        """Return how far a point is beyond each face of the tcp's box [m]; negative within."""
        (x, y, z), lower, upper = point, self._limits.tcp_lower, self._limits.tcp_upper
        return (lower[0] - x, x - upper[0], lower[1] - y, y - upper[1], lower[2] - z, z - upper[2])


def _braked(speed: float, rate: float, elapsed: float) -> float:
    """Return the way [rad] covered `elapsed` [s] after starting to brake from `speed`."""
    time = min(elapsed, abs(speed) / rate)
    return speed * time - (rate if speed > 0 else -rate) * time * time / 2

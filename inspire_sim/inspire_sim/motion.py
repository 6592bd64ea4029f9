# SPDX-License-Identifier: Apache-2.0
"""Legs of a motion, eased in and out, as steps of a policy's actions."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from piper_driver.pose import Pose, apply_delta

Array = NDArray[np.float64]

STEP = 0.05             # of one action [s]
SPEED = 0.24            # fastest [m/s]
CAREFUL = 0.11          # close to things [m/s]
EASING = 0.9            # most change of speed [m/s^2]
TURN_SPEED = 1.1        # fastest [rad/s]
TURN_EASING = 4.5       # most change of it [rad/s^2]
ARRIVED = (0.0006, 0.006)    # [m], [rad]
PASSED = 0.025          # from a goal that is passed without a stop [m]


@dataclass(frozen=True, eq=False)
class Leg:
    """One move: the tcp to `goal` in base_link, the gripper to `width` [m], then `wait` steps.

    passing: the next leg begins shortly before the goal, without a stop.
    """

    phase: str
    goal: Pose
    width: float
    speed: float = SPEED
    passing: bool = False
    wait: int = 0


class Mover:
    """The commanded pose on its way along legs, with its velocity [m/s] and turn rate [rad/s]."""

    def __init__(self, pose: Pose) -> None:
        self.pose = pose
        self._velocity = np.zeros(3)
        self._turning = np.zeros(3)

    def step(self, leg: Leg) -> Array:
        """Move for one step towards the leg's goal; returns the action (7,)."""
        velocity, turning = self._wanted(leg)
        self._velocity = _towards(self._velocity, velocity, EASING * STEP)
        self._turning = _towards(self._turning, turning, TURN_EASING * STEP)
        moved, turned = self._velocity * STEP, self._turning * STEP
        self.pose = apply_delta(self.pose, moved, turned)
        return np.array([*moved, *turned, leg.width])

    def be_under_way(self, leg: Leg) -> None:
        """Have the velocity of one who has been on this leg for long."""
        self._velocity, self._turning = self._wanted(leg)

    def _wanted(self, leg: Leg) -> tuple[Array, Array]:
        """The velocity [m/s] (3,) and turn rate [rad/s] (3,) that lead to the leg's goal."""
        translation, rotation = self.pose.difference(leg.goal)
        distance, angle = float(np.linalg.norm(translation)), float(np.linalg.norm(rotation))
        beyond = 0.03 if leg.passing else 0.0
        speed = _braking(distance, beyond, leg.speed, EASING)
        rate = _braking(angle, 0.0, TURN_SPEED, TURN_EASING)
        # Both arrive together: the one that needs longer sets the pace.
        needed = max(distance / speed if speed else 0.0, angle / rate if rate else 0.0, STEP)
        return translation / needed, rotation / needed

    def arrived(self, leg: Leg) -> bool:
        """Whether the leg's goal is reached, or near enough to be passed."""
        translation, rotation = self.pose.difference(leg.goal)
        distance = float(np.linalg.norm(translation))
        if leg.passing:
            return distance < PASSED
        return distance < ARRIVED[0] and float(np.linalg.norm(rotation)) < ARRIVED[1]


def _braking(distance: float, beyond: float, fastest: float, easing: float) -> float:
    """The speed from which one still stops in time; close to the goal it closes 60 % a step."""
    return min(fastest, float(np.sqrt(1.3 * easing * (distance + beyond))),
               0.6 * distance / STEP + beyond / STEP)


def _towards(value: Array, wanted: Array, most: float) -> Array:
    change = wanted - value
    size = float(np.linalg.norm(change))
    return value + change * (min(1.0, most / size) if size > 0.0 else 1.0)

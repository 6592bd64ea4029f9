# SPDX-License-Identifier: Apache-2.0
"""The one table of what the arm may do; everything that clamps, refuses or draws a range reads it.

Joint ranges are AgileX' (degrees in the SDK). 3 rad/s and 5 rad/s^2 are the most that the arm can
be set to (CAN 0x474, 0x475). Slowing down may be harder than speeding up, as on any arm with a
stop category: a set-point that stops late runs on after its commander died.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import radians

Joints = tuple[float, float, float, float, float, float]

JOINT_NAMES = ('joint1', 'joint2', 'joint3', 'joint4', 'joint5', 'joint6')
GRIPPER_NAME = 'gripper'


@dataclass(frozen=True)
class Limits:
    """Limits of joints [rad, rad/s, rad/s^2], gripper width [m] and tcp in base_link [m]."""

    lower: Joints
    upper: Joints
    velocity: Joints
    acceleration: Joints        # while speeding up
    deceleration: Joints        # while slowing down
    gripper_lower: float
    gripper_upper: float        # total opening between both fingers
    gripper_speed: float        # of the total opening [m/s]
    workspace_lower: tuple[float, float, float]
    workspace_upper: tuple[float, float, float]
    table_height: float         # lowest tcp height above the table top (base_link z = 0)
    tcp_speed: float            # of the pose that is followed [m/s]
    tcp_turn_rate: float        # the same [rad/s]

    def __post_init__(self) -> None:
        """Raise ValueError when a range is empty or a rate is not positive."""
        ranges = [*zip(JOINT_NAMES, self.lower, self.upper, strict=True),
                  (GRIPPER_NAME, self.gripper_lower, self.gripper_upper),
                  *zip('xyz', self.tcp_lower, self.workspace_upper, strict=True)]
        for name, lower, upper in ranges:
            if not lower < upper:
                raise ValueError(f'{name}: range {lower}..{upper} is empty')
        rates = (*self.velocity, *self.acceleration, *self.deceleration,
                 self.gripper_speed, self.tcp_speed, self.tcp_turn_rate)
        if not all(rate > 0 for rate in rates):
            raise ValueError(f'speeds and accelerations must be positive: {rates}')

    @property
    def tcp_lower(self) -> tuple[float, float, float]:
        """The lower corner of the tcp's box, with the table taken into account."""
        x, y, z = self.workspace_lower
        return x, y, max(z, self.table_height)

    @property
    def tcp_upper(self) -> tuple[float, float, float]:
        """The upper corner of the tcp's box."""
        return self.workspace_upper


def _degrees(*values: float) -> Joints:
    a, b, c, d, e, f = map(radians, values)
    return a, b, c, d, e, f


PIPER = Limits(
    lower=_degrees(-150, 0, -170, -100, -70, -120),
    upper=_degrees(150, 180, 0, 100, 70, 120),
    velocity=(3.0,) * 6,
    acceleration=(5.0,) * 6,
    deceleration=(25.0,) * 6,
    gripper_lower=0.0,
    gripper_upper=0.07,
    gripper_speed=0.15,
    workspace_lower=(-0.30, -0.60, 0.0),
    workspace_upper=(0.65, 0.60, 0.70),
    table_height=0.005,
    tcp_speed=0.5,
    tcp_turn_rate=3.0,
)

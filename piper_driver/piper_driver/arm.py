# SPDX-License-Identifier: Apache-2.0
"""The seam between the driver and an arm: simulated, on CAN, or any other, in eight calls.

Life of an arm: `connect` opens the link; from then on `read` gives measured states; `enable`
powers the motors, which hold where they are (an arm never moves because it was enabled);
`command` streams set-points; `stop` is the emergency stop and latches: set-points are ignored
until `reset`, which also removes power, so `enable` follows it. `disable` removes power. `close`
ends the link and may be called twice. `arm_contract.py` holds the tests that every
implementation has to pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Protocol

from piper_driver.limits import JOINT_NAMES, Joints


class ArmError(RuntimeError):
    """The arm cannot do what was asked; the message says why and what would help."""


@dataclass(frozen=True)
class ArmState:
    """What the arm measured at `stamp` [s, the clock of whoever ticks it]."""

    stamp: float
    position: Joints            # joint1..joint6 [rad]
    velocity: Joints            # [rad/s]
    effort: Joints              # [N m]
    gripper_width: float        # total opening between the fingers [m]
    gripper_velocity: float     # [m/s]
    gripper_effort: float       # [N]
    enabled: bool               # motors are powered and follow set-points
    fault: str = ''             # '' or what is wrong, an emergency stop included
    # What somebody else tells the arm past its driver: joints [rad] and width [m]; (): nobody does
    told: tuple[float, ...] = ()


class Arm(Protocol):
    """An arm with six joints and a parallel gripper."""

    def connect(self) -> None:
        """Open the link. Raise ArmError when nothing answers."""

    def read(self) -> ArmState:
        """Return the newest measured state. Raise ArmError before `connect`."""

    def enable(self) -> None:
        """Power the motors and hold the present pose. Raise ArmError while stopped."""

    def disable(self) -> None:
        """Take the power away; the arm sinks."""

    def command(self, position: Sequence[float], gripper_width: float) -> None:
        """Set the set-point: joint1..joint6 [rad] and total opening [m]; the newest one counts.

        Ignored while disabled or stopped. Raise ValueError when `check_command` does.
        """

    def stop(self) -> None:
        """Emergency stop: latches until `reset`."""

    def reset(self) -> None:
        """Clear stop and faults. The motors are without power afterwards."""

    def close(self) -> None:
        """Release the link. May be called twice."""


def check_command(position: Sequence[float], gripper_width: float) -> None:
    """Raise ValueError unless a set-point has six finite joint values and a finite width."""
    if len(position) != len(JOINT_NAMES):
        raise ValueError(f'set-point has {len(position)} joint values, not {len(JOINT_NAMES)}')
    for name, value in zip(JOINT_NAMES, position, strict=True):
        if not isfinite(value):
            raise ValueError(f'set-point of {name} is {value}, not a finite angle [rad]')
    if not isfinite(gripper_width):
        raise ValueError(f'set-point of gripper is {gripper_width}, not a finite width [m]')

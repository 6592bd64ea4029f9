# SPDX-License-Identifier: Apache-2.0
"""The simplest arm that behaves like one: joints that follow, sink without power, and stop.

For the emulator where no physics is needed. Powered joints go to their aim at the arm's highest
speed; without power joint2 and joint3, which carry the weight, sink towards the rest pose, and
after an emergency stop they do so slowly.
"""

from __future__ import annotations

from collections.abc import Sequence

from piper_driver.arm import ArmError, ArmState, check_command
from piper_driver.kinematics import PARK
from piper_driver.limits import PIPER, Joints

STOPPED = 'emergency stop'
_FALL = 1.0             # of joints without power [rad/s]
_DESCENT = 0.15         # after an emergency stop [rad/s]
_HEAVY = (1, 2)         # joints that carry the weight
_LAG = 0.02             # of a powered joint behind its aim [s]


class ModelArm:
    """An `Arm` whose time passes by `advance`."""

    def __init__(self, position: Joints = PARK, gripper_width: float = 0.05) -> None:
        """Stand without power at `position` [rad] and `gripper_width` [m]."""
        self._time = 0.0
        self._position = list(position)
        self._velocity = [0.0] * 6
        self._width = gripper_width
        self._width_rate = 0.0
        self._aim = list(position)
        self._width_aim = gripper_width
        self._connected = False
        self._enabled = False
        self._fault = ''

    def connect(self) -> None:
        """Begin to answer."""
        self._connected = True

    def read(self) -> ArmState:
        """Return the state now. Raises ArmError before `connect`."""
        self._require_connection()
        a, b, c, d, e, f = self._position
        u, v, w, x, y, z = self._velocity
        return ArmState(self._time, (a, b, c, d, e, f), (u, v, w, x, y, z), (0.0,) * 6,
                        self._width, self._width_rate, 0.0, self._enabled, self._fault)

    def enable(self) -> None:
        """Power the joints, which hold where they are."""
        self._require_connection()
        if self._fault:
            raise ArmError(f'the arm has a fault ({self._fault}); reset it first')
        if not self._enabled:
            self._aim, self._width_aim = list(self._position), self._width
            self._enabled = True

    def disable(self) -> None:
        """Take the power away."""
        self._require_connection()
        self._enabled = False

    def command(self, position: Sequence[float], gripper_width: float) -> None:
        """Set the aim, kept within the ranges; ignored without power."""
        check_command(position, gripper_width)
        self._require_connection()
        if self._enabled:
            self._aim = [min(max(value, low), high) for value, low, high
                         in zip(position, PIPER.lower, PIPER.upper, strict=True)]
            self._width_aim = min(max(gripper_width, PIPER.gripper_lower), PIPER.gripper_upper)

    def stop(self) -> None:
        """Sink slowly, following nothing, until `reset`."""
        self._require_connection()
        self._fault, self._enabled = STOPPED, False

    def reset(self) -> None:
        """Clear the stop; there is no power afterwards."""
        self._require_connection()
        self._fault, self._enabled = '', False

    def close(self) -> None:
        """Stop answering."""
        self._connected = False

    def put(self, position: Joints, gripper_width: float) -> None:
        """Be moved by a hand: stand at `position` [rad] and `gripper_width` [m], and aim there."""
        self._position, self._width = list(position), gripper_width
        self._aim, self._width_aim = list(position), gripper_width

    def advance(self, dt: float) -> None:
        """Let `dt` [s] pass."""
        self._time += dt
        before, width = self._position, self._width
        if self._enabled:
            self._position = [_towards(value, aim, dt, speed) for value, aim, speed
                              in zip(before, self._aim, PIPER.velocity, strict=True)]
            self._width = _towards(width, self._width_aim, dt, PIPER.gripper_speed)
        else:
            speed = _DESCENT if self._fault else _FALL
            self._position = [_towards(value, PARK[joint], dt, speed) if joint in _HEAVY else value
                              for joint, value in enumerate(before)]
        self._velocity = [(new - old) / dt for new, old
                          in zip(self._position, before, strict=True)]
        self._width_rate = (self._width - width) / dt

    def _require_connection(self) -> None:
        if not self._connected:
            raise ArmError('the arm is not connected; call connect first')


def _towards(value: float, aim: float, dt: float, speed: float) -> float:
    step = (aim - value) * min(1.0, dt / _LAG)
    return value + min(max(step, -speed * dt), speed * dt)

# SPDX-License-Identifier: Apache-2.0
"""An ideal arm: a double for tests of the driver alone. It goes where it is told, at 3 rad/s."""

from dataclasses import dataclass

import pytest

from piper_driver.arm import ArmError, ArmState, check_command
from piper_driver.kinematics import HOME
from piper_driver.limits import PIPER


def _approach(value, goal, step):
    return value + min(max(goal - value, -step), step)


@dataclass
class IdealArm:
    time: float = 10.0
    position: tuple = HOME
    width: float = 0.05
    aim: tuple = HOME
    aim_width: float = 0.05
    connected: bool = False
    enabled: bool = False
    fault: str = ''
    jammed: bool = False

    def connect(self):
        self.connected = True

    def read(self):
        if not self.connected:
            raise ArmError('the ideal arm is not connected')
        return ArmState(self.time, tuple(self.position), (0.0,) * 6, (0.0,) * 6, self.width,
                        0.0, 0.0, self.enabled, self.fault)

    def enable(self):
        if self.fault:
            raise ArmError(f'{self.fault}; reset first')
        self.enabled, self.aim, self.aim_width = True, self.position, self.width

    def disable(self):
        self.enabled = False

    def command(self, position, gripper_width):
        check_command(position, gripper_width)
        if self.enabled:
            self.aim = tuple(min(max(value, low), high) for value, low, high
                             in zip(position, PIPER.lower, PIPER.upper, strict=True))
            self.aim_width = min(max(gripper_width, PIPER.gripper_lower), PIPER.gripper_upper)

    def stop(self):
        self.fault, self.enabled = 'emergency stop', False

    def reset(self):
        self.fault, self.enabled = '', False

    def close(self):
        self.connected = False

    def advance(self, seconds):
        self.time += seconds
        if self.enabled and not self.jammed:
            self.position = tuple(_approach(value, goal, 3.5 * seconds) for value, goal
                                  in zip(self.position, self.aim, strict=True))
            self.width = _approach(self.width, self.aim_width, 0.3 * seconds)


@pytest.fixture
def ideal_arm():
    return IdealArm()

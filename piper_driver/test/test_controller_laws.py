# SPDX-License-Identifier: Apache-2.0
"""Laws of the controller: no command, however hostile, gets a set-point out of its limits."""

import random

import numpy as np
import pytest

from piper_driver.arm import ArmState
from piper_driver.controller import ArmController, CommandRefused
from piper_driver.kinematics import HOME, tcp, tcp_position
from piper_driver.limits import JOINT_NAMES, PIPER
from piper_driver.pose import Pose, apply_delta

COMMANDS = 100_000
TINY = 1e-9


def _state(setpoint, stamp):
    return ArmState(stamp, setpoint.position, (0.0,) * 6, (0.0,) * 6, setpoint.gripper_width,
                    0.0, 0.0, True)


class _Hostile:
    """A commander that mixes honest streams with jumps, rubbish, silence, stops and parking."""

    RANGES = tuple(zip(JOINT_NAMES, PIPER.lower, PIPER.upper, strict=True))

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.pose = tcp(HOME)
        self.drift = np.zeros(3)
        self.mood = 'walk'
        self.joints = {}

    def act(self, controller, now):
        pick = self.random.random()
        if pick < 0.004:
            self.mood = self.random.choice(['walk', 'run', 'jump', 'joints', 'edge', 'mixed'])
            self.drift = np.array([self.random.uniform(-1, 1) for _ in range(3)]) * 0.02
        if pick > 0.9995:
            controller.stop('test')
        elif pick > 0.998:
            controller.reset()
        elif pick > 0.9975:
            controller.park()
        getattr(self, f'_{self.mood}')(controller, now)
        controller.command_gripper(self.random.uniform(-0.02, 0.09), now, now)

    def _walk(self, controller, now, scale=0.1):
        spread = self.random.uniform
        self.pose = apply_delta(self.pose, self.drift * scale + [spread(-1, 1) * 1e-3] * 3,
                                [spread(-0.05, 0.05) for _ in range(3)])
        if abs(self.pose.position).max() > 1:
            self.pose = tcp(HOME)
        controller.command_pose(self.pose, now, now)

    def _run(self, controller, now):
        self._walk(controller, now, scale=1.0)

    def _jump(self, controller, now):
        spread = self.random.uniform
        self.pose = Pose(np.array([spread(-0.4, 0.75), spread(-0.7, 0.7), spread(-0.1, 0.8)]),
                         np.array([spread(-1, 1) for _ in range(4)]))
        controller.command_pose(self.pose, now, now)

    def _edge(self, controller, now):
        side = self.random.choice
        place = [side([-0.3, 0.3, 0.65]), side([-0.6, 0.0, 0.6]), side([0.0, 0.005, 0.7])]
        controller.command_pose(Pose(np.array(place), tcp(HOME).quaternion), now, now)

    def _joints(self, controller, now):
        if self.random.random() < 0.005 or not self.joints:
            self.joints = {
                name: self.random.uniform(low - 0.15, high + 0.15) for name, low, high
                in self.random.sample(self.RANGES, self.random.randint(1, 6))}
        controller.command_joints(list(self.joints), list(self.joints.values()), now, now)

    def _mixed(self, controller, now):
        spoiled = self.random.choice([float('nan'), float('inf'), 1e300, -1e300])
        self.random.choice([
            lambda: self._jump(controller, now), lambda: self._joints(controller, now),
            lambda: self._edge(controller, now), lambda: self._walk(controller, now),
            lambda: controller.command_pose(self.pose, spoiled, now),
            lambda: controller.command_joints(['joint1'], [spoiled], now, now)])()


class _Witness:
    """Checks every set-point against the one before it, from the limits alone."""

    def __init__(self, setpoint):
        self.position = np.array(setpoint.position)
        self.velocity = np.zeros(6)
        self.width = setpoint.gripper_width

    def see(self, setpoint, dt):
        position = np.array(setpoint.position)
        velocity = (position - self.position) / dt
        assert np.all(position >= np.array(PIPER.lower) - TINY)
        assert np.all(position <= np.array(PIPER.upper) + TINY)
        assert np.all(abs(velocity) <= np.array(PIPER.velocity) + TINY)
        change = velocity - self.velocity
        assert np.all(abs(change) <= np.array(PIPER.deceleration) * dt + 1e-7)
        faster = abs(velocity) > abs(self.velocity)
        assert np.all(abs(velocity)[faster] - abs(self.velocity)[faster]
                      <= np.array(PIPER.acceleration)[faster] * dt + 1e-7)
        turned = velocity * self.velocity < 0
        assert np.all(abs(velocity)[turned] <= np.array(PIPER.acceleration)[turned] * dt + 1e-7)
        place = np.array(tcp_position(setpoint.position))
        assert np.all(place >= np.array(PIPER.tcp_lower)), place
        assert np.all(place <= np.array(PIPER.tcp_upper)), place
        assert PIPER.gripper_lower - TINY <= setpoint.gripper_width <= PIPER.gripper_upper + TINY
        assert abs(setpoint.gripper_width - self.width) <= PIPER.gripper_speed * dt + TINY
        self.position, self.velocity, self.width = position, velocity, setpoint.gripper_width


@pytest.mark.parametrize('seed', range(4))
def test_no_command_gets_a_set_point_out_of_its_limits(seed):
    controller = ArmController()
    hostile = _Hostile(seed)
    now = 10.0
    first = ArmState(now, HOME, (0.0,) * 6, (0.0,) * 6, 0.05, 0.0, 0.0, True)
    setpoint = controller.tick(first, now)
    witness = _Witness(setpoint)
    refused = 0
    for _ in range(COMMANDS // 4):
        try:
            hostile.act(controller, now)
        except CommandRefused:
            refused += 1
        dt = hostile.random.choice([0.005] * 8 + [0.001, 0.011])
        if hostile.random.random() < 0.002:
            for _ in range(hostile.random.randint(1, 60)):      # silence: the watchdog's turn
                now += 0.005
                setpoint = controller.tick(_state(setpoint, now), now)
                witness.see(setpoint, 0.005)
        now += dt
        setpoint = controller.tick(_state(setpoint, now), now)
        witness.see(setpoint, dt)
    # the hostile commander was heard, too
    assert controller.gate.accepted > COMMANDS / 40
    assert refused > COMMANDS / 40
    assert controller.watchdog_trips > 10

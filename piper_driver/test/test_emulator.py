# SPDX-License-Identifier: Apache-2.0
"""The emulated arm does on the bus what the vendor's tables say, cycle by cycle, without a bus."""

import struct
from collections import Counter
from math import radians

import pytest

from piper_driver import can_frames as can
from piper_driver.can_frames import CYCLE, Frame
from piper_driver.emulator import Emulator
from piper_driver.kinematics import HOME, PARK
from piper_driver.model_arm import ModelArm

ENABLE, DISABLE = bytes.fromhex('0702000000000000'), bytes.fromhex('0701000000000000')
STOP, RESET = bytes([1, *[0] * 7]), bytes([2, *[0] * 7])
MOVE_J = bytes.fromhex('0101640000000000')


class Desk:
    """An emulator, what it has sent, and its time."""

    def __init__(self, position=PARK):
        self.sent = []
        self.arm = ModelArm(position)
        self.arm.connect()
        self.emulator = Emulator(self.arm, self.sent.append)
        self.now = 0.0

    def tell(self, identifier, data):
        self.emulator.receive(Frame(identifier, data))

    def joints(self, position):
        for identifier, frame in zip(can.JOINT_TARGETS, can.joints(position), strict=True):
            self.tell(identifier, frame.data)

    def run(self, seconds=CYCLE):
        self.sent.clear()
        for _ in range(round(seconds / CYCLE)):
            self.now += CYCLE
            self.arm.advance(CYCLE)
            self.emulator.cycle(self.now)

    def power(self):
        self.tell(can.ENABLE, ENABLE)
        self.tell(can.MODE, MOVE_J)
        self.run()

    def last(self, identifier):
        return [frame.data for frame in self.sent if frame.id == identifier][-1]

    def position(self):
        return [value for one in can.JOINTS for value in can.read_pair(self.last(one))]

    def powered(self):
        self.run(5 * CYCLE)
        return [self.last(one)[5] >> can.DRIVE_ENABLED & 1 for one in can.DRIVES]


@pytest.fixture
def desk():
    return Desk()


def test_a_second_of_feedback_has_3040_frames_at_their_rates(desk):
    desk.run(1.0)
    counts = Counter(frame.id for frame in desk.sent)
    assert sum(counts.values()) == 3040
    assert {counts[one] for one in (can.STATUS, *can.END_POSE, *can.JOINTS, can.GRIPPER,
                                    *can.MOTION)} == {200}
    assert {counts[one] for one in can.DRIVES} == {40}
    assert all(len(frame.data) == 8 for frame in desk.sent)


def test_joint_targets_move_an_arm_with_power_in_the_right_mode_only(desk):
    goal = (0.3, 0.2, -0.2, 0.1, 0.1, -0.1)
    desk.joints(goal)
    desk.run(0.5)
    assert desk.position() == pytest.approx(PARK, abs=1e-4)
    desk.tell(can.ENABLE, ENABLE)
    desk.run()
    desk.joints(goal)
    desk.run(0.5)
    assert desk.position() == pytest.approx(PARK, abs=1e-4)
    desk.tell(can.MODE, MOVE_J)
    desk.joints(goal)
    desk.run(0.5)
    assert desk.position() == pytest.approx(goal, abs=1e-3)


def test_the_speed_of_the_mode_bounds_the_motion(desk):
    desk.power()
    desk.tell(can.MODE, bytes.fromhex('01010a0000000000'))     # 10 % of 3 rad/s
    desk.joints((1.0, 0, 0, 0, 0, 0))
    desk.run(1.0)
    assert 0.25 < desk.position()[0] < 0.31


def test_a_target_beyond_the_range_is_reported_and_not_gone_to(desk):
    desk.power()
    desk.joints((radians(160), 0, 0, 0, 0, 0))
    desk.run(0.2)
    assert desk.last(can.STATUS)[1] == 4
    assert desk.position()[0] == pytest.approx(0.0, abs=1e-4)
    desk.joints((0.1, 0, 0, 0, 0, 0))
    desk.run(0.2)
    assert desk.last(can.STATUS)[1] == 0


def test_power_is_given_and_taken_motor_by_motor(desk):
    desk.tell(can.ENABLE, bytes.fromhex('0302000000000000'))
    assert desk.powered() == [0] * 6    # the arm holds with all of them or not at all
    desk.tell(can.ENABLE, ENABLE)
    assert desk.powered() == [1] * 6
    desk.tell(can.ENABLE, DISABLE)
    assert desk.powered() == [0] * 6


def test_without_power_a_raised_arm_sinks():
    desk = Desk(HOME)
    desk.run(0.5)
    assert desk.position()[1] < HOME[1] - 0.3


def test_a_stop_descends_slower_latches_and_a_reset_cuts_the_power_and_swallows_one_enabling():
    desk = Desk(HOME)
    desk.power()
    desk.tell(can.STOP_RESET, STOP)
    desk.run(0.5)
    assert desk.last(can.STATUS)[1] == can.EMERGENCY_STOP
    assert HOME[1] - 0.15 < desk.position()[1] < HOME[1]
    desk.tell(can.ENABLE, ENABLE)
    assert desk.powered() == [0] * 6
    desk.tell(can.STOP_RESET, RESET)
    desk.tell(can.ENABLE, ENABLE)
    assert desk.powered() == [0] * 6
    desk.tell(can.ENABLE, ENABLE)
    assert desk.powered() == [1] * 6
    assert desk.last(can.STATUS)[0] == can.Control.STANDBY


def test_the_gripper_moves_with_power_and_lets_go_without(desk):
    desk.power()
    desk.tell(can.GRIPPER_TARGET, struct.pack('>ihBB', 20000, 1000, 1, 0))
    desk.run(0.6)
    width, _, bits = struct.unpack('>ihB', desk.last(can.GRIPPER)[:7])
    assert width == pytest.approx(20000, abs=50) and bits >> can.GRIPPER_ENABLED & 1
    desk.tell(can.GRIPPER_TARGET, struct.pack('>ihBB', 60000, 1000, 0, 0))
    desk.run(0.3)
    width, _, bits = struct.unpack('>ihB', desk.last(can.GRIPPER)[:7])
    assert width == pytest.approx(20000, abs=50) and not bits >> can.GRIPPER_ENABLED & 1


def test_questions_are_answered_when_the_delay_is_over(desk):
    desk.emulator.faults.answer_delay = 0.1
    desk.tell(can.FIRMWARE, bytes([1, *[0] * 7]))
    desk.tell(can.QUERY_JOINT, bytes([2, 1, *[0] * 6]))
    desk.run(0.05)
    assert can.FIRMWARE not in {frame.id for frame in desk.sent}
    desk.run(0.1)
    told = b''.join(frame.data for frame in desk.sent if frame.id == can.FIRMWARE)
    assert b'S-V1.8-5' in told
    assert desk.last(can.JOINT_LIMITS).hex() == '02070800000bb800'


def test_a_leader_says_nothing_but_what_a_follower_is_to_do_and_follows_nobody(desk):
    desk.power()
    desk.tell(can.LEADER, bytes([0xFA, *[0] * 7]))
    desk.joints((0.3, 0, 0, 0, 0, 0))
    desk.run(0.1)
    assert {frame.id for frame in desk.sent} == {can.MODE, *can.JOINT_TARGETS, can.GRIPPER_TARGET}
    assert desk.arm.read().position == pytest.approx(PARK, abs=1e-4)
    desk.tell(can.LEADER, bytes([0xFC, *[0] * 7]))
    desk.run()
    assert desk.position()


def test_a_follower_on_the_bus_of_a_leader_goes_where_the_leader_is_moved(desk):
    leader = Desk()
    leader.tell(can.LEADER, bytes([0xFA, *[0] * 7]))
    desk.tell(can.ENABLE, ENABLE)
    goal = (0.3, 0.2, -0.2, 0.1, 0.1, -0.1)
    leader.arm.put(goal, 0.03)
    leader.arm.enable()         # a hand holds it there
    for _ in range(100):
        leader.run()
        for frame in leader.sent:
            desk.emulator.receive(frame)
        desk.run()
    assert desk.position() == pytest.approx(goal, abs=1e-3)
    assert desk.arm.read().gripper_width == pytest.approx(0.03, abs=1e-4)


def test_faults_are_done_on_demand_and_end(desk):
    faults = desk.emulator.faults
    faults.missing = {can.JOINTS[1]}
    faults.cut = {can.JOINTS[2]}
    faults.at_limit = {1}
    desk.run()
    assert can.JOINTS[1] not in {frame.id for frame in desk.sent}
    assert len(desk.last(can.JOINTS[2])) == 3
    assert desk.last(can.STATUS)[6] == 0b10
    faults.bus_off()
    desk.tell(can.ENABLE, ENABLE)
    desk.run(0.1)
    assert desk.sent == []
    faults.bus_off(False)
    assert desk.powered() == [0] * 6


def test_a_drive_with_too_much_current_gives_up_until_its_fault_is_cleared(desk):
    desk.power()
    desk.emulator.faults.over_current = {2}
    assert desk.powered() == [1, 1, 0, 1, 1, 1]
    assert desk.last(can.DRIVES[2])[5] & 0b100
    desk.tell(can.SET_JOINT, bytes.fromhex('0700007fffae0000'))
    desk.tell(can.ENABLE, ENABLE)
    assert desk.powered() == [1] * 6


def test_an_arm_that_was_put_elsewhere_is_without_power_for_a_moment_and_forgets_its_target(desk):
    desk.power()
    desk.joints((0.3, 0, 0, 0, 0, 0))
    desk.run(0.3)
    desk.arm.put(HOME, 0.05)
    desk.emulator.moved()
    assert desk.powered() == [0] * 6
    desk.run(0.2)
    assert desk.powered() == [1] * 6
    assert desk.position() == pytest.approx(HOME, abs=1e-3)

# SPDX-License-Identifier: Apache-2.0
"""The arm on CAN: the contract over two kinds of bus, and every fault named as what it is.

The emulator answers the vendor's SDK, which the driver uses: neither knows the other's tables.
"""

import re
import time

import can
import pytest

from piper_driver import can_arm
from piper_driver import can_frames as frames
from piper_driver.arm import ArmError
from piper_driver.arm_contract import CONTRACT, Bench
from piper_driver.can_arm import CanArm
from piper_driver.emulator_bus import emulate
from piper_driver.kinematics import HOME
from piper_driver.limits import PIPER
from piper_driver.model_arm import ModelArm

RATE = 0.25     # of the arm's time: a busy machine has to keep up


def until(condition, seconds=5.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, 'the condition did not come true'
        time.sleep(0.002)


class Bus:
    """An emulated arm and the driver's, on one bus."""

    def __init__(self, interface, model=None):
        self.model = model or ModelArm()
        self.emulated = emulate(interface, arm=self.model, rate=RATE)
        self.emulator = self.emulated.emulator
        self.faults = self.emulator.faults
        self.arm = CanArm(interface)

    def advance(self, seconds):
        """Let so much of the arm's own time pass, and what it said then arrive."""
        end = self.emulator.cycles + round(seconds / frames.CYCLE)
        until(lambda: self.emulator.cycles >= end, 60 * seconds + 10)
        passed = time.monotonic()
        link = self.arm._link
        until(lambda: link is None or link.newest.stamp > passed)

    def complaint(self):
        """Return what reading the arm is refused with, once it is."""
        said = []

        def refused():
            try:
                self.arm.read()
            except ArmError as error:
                said.append(str(error))
            return said
        until(refused)
        return said[0]

    def readable(self):
        try:
            return self.arm.read()
        except ArmError:
            return None

    def close(self):
        self.arm.close()
        self.emulated.close()


@pytest.fixture
def make_bus(ros_domain):
    made = []

    def make(interface='virtual', model=None):
        made.append(Bus(interface, model))
        return made[-1]
    yield make
    for bus in made:
        bus.close()


@pytest.fixture
def bus(make_bus):
    made = make_bus()
    made.arm.connect()
    return made


@pytest.mark.parametrize('interface', ['virtual', 'udp_multicast'])
@pytest.mark.parametrize('law', CONTRACT, ids=lambda law: law.__name__)
def test_the_arm_on_can_keeps_the_contract(law, interface, make_bus):
    bus = make_bus(interface)
    law(Bench(bus.arm, bus.advance))


def test_nothing_is_told_before_every_joint_was_heard(make_bus):
    bus = make_bus()
    bus.faults.missing = {frames.MOTION[3]}
    with pytest.raises(ArmError, match='frames 254 were not heard'):
        bus.arm.connect()
    with pytest.raises(ArmError, match='not connected'):
        bus.arm.read()


@pytest.mark.parametrize(('fault', 'said'), [
    (lambda bus: bus.faults.bus_off(), 'no frames.*power, the cable, the bitrate'),
    (lambda bus: bus.faults.missing.add(frames.JOINTS[1]), r'2A6 \(joint3, joint4\)'),
    (lambda bus: bus.faults.cut.add(frames.JOINTS[0]), r'2A5 \(joint1, joint2\)'),
    (lambda bus: bus.faults.missing.add(frames.GRIPPER), 'no gripper.*plugged in.*stroke'),
    (lambda bus: bus.faults.missing.add(frames.DRIVES[5]), '266'),
    (lambda bus: bus.faults.corrupted.add(frames.JOINTS[2]), 'where it cannot be|2A7'),
    (lambda bus: setattr(bus.emulator, 'leader', True), "a leader's are.*the arm is a leader"),
    (lambda bus: bus.faults.missing.update((frames.STATUS, *frames.JOINTS)),
     'though motors are heard: the arm is a leader'),
], ids=['bus off', 'joint missing', 'frame cut', 'gripper', 'drive', 'corrupted', 'leader',
        'leader with motors'])
def test_what_is_not_heard_any_more_is_named_and_comes_back(fault, said, bus):
    bus.arm.enable()
    fault(bus)
    assert re.search(said, bus.complaint()), bus.complaint()
    bus.faults.bus_off(False)
    bus.faults.missing.clear()
    bus.faults.cut.clear()
    bus.faults.corrupted.clear()
    bus.emulator.leader = False
    # heard again, though on a busy machine something may be late once more before all is told
    until(lambda: bus.readable() and bus.arm.read().enabled)


@pytest.mark.parametrize('interface', ['virtual', 'udp_multicast'])
def test_what_a_leader_tells_the_arm_is_read_and_nothing_is_sent_until_it_ends(
        interface, make_bus):
    bus = make_bus(interface, ModelArm(gripper_width=0.05))
    bus.arm.connect()
    bus.arm.enable()
    for step in range(40):      # our own targets are nobody else's, though udp_multicast echoes
        bus.arm.command((0.005 * step, 0, 0, 0, 0, 0), 0.05)
        bus.advance(0.005)
        assert bus.arm.read().told == () and not bus.arm.read().fault
    goal = (0.3, 0.2, -0.2, 0.1, 0.1, -0.1)
    hand = ModelArm(goal, 0.02)
    hand.connect()
    hand.enable()       # held there
    leader = emulate(interface, arm=hand, rate=RATE)
    leader.emulator.leader = True
    try:
        until(lambda: bus.arm.read().told)
        assert bus.arm.read().told == pytest.approx((*goal, 0.02), abs=1e-4)
        assert 'another sender commands the arm' in bus.arm.read().fault
        with pytest.raises(ArmError, match='until that ends$'):
            bus.arm.enable()
        for _ in range(100):
            bus.arm.command((0.0,) * 6, 0.05)
            bus.advance(0.005)
        assert bus.model.read().position == pytest.approx(goal, abs=5e-3)
        assert bus.model.read().gripper_width == pytest.approx(0.02, abs=1e-3)
    finally:
        leader.close()
    until(lambda: bus.arm.read().told == () and not bus.arm.read().fault)


def test_an_adapter_that_is_unplugged_is_told_and_its_bus_opened_again_when_it_is_back(
        bus, monkeypatch):
    bus.arm.enable()
    link = bus.arm._link

    def gone(*_):
        raise can.CanOperationError('Network is down [Error Code 100]')

    def missing(*_):
        raise ArmError('there is no CAN interface can0; plug the adapter in')
    with monkeypatch.context() as patch:
        patch.setattr(can_arm, 'open_bus', missing)
        patch.setattr(link._bus, 'recv', gone)
        patch.setattr(link._bus, 'send', gone)
        assert 'no frames' in bus.complaint()
        until(lambda: 'there is no CAN interface can0; plug' in link.unreadable)
        assert link.reopened == 0
    until(lambda: bus.readable() and link.reopened == 1)
    assert not link.unreadable
    held = bus.arm.read().position
    for _ in range(40):     # and targets arrive
        bus.arm.command((held[0] + 0.05, *held[1:]), 0.05)
        bus.advance(0.005)
    assert bus.arm.read().position[0] == pytest.approx(held[0] + 0.05, abs=5e-3)


def test_a_bus_that_is_silent_for_long_is_opened_anew_in_case_its_socket_is_dead(
        bus, monkeypatch):
    link = bus.arm._link
    dead = link._bus
    monkeypatch.setattr(dead, 'recv', lambda timeout: time.sleep(timeout))
    until(lambda: link.reopened and bus.readable())
    assert link._bus is not dead


def test_a_silent_bus_at_the_start_is_an_error_with_what_to_check(make_bus):
    bus = make_bus()
    bus.faults.silent = True
    with pytest.raises(ArmError, match='no frames for 2.0 s on piper: check the arm'):
        bus.arm.connect()


def test_a_drive_that_gave_up_is_named_and_no_power_is_had_until_its_fault_is_cleared(bus):
    bus.arm.enable()
    bus.faults.over_current = {2}
    until(lambda: not bus.arm.read().enabled)
    assert bus.arm.read().fault == 'joint3: current too high'
    with pytest.raises(ArmError, match='joint3: current too high; reset first'):
        bus.arm.enable()
    bus.arm.reset()
    until(lambda: not bus.arm.read().fault)
    bus.arm.enable()
    assert bus.arm.read().enabled


def test_joints_at_their_limits_are_reported(bus):
    bus.faults.at_limit = {0, 3}
    until(lambda: bus.arm.details()['joints_at_limit'] == 'joint1, joint4')


def test_enabling_keeps_the_gripper_s_width_and_a_held_thing(make_bus):
    bus = make_bus(model=ModelArm(gripper_width=0.033))
    bus.arm.connect()
    bus.arm.enable()
    until(lambda: bus.arm.details() and bus.emulator.arm.read().enabled)
    for _ in range(40):
        bus.arm.command(bus.arm.read().position, bus.arm.read().gripper_width)
        bus.advance(0.005)
    assert bus.arm.read().gripper_width == pytest.approx(0.033, abs=1e-4)


def test_a_driver_that_goes_leaves_a_raised_arm_where_it_was_told_to_be(make_bus):
    model = ModelArm(HOME)
    bus = make_bus(model=model)
    bus.arm.connect()
    bus.arm.enable()
    held = bus.arm.read().position
    bus.arm.command(held, 0.05)
    bus.arm.close()
    bus.advance(0.5)
    assert model.read().position == pytest.approx(held, abs=1e-3)
    again = CanArm('virtual')
    again.connect()
    assert again.read().enabled     # and a new one finds it with power
    again.close()


def test_a_second_driver_is_refused(bus):
    with pytest.raises(ArmError, match='another driver has the bus virtual piper already'):
        CanArm('virtual').connect()


def test_a_target_left_in_the_arm_by_somebody_else_is_not_gone_to(make_bus):
    bus = make_bus()
    bus.arm.connect()
    bus.arm.enable()
    bus.arm.command((1.0, 0, 0, 0, 0, 0), 0.05)
    bus.arm.disable()
    until(lambda: not bus.arm.read().enabled)
    before = bus.arm.read().position
    bus.arm.enable()
    bus.advance(0.3)
    assert bus.arm.read().position == pytest.approx(before, abs=1e-3)


@pytest.mark.parametrize(('firmware', 'torque'), [('S-V1.8-2', 8.0), ('S-V1.8-5', 2.0)])
def test_torque_of_old_firmware_is_four_times_what_it_says(firmware, torque, bus, monkeypatch):
    feedback = bus.arm._link.newest
    loaded = type(feedback)(**{**vars(feedback), 'effort': (2.0,) * 6})
    assert bus.arm._effort(loaded, firmware) == (torque,) * 3 + (2.0,) * 3


def test_an_unknown_interface_of_the_kernel_is_named_with_what_to_do():
    with pytest.raises(ArmError, match='no CAN interface can7.*ip link set can7 up'):
        CanArm('socketcan', 'can7').connect()


def test_no_target_beyond_the_ranges_reaches_the_bus(bus):
    bus.arm.enable()
    bus.arm.command((9.0, -1.0, 1.0, 9.0, -9.0, 9.0), 1.0)
    bus.advance(0.1)
    assert bus.emulator._target == pytest.approx(
        (PIPER.upper[0], PIPER.lower[1], PIPER.upper[2], PIPER.upper[3], PIPER.lower[4],
         PIPER.upper[5]), abs=1e-4)
    assert not bus.arm.read().fault

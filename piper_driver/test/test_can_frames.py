# SPDX-License-Identifier: Apache-2.0
"""Frames are laid out as the vendor's tables say, byte by byte."""

from math import pi, radians

import pytest

from piper_driver import can_frames as can
from piper_driver.limits import PIPER


def test_joints_are_thousandths_of_a_degree_two_to_a_frame():
    frames = list(can.joints((radians(-150), pi, 0.0, 0.0, radians(1), radians(-0.001))))
    assert [frame.id for frame in frames] == [0x2A5, 0x2A6, 0x2A7]
    assert frames[0].data.hex() == 'fffdb6100002bf20'
    assert frames[2].data.hex() == '000003e8ffffffff'


def test_a_pair_is_read_as_it_was_written():
    first, second, _ = can.joints(PIPER.upper)
    assert can.read_pair(first.data) == pytest.approx(PIPER.upper[:2], abs=1e-5)
    assert can.read_pair(second.data) == pytest.approx(PIPER.upper[2:4], abs=1e-5)


def test_the_status_has_limits_in_its_seventh_byte_and_silent_joints_in_its_eighth():
    frame = can.status(can.Control.CAN, can.EMERGENCY_STOP, can.Move.JOINTS, True, [0, 5], [2])
    assert (frame.id, frame.data.hex()) == (0x2A1, '0101010001002104')


def test_the_zero_pose_of_the_manual_is_told_in_micrometres_and_thousandths_of_a_degree():
    frames = list(can.end_pose((0.056128, 0.0, 0.213266), (0.0, radians(85), 0.0)))
    assert [frame.id for frame in frames] == [0x2A2, 0x2A3, 0x2A4]
    assert [frame.data.hex() for frame in frames] == [
        '0000db4000000000', '0003411200000000', '00014c0800000000']


def test_a_drive_says_that_it_has_power_in_its_seventh_bit():
    assert can.drive(0, True, 0.5).data.hex() == '00f00023234001f4'
    assert can.drive(5, False, 0.0, [2]).data[5] == 0b100


def test_the_gripper_is_the_whole_opening_in_micrometres():
    assert can.gripper(0.07, 1.5, True).data.hex() == '0001117005dcc000'


def test_motion_is_speed_current_and_place():
    assert can.motion(0, -1.0, 1.18125, 0.5).data.hex() == 'fc1803e8000001f4'


def test_the_firmware_is_a_text_over_eleven_frames():
    frames = list(can.firmware('S-V1.8-2'))
    assert len(frames) == 11 and {frame.id for frame in frames} == {0x4AF}
    assert b'S-V1.8-2' in b''.join(frame.data for frame in frames)


@pytest.mark.parametrize(('data', 'expected'), [
    ('0101320000000000', can.ModeCommand(1, 1, 0.5, False)),
    ('010164ad00000000', can.ModeCommand(1, 1, 1.0, True))])
def test_mode_commands_captured_from_the_sdk_are_read(data, expected):
    assert can.read_mode(bytes.fromhex(data)) == expected


@pytest.mark.parametrize(('code', 'enable', 'clear'), [
    (0, False, False), (1, True, False), (2, False, True), (3, True, True)])
def test_gripper_commands_are_read(code, enable, clear):
    data = bytes.fromhex('0000c35003e8') + bytes([code, 0])
    assert can.read_gripper(data) == can.GripperCommand(pytest.approx(0.05), enable, clear)

# SPDX-License-Identifier: Apache-2.0
"""The PiPER's frames on the CAN bus: identifiers, layouts and units, as tables.

Classic CAN, 11-bit identifiers, 8 bytes, big-endian, 1 Mbit/s. Values are SI outside of this file;
on the wire they are thousandths of a degree, of a millimetre, of a radian a second. The emulator
is written from these tables. The driver is not: it speaks through the vendor's SDK, so that the
two check each other.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from math import degrees, radians

from piper_driver.pose import Vector

LENGTH = 8              # bytes of every frame

# Commands: host to arm.
STOP_RESET = 0x150
MODE = 0x151
JOINT_TARGETS = (0x155, 0x156, 0x157)       # two joints each
GRIPPER_TARGET = 0x159
LEADER = 0x470
ENABLE = 0x471
QUERY_JOINT = 0x472
SET_JOINT = 0x475
QUERY_PARAMETER = 0x477
FIRMWARE = 0x4AF        # question and answer

# Feedback: arm to host.
STATUS = 0x2A1
END_POSE = (0x2A2, 0x2A3, 0x2A4)            # x y, z rx, ry rz
JOINTS = (0x2A5, 0x2A6, 0x2A7)              # two joints each
GRIPPER = 0x2A8
MOTION = tuple(range(0x251, 0x257))         # speed and current of joint1..joint6
DRIVES = tuple(range(0x261, 0x267))         # voltage, temperatures, state of joint1..joint6
JOINT_LIMITS = 0x473
JOINT_SET = 0x476
JOINT_ACCELERATION = 0x47C
PARAMETERS = {1: 0x478, 2: 0x47B, 4: 0x47E}     # answers to QUERY_PARAMETER by its first byte

ALL_MOTORS = (7, 0xFF)  # in byte 0 of ENABLE and SET_JOINT
FIRMWARE_FRAMES = 11    # of an answer, text
CYCLE = 0.005           # all feedback but that of the drives [s]
DRIVES_EVERY = 5        # cycles

GRIPPER_EFFORT = 1000   # of a target, thousandths [N m]; the vendor's default of 500..3000

# Torque by current of joint1..joint3 and of joint4..joint6 [N m/A].
TORQUE_PER_AMPERE = (1.18125,) * 3 + (0.95844,) * 3


class Control(IntEnum):
    """Who commands the arm: byte 0 of MODE and of STATUS."""

    STANDBY = 0
    CAN = 1
    TEACH = 2
    LEADER = 6


class Move(IntEnum):
    """How it moves: byte 1 of MODE, byte 2 of STATUS."""

    POSE = 0
    JOINTS = 1
    LINE = 2
    CIRCLE = 3
    MIT = 4


ARM_STATES = {
    0: 'normal', 1: 'emergency stop', 2: 'no solution of the inverse kinematics',
    3: 'singular pose', 4: 'target beyond a joint limit', 5: 'communication with a joint failed',
    6: 'brake not released', 7: 'collision', 8: 'too fast while taught', 9: 'joint abnormal',
    10: 'other fault', 11: 'teaching: recording', 12: 'teaching: replaying',
    13: 'teaching: paused', 14: 'main controller too hot', 15: 'release resistor too hot',
}
NORMAL, EMERGENCY_STOP, BEYOND_LIMIT = 0, 1, 4
OF_TEACHING = (11, 12, 13)      # which are no faults
DRIVE_FAULTS = {0: 'voltage too low', 1: 'motor too hot', 2: 'current too high',
                3: 'drive too hot', 4: 'collision', 5: 'drive fault', 7: 'stalled'}
DRIVE_ENABLED = 6               # bit of a drive's state
GRIPPER_FAULTS = {0: 'voltage too low', 1: 'motor too hot', 2: 'current too high',
                  3: 'drive too hot', 4: 'sensor fault', 5: 'drive fault'}
GRIPPER_ENABLED, GRIPPER_HOMED = 6, 7


@dataclass(frozen=True)
class Frame:
    """One frame on the bus."""

    id: int
    data: bytes


def _frame(identifier: int, layout: str, *values: int) -> Frame:
    return Frame(identifier, struct.pack('>' + layout, *values).ljust(LENGTH, b'\0'))


def _thousandths(value: float) -> int:
    return round(value * 1000)


def _bits(numbers: Sequence[int]) -> int:
    return sum(1 << number for number in set(numbers))


# ---- feedback -----------------------------------------------------------------------------------


def status(control: int, state: int, move: int, moving: bool,
           at_limit: Sequence[int] = (), unheard: Sequence[int] = ()) -> Frame:
    """Return STATUS; `at_limit`, `unheard`: joints (0..5) at an angle limit, not answering."""
    return _frame(STATUS, '8B', control, state, move, 0, int(moving), 0,
                  _bits(at_limit), _bits(unheard))


def joints(position: Sequence[float], identifiers: Sequence[int] = JOINTS) -> Iterator[Frame]:
    """Yield the three frames of six joints [rad]: where they are, or JOINT_TARGETS."""
    raw = [_thousandths(degrees(value)) for value in position]
    for index, identifier in enumerate(identifiers):
        yield _frame(identifier, '2i', *raw[2 * index:2 * index + 2])


def end_pose(place: Vector, rpy: Vector) -> Iterator[Frame]:
    """Yield the three frames of the flange in base_link: [m] and roll, pitch, yaw [rad]."""
    raw = [*(_thousandths(value * 1000) for value in place),
           *(_thousandths(degrees(value)) for value in rpy)]
    for index, identifier in enumerate(END_POSE):
        yield _frame(identifier, '2i', *raw[2 * index:2 * index + 2])


def gripper(width: float, effort: float, enabled: bool, faults: Sequence[int] = ()) -> Frame:
    """Return GRIPPER: total opening [m], effort [N] in thousandths as the arm has it."""
    state = [*faults, GRIPPER_HOMED, *([GRIPPER_ENABLED] if enabled else [])]
    return _frame(GRIPPER, 'ihB', _thousandths(width * 1000), _small(effort), _bits(state))


def motion(joint: int, velocity: float, effort: float, position: float) -> Frame:
    """Return MOTION of a joint (0..5): [rad/s], [N m], [rad]."""
    current = effort / TORQUE_PER_AMPERE[joint]
    return _frame(MOTION[joint], '2hi', _small(velocity), _small(current), _thousandths(position))


def drive(joint: int, enabled: bool, current: float, faults: Sequence[int] = ()) -> Frame:
    """Return DRIVES of a joint (0..5): 24 V, 35 C, and its state; current on the bus [A]."""
    state = [*faults, *([DRIVE_ENABLED] if enabled else [])]
    return _frame(DRIVES[joint], 'HhbBH', 240, 35, 35, _bits(state),
                  min(_thousandths(abs(current)), 0xFFFF))


def joint_limits(joint: int, lower: float, upper: float, velocity: float) -> Frame:
    """Return the answer about a joint's (0..5) range [rad] and highest speed [rad/s]."""
    return _frame(JOINT_LIMITS, 'B2hH', joint + 1, round(degrees(upper) * 10),
                  round(degrees(lower) * 10), _thousandths(velocity))


def joint_acceleration(joint: int, acceleration: float) -> Frame:
    """Return the answer about a joint's (0..5) highest acceleration [rad/s^2]."""
    return _frame(JOINT_ACCELERATION, 'BH', joint + 1, round(acceleration * 100))


def firmware(version: str) -> Iterator[Frame]:
    """Yield the frames that name the firmware, as `S-V1.8-2` somewhere in a text."""
    text = f'H-V1.2-1{version:8}'.encode('ascii').ljust(FIRMWARE_FRAMES * LENGTH)
    for start in range(0, FIRMWARE_FRAMES * LENGTH, LENGTH):
        yield Frame(FIRMWARE, text[start:start + LENGTH])


def _small(value: float) -> int:
    """Return thousandths that fit into 16 bits."""
    return min(max(_thousandths(value), -0x8000), 0x7FFF)


# ---- commands -----------------------------------------------------------------------------------


def leading(position: Sequence[float], width: float) -> Iterator[Frame]:
    """Yield what a leader tells its follower: where its joints [rad] and its gripper [m] are."""
    yield _frame(MODE, '4B', Control.CAN, Move.JOINTS, 100, 0)
    yield from joints(position, JOINT_TARGETS)
    yield _frame(GRIPPER_TARGET, 'ihB', _thousandths(width * 1000), GRIPPER_EFFORT, 1)


@dataclass(frozen=True)
class ModeCommand:
    """MODE: who commands, how it moves, at which share of its speed (0..1)."""

    control: int
    move: int
    speed: float
    direct: bool        # 0xAD: no smoothing by the arm


@dataclass(frozen=True)
class GripperCommand:
    """GRIPPER_TARGET: total opening [m]; power on, and whether faults are cleared."""

    width: float
    enable: bool
    clear: bool


def read_mode(data: bytes) -> ModeCommand:
    """Read MODE."""
    control, move, speed, direct = struct.unpack('>4B', data[:4])
    return ModeCommand(control, move, speed / 100, direct == 0xAD)


def read_pair(data: bytes) -> tuple[float, float]:
    """Read two joints [rad] of one of JOINT_TARGETS or JOINTS."""
    first, second = struct.unpack('>2i', data)
    return radians(first / 1000), radians(second / 1000)


def read_gripper(data: bytes) -> GripperCommand:
    """Read GRIPPER_TARGET."""
    width, _effort, code = struct.unpack('>ihB', data[:7])
    return GripperCommand(width * 1e-6, code in (1, 3), code in (2, 3))

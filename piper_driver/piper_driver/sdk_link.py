# SPDX-License-Identifier: Apache-2.0
"""The vendor's SDK (piper_sdk 0.6.2), and all there is to know about it. Nobody else imports it.

What it gets wrong is dealt with here: its getters return live objects that its reader changes, so
reading is a thread of ours that copies a state as soon as all of it has come; it encodes into one
shared message, so one lock surrounds every call that sends; it opens two buses by itself and only
logs what it could not send, so it is given a bus of ours that counts; it keeps one instance for a
name, so each of ours has a name of its own; before anything was heard it returns zeros, and so
`newest` is None until all of it was.
"""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import degrees, radians
from threading import Event, Lock, Thread
from typing import Any

import can
from piper_sdk import C_PiperInterface_V2, LogLevel

from piper_driver import can_frames
from piper_driver.arm import ArmError
from piper_driver.limits import Joints

_CLEAR = 0xAE               # the SDK's word for "yes, do it"
_POLL = 0.1                 # how long the reader waits for a frame [s]
_SILENT = 2.0               # after which a bus without frames is opened anew [s]
_REOPEN = 0.3               # between two attempts to open a bus that was lost [s]
# Frames that the SDK is given to decode. Its own end pose is not among them: we compute ours.
_DECODED = frozenset((can_frames.STATUS, can_frames.GRIPPER, can_frames.FIRMWARE,
                      *can_frames.JOINTS, *can_frames.MOTION, *can_frames.DRIVES))
# And those by which somebody else moves the arm: a leader, or another program.
_TARGETS = frozenset((*can_frames.JOINT_TARGETS, can_frames.GRIPPER_TARGET))
TOLD = 0.5                  # for so long a target counts as being told [s]
_NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class Feedback:
    """What the arm said last, complete at `stamp` [s, steady]; units as in `ArmState`."""

    stamp: float
    position: Joints
    velocity: Joints
    effort: Joints
    gripper_width: float
    gripper_effort: float
    gripper_bits: int
    control: int                # as can_frames.Control
    arm_state: int              # key of can_frames.ARM_STATES
    move: int                   # as can_frames.Move
    at_limit: int               # bits of joints
    unheard: int                # bits of joints that the arm's controller does not hear
    drives: tuple[int, ...]     # bits of each joint's drive
    hottest: float              # of the six motors and drives [C]
    voltage: float              # least of the six drives [V]
    told_joints: Joints | None  # what another sender tells the arm; None: nobody does
    told_width: float | None


class SdkLink:
    """The SDK on a bus of ours: states come in by a thread of its own, commands go out."""

    def __init__(self, open_bus: Callable[[], can.BusABC], needed: frozenset[int],
                 on_feedback: Callable[[], None], echoes: bool = False) -> None:
        """Open a bus; it is opened again where it cannot be read any more. Raises ArmError.

        `needed`: frames without which no state is complete. `echoes`: what we send comes back.
        """
        self.since = time.monotonic()
        self.newest: Feedback | None = None
        self.unread: deque[Feedback] = deque(maxlen=400)    # for who must not miss one
        self.heard: dict[int, float] = {}   # identifier -> when it came last [s, steady]
        self.told: dict[int, float] = {}    # the same of another sender's targets
        self.malformed = 0
        self.send_failures = 0
        self.unsent = ''        # why the last frame that was lost could not be sent
        self.unreadable = ''    # why the bus cannot be read, while it cannot
        self.reopened = 0
        self._open_bus = open_bus
        self._bus = open_bus()
        self._needed = needed
        self._on_feedback = on_feedback
        self._pending = set(can_frames.JOINTS)
        self._sending = Lock()
        self._echoes = echoes
        self._sent: deque[tuple[int, bytes]] = deque(maxlen=1000)   # our targets, not back yet
        self._ended = Event()
        self._sdk = _sdk_on(self._counting(self._bus))
        self._reader = Thread(target=self._read, name='can reader', daemon=True)
        self._reader.start()

    @property
    def firmware(self) -> str:
        """The arm's firmware as `S-V1.8-2`, '' as long as it has not been told."""
        version = self._sdk.GetPiperFirmwareVersion()
        return version.strip() if isinstance(version, str) else ''

    def close(self) -> None:
        """Stop reading and leave the bus; the arm keeps its last target."""
        self._ended.set()
        self._reader.join()
        self._bus.shutdown()

    # ---- sending --------------------------------------------------------------------------------

    def ask_firmware(self) -> None:
        """Ask for what `firmware` returns later."""
        self._call(self._sdk.SearchPiperFirmwareVersion)

    def move_joints(self, position: Sequence[float]) -> None:
        """Set the target of the six joints [rad]."""
        self._call(self._sdk.JointCtrl, *(round(degrees(value) * 1000) for value in position))

    def move_gripper(self, width: float) -> None:
        """Set the target of the gripper's total opening [m], powered."""
        self._gripper(width, 1)

    def clear_gripper(self, width: float) -> None:
        """Clear the gripper's faults; it has no power afterwards."""
        self._gripper(width, 2)

    def release_gripper(self, width: float) -> None:
        """Take the gripper's power."""
        self._gripper(width, 0)

    def set_mode(self) -> None:
        """Have the arm follow joint targets from CAN, at its full speed: we limit it."""
        self._call(self._sdk.MotionCtrl_2, 0x01, 0x01, 100, 0x00)

    def enable(self) -> None:
        """Power all joints."""
        self._call(self._sdk.EnableArm, 7)

    def disable(self) -> None:
        """Take the power of all joints."""
        self._call(self._sdk.DisableArm, 7)

    def stop(self) -> None:
        """Emergency stop."""
        self._call(self._sdk.MotionCtrl_1, 0x01, 0, 0)

    def reset(self) -> None:
        """End an emergency stop; all joints lose their power at once."""
        self._call(self._sdk.MotionCtrl_1, 0x02, 0, 0)

    def clear_faults(self) -> None:
        """Clear the faults of all joints' drives."""
        self._call(self._sdk.JointConfig, 7, 0, 0, 0, _CLEAR)

    def make_follower(self) -> None:
        """Have the arm follow commands after its next power cycle."""
        self._call(self._sdk.MasterSlaveConfig, 0xFC, 0, 0, 0)

    def _gripper(self, width: float, code: int) -> None:
        self._call(self._sdk.GripperCtrl, round(width * 1e6), can_frames.GRIPPER_EFFORT, code,
                   0)

    def _call(self, function: Callable[..., object], *arguments: int) -> None:
        with self._sending:
            function(*arguments)

    def _counting(self, bus: can.BusABC) -> can.BusABC:
        """Return the bus, which now counts what could not be sent: the SDK only logs that."""
        send = bus.send

        def counted(msg: can.Message, timeout: float | None = None) -> None:
            if self._echoes and msg.arbitration_id in _TARGETS:
                self._sent.append((msg.arbitration_id, bytes(msg.data)))
            try:
                send(msg, timeout)
            except (can.CanError, OSError, ValueError) as error:
                self.send_failures += 1
                self.unsent = f'frame {msg.arbitration_id:03X} could not be sent: {error}'
                raise can.CanOperationError(str(error)) from error
        bus.send = counted      # type: ignore[method-assign]
        return bus

    # ---- reading --------------------------------------------------------------------------------

    def _read(self) -> None:
        silent_since = time.monotonic()
        while not self._ended.is_set():
            try:
                message = self._bus.recv(_POLL)
            except (can.CanError, OSError, ValueError) as error:
                self.unreadable = self.unreadable or f'the bus cannot be read: {error}'
                self._reopen()
                continue
            now = time.monotonic()
            if message is not None:
                silent_since = now
                if message.arbitration_id in _DECODED:
                    self._take(message)
                elif message.arbitration_id in _TARGETS:
                    self._take_target(message)
            elif now - silent_since > _SILENT:
                self._reopen()      # its socket may have outlived its interface
                silent_since = now

    def _reopen(self) -> None:
        """Open the bus anew: a socket does not come back with its interface (USB, plugged in)."""
        self._ended.wait(_REOPEN)
        try:
            bus = self._open_bus()
        except ArmError as error:
            self.unreadable = str(error)
            return
        with self._sending:
            old, self._bus = self._bus, bus
            port = self._sdk.GetCanBus()
            port.recv_bus = port.send_bus = self._counting(bus)
        self.reopened += 1
        self.unreadable = ''
        with suppress(can.CanError, OSError):
            old.shutdown()

    def _take_target(self, message: can.Message) -> None:
        """Note what another sender tells the arm."""
        frame = message.arbitration_id, bytes(message.data)
        if frame in self._sent:     # in order, each once; what is before it was lost
            while self._sent.popleft() != frame:
                pass
        elif self._decode(message):
            self.told[message.arbitration_id] = time.monotonic()

    def _decode(self, message: can.Message) -> bool:
        """Have the SDK decode a frame; return whether it could."""
        if len(message.data) == can_frames.LENGTH and not message.is_error_frame:
            with suppress(ValueError, IndexError, KeyError, TypeError):
                self._sdk.ParseCANFrame(message)
                return True
        self.malformed += 1
        return False

    def _take(self, message: can.Message) -> None:
        identifier = message.arbitration_id
        if not self._decode(message):
            return
        now = time.monotonic()
        self.heard[identifier] = now
        self._pending.discard(identifier)
        if not self._pending and self.heard.keys() >= self._needed:
            self._pending.update(can_frames.JOINTS)
            self.newest = self._copy(now)
            self.unread.append(self.newest)
            self._on_feedback()

    def _copy(self, now: float) -> Feedback:
        sdk = self._sdk
        joints = sdk.GetArmJointMsgs().joint_state
        fast, slow = sdk.GetArmHighSpdInfoMsgs(), sdk.GetArmLowSpdInfoMsgs()
        motors = [getattr(fast, f'motor_{number}') for number in range(1, 7)]
        drives = [getattr(slow, f'motor_{number}') for number in range(1, 7)]
        gripper = sdk.GetArmGripperMsgs().gripper_state
        status = sdk.GetArmStatus().arm_status
        return Feedback(
            now,
            _joints(radians(getattr(joints, f'joint_{number}') / 1000) for number in range(1, 7)),
            _joints(motor.motor_speed / 1000 for motor in motors),
            _joints(motor.effort / 1000 for motor in motors),
            gripper.grippers_angle * 1e-6, gripper.grippers_effort / 1000, gripper.status_code,
            int(status.ctrl_mode), int(status.arm_status), int(status.mode_feed),
            status.err_code >> 8, status.err_code & 0xFF,
            tuple(drive.foc_status_code for drive in drives),
            max(max(drive.motor_temp, drive.foc_temp) for drive in drives),
            min(drive.vol for drive in drives) / 10,
            *self._copy_told(now))

    def _copy_told(self, now: float) -> tuple[Joints | None, float | None]:
        """Return joints [rad] and width [m] that another sender told the arm just now."""
        joints = width = None
        if all(self._is_told(one, now) for one in can_frames.JOINT_TARGETS):
            target = self._sdk.GetArmJointCtrl().joint_ctrl
            joints = _joints(radians(getattr(target, f'joint_{number}') / 1000)
                             for number in range(1, 7))
        if self._is_told(can_frames.GRIPPER_TARGET, now):
            width = self._sdk.GetArmGripperCtrl().gripper_ctrl.grippers_angle * 1e-6
        return joints, width

    def _is_told(self, identifier: int, now: float) -> bool:
        return now - self.told.get(identifier, now - TOLD) < TOLD


def _sdk_on(bus: can.BusABC) -> Any:
    """Return the SDK, connected to `bus`: it opens throw-away buses of its own first."""
    name = f'piper_driver {next(_NUMBERS)}'
    sdk = C_PiperInterface_V2(name, judge_flag=False, can_auto_init=False,
                              logger_level=LogLevel.CRITICAL)
    sdk.CreateCanBus(name, bustype='virtual', judge_flag=False)
    port = sdk.GetCanBus()
    port.recv_bus.shutdown()
    port.send_bus.shutdown()
    port.recv_bus = port.send_bus = bus
    # its filter leaves out what is spoilt without a word, and the old value looks fresh
    sdk.DisableFilterAbnormalData()
    sdk.ConnectPort(piper_init=False, start_thread=False)
    return sdk


def _joints(values: Any) -> Joints:
    a, b, c, d, e, f = values
    return a, b, c, d, e, f

# SPDX-License-Identifier: Apache-2.0
"""The PiPER's controller as the bus sees it, in front of any `Arm`: a model, or one in MuJoCo.

`receive` takes a frame, `cycle` is called every `CYCLE` and sends what the arm would send then. It
moves joints (MOVE J, smoothed or direct); it does not emulate MOVE P, L, C and MIT, whose targets
it ignores. What the real arm does at enabling, stop and reset it does too: a reset cuts the power
at once and swallows the first enabling; a stop descends and latches; targets without power are
forgotten. `faults` are switched on by whoever tests what follows from them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from math import atan2, hypot
from random import Random

from piper_driver import can_frames as can
from piper_driver.arm import Arm, ArmError, ArmState
from piper_driver.can_frames import Control, Frame, Move
from piper_driver.kinematics import forward
from piper_driver.limits import PIPER
from piper_driver.pose import Vector

FIRMWARE = 'S-V1.8-5'
_NEAR = 0.005           # of its target a joint has arrived [rad]
_DARK = 0.1             # how long the motors are off after the arm was put elsewhere [s]


@dataclass
class Faults:
    """What goes wrong; nothing does at first."""

    silent: bool = False                # no frame leaves the arm
    deaf: bool = False                  # no frame reaches it
    missing: set[int] = field(default_factory=set)      # identifiers that are not sent
    corrupted: set[int] = field(default_factory=set)    # those sent with random bytes
    cut: set[int] = field(default_factory=set)          # those sent with three bytes only
    over_current: set[int] = field(default_factory=set)     # joints (0..5) whose drive gave up
    at_limit: set[int] = field(default_factory=set)     # joints that say they are at a limit
    answer_delay: float = 0.0           # of answers to questions [s]

    def bus_off(self, off: bool = True) -> None:
        """Cut the bus: nothing passes either way."""
        self.silent = self.deaf = off


class Emulator:
    """Frames in, frames out; not thread-safe: whoever owns it lets one thread in at a time."""

    def __init__(self, arm: Arm, send: Callable[[Frame], None], firmware: str = FIRMWARE) -> None:
        """Stand in front of `arm`, which is connected and has no power or holds."""
        self.arm = arm
        self.faults = Faults()
        self.leader = False         # a hand moves it, and a follower by what it says
        self.taught = False         # guided by hand: its button was pressed
        self._send = send
        self._firmware = firmware
        self._random = Random(0)
        self.cycles = 0
        self._now = 0.0
        self._dark_until = 0.0
        self._answers: deque[tuple[float, Iterable[Frame]]] = deque()
        self._arm_state = can.NORMAL
        powered = arm.read().enabled
        self._motors = [powered] * 6
        self._gripper = powered
        self._deaf_to_enabling = False
        self._stand_by()
        self._handlers = {
            can.STOP_RESET: self._on_stop_reset, can.MODE: self._on_mode,
            can.GRIPPER_TARGET: self._on_gripper, can.LEADER: self._on_leader,
            can.ENABLE: self._on_enable, can.QUERY_JOINT: self._on_query_joint,
            can.SET_JOINT: self._on_set_joint, can.QUERY_PARAMETER: self._on_query_parameter,
            can.FIRMWARE: self._on_firmware,
        }

    # ---- called by the owner --------------------------------------------------------------------

    def receive(self, frame: Frame) -> None:
        """Take a frame from the bus; those that are no commands are ignored."""
        if self.faults.deaf or len(frame.data) != can.LENGTH:
            return
        if frame.id in can.JOINT_TARGETS:
            self._on_joints(can.JOINT_TARGETS.index(frame.id), frame.data)
        elif handler := self._handlers.get(frame.id):
            handler(frame.data)

    def cycle(self, now: float) -> None:
        """Aim the arm for `now` [s] and send what is due."""
        self._now = now
        state = self.arm.read()
        for joint in self.faults.over_current:
            self._motors[joint] = False
        self._follow(state)
        if self.faults.silent:
            self._answers.clear()
        else:
            self._send_all(self._feedback(state))
            while self._answers and self._answers[0][0] <= now:
                self._send_all(self._answers.popleft()[1])
        self.cycles += 1

    def moved(self) -> None:
        """Note that the arm was put elsewhere: its motors are off for a moment, as after a cut."""
        self._dark_until = self._now + _DARK
        state = self.arm.read()
        if not state.fault:
            self._arm_state = can.NORMAL
        self._motors, self._gripper = [state.enabled] * 6, state.enabled
        self._stop_aiming()

    # ---- motion ---------------------------------------------------------------------------------

    def _follow(self, state: ArmState) -> None:
        """Move the aim towards the targets, no faster than the mode allows, and the arm to it."""
        by_hand = self.taught or self.leader
        if by_hand:
            self._stop_aiming()     # it holds where it is let go
        if by_hand or not state.enabled or not all(self._motors):
            self._aim = list(state.position)
            return
        if self._dark:
            return
        step = can.CYCLE * self._speed
        self._aim = [value + min(max(target - value, -top * step), top * step)
                     for value, target, top
                     in zip(self._aim, self._target or self._aim, PIPER.velocity, strict=True)]
        width = self._width if self._gripper and self._width is not None else state.gripper_width
        self.arm.command(self._aim, width)

    def _stop_aiming(self) -> None:
        self._refused: set[int] = set()     # pairs whose last target was beyond a range
        self._target: list[float] | None = None
        self._width: float | None = None
        self._aim = list(self.arm.read().position)

    def _stand_by(self) -> None:
        self._control, self._move, self._speed = int(Control.STANDBY), int(Move.POSE), 0.0
        self._stop_aiming()

    @property
    def _dark(self) -> bool:
        return self._now < self._dark_until

    # ---- commands -------------------------------------------------------------------------------

    def _on_stop_reset(self, data: bytes) -> None:
        if data[0] == 1:
            self.arm.stop()
            self._arm_state = can.EMERGENCY_STOP
            self._stop_aiming()
        elif data[0] == 2:
            self.arm.reset()
            self._arm_state = can.NORMAL
            self._motors, self._gripper = [False] * 6, False
            self._deaf_to_enabling = True
            self._stand_by()

    def _on_mode(self, data: bytes) -> None:
        if self._arm_state != can.EMERGENCY_STOP:
            mode = can.read_mode(data)
            self._control, self._move, self._speed = mode.control, mode.move, mode.speed

    def _on_joints(self, pair: int, data: bytes) -> None:
        if self._control != Control.CAN or self._move != Move.JOINTS or self._dark:
            return
        if self._arm_state == can.EMERGENCY_STOP or not all(self._motors):
            return
        values = can.read_pair(data)
        joints = (2 * pair, 2 * pair + 1)
        if any(not PIPER.lower[joint] - 1e-4 <= value <= PIPER.upper[joint] + 1e-4
               for joint, value in zip(joints, values, strict=True)):
            self._refused.add(pair)
            return
        self._refused.discard(pair)
        target = self._target or list(self._aim)
        target[joints[0]], target[joints[1]] = values
        self._target = target

    def _on_gripper(self, data: bytes) -> None:
        command = can.read_gripper(data)
        self._gripper = command.enable and self._arm_state != can.EMERGENCY_STOP
        if self._gripper and not self._dark:
            self._width = command.width

    def _on_leader(self, data: bytes) -> None:
        self.leader = data[0] == 0xFA

    def _on_enable(self, data: bytes) -> None:
        motor, on = data[0], data[1] == 2
        if on and self._deaf_to_enabling:
            self._deaf_to_enabling = False
            return
        if on and self._arm_state == can.EMERGENCY_STOP:
            return
        chosen = range(6) if motor in can.ALL_MOTORS else range(motor - 1, motor)
        for joint in chosen:
            self._motors[joint] = on and joint not in self.faults.over_current
        powered = self.arm.read().enabled
        if all(self._motors) and not powered:
            try:
                self.arm.enable()
            except ArmError:
                self._motors = [False] * 6
            self._stop_aiming()
        elif not any(self._motors) and powered:
            self.arm.disable()
            self._stop_aiming()

    # ---- questions ------------------------------------------------------------------------------

    def _answer(self, frames: Iterable[Frame]) -> None:
        self._answers.append((self._now + self.faults.answer_delay, frames))

    def _on_query_joint(self, data: bytes) -> None:
        joint = data[0] - 1
        if not 0 <= joint < 6:
            return
        if data[1] == 1:
            self._answer([can.joint_limits(joint, PIPER.lower[joint], PIPER.upper[joint],
                                           PIPER.velocity[joint])])
        elif data[1] == 2:
            self._answer([can.joint_acceleration(joint, PIPER.acceleration[joint])])

    def _on_set_joint(self, data: bytes) -> None:
        self._answer([Frame(can.JOINT_SET, bytes([0x75]).ljust(can.LENGTH, b'\0'))])
        if data[5] == 0xAE:
            chosen = range(6) if data[0] in can.ALL_MOTORS else range(data[0] - 1, data[0])
            self.faults.over_current -= set(chosen)

    def _on_query_parameter(self, data: bytes) -> None:
        if identifier := can.PARAMETERS.get(data[0]):
            self._answer([Frame(identifier, bytes(can.LENGTH))])

    def _on_firmware(self, data: bytes) -> None:
        if data[0] == 1:
            self._answer(can.firmware(self._firmware))

    # ---- feedback -------------------------------------------------------------------------------

    def _feedback(self, state: ArmState) -> Iterable[Frame]:
        on = [motor and state.enabled and not self._dark for motor in self._motors]
        if self.leader:
            yield from can.leading(state.position, state.gripper_width)
            return
        moving = self._target is not None and any(
            abs(target - value) > _NEAR
            for target, value in zip(self._target, state.position, strict=True))
        told = can.BEYOND_LIMIT if self._refused else self._arm_state
        control = Control.TEACH if self.taught else self._control
        yield can.status(control, told, self._move, moving,
                         sorted(self.faults.at_limit))
        flange = forward(state.position)
        yield from can.end_pose((*flange[:3, 3].tolist(),), _rpy(flange[:3, :3].tolist()))
        yield from can.joints(state.position)
        yield can.gripper(state.gripper_width, state.gripper_effort,
                          self._gripper and not self._dark)
        for joint in range(6):
            yield can.motion(joint, state.velocity[joint], state.effort[joint],
                             state.position[joint])
        if self.cycles % can.DRIVES_EVERY == 0:
            for joint in range(6):
                faults = [2] if joint in self.faults.over_current else []
                yield can.drive(joint, on[joint], state.effort[joint], faults)

    def _send_all(self, frames: Iterable[Frame]) -> None:
        faults = self.faults
        for frame in frames:
            if frame.id in faults.missing:
                continue
            if frame.id in faults.corrupted:
                frame = Frame(frame.id, self._random.randbytes(can.LENGTH))
            elif frame.id in faults.cut:
                frame = Frame(frame.id, frame.data[:3])
            self._send(frame)


def _rpy(rotation: Sequence[Sequence[float]]) -> Vector:
    """Return roll, pitch, yaw [rad] of R = Rz(yaw) Ry(pitch) Rx(roll)."""
    (xx, _, _), (xy, _, _), (xz, yz, zz) = rotation
    return atan2(yz, zz), atan2(-xz, hypot(xx, xy)), atan2(xy, xx)

# SPDX-License-Identifier: Apache-2.0
"""The PiPER on CAN as an `Arm`: what its frames mean for somebody who wants to move it.

It moves by MOVE J, whose targets may be streamed and of which the newest counts: an arm that hears
nothing more goes to the last one and holds, so silence of ours never lets it run or fall.
Everything that was heard has an age; a state is given out only while every part of it is fresh.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from math import radians

from piper_driver import can_frames
from piper_driver.arm import ArmError, ArmState, check_command
from piper_driver.can_bus import BITRATE, ECHOING, claim, default_channel, open_bus
from piper_driver.can_frames import Control, Move
from piper_driver.limits import JOINT_NAMES, PIPER, Joints
from piper_driver.sdk_link import Feedback, SdkLink

LOST = 0.5              # a state older than this is none, nor is one with such a part [s]
_POWERING = 3.0         # for all motors to have power [s]
_RETRY = 0.02           # between two requests for power [s]
_REPEAT = 0.1           # between two repetitions of mode and gripper [s]
_IMPOSSIBLE = radians(20)   # beyond its range no joint can be; a frame that says so is spoilt
_WIDTH_STEP = 2e-5      # of the gripper that is worth a frame [m]
_OLD_FIRMWARE = (1, 8, 2)   # up to which joint1..joint3 report a quarter of their current
_OF_JOINTS = dict(zip(can_frames.JOINTS, ('joint1, joint2', 'joint3, joint4', 'joint5, joint6'),
                      strict=True))
_TAUGHT = 'the arm is guided by hand (teach mode): end it with the button on the arm'
_LED = 'another sender commands the arm, perhaps a leader: nothing is sent to it until that ends'
_LEADER = 'the arm is a leader: it follows nobody until it is made a follower (docs/piper.md)'
_END_BY_THEMSELVES = (_TAUGHT, _LED, _LEADER)     # of faults: no reset helps


class CanArm:
    """See `arm.Arm`."""

    def __init__(self, interface: str = 'socketcan', channel: str = '', gripper: bool = True,
                 answer: float = 2.0, on_feedback: Callable[[], None] = lambda: None,
                 stamp: Callable[[float], float] = lambda steady: steady) -> None:
        """Choose the bus; nothing is opened yet.

        `gripper`: one is mounted. `answer`: how long everything may take to be heard at first [s].
        `on_feedback` is called by another thread when a state is complete. `stamp` turns steady
        seconds into those of a state's stamp.
        """
        self._answer = answer
        self._on_feedback = on_feedback
        self._stamp = stamp
        self._interface = interface
        self._channel = channel or default_channel(interface)
        self._has_gripper = gripper
        needed = {can_frames.STATUS, *can_frames.JOINTS, *can_frames.MOTION, *can_frames.DRIVES}
        self._needed = frozenset(needed | ({can_frames.GRIPPER} if gripper else set()))
        self._claim: socket.socket | None = None
        self._link: SdkLink | None = None
        self._taken: Feedback | None = None
        self._width_sent: float | None = None
        self._width_before: tuple[float, float] | None = None   # stamp [s], width [m]
        self._width_rate = 0.0
        self._repeat_at = 0.0
        self._spoilt = 0

    # ---- the link -------------------------------------------------------------------------------

    def connect(self) -> None:
        """Open the bus and wait until every joint was heard. Raises ArmError with what was not."""
        if self._link is None:
            self._claim = claim(self._interface, self._channel)
            try:
                self._link = SdkLink(lambda: open_bus(self._interface, self._channel),
                                     self._needed, self._on_feedback,
                                     self._interface in ECHOING)
            except ArmError:
                self.close()
                raise
        link = self._link
        link.ask_firmware()
        if not _until(lambda: link.newest is not None, self._answer):
            reason = self._what_is_missing(link)
            self.close()
            raise ArmError(reason)

    def close(self) -> None:
        """Leave the bus. The arm holds its last target. May be called twice."""
        if self._link is not None:
            self._link.close()
            self._link = self._taken = None
        if self._claim is not None:
            self._claim.close()
            self._claim = None

    def read(self) -> ArmState:
        """Return the newest complete state, stamped with the time it came. Raises ArmError."""
        link = self._connected()
        feedback = self._taken or link.newest
        if feedback is None or max(self._ages(link).values()) > LOST:
            raise ArmError(self._what_is_missing(link))
        return self._state(feedback, link)

    def take(self) -> list[ArmState]:
        """Take all states that have come; `read` returns the last of them until the next time.

        Returns those before it, for who must not miss one. Spoilt ones are left out.
        """
        link, states = self._connected(), []
        while len(link.unread) > 1:
            try:
                states.append(self._state(link.unread.popleft(), link))
            except ArmError:
                continue
        if link.unread:
            self._taken = link.unread.popleft()
        return states

    def _state(self, feedback: Feedback, link: SdkLink) -> ArmState:
        self._check_plausible(feedback)
        self._note_width(feedback)
        return ArmState(
            self._stamp(feedback.stamp), feedback.position, feedback.velocity,
            self._effort(feedback, link.firmware), feedback.gripper_width, self._width_rate,
            feedback.gripper_effort, _has_power(feedback), self._fault(feedback),
            _told(feedback))

    def details(self) -> dict[str, object]:
        """Return what else a person may want to know, by name."""
        link = self._link
        if link is None or link.newest is None:
            return {}
        newest = link.newest
        at_limit = [name for joint, name in enumerate(JOINT_NAMES) if newest.at_limit >> joint & 1]
        return {'firmware': link.firmware or 'not told', 'hottest_c': newest.hottest,
                'least_voltage_v': newest.voltage, 'joints_at_limit': ', '.join(at_limit),
                'frames_malformed': link.malformed, 'states_spoilt': self._spoilt,
                'sends_failed': link.send_failures, 'bus_failure': link.unreadable or link.unsent,
                'bus_reopened': link.reopened}

    # ---- motion ---------------------------------------------------------------------------------

    def enable(self) -> None:
        """Power the motors and hold the present pose and width. Raises ArmError."""
        link = self._connected()
        _until(lambda: max(self._ages(link).values()) < LOST, self._answer)
        state = self.read()
        if state.fault:
            raise ArmError(state.fault if state.fault in _END_BY_THEMSELVES
                           else f'{state.fault}; reset first')
        if not state.enabled:
            if not _until(lambda: self._request_power(link), _POWERING, _RETRY):
                raise ArmError(f'no power within {_POWERING:g} s: {self._without_power(link)}; '
                               'is the emergency button of the power supply released?')
            link.move_joints(self.read().position)
        if self._has_gripper and not self._gripper_powered(link):
            width = self.read().gripper_width       # where it is: 0 would close it
            link.clear_gripper(width)
            link.move_gripper(width)
        self._width_sent, self._repeat_at = self.read().gripper_width, 0.0

    def disable(self) -> None:
        """Take the power: the arm falls."""
        link = self._connected()
        width = self.read().gripper_width
        if self._has_gripper:
            link.release_gripper(width)
        for _ in range(2):
            link.disable()

    def command(self, position: Sequence[float], gripper_width: float) -> None:
        """Set the target of joints [rad] and of the gripper [m], kept within the ranges."""
        check_command(position, gripper_width)
        link = self._connected()
        feedback = link.newest
        if feedback is None or not _has_power(feedback) or self._fault(feedback):
            return
        now = time.monotonic()
        repeat = now >= self._repeat_at
        if repeat or (feedback.control, feedback.move) != (Control.CAN, Move.JOINTS):
            link.set_mode()
        link.move_joints([min(max(value, low), high) for value, low, high
                          in zip(position, PIPER.lower, PIPER.upper, strict=True)])
        width = min(max(gripper_width, PIPER.gripper_lower), PIPER.gripper_upper)
        changed = self._width_sent is None or abs(width - self._width_sent) > _WIDTH_STEP
        if self._has_gripper and (repeat or changed):
            link.move_gripper(width)
            self._width_sent = width
        if repeat:
            self._repeat_at = now + _REPEAT

    def stop(self) -> None:
        """Emergency stop: the arm descends slowly and follows nothing until `reset`."""
        self._connected().stop()

    def reset(self) -> None:
        """Clear stop and faults; the power is cut at once, and a raised arm falls."""
        link = self._connected()
        link.reset()
        link.clear_faults()
        _until(lambda: link.newest is not None and not self._fault(link.newest), 0.5)

    def make_follower(self) -> None:
        """Tell an arm that was a leader to follow; it takes effect after its next power cycle."""
        self._connected().make_follower()

    # ---- what the frames mean -------------------------------------------------------------------

    def _connected(self) -> SdkLink:
        if self._link is None:
            raise ArmError(f'the arm on {self._channel} is not connected; call connect first')
        return self._link

    def _request_power(self, link: SdkLink) -> bool:
        """Ask for power, the target being where the arm is; return whether all motors have it.

        The target goes first: an old one, left in the arm by somebody, would be gone to.
        """
        if link.newest is not None and _has_power(link.newest):
            return True
        link.set_mode()
        link.move_joints(self.read().position)
        link.enable()
        return False

    def _without_power(self, link: SdkLink) -> str:
        bits = link.newest.drives if link.newest else (0,) * 6
        names = [name for name, drive in zip(JOINT_NAMES, bits, strict=True)
                 if not drive >> can_frames.DRIVE_ENABLED & 1]
        return f'{", ".join(names)} without'

    def _gripper_powered(self, link: SdkLink) -> bool:
        newest = link.newest
        return newest is not None and bool(newest.gripper_bits >> can_frames.GRIPPER_ENABLED & 1)

    def _ages(self, link: SdkLink) -> dict[int, float]:
        """Return how long ago each frame that is needed was heard [s]."""
        now = time.monotonic()
        return {one: now - link.heard.get(one, link.since) for one in self._needed}

    def _check_plausible(self, feedback: Feedback) -> None:
        for name, value, lower, upper in zip(JOINT_NAMES, feedback.position, PIPER.lower,
                                             PIPER.upper, strict=True):
            if not lower - _IMPOSSIBLE <= value <= upper + _IMPOSSIBLE:
                self._spoilt += 1
                raise ArmError(
                    f'{name} reports {value:.2f} rad, where it cannot be ({lower:.2f}..'
                    f'{upper:.2f}): spoilt frames, or its zero point is lost; check the bus\' '
                    'termination (120 ohm at both ends) and other senders')

    def _note_width(self, feedback: Feedback) -> None:
        if self._width_before is None or feedback.stamp > self._width_before[0]:
            if self._width_before is not None:
                stamp, width = self._width_before
                self._width_rate = (feedback.gripper_width - width) / (feedback.stamp - stamp)
            self._width_before = feedback.stamp, feedback.gripper_width

    def _effort(self, feedback: Feedback, firmware: str) -> Joints:
        if _version(firmware) > _OLD_FIRMWARE:
            return feedback.effort
        a, b, c, d, e, f = feedback.effort
        return 4 * a, 4 * b, 4 * c, d, e, f

    def _fault(self, feedback: Feedback) -> str:
        """Return what keeps the arm from being moved, '' if nothing does."""
        if feedback.control == Control.LEADER:
            return _LEADER
        if feedback.control == Control.TEACH or feedback.arm_state in can_frames.OF_TEACHING:
            return _TAUGHT
        if feedback.arm_state != can_frames.NORMAL:
            return can_frames.ARM_STATES.get(feedback.arm_state,
                                             f'unknown state {feedback.arm_state} of the arm')
        drives = zip(JOINT_NAMES, feedback.drives, strict=True)
        faults = [f'{name}: {words}' for name, bits in drives
                  for bit, words in can_frames.DRIVE_FAULTS.items() if bits >> bit & 1]
        faults += [f'{name}: not heard by the arm\'s controller'
                   for joint, name in enumerate(JOINT_NAMES) if feedback.unheard >> joint & 1]
        faults += [f'gripper: {words}' for bit, words in can_frames.GRIPPER_FAULTS.items()
                   if self._has_gripper and feedback.gripper_bits >> bit & 1]
        return '; '.join(faults) or (_LED if _told(feedback) else '')

    def _what_is_missing(self, link: SdkLink) -> str:
        """Return what was not heard for how long, and what to check."""
        ages = self._ages(link)
        silence = min(ages.values())
        if silence > LOST / 2:
            since = f'for {silence:.1f} s on {self._channel}'
            if link.unreadable:
                return f'no frames {since}: {link.unreadable}'
            if link.unsent:
                return f'no frames {since}; {link.unsent}. Bus off? sudo ip link set ' \
                       f'{self._channel} down; sudo ip link set {self._channel} up type can ' \
                       f'bitrate {BITRATE}'
            if any(time.monotonic() - when < LOST for when in link.told.values()):
                return f'no frames of the arm {since}, though a leader\'s are: the arm has no ' \
                       f'power, or {_LEADER}'
            return f'no frames {since}: check the arm\'s power, the cable, the bitrate (1 Mbit/s)'
        # all that stopped together, though one of them is lost a frame's time before the others
        missing = sorted(one for one, age in ages.items() if age > LOST / 2)
        since = f'for {max(ages.values()):.1f} s on {self._channel}'
        if {*missing} >= {*can_frames.JOINTS, can_frames.STATUS}:
            return f'no feedback {since}, though motors are heard: {_LEADER}'
        if missing == [can_frames.GRIPPER]:
            return f'no gripper {since}: is it plugged in, is its stroke set (docs/piper.md)? ' \
                   'Without a gripper set the parameter gripper to false'
        named = ', '.join(f'{one:03X}' + (f' ({_OF_JOINTS[one]})' if one in _OF_JOINTS else '')
                          for one in missing)
        return f'frames {named} were not heard {since}: check the cable inside the arm, and ' \
               'other senders on the bus'


def _has_power(feedback: Feedback) -> bool:
    return all(bits >> can_frames.DRIVE_ENABLED & 1 for bits in feedback.drives)


def _told(feedback: Feedback) -> tuple[float, ...]:
    """Return what another sender tells the arm; what it does not tell is where the arm is."""
    joints, width = feedback.told_joints, feedback.told_width
    if joints is None and width is None:
        return ()
    return (*(joints or feedback.position), feedback.gripper_width if width is None else width)


def _until(condition: Callable[[], bool], seconds: float, every: float = 0.005) -> bool:
    """Return whether a condition came true within some seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(every)
    return True


def _version(firmware: str) -> tuple[int, ...]:
    """Return the numbers of `S-V1.8-2`; of an unknown one: the newest."""
    digits = firmware.removeprefix('S-V').replace('-', '.').split('.')
    return tuple(map(int, digits)) if all(map(str.isdigit, digits)) else (99,)

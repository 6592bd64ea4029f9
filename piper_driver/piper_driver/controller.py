# SPDX-License-Identifier: Apache-2.0
"""From commands to set-points: take what is valid, follow it within the limits, hold in doubt.

`command_*` check and store; `tick`, called by whoever owns the arm's clock, moves the set-point. A
stream of poses is followed by a `PoseReference`, which never runs past what was commanded, so a
commander that dies leaves the arm where it last wanted it. After `watchdog` seconds of silence the
stream counts as dead: the arm brakes, and the next stream starts from where the set-point is.
The joints that belong to the reference come from `kinematics`; `Limiter` follows them and keeps
every limit, whatever comes out of that.

Not thread-safe: its owner locks. All times are seconds on one clock, the caller's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from piper_driver.arm import ArmState
from piper_driver.gate import STALE, CommandRefused, Gate, Refusal
from piper_driver.kinematics import PARK, servo_change, tcp
from piper_driver.limiter import Limiter
from piper_driver.limits import GRIPPER_NAME, JOINT_NAMES, PIPER, Joints, Limits
from piper_driver.pose import Pose, axes_from_quaternion
from piper_driver.reference import Cadence, PoseReference

__all__ = ['ArmController', 'CommandRefused', 'Refusal', 'Setpoint']

PARK_SPEED = 0.4            # of the joint with the longest way [rad/s]
JOINT_ACCELERATION = 3.0    # of the goal on its way to commanded joints [rad/s^2]
RAMP_JOINT_SPEED = 0.5      # of a stream of joints that has not been caught up with [rad/s]
_LONGEST_TICK = 0.02        # a tick that comes late moves no further than this allows [s]


@dataclass(frozen=True)
class Setpoint:
    """What to send: joints [rad], total gripper opening [m]; and why it holds, '' if not."""

    position: Joints
    gripper_width: float
    holding: str = ''


class _Mode(Enum):
    HOLD = 'hold'
    POSE = 'pose'
    JOINTS = 'joints'
    PARK = 'park'
    RELAX = 'relax'         # going to where the arm is, after it could not follow


class ArmController:
    """Follows pose, joint and gripper commands within `limits`; see the module's docstring."""

    def __init__(self, limits: Limits = PIPER, watchdog: float = 0.08,
                 tracking_error: float = 0.2, tracking_time: float = 0.5) -> None:
        """Set the watchdog [s] and how far [rad] and long [s] the arm may be off its set-point.

        The watchdog leaves no time for braking within 100 ms, and need not: the reference waits
        at the last command when the next one is due, and where it has fallen behind the arm
        brakes when that one is late. The watchdog says when silence is a fault, and 0.08 s are
        eight commands of a stream, which a busy machine needs.
        """
        if not 0 < watchdog <= STALE:
            raise ValueError(f'watchdog is {watchdog} s; valid is more than 0 and up to {STALE}')
        self.limits = limits
        self.watchdog = watchdog
        self.tracking_error = tracking_error
        self.tracking_time = tracking_time
        self.gate = Gate(limits)
        self.watchdog_trips = 0
        self.tracking_trips = 0
        self._limiter = Limiter(limits, PARK)
        self._cadence = Cadence()
        self._stopped = ''
        self._started = False
        self._now: float | None = None
        self._width = 0.0
        self._rest()

    def _rest(self, holding: str = 'waiting for a command') -> None:
        """Hold, and forget what was followed."""
        self._powerless = False
        self._mode = _Mode.HOLD
        self._holding = holding
        self._goal = list(self._limiter.position)
        self._joints = list(self._goal)
        self._ramping = True        # of joints; a reference has its own
        self._pace = 0.0            # of the joint with the longest way [rad/s]
        self._reference: PoseReference | None = None
        self._off_since: float | None = None
        self._width_goal = self._width

    def start(self, state: ArmState) -> None:
        """Take the measured pose as the set-point and hold it. A stop stays latched."""
        self._limiter.place(state.position)
        self._width = state.gripper_width
        self._rest()
        self._started = True

    # ---- commands ------------------------------------------------------------------------------

    def command_pose(self, pose: Pose, stamp: float, now: float) -> None:
        """Take the tcp's pose in base_link as the newest of a stream.

        Raises CommandRefused for a bad stamp, for a position far outside the workspace (a little
        outside is moved to its edge), and while stopped, parking or letting go.
        """
        self.gate.check_time('motion', stamp, now)
        self._check_state()
        place = self.gate.position(pose)
        first = self._reference is None
        if self._reference is None:
            self._rest('')
            self._mode = _Mode.POSE
            self._reference = PoseReference(self.limits, tcp(self._limiter.position))
        self._took_motion(stamp, now, first)
        self._reference.aim(place, pose.xyzw, pose, self._cadence.interval)

    def command_joints(self, names: Sequence[str], positions: Sequence[float], stamp: float,
                       now: float) -> None:
        """Take joint angles [rad] (and `gripper` [m]) by name; joints not named stay.

        Raises CommandRefused as `command_pose` does, and for unknown or repeated names.
        """
        self.gate.check_time('motion', stamp, now)
        self._check_state()
        goals = self.gate.joints(names, positions)
        first = self._mode is not _Mode.JOINTS
        if first:
            self._rest('')
            self._mode = _Mode.JOINTS
        self._width_goal = goals.pop(GRIPPER_NAME, self._width_goal)
        for name, value in goals.items():
            self._joints[JOINT_NAMES.index(name)] = value
        self._took_motion(stamp, now, first)

    def command_gripper(self, width: float, stamp: float, now: float) -> None:
        """Take the total opening [m] as the gripper's goal, to be approached at limited speed."""
        self.gate.check_time('gripper', stamp, now)
        self._check_state()
        self._width_goal = self.gate.width(width)
        self.gate.accept('gripper', stamp)

    def park(self, target: Joints = PARK) -> None:
        """Move slowly along joint space to `target` and hold there; commands wait until then.

        Raises CommandRefused while stopped, and before the first tick.
        """
        self._check_state()
        self._rest('')
        self._joints = list(target)
        self._mode = _Mode.PARK

    def stop(self, reason: str) -> None:
        """Brake and hold until `reset`, whatever is commanded."""
        self._stopped = self._stopped or f'stopped: {reason}'
        self._rest()

    def hold(self, reason: str) -> None:
        """Brake and hold until the next command."""
        self._rest(reason)

    @property
    def at_rest(self) -> bool:
        """Whether the set-point has come to rest and goes nowhere."""
        return self._mode is _Mode.HOLD and not self._limiter.moving

    def reset(self) -> None:
        """Release the stop; the arm holds where it is until the next command."""
        self._stopped = ''
        self._rest()

    # ---- the loop ------------------------------------------------------------------------------

    def tick(self, state: ArmState, now: float) -> Setpoint:
        """Return the set-point for `now` [s], given what the arm measures."""
        if not self._started:
            self.start(state)
        elapsed = 0.0 if self._now is None else now - self._now
        dt = min(elapsed, _LONGEST_TICK)
        self._now = now
        if not state.enabled or state.fault:
            self._follow_measured(state)
        elif self._powerless:
            self._rest()
        elif dt > 0:
            self._check_stream(now)
            self._check_tracking(state, now)
            self._advance(now, dt)
            if elapsed > dt:
                self._limiter.linger(dt / elapsed)
            step = self.limits.gripper_speed * dt
            self._width += min(max(self._width_goal - self._width, -step), step)
        a, b, c, d, e, f = self._limiter.position
        return Setpoint((a, b, c, d, e, f), self._width, self.holding)

    @property
    def holding(self) -> str:
        """Why the arm holds, or '' while it follows."""
        if self._mode is _Mode.HOLD:
            return self._stopped or self._holding
        if self._limiter.blocked:
            return 'the way to what is commanded leaves the workspace'
        return self._holding

    @property
    def stopped(self) -> bool:
        """Whether a stop is latched."""
        return bool(self._stopped)

    @property
    def commanded(self) -> Pose:
        """The tcp's pose to integrate on: the last one taken, or the set-point's if none is."""
        if self._reference is not None:
            return self._reference.target
        return tcp(self._limiter.position)

    def overdue(self, now: float) -> float:
        """Return for how long [s] the next command of the followed stream should have been here.

        0 where none is followed.
        """
        return max(self._cadence.overdue(now), 0.0) if self._streaming else 0.0

    @property
    def _streaming(self) -> bool:
        return self._mode in (_Mode.POSE, _Mode.JOINTS)

    def _follow_measured(self, state: ArmState) -> None:
        """Stay with an arm that does not follow, lest it find a distant set-point later."""
        self._limiter.place(state.position)
        self._width = state.gripper_width
        self._rest(f'the arm reports: {state.fault}' if state.fault else 'the arm is not enabled')
        self._powerless = True

    def _check_stream(self, now: float) -> None:
        if self._streaming and self._cadence.silence(now) > self.watchdog:
            self.watchdog_trips += 1
            self._rest(f'no command for more than {self.watchdog:.3f} s')

    def _check_tracking(self, state: ArmState, now: float) -> None:
        """Let go when the arm cannot follow: something is in its way."""
        errors = [abs(measured - wanted) for measured, wanted
                  in zip(state.position, self._limiter.position, strict=True)]
        worst = max(errors)
        if self._mode is _Mode.RELAX:
            if worst < self.tracking_error / 2 and not self._limiter.moving:
                self._rest(self._holding)
        elif worst <= self.tracking_error:
            self._off_since = None
        elif self._off_since is None:
            self._off_since = now
        elif now - self._off_since > self.tracking_time:
            self.tracking_trips += 1
            name = JOINT_NAMES[errors.index(worst)]
            self._rest(f'{name} was {worst:.2f} rad off its set-point for '
                       f'{self.tracking_time:.1f} s; valid is {self.tracking_error:.2f}')
            self._joints = list(state.position)
            self._mode = _Mode.RELAX

    def _advance(self, now: float, dt: float) -> None:
        """Move the goal, then the set-point towards it."""
        if self._mode is _Mode.HOLD or (self._streaming and self._cadence.late(now)):
            self._limiter.brake(dt)
            return
        before = self._goal
        if self._reference is not None:
            self._goal = self._follow_reference(self._reference, now, dt)
        else:
            self._goal = self._follow_joints(now, dt)
        speeds = [(new - old) / dt for new, old in zip(self._goal, before, strict=True)]
        self._limiter.follow(self._goal, speeds, dt)
        if self._mode is _Mode.PARK and self._goal == self._joints and not self._limiter.moving:
            self._rest('parked')

    def _follow_reference(self, reference: PoseReference, now: float, dt: float) -> list[float]:
        """Move the reference on and return the joints of its pose."""
        cadence = self._cadence
        reference.advance(cadence.share(now, dt), dt)
        change = servo_change(self._goal, reference.place, axes_from_quaternion(reference.turn),
                              dt, self.limits)
        return [value + step for value, step in zip(self._goal, change, strict=True)]

    def _follow_joints(self, now: float, dt: float) -> list[float]:
        """Return the joints on their way to the commanded ones, all arriving together."""
        way = [new - old for new, old in zip(self._joints, self._goal, strict=True)]
        due, top = 1.0, PARK_SPEED
        if self._mode is _Mode.JOINTS:
            due = self._cadence.share(now, dt)
            top = RAMP_JOINT_SPEED if self._ramping else min(self.limits.velocity)
        self._pace = min(self._pace + JOINT_ACCELERATION * dt, top)
        share = min(due, self._pace * dt / (max(map(abs, way)) + 1e-12))
        self._pace = share * max(map(abs, way)) / dt
        self._ramping = self._ramping and share < due
        if share >= 1:
            return list(self._joints)
        return [old + share * step for old, step in zip(self._goal, way, strict=True)]

    def _check_state(self) -> None:
        if self._stopped:
            self.gate.refuse(Refusal.STATE, f'{self._stopped}; reset first')
        if not self._started:
            self.gate.refuse(Refusal.STATE, 'the arm has not reported a state yet')
        if self._mode is _Mode.PARK:
            self.gate.refuse(Refusal.STATE, 'parking; stop ends it')
        if self._mode is _Mode.RELAX:
            self.gate.refuse(Refusal.STATE, self._holding)

    def _took_motion(self, stamp: float, now: float, first: bool) -> None:
        self._cadence.beat(now, first)
        self._holding = ''
        self.gate.accept('motion', stamp)


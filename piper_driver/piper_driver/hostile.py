# SPDX-License-Identifier: Apache-2.0
"""A commander that means harm, before an arm that is not always well; run by `./inspire bench`.

It mixes honest streams, at rates that change, with jumps, edges of the workspace, rubbish, stamps
of the past and the future, silence, stops and parking, poses with joints; meanwhile the arm loses
its power, is moved by hand and gets stuck, and ticks come early and late. Commands take the way
that a message takes once it is unpacked: gate, controller, limiter. An `Oracle` sees the result.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import inf, nan
from random import Random

from piper_driver.controller import ArmController, CommandRefused, Setpoint
from piper_driver.gate import BASE_FRAME, Refusal
from piper_driver.kinematics import HOME, tcp
from piper_driver.limits import GRIPPER_NAME, JOINT_NAMES, PIPER, Limits
from piper_driver.model_arm import ModelArm
from piper_driver.oracle import Oracle
from piper_driver.pose import Vector, apply_delta

COMMANDS = 1_000_000
SEED = 1
_REPORT = 50_000        # commands between two lines of progress
_TICK = 0.005           # s
_RUBBISH = (nan, inf, -inf, 1e300, -1e300, 1e-320)
_FRAMES = ('world', 'tcp', 'link6', '', 'base_link ', '/base_link')
_INSIDE = (0.3, 0.1, 0.2)       # m, in base_link
_BEYOND = ((-0.33, 0.69), (-0.64, 0.64), (-0.03, 0.74))     # the box, on each axis [m]
_RANGES = (*zip(JOINT_NAMES, PIPER.lower, PIPER.upper, strict=True),
           (GRIPPER_NAME, PIPER.gripper_lower, PIPER.gripper_upper))
_NAMES = ('joint0', 'joint7', 'Joint1', '', 'shoulder', 'gripper_joint1')

Mood = Callable[[float], None]      # takes the stamp of its command [s]
Measured = tuple[str, list[float], str]


@dataclass(frozen=True)
class Outcome:
    """What a run was, and what the oracle saw."""

    commands: int
    accepted: int
    refused: dict[Refusal, int]
    oracle: Oracle
    trips: int              # of the watchdog and of the tracking error


def benchmark() -> list[Measured]:
    """Breaches of the limits in a million hostile commands; progress and seed on stderr."""
    outcome = attack(COMMANDS, SEED, lambda text: print(text, file=sys.stderr, flush=True))
    for name, excess in outcome.oracle.worst.items():
        print(f'{name}: {outcome.oracle.broken[name]} times, by up to {excess:.6f}',
              file=sys.stderr)
    return [('hostile_commands', [outcome.commands], ''),
            ('hostile_commands_accepted', [outcome.accepted], ''),
            ('set_points_checked', [outcome.oracle.seen], ''),
            ('set_points_out_of_limits', [outcome.oracle.broken.total()], '')]


def attack(commands: int, seed: int, tell: Callable[[str], object] = lambda _: None,
           limits: Limits = PIPER) -> Outcome:
    """Send so many commands to a controller within `limits` (the oracle's are PIPER's)."""
    controller, oracle = ArmController(limits), Oracle(PIPER)
    random = Random(seed)
    patient, commander = Patient(controller, oracle, random), Commander(controller, random)
    while commander.sent < commands:
        before = commander.sent
        commander.act(patient.now)
        patient.live()
        if before // _REPORT != commander.sent // _REPORT:
            tell(f'seed {seed}: {commander.sent:,} of {commands:,} commands, {oracle.seen:,} '
                 f'set-points, {oracle.broken.total()} out of limits')
    oracle.judge()
    gate = controller.gate
    return Outcome(commander.sent, gate.accepted, dict(gate.refusals), oracle,
                   controller.watchdog_trips + controller.tracking_trips)


class Patient:
    """The arm, and the loop that ticks the controller: each has its bad moments."""

    def __init__(self, controller: ArmController, oracle: Oracle, random: Random) -> None:
        """Stand at HOME with power."""
        self.now = 100.0
        self.arm = ModelArm(HOME)
        self.arm.connect()
        self.arm.enable()
        self._controller, self._oracle, self._random = controller, oracle, random
        self._stuck = 0.0       # until then [s]
        self._dark = 0.0        # the same without power
        self._tick()
        oracle.place(self.arm.read().position, self.arm.read().gripper_width)

    def live(self) -> None:
        """Let a tick's time pass, most often the usual one, and tick."""
        chance = self._random.random()
        if chance < 0.0005:
            self._stuck = self.now + self._random.uniform(0.2, 1.5)
        elif chance < 0.0008 and self.now > self._dark:
            self._dark = self.now + self._random.uniform(0.05, 0.5)
            self.arm.disable()
        elif chance < 0.001:
            self._restart()
        dt = self._pause()
        self.now += dt
        if self.now > self._stuck:
            self.arm.advance(dt)
        had_power = self.arm.read().enabled
        if not had_power and self.now > self._dark:
            self._lift()
        setpoint = self._tick()
        state = self.arm.read()
        if had_power and state.enabled:
            self._oracle.see(setpoint.position, setpoint.gripper_width, dt)
        else:
            self._oracle.place(state.position, state.gripper_width)

    def _pause(self) -> float:
        pick = self._random.random()
        if pick < 0.8:
            return _TICK
        if pick < 0.98:
            return self._random.uniform(0.0002, 0.02)
        return self._random.uniform(0.02, 0.15)

    def _tick(self) -> Setpoint:
        state = self.arm.read()
        setpoint = self._controller.tick(state, self.now)
        self.arm.command(setpoint.position, setpoint.gripper_width)
        return setpoint

    def _lift(self) -> None:
        """Give the power back, now and then after a hand has put the arm elsewhere."""
        if self._random.random() < 0.5:
            spread = self._random.uniform
            a, b, c, d, e, f = (spread(low - 0.05, high + 0.05) for low, high
                                in zip(PIPER.lower, PIPER.upper, strict=True))
            self.arm.put((a, b, c, d, e, f), spread(PIPER.gripper_lower, PIPER.gripper_upper))
        self._controller.tick(self.arm.read(), self.now)
        self.arm.enable()

    def _restart(self) -> None:
        """Be put elsewhere, as by a reset of the world."""
        self.arm.put(HOME, 0.05)
        self._controller.start(self.arm.read())
        self._controller.gate.restart(self.now)
        self._oracle.place(HOME, 0.05)


class Commander:
    """Commands in moods that change; `sent` counts them, refused ones included."""

    def __init__(self, controller: ArmController, random: Random) -> None:
        """Begin in an honest mood."""
        self.sent = 0
        self._controller, self._random = controller, random
        self._moods: tuple[Mood, ...] = (
            self._walk, self._run, self._jump, self._press, self._hold_joints, self._leap,
            self._talk_rubbish, self._mix, self._wait)
        self._ahead: list[Mood] = []
        self._mood: Mood = self._walk
        self._gap = self._waited = 0
        self._now = 0.0
        self._pose = tcp(HOME)
        self._drift: Vector = (0.0, 0.0, 0.0)
        self._place = [*_INSIDE[:2], _BEYOND[2][0]]
        self._joints: dict[str, float] = {}
        self._width = 0.05

    def act(self, now: float) -> None:
        """Command what the mood is for, or let others interfere, or wait."""
        random, self._now = self._random, now
        pick = random.random()
        if pick < 0.001:
            self._mood, self._gap = self._next_mood(), random.choice((0, 0, 1, 1, 3, 7))
            self._drift = self._vector(0.02)
        elif pick > (0.98 if self._controller.stopped else 0.9985):
            self._interfere()
        self._waited += 1
        if self._waited <= self._gap:
            return
        self._waited = 0
        for _ in range(random.choice((1, 1, 1, 2, 5))):
            self._mood(now)
            if random.random() < 0.3:
                self._grip(now)

    def _next_mood(self) -> Mood:
        """Return each mood in turn, every time round in another order."""
        self._ahead = self._ahead or self._random.sample(self._moods, len(self._moods))
        return self._ahead.pop()

    def _interfere(self) -> None:
        controller = self._controller
        if controller.stopped:
            controller.reset()
            return
        calls: tuple[Callable[[], None], ...] = (
            controller.park, lambda: controller.stop('by a test'),
            lambda: controller.hold('for a test'))
        with suppress(CommandRefused):
            self._random.choice(calls)()

    # ---- moods ---------------------------------------------------------------------------------

    def _walk(self, stamp: float, scale: float = 0.1) -> None:
        way = [scale * each + jitter for each, jitter
               in zip(self._drift, self._vector(1e-3), strict=True)]
        self._pose = apply_delta(self._pose, way, self._vector(0.05))
        if abs(self._pose.position).max() > 1:
            self._pose = tcp(HOME)
        self._send_pose(stamp, self._pose.position.tolist(), self._pose.xyzw)

    def _run(self, stamp: float) -> None:
        self._walk(stamp, 1.0)

    def _jump(self, stamp: float) -> None:
        spread = self._random.uniform
        place = spread(-0.4, 0.75), spread(-0.7, 0.7), spread(-0.1, 0.8)
        self._send_pose(stamp, place, (*self._vector(1.0), spread(-1, 1)))

    def _press(self, stamp: float) -> None:
        """Go for a face of the box, a little beyond it, and stay there for a while."""
        if self._random.random() < 0.001:
            self._place = list(_INSIDE)
            axis = self._random.randrange(3)
            self._place[axis] = self._random.choice(_BEYOND[axis])
        self._send_pose(stamp, self._place, tcp(HOME).xyzw)

    def _hold_joints(self, stamp: float) -> None:
        if self._random.random() < 0.005 or not self._joints:
            self._joints = self._some_joints()
        self._send_joints(stamp, [*self._joints], [*self._joints.values()])

    def _leap(self, stamp: float) -> None:
        joints = self._some_joints()
        self._send_joints(stamp, [*joints], [*joints.values()])

    def _some_joints(self) -> dict[str, float]:
        """Return goals for some joints: anywhere, or a little beyond the ends of their ranges."""
        random = self._random
        inner = random.choice((0.0, 0.5))
        return {name: random.choice((
            random.uniform(low - 0.11, low + inner * (high - low)),
            random.uniform(high - inner * (high - low), high + 0.11)))
            for name, low, high in random.sample(_RANGES, random.randint(1, len(_RANGES)))}

    def _talk_rubbish(self, stamp: float) -> None:
        random = self._random
        bad, place, turn = random.choice(_RUBBISH), self._pose.position.tolist(), self._pose.xyzw
        choices: tuple[Callable[[], None], ...] = (
            lambda: self._send_pose(stamp, (bad, *place[1:]), turn),
            lambda: self._send_pose(stamp, place, (*turn[:3], bad)),
            lambda: self._send_pose(stamp, place, (0.0, 0.0, 0.0, 0.0)),
            lambda: self._send_pose(stamp, place, turn, random.choice(_FRAMES)),
            lambda: self._send_pose(bad, place, turn),
            lambda: self._send_joints(stamp, [random.choice(JOINT_NAMES)], [bad]),
            lambda: self._send_joints(stamp, [random.choice(_NAMES)], [0.1]),
            lambda: self._send_joints(stamp, ['joint1', 'joint1'], [0.1, 0.2]),
            lambda: self._send_joints(stamp, ['joint1', 'joint2'], [0.1]),
            lambda: self._send_joints(bad, ['joint1'], [0.1]))
        random.choice(choices)()

    def _mix(self, stamp: float) -> None:
        random = self._random
        mood = random.choice((self._jump, self._hold_joints, self._press, self._walk,
                              self._talk_rubbish))
        mood(stamp + random.choice((0.0, 0.0, -0.05, 0.05, -0.5, 0.5, -1e9, 1e9)))

    def _wait(self, stamp: float) -> None:
        if self._random.random() < 0.05:
            self._mood = self._walk

    def _grip(self, stamp: float) -> None:
        if self._random.random() < 0.02:
            self._width = self._random.uniform(-0.02, 0.09)
        names, widths = [GRIPPER_NAME], [self._width]
        if self._random.random() < 0.05:
            names, widths = self._random.choice((
                ([], widths), (['joint1'], widths), (names, 2 * widths),
                (names, [self._random.choice(_RUBBISH)])))
        gate = self._controller.gate
        self._send(lambda: self._controller.command_gripper(
            gate.opening(names, widths), stamp, self._now))

    def _vector(self, size: float) -> Vector:
        spread = self._random.uniform
        return spread(-size, size), spread(-size, size), spread(-size, size)

    # ---- what the node does with a message -----------------------------------------------------

    def _send_pose(self, stamp: float, place: Sequence[float], turn: Sequence[float],
                   frame: str = BASE_FRAME) -> None:
        gate = self._controller.gate
        self._send(lambda: self._controller.command_pose(
            gate.pose(frame, place, turn), stamp, self._now))

    def _send_joints(self, stamp: float, names: Sequence[str], positions: Sequence[float]) -> None:
        self._send(lambda: self._controller.command_joints(names, positions, stamp, self._now))

    def _send(self, command: Callable[[], None]) -> None:
        self.sent += 1
        with suppress(CommandRefused):
            command()

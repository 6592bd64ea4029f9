# SPDX-License-Identifier: Apache-2.0
"""Following an instruction: observe, answer, act, again and again, until there is a reason to end.

Whatever the reason, the arm ends up standing where it was last told to be, and the stream goes on
repeating that set-point. The next decision is taken `decide_ahead` before the present chunk ends,
so that a policy that is quick enough moves the arm without a pause; one that is slower finds it
waiting.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Protocol

import numpy as np

from inspire_labeler.formulation import Formulation
from inspire_labeler.instruction import InstructionError
from inspire_labeler.question import Question, questions
from inspire_policy.clock import Clock
from inspire_policy.policy import (
    BadInstruction,
    Decision,
    Policy,
    PolicyError,
    PolicyObservation,
    PolicyUnavailable,
    UndecodableAction,
    UnknownObject,
)
from inspire_policy.stream import Stream
from piper_driver.pose import Pose

LONGEST_INSTRUCTION = 1024  # characters; the bound of FollowInstruction


class Code(IntEnum):
    """How following ended; names and numbers are those of inspire_msgs/FollowInstruction."""

    NONE = 0
    UNKNOWN_OBJECT = 100
    BAD_INSTRUCTION = 101
    STALE_OBSERVATION = 110
    UNDECODABLE_ACTION = 111
    TIMEOUT = 112
    ARM_UNAVAILABLE = 113
    POLICY_UNAVAILABLE = 114
    CANCELED = 120
    PREEMPTED = 121
    SHUTDOWN = 122


class StaleObservation(Exception):
    """There is no observation of the present: the message says what is missing, and how old it is.
    """


class Scene(Protocol):
    """What can be seen and known of the robot at present."""

    def observe(self, cameras: tuple[str, ...], needs_truth: bool) -> PolicyObservation:
        """Return the latest complete observation (instruction empty). Raises StaleObservation."""

    def measured(self) -> tuple[Pose, float] | None:
        """Return the tcp's pose and the gripper's width [m] as last measured; None: not known."""

    def arm_fault(self) -> str:
        """Return why the arm cannot be moved; empty when it can."""


@dataclass(frozen=True)
class Settings:
    """How instructions are followed. Times in seconds of the robot's clock."""

    formulation: Formulation
    decide_ahead: float
    stop_within: float  # a motion that is cut short slows down in this time
    stale_patience: float  # how long a hold for want of observations lasts before giving up
    following_error: float  # m; further from the commanded pose the arm is waited for
    following_patience: float  # for how long it is waited for
    timeout: float  # where the caller gives none


@dataclass(frozen=True)
class Outcome:
    """How it ended: a code, the particulars, decisions made and steps given to the arm."""

    code: Code
    message: str
    chunks: int
    steps: int


@dataclass(frozen=True)
class Progress:
    """One decision, as it is reported: what was seen, decided, under which number, how fast."""

    observation: PolicyObservation
    decision: Decision
    chunk_id: int  # 0: this decision led to no motion
    duration: float  # s, from the observation in hand to the decision
    chunks: int  # decisions made for this instruction
    elapsed: float  # s since the instruction was accepted


class _Ended(Exception):
    """Ends the loop with a code and a message."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Follower:
    """Follows one instruction at a time on the thread that calls `follow`."""

    def __init__(
        self,
        policy: Policy,
        scene: Scene,
        stream: Stream,
        clock: Clock,
        settings: Settings,
        report: Callable[[Progress], None],
        say: Callable[[str], None],
        measure: Callable[[], float],
    ) -> None:
        """`report` gets each decision, `say` what a person should know; `measure` is a stopwatch
        [s].
        """
        self._policy = policy
        self._scene = scene
        self._stream = stream
        self._clock = clock
        self._settings = settings
        self._report = report
        self._say = say
        self._measure = measure
        self._chunk_id = 0
        self._chunks = 0
        self._steps = 0

    def follow(
        self, instruction: str, timeout: float, interruption: Callable[[], Code]
    ) -> Outcome:
        """Follow `instruction` for at most `timeout` s (0: the setting's), and say how it ended.

        `interruption()` is asked often; anything but NONE ends the motion (CANCELED, PREEMPTED,
        SHUTDOWN).
        """
        self._chunks = self._steps = 0
        while self._clock.now() <= 0.0:  # no /clock yet: the first tick would seem a long time
            if (code := interruption()) is not Code.NONE:
                return Outcome(code, INTERRUPTIONS[code], 0, 0)
            self._clock.wait_until(0.001)
        self._begin = self._clock.now()
        self._interruption = interruption
        self._deadline = self._begin + (timeout if timeout > 0.0 else self._settings.timeout)
        try:
            self._policy.reset(instruction, self._questions(instruction))
            self._take_hold(instruction)
            while not self._decide(instruction):
                pass
            ended = _Ended(Code.NONE, 'done')
        except _Ended as reason:
            ended = reason
        except PolicyError as error:
            ended = _Ended(code_of(error), str(error))
        if ended.code is not Code.NONE:
            self._stream.stop(self._settings.stop_within)
        return Outcome(ended.code, ended.message, self._chunks, self._steps)

    def _questions(self, instruction: str) -> tuple[Question, ...]:
        """Return what to ask about `instruction`."""
        if not instruction.strip():
            raise BadInstruction('the instruction is empty; valid: "pick up the ball"')
        if len(instruction) > LONGEST_INSTRUCTION:
            raise BadInstruction(
                f'the instruction has {len(instruction)} characters; '
                f'valid: up to {LONGEST_INSTRUCTION}'
            )
        try:
            return questions(instruction, self._settings.formulation)
        except InstructionError as error:
            raise BadInstruction(str(error)) from error

    def _take_hold(self, instruction: str) -> None:
        """Begin to stream: on where the arm was told to be if it is there, else where it is.

        The commanded pose is kept when it can be, since the gripper's command then is, too: a
        measured width would let go of what the gripper holds. What counts is the last
        measurement, not the image's: the arm may have been put elsewhere in between.
        """
        observation = self._observe(instruction)
        measured = self._scene.measured()
        while measured is None:
            if self._clock.now() - observation.stamp > self._settings.stale_patience:
                raise _Ended(Code.STALE_OBSERVATION, 'no joint states as new as /tf')
            self._clock.wait_until(self._clock.now() + 0.01)
            self._check()
            measured = self._scene.measured()
        trajectory = self._stream.trajectory
        if trajectory is None or not near(
            measured[0], trajectory.sample(self._clock.now()).pose
        ):
            self._stream.hold(*measured)

    def _decide(self, instruction: str) -> bool:
        """Take one decision when it is due and hand its steps to the stream; True when it is the
        last.
        """
        self._wait_until(self._end_time() - self._settings.decide_ahead)
        observation = self._observe_following(instruction)
        started = self._measure()
        decision = self._policy.decide(observation)
        duration = self._measure() - started
        self._check()  # what happened while it was thinking decides before its answer does
        self._chunks += 1
        self._chunk_id += bool(len(decision.actions))
        end = self._end_time()
        if len(decision.actions):
            end = self._stream.extend(decision.actions, decision.step_duration).end_time
            self._steps += len(decision.actions)
        elapsed = self._clock.now() - self._begin
        chunk_id = self._chunk_id if len(decision.actions) else 0
        self._report(
            Progress(observation, decision, chunk_id, duration, self._chunks, elapsed)
        )
        if decision.done:
            self._wait_until(end)
        return decision.done

    def _observe(self, instruction: str) -> PolicyObservation:
        """Return an observation of the present; hold while there is none, and give up after a
        while.

        What was seen before the instruction came is not of the present: the world may just have
        been set up anew.
        """
        since = self._clock.now()
        said = False
        while True:
            self._check()
            reason = 'no observation since the instruction came'
            try:
                observation = self._scene.observe(self._policy.cameras, self._policy.needs_truth)
                if observation.stamp >= self._begin:
                    break
            except StaleObservation as error:
                reason = str(error)
                if not said:
                    said = True
                    self._stream.stop(self._settings.stop_within)
                    self._say(f'holding: {error}')
            now = self._clock.now()
            if now - since > self._settings.stale_patience:
                raise _Ended(Code.STALE_OBSERVATION, reason)
            self._clock.wait_until(now + 0.01)
        trajectory = self._stream.trajectory
        commanded = observation.tcp if trajectory is None else trajectory.end.pose
        return replace(observation, instruction=instruction, commanded=commanded)

    def _observe_following(self, instruction: str) -> PolicyObservation:
        """Return an observation in which the arm is where it was told to be.

        An arm that fell behind (its watchdog braked it on a busy machine, something brushed it)
        is waited for, while the set-point rests at the chunk's end. One that does not come is
        blocked, or was put elsewhere: that ends the following.
        """
        since = self._clock.now()
        while True:
            observation = self._observe(instruction)
            trajectory = self._stream.trajectory
            assert trajectory is not None  # since _take_hold
            commanded = trajectory.sample(observation.stamp).pose
            error = float(np.linalg.norm(commanded.position - observation.tcp.position))
            if error <= self._settings.following_error:
                return observation
            if self._clock.now() - since > self._settings.following_patience:
                raise _Ended(
                    Code.ARM_UNAVAILABLE,
                    f'the arm is {error:.3f} m from where it was told to be; '
                    f'valid: up to {self._settings.following_error:g} m',
                )
            self._clock.wait_until(self._clock.now() + 0.02)

    def _end_time(self) -> float:
        trajectory = self._stream.trajectory
        return self._clock.now() if trajectory is None else trajectory.end_time

    def _wait_until(self, time: float) -> None:
        """Wait, looking every 20 ms whether to go on."""
        while True:
            self._check()
            now = self._clock.now()
            if now >= time:
                return
            self._clock.wait_until(min(time, now + 0.02))

    def _check(self) -> None:
        """End when the caller, the clock or the arm says so."""
        code = self._interruption()
        if code is not Code.NONE:
            raise _Ended(code, INTERRUPTIONS[code])
        if fault := self._scene.arm_fault():
            raise _Ended(Code.ARM_UNAVAILABLE, fault)
        if self._clock.now() >= self._deadline:
            raise _Ended(Code.TIMEOUT, f'not done after {self._chunks} decisions')


INTERRUPTIONS = {
    Code.CANCELED: 'cancelled by the caller',
    Code.PREEMPTED: 'a newer instruction took over',
    Code.SHUTDOWN: 'the node is going down',
}


def code_of(error: PolicyError) -> Code:
    """Return how a policy's error is reported; an error of no special kind is one of its output.
    """
    if isinstance(error, UnknownObject):
        return Code.UNKNOWN_OBJECT
    if isinstance(error, BadInstruction):
        return Code.BAD_INSTRUCTION
    if isinstance(error, PolicyUnavailable):
        return Code.POLICY_UNAVAILABLE
    assert isinstance(error, (UndecodableAction, PolicyError))
    return Code.UNDECODABLE_ACTION


def near(one: Pose, two: Pose) -> bool:
    """Return whether two poses are the same but for tracking: within 3 cm and 0.3 rad."""
    translation, rotation = one.difference(two)
    return bool(np.linalg.norm(translation) < 0.03 and np.linalg.norm(rotation) < 0.3)

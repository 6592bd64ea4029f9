# SPDX-License-Identifier: Apache-2.0
"""A robot of a few lines: a clock moved by waiting, an arm that follows at once, a policy.

Imported by tests that put this folder on the path: tests are no package.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from inspire_labeler.formulation import Formulation
from inspire_labeler.question import Question
from inspire_policy.following import Code, Follower, Outcome, Progress, Settings, StaleObservation
from inspire_policy.policy import Answer, Decision, PolicyObservation, Source
from inspire_policy.stream import Stream
from inspire_policy.trajectory import SetPoint
from piper_driver.pose import Pose

START = Pose(np.array([0.3, 0.0, 0.2]), np.array([1.0, 0.0, 0.0, 0.0]))
SETTINGS = Settings(
    formulation=Formulation.DIRECTION,
    decide_ahead=0.05,
    stop_within=0.1,
    stale_patience=2.0,
    following_error=0.05,
    following_patience=2.0,
    timeout=30.0,
)


class FakeClock:
    """Time passes only while somebody waits."""

    def __init__(self) -> None:
        self.time = 100.0

    def now(self) -> float:
        return self.time

    def wait_until(self, time: float, /) -> bool:
        self.time = max(self.time, time)
        return True


class ForwardPolicy:
    """Moves `length` m forward a step, says "left", and is done after `chunks` decisions."""

    needs_truth = False
    cameras = ('camera',)

    def __init__(self, chunks: int = 3, length: float = 0.002,
                 offset: tuple[float, float, float] | None = None) -> None:
        self.chunks = chunks
        self.offset = None if offset is None else np.array(offset)
        self.action = np.array([length, 0, 0, 0, 0, 0, 0.05])
        self.seen: list[PolicyObservation] = []
        self.questions: Sequence[Question] = ()

    def reset(self, instruction: str, questions: Sequence[Question]) -> None:
        self.questions = questions

    def decide(self, observation: PolicyObservation) -> Decision:
        self.seen.append(observation)
        answers = tuple(
            Answer(question, 'left', (), self.offset, Source.POLICY) for question in self.questions
        )
        done = len(self.seen) >= self.chunks
        return Decision(answers, 'transcript', np.tile(self.action, (8, 1)), done=done)


class FakeRobot:
    """Everything a Follower needs, and what came of it."""

    def __init__(self, policy: object, settings: Settings = SETTINGS) -> None:
        self.clock = FakeClock()
        self.stream = Stream(self.clock, 0.01, self._sent, self._failed)
        self.reports: list[Progress] = []
        self.said: list[str] = []
        self.stale = ''
        self.fault = ''
        self.offset = np.zeros(3)
        self.interruption: Callable[[], Code] = lambda: Code.NONE
        self.follower = Follower(
            policy,
            self,
            self.stream,
            self.clock,
            settings,
            self.reports.append,
            self.said.append,
            self.clock.now,
        )

    def follow(self, instruction: str = 'pick up the ball', timeout: float = 0.0) -> Outcome:
        return self.follower.follow(instruction, timeout, lambda: self.interruption())

    def measured(self) -> tuple[Pose, float]:
        return self.observe((), False).tcp, 0.07

    def observe(self, cameras: tuple[str, ...], needs_truth: bool) -> PolicyObservation:
        if self.stale:
            raise StaleObservation(self.stale)
        trajectory = self.stream.trajectory
        pose = trajectory.sample(self.clock.now()).pose if trajectory else START
        return PolicyObservation(
            stamp=self.clock.now(),
            images={camera: np.zeros((4, 4, 3), np.uint8) for camera in cameras},
            joint_positions=np.zeros(6),
            joint_velocities=np.zeros(6),
            gripper_width=0.07,
            gripper_velocity=0.0,
            tcp=Pose(pose.position + self.offset, pose.quaternion),
            instruction='',
        )

    def arm_fault(self) -> str:
        return self.fault

    def _sent(self, point: SetPoint, time: float) -> None:
        raise AssertionError('the stream is not started in these tests')

    def _failed(self, error: Exception) -> None:
        raise AssertionError(error)

# SPDX-License-Identifier: Apache-2.0
"""A world and a policy of a few lines for evaluations. Imported by tests that put this folder on
the path: tests are no package.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace

import numpy as np
from numpy.typing import NDArray

from inspire_labeler.question import Question
from inspire_policy.policy import Answer, Decision, PolicyObservation, Source
from piper_driver.pose import Pose

BALL = Pose(np.array([0.3, 0.2, 0.02]), np.array([0.0, 0.0, 0.0, 1.0]))


class CountingWorld:
    """Succeeds from step `begins` to step `ends`; the ball is held from `takes` to `lays`."""

    def __init__(self, begins: int = 1000, ends: int = 1000, takes: int = 2000,
                 lays: int = 2000) -> None:
        self.begins, self.ends, self.takes, self.lays = begins, ends, takes, lays
        self.steps = 0
        self.started: tuple[str, int] = ('', -1)
        self.commanded = Pose.identity()

    def reset(self, task: str, seed: int) -> None:
        self.instruction, self.started, self.steps = task, (task, seed), 0
        self.commanded = Pose.identity()

    def step(self, action: np.ndarray) -> None:
        self.steps += 1
        self.last = action
        self.commanded = Pose(self.commanded.position + action[:3], self.commanded.quaternion)

    def observe(self) -> SimpleNamespace:
        return SimpleNamespace(stamp=0.0, images={}, arm=self.arm_state(), tcp=Pose.identity(),
                               instruction=self.instruction)

    def arm_state(self) -> SimpleNamespace:
        return SimpleNamespace(position=(0.0,) * 6, velocity=(0.0,) * 6, gripper_width=0.05,
                               gripper_velocity=0.0)

    def truth(self) -> SimpleNamespace:
        held = self.takes <= self.steps < self.lays
        return SimpleNamespace(tcp=Pose.identity(), objects={'ball': BALL},
                               grasped=frozenset({'ball'} if held else ()), gripper_width=0.05)

    def success(self) -> SimpleNamespace:
        return SimpleNamespace(achieved=self.begins <= self.steps < self.ends,
                               detail=f'at step {self.steps}')


class ChunkPolicy:
    """Four steps at a time; done after `chunks` of them, with empty hands when `stops`. Says
    `word` to everything, or what is forced on it."""

    needs_truth = False
    cameras = ()

    def __init__(self, chunks: int = 1000, stops: bool = False, word: str = '',
                 move: Callable[[int], float] = lambda step: 0.0) -> None:
        self.chunks, self.stops, self.word, self.move = chunks, stops, word, move
        self.forced: Mapping[str, str] = {}
        self.placed: Mapping[str, NDArray[np.float64]] = {}
        self.asked: Sequence[Question] = ()
        self.heard: list[Mapping[str, str]] = []
        self._steps = 0

    def reset(self, instruction: str, questions: Sequence[Question]) -> None:
        self.asked = questions
        self._steps = 0

    def decide(self, observation: PolicyObservation) -> Decision:
        self.chunks -= 1
        self.heard.append(self.forced)
        answers = [Answer(one, self.forced.get(one.object, self.word), (), None, Source.POLICY)
                   for one in self.asked]
        done = self.chunks < 0
        actions = np.zeros((0 if done and self.stops else 4, 7))
        for action in actions:
            action[0] = self.move(self._steps)
            self._steps += 1
        return Decision(tuple(answers), '', actions, done=done,
                        timings={'answers': 0.002, 'actions': 0.001})

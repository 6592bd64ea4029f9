# SPDX-License-Identifier: Apache-2.0
"""Where everything was in an episode, step by step, and what was said: enough to show it again.

A file is numpy's npz, read without pickle: arrays, and a line of JSON about them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from inspire_policy.evaluation import Job, Setting
from inspire_policy.policy import Answer
from inspire_policy.true_answers import TrueAnswer
from piper_driver.pose import Pose

if TYPE_CHECKING:
    from inspire_sim.world import Truth
    from piper_driver.arm import ArmState


class Word(NamedTuple):
    """An answer: about which object, what was said, how surely (None: not known), what is true."""

    object: str
    said: str
    probability: float | None
    true: str


class Said(NamedTuple):
    """The answers of the decision before step `step`."""

    step: int
    words: tuple[Word, ...]


@dataclass(frozen=True)
class Track:
    """An episode of N steps: N + 1 states.

    joints (N + 1, 6) [rad], widths (N + 1,) [m], objects: frame -> (N + 1, 7), the grasp frame's
    position [m] and quaternion xyzw in base_link.
    """

    task: str
    instruction: str
    seed: int
    viewer: str
    variation: str
    joints: NDArray[np.float32]
    widths: NDArray[np.float32]
    objects: dict[str, NDArray[np.float32]]
    said: tuple[Said, ...]

    def poses(self, step: int) -> dict[str, Pose]:
        """Frame -> grasp frame in base_link after so many steps."""
        return {frame: Pose(places[step, :3].astype(float), places[step, 3:].astype(float))
                for frame, places in self.objects.items()}

    def words(self, step: int) -> tuple[Word, ...]:
        """The latest answers after so many steps."""
        latest: tuple[Word, ...] = ()
        for one in self.said:
            if one.step > step:
                break
            latest = one.words
        return latest


class TrackRecorder:
    """Takes an episode down as it happens."""

    def __init__(self) -> None:
        self._joints: list[Any] = []
        self._widths: list[float] = []
        self._objects: dict[str, list[Any]] = {}
        self._said: list[Said] = []

    def state(self, arm: ArmState, truth: Truth) -> None:
        """Note where everything is, at the start and after each step."""
        self._joints.append(arm.position)
        self._widths.append(arm.gripper_width)
        for frame, pose in truth.objects.items():
            place = [*pose.position.tolist(), *pose.quaternion.tolist()]
            self._objects.setdefault(frame, []).append(place)

    def said(self, step: int, answers: Sequence[Answer], true: Sequence[TrueAnswer]) -> None:
        """Note the answers of the decision before step `step`."""
        known = {one.question.object: one.word for one in true}
        self._said.append(Said(step, tuple(
            Word(one.question.object, one.text, _probability(one),
                 known.get(one.question.object, '')) for one in answers)))

    def save(self, path: Path, job: Job, setting: Setting) -> None:
        """Write the track; an episode that did not begin has none."""
        if not self._joints:
            return
        about = {'task': job.task, 'instruction': job.instruction, 'seed': job.seed,
                 'viewer': setting.viewer, 'variation': setting.variation,
                 'frames': list(self._objects), 'said': self._said}
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(
            path, joints=np.array(self._joints, dtype=np.float32),
            widths=np.array(self._widths, dtype=np.float32),
            objects=np.array(list(self._objects.values()), dtype=np.float32),
            about=np.array(json.dumps(about)))


def _probability(one: Answer) -> float | None:
    """How sure the policy is of the word that was said."""
    if not one.probabilities or one.text not in one.question.options:
        return None
    return one.probabilities[one.question.options.index(one.text)]


def read_track(path: Path) -> Track:
    """Read a track. Raises OSError, and ValueError for a file that is none."""
    try:
        with np.load(path, allow_pickle=False) as content:
            about = json.loads(str(content['about']))
            objects = dict(zip(about.pop('frames'), content['objects'], strict=True))
            said = tuple(Said(step, tuple(Word(*word) for word in words))
                         for step, words in about.pop('said'))
            return Track(joints=content['joints'], widths=content['widths'], objects=objects,
                         said=said, **about)
    except (KeyError, ValueError, TypeError) as error:
        raise ValueError(f'{path} is no track of an episode: {error}') from error

# SPDX-License-Identifier: Apache-2.0
"""What a bag says of the arm in an episode: where it was, what it was told, when it was observed.

**What was really commanded** is the pose that was streamed, which the policy integrated its steps
on, as long as the driver followed it. Where the driver went elsewhere, because it refused, clamped
or had no stream (a hand, another commander), it is what the driver executed.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np

from inspire_labeler import cdr
from inspire_labeler.recompute import EXECUTED, INSTRUCTION, JOINTS, TF, TF_STATIC, Message
from inspire_labeler.transform_history import SECOND, MissingTransform, TransformHistory
from inspire_policy.collecting import KEPT
from inspire_policy.dataset_format import CAMERAS, HORIZON
from inspire_policy.evaluation import HELD
from inspire_policy.policy import ACTION_SIZE, STEP_DURATION
from inspire_policy.recorded import (
    Array,
    Series,
    read_joint_state,
    read_pose,
    read_success,
    read_width,
)
from piper_driver.kinematics import tcp
from piper_driver.pose import Pose

PICTURES = {f'/{name}/image_raw': name for name in CAMERAS}
POSES, WIDTHS, CHUNKS, STATE = '/pose_command', '/gripper_command', '/action_chunk', '/task_state'
BASE, TCP = 'base_link', 'tcp'

STEP = round(STEP_DURATION * SECOND)
GAP = SECOND // 10      # between samples; what is further apart is not known in between [ns]
OFF_GRID = STEP // 2    # of an image from the instant that the stride has [ns]
# Between the pose that was streamed and the one executed, beyond which the driver does not follow
# [m, rad]. A push of 0.4 m/s leaves it 0.025 m behind, a turn in the wrist 0.25 rad (measured).
FOLLOWED = (0.05, 0.5)

_WINDOW = 10**9 * SECOND        # the whole episode is kept


class ExportError(ValueError):
    """An episode gives no samples; the message says what is missing."""


class Track:
    """A first reading of a bag: the arm, what it was told, and when it was observed.

    begin, end [ns]: from the first observation of the instruction (that of the first decision,
    where a policy took decisions) to the last command, or to some steps after success had held.
    """

    def __init__(self, messages: Iterable[Message], instruction: str) -> None:
        """Raises ExportError, MalformedMessage."""
        self.transforms = TransformHistory(_WINDOW, GAP)
        self.frames: set[str] = set()
        self.pictures: dict[str, list[int]] = {name: [] for name in CAMERAS}
        self._given = False
        self._decided: list[int] = []
        self._succeeded: list[int] = []
        self._samples: dict[str, list[tuple[int, Array]]] = {
            topic: [] for topic in (JOINTS, EXECUTED, POSES, WIDTHS)}
        for topic, data in messages:
            self._take(topic, data, instruction)
        self._measured = Series(self._samples[JOINTS], 14)
        self._executed = Series(self._samples[EXECUTED], 7)
        self._poses = Series(self._samples[POSES], 7)
        self._widths = Series(self._samples[WIDTHS], 1)
        for topic, series in ((JOINTS, self._measured), (EXECUTED, self._executed)):
            if not len(series):
                raise ExportError(f'the bag has no message on {topic}')
        for name, stamps in self.pictures.items():
            if not stamps:
                raise ExportError(f'the bag has no message on /{name}/image_raw after the '
                                  f'instruction {instruction!r}')
        self.begin = max(self.pictures[CAMERAS[0]][0], min(self._decided, default=0))
        self.end = min([int(self._executed.stamps[-1]),
                        *(stamp + KEPT * STEP for stamp in self._succeeded[:1])])

    def _take(self, topic: str, data: bytes, instruction: str) -> None:
        if topic == TF:
            for sample in cdr.read_transforms(data):
                self.transforms.add(sample)
                self.frames.add(sample.child)
        elif topic == TF_STATIC:
            for sample in cdr.read_transforms(data):
                self.transforms.add_static(sample)
                self.frames.add(sample.child)
        elif topic == INSTRUCTION:
            self._given = self._given or cdr.read_string(data) == instruction
        elif topic in (JOINTS, EXECUTED):
            state = read_joint_state(data)
            values = [state.positions, state.velocities] if topic == JOINTS else [state.positions]
            self._samples[topic].append((state.stamp, np.concatenate(values)))
        elif topic in (POSES, WIDTHS):
            self._samples[topic].append((read_pose if topic == POSES else read_width)(data))
        elif self._given:
            self._take_progress(topic, data)

    def _take_progress(self, topic: str, data: bytes) -> None:
        """What counts only once the instruction has been given."""
        if topic in PICTURES:
            self.pictures[PICTURES[topic]].append(cdr.read_header_stamp(data))
        elif topic == CHUNKS:
            self._decided.append(cdr.read_header_stamp(data))
        elif topic == STATE:
            stamp, held = read_success(data)
            if held >= HELD * STEP_DURATION:
                self._succeeded.append(stamp)

    def instants(self, stride: int) -> tuple[list[int], int]:
        """(stamps of the images of all cameras nearest to every `stride` steps [ns], how many
        times there were none near)."""
        common = set.intersection(*map(set, self.pictures.values()))
        stamps = np.array(sorted(each for each in common if self.begin <= each <= self.end))
        grid = range(self.begin, self.end + 1, stride * STEP)
        found = [int(stamps[np.abs(stamps - due).argmin()]) for due in grid if len(stamps)]
        near = [stamp for stamp, due in zip(found, grid, strict=False)
                if abs(stamp - due) <= OFF_GRID]
        return near, len(grid) - len(near)

    def steps(self, stamp: int, end: int) -> int:
        """How many steps there are from an instant to another."""
        return max(0, round((end - stamp) / STEP))

    def missing(self, stamp: int) -> str:
        """Why the arm is not known at an instant, or ''."""
        for topic, series in ((JOINTS, self._measured), (EXECUTED, self._executed)):
            if not series.covers(stamp, GAP):
                return f'no {topic}'
        try:
            self.tcp(stamp)
        except MissingTransform:
            return 'no transform of the tcp'
        return ''

    def measured(self, stamp: int) -> tuple[Array, Array, float, float]:
        """Joints (6,) [rad], their velocities (6,) [rad/s], the gripper's width [m] and how fast
        it changes [m/s]."""
        values = self._measured.at(stamp)
        return values[:6], values[7:13], float(values[6]), float(values[13])

    def tcp(self, stamp: int) -> Pose:
        """The tcp in base_link. Raises MissingTransform."""
        return self._in_root(BASE, stamp).inverse() @ self._in_root(TCP, stamp)

    def commanded(self, stamp: int) -> tuple[Pose, float]:
        """The tcp's pose in base_link and the gripper's width [m] that the arm was told."""
        joints = self._executed.at(stamp)
        executed = tcp(joints[:6].tolist())
        if not self._poses.covers(stamp, GAP):
            return executed, float(joints[6])
        values = self._poses.at(stamp)
        asked = Pose(values[:3], values[3:])
        way, turn = executed.difference(asked)
        if np.linalg.norm(way) > FOLLOWED[0] or np.linalg.norm(turn) > FOLLOWED[1]:
            return executed, float(joints[6])
        told = self._widths.covers(stamp, GAP)
        return asked, float(self._widths.at(stamp)[0] if told else joints[6])

    def actions(self, stamp: int) -> Array:
        """What was commanded from an instant on, as actions (HORIZON, 7); held after the end."""
        points = [self.commanded(min(stamp + number * STEP, max(stamp, self.end)))
                  for number in range(HORIZON + 1)]
        result = np.zeros((HORIZON, ACTION_SIZE))
        for row, ((before, _), (after, width)) in zip(result, pairwise(points), strict=True):
            row[:] = [*np.concatenate(before.difference(after)), width]
        return result

    def _in_root(self, frame: str, stamp: int) -> Pose:
        _, position = self.transforms.position(frame, stamp)
        _, turn = self.transforms.rotation(frame, stamp)
        return Pose(np.array(position), np.array(turn))

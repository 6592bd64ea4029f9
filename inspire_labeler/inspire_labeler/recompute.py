# SPDX-License-Identifier: Apache-2.0
"""Labels recomputed from a bag's messages, and compared with those published live.

The messages go through the class that the live node uses (`Labelling`), as bytes, in the bag's
order. Which instruction an observation belongs to is not in any stamp; where live labels were
recorded they say it, elsewhere the order of the bag does.
"""

from __future__ import annotations

import re
import struct
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from inspire_labeler import cdr
from inspire_labeler.catalogue import Catalogue
from inspire_labeler.formulation import Formulation
from inspire_labeler.instruction import InstructionError
from inspire_labeler.labelling import Labelling, Labels, LabelSettings, Task
from inspire_labeler.transform_history import seconds

CAMERA, INSTRUCTION, LABELS = '/camera/camera_info', '/instruction', '/spatial_labels'
TF, TF_STATIC, CONTACTS = '/tf', '/tf_static', '/grasp_contacts'
JOINTS, EXECUTED = '/joint_states', '/executed_command'
TOPICS = frozenset({CAMERA, INSTRUCTION, LABELS, TF, TF_STATIC, CONTACTS, JOINTS, EXECUTED})
GRIPPER_JOINT = 'gripper'
# A recorder may have written one topic much later than another: waiting costs nothing here.
_DEADLINE = 5.0

Message = tuple[str, bytes]
Key = tuple[int, str]


@dataclass(frozen=True)
class Recorded:
    """What a first reading of a bag finds: the live labels, and the instructions given."""

    live: Mapping[Key, cdr.RecordedReasoning]
    instructions: frozenset[str]

    @property
    def formulation(self) -> Formulation | None:
        """That of the live labels; None where there are none."""
        for reasoning in self.live.values():
            for each in reasoning.answers:
                return Formulation(each.formulation)
        return None


class Span(NamedTuple):
    """First and last stamp of a topic [ns]."""

    first: int
    last: int

    def __or__(self, stamp: int) -> Span:
        return Span(min(self.first, stamp), max(self.last, stamp))


@dataclass
class Recomputed:
    """Labels of a bag, and which time its transforms and grasps cover."""

    labels: list[Labels]
    covered: Span
    malformed: Counter[str]


class Difference(NamedTuple):
    """An answer that is not the same live and recomputed."""

    stamp: int
    object: str
    live: str
    recomputed: str

    def __str__(self) -> str:
        return f'{seconds(self.stamp)} {self.object}: live {self.live}, bag {self.recomputed}'


@dataclass
class Comparison:
    """Live answers against recomputed ones, word for word and bit for bit on the offset."""

    equal: int = 0
    unequal: list[Difference] = field(default_factory=list)
    # Reason -> how many, of answers that one side or both withheld.
    withheld_live: Counter[str] = field(default_factory=Counter)
    withheld_bag: Counter[str] = field(default_factory=Counter)
    withheld_both: Counter[str] = field(default_factory=Counter)

    @property
    def is_equal(self) -> bool:
        """Whether something was compared, and nothing differed."""
        return self.equal > 0 and not self.unequal


def survey(messages: Iterable[Message]) -> Recorded:
    """The first reading: live labels and instructions."""
    live: dict[Key, cdr.RecordedReasoning] = {}
    instructions = set()
    for topic, data in messages:
        if topic == LABELS:
            reasoning = cdr.read_reasoning(data)
            live[reasoning.stamp, reasoning.instruction] = reasoning
        elif topic == INSTRUCTION:
            instructions.add(cdr.read_string(data))
    return Recorded(live, frozenset(instructions))


def recompute(messages: Iterable[Message], recorded: Recorded, catalogue: Catalogue,
              settings: LabelSettings) -> Recomputed:
    """The labels of every camera image that an instruction was in force at."""
    settings = replace(settings, deadline=min(_DEADLINE, settings.window / 2))
    return _Recomputation(recorded, Labelling(catalogue, settings)).run(messages)


class _Recomputation:
    """The second reading of a bag."""

    def __init__(self, recorded: Recorded, labelling: Labelling) -> None:
        self._recorded = recorded
        self._labelling = labelling
        self._asked: dict[int, list[str]] = {}
        for stamp, instruction in recorded.live:
            self._asked.setdefault(stamp, []).append(instruction)
        self._tasks: dict[str, Task] = {}
        self._current: Task | None = None
        # Stamps whose live labels belong to an instruction that comes later in the bag.
        self._early: dict[str, list[int]] = {}
        self._spans: dict[str, Span] = {}
        self._malformed: Counter[str] = Counter()

    def run(self, messages: Iterable[Message]) -> Recomputed:
        labels: list[Labels] = []
        for topic, data in messages:
            try:
                self._take(topic, data)
            except cdr.MalformedMessage:
                self._malformed[topic] += 1
            labels += self._labelling.take()
        labels += self._labelling.finish()
        covered = Span(max((span.first for span in self._spans.values()), default=0),
                       min((span.last for span in self._spans.values()), default=0))
        return Recomputed(labels, covered, self._malformed)

    def _take(self, topic: str, data: bytes) -> None:
        labelling = self._labelling
        if topic == TF:
            samples = cdr.read_transforms(data)
            labelling.add_transforms(samples)
            for sample in samples:
                self._cover(topic, sample.stamp)
        elif topic == TF_STATIC:
            labelling.add_static_transforms(cdr.read_transforms(data))
        elif topic == CONTACTS:
            stamp, frames = cdr.read_contacts(data)
            labelling.add_contacts(stamp, frames)
            self._cover(topic, stamp)
        elif topic == JOINTS:
            joints = cdr.read_joints(data)
            if GRIPPER_JOINT in joints.positions:
                labelling.add_gripper(joints.stamp, joints.positions[GRIPPER_JOINT])
        elif topic == INSTRUCTION:
            self._give(cdr.read_string(data))
        elif topic == CAMERA:
            stamp = cdr.read_header_stamp(data)
            labelling.observe(stamp, self._tasks_at(stamp))

    def _cover(self, topic: str, stamp: int) -> None:
        self._spans[topic] = self._spans.get(topic, Span(stamp, stamp)) | stamp

    def _give(self, instruction: str) -> None:
        try:
            task = self._labelling.give(instruction, self._early.pop(instruction, ()))
        except InstructionError:
            self._current = None
            return
        self._current = self._tasks[instruction] = task

    def _tasks_at(self, stamp: int) -> list[Task]:
        instructions = self._asked.get(stamp)
        if instructions is None:
            return [self._current] if self._current else []
        tasks = []
        for instruction in instructions:
            if instruction not in self._tasks:
                if instruction in self._recorded.instructions:
                    self._early.setdefault(instruction, []).append(stamp)
                    continue
                # It was given before the recording began.
                self._tasks[instruction] = self._labelling.give(instruction)
            tasks.append(self._tasks[instruction])
        return tasks


def compare(recorded: Recorded, recomputed: Recomputed) -> Comparison:
    """Every live answer against the recomputed one."""
    result = Comparison()
    again = {(labels.stamp, labels.instruction): labels for labels in recomputed.labels}
    for key, reasoning in recorded.live.items():
        labels = again.get(key)
        by_object = {label.question.object: label for label in labels.labels} if labels else {}
        for live in reasoning.answers:
            label = by_object.get(live.object)
            text, reason = (label.text, label.reason) if label else ('', 'no such observation')
            if not live.text and not text:
                result.withheld_both[without_times(live.reason)] += 1
            elif not live.text:
                result.withheld_live[without_times(live.reason)] += 1
            elif not text and not _inside(key[0], recomputed.covered):
                result.withheld_bag[f'outside the bag: {without_times(reason)}'] += 1
            elif label and _same(live, label.text, label.frame, label.offset):
                result.equal += 1
            else:
                result.unequal.append(Difference(
                    key[0], live.object, _described(live.text, live.object_frame, live.offset),
                    _described(text, label.frame, label.offset) if text and label else reason))
    return result


def without_times(reason: str) -> str:
    """A reason without its times, so that equal ones can be counted."""
    return re.sub(r'-?\d+\.\d+ s\b', '... s', reason)


def _inside(stamp: int, covered: Span) -> bool:
    return covered.first <= stamp <= covered.last


def _same(live: cdr.RecordedAnswer, text: str, frame: str,
          offset: tuple[float, float, float]) -> bool:
    return (live.text == text and live.object_frame == frame
            and struct.pack('3d', *live.offset) == struct.pack('3d', *offset))


def _described(text: str, frame: str, offset: tuple[float, float, float]) -> str:
    return f"'{text}' ({frame} at {', '.join(repr(float(each)) for each in offset)})"

# SPDX-License-Identifier: Apache-2.0
"""Labels of one observation after the other, from transforms and grasps as they come in.

The live node and the recomputation from a bag both feed this class. Every label depends only on
the stamps and contents of the samples, not on the order in which different topics arrive: an
observation waits until transforms and grasp samples past its stamp have come, or until
observations `deadline` newer have; then what is missing is withheld with a reason.

Instructions carry no stamp. A phrase is resolved to its frame at the first observation after the
instruction came at which that is possible, and stays. The last observation before it (the one a
policy will decide its first actions on) can be answered too, with the same frames.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from inspire_labeler.catalogue import Catalogue, CatalogueError
from inspire_labeler.formulation import Formulation
from inspire_labeler.grasp import ClosureSettings, GripperClosure, StateHistory
from inspire_labeler.question import Question, questions
from inspire_labeler.rule import codes, words
from inspire_labeler.transform_history import (
    SECOND,
    MissingTransform,
    Quaternion,
    Sample,
    TransformHistory,
    Vector,
    conjugate,
    rotate,
)
from inspire_labeler.viewer import heading, quarter

UNKNOWN: Vector = (math.nan, math.nan, math.nan)
GRASP_SOURCES = ('contacts', 'gripper')


@dataclass(frozen=True)
class LabelSettings:
    """What a label depends on besides its samples.

    max_gap: samples further apart are not interpolated [s]. deadline: how long an observation
    waits for transforms, in stamps of observations [s]. window: how long samples are kept [s].
    grasp_radius: with grasp_source `gripper`, what is held is the nearest object within it [m].
    """

    formulation: Formulation = Formulation.DIRECTION
    viewer_frame: str = 'viewer'
    tcp_frame: str = 'tcp'
    max_gap: float = 0.1
    deadline: float = 0.5
    window: float = 10.0
    grasp_source: str = 'contacts'
    grasp_radius: float = 0.03
    closure: ClosureSettings = field(default_factory=ClosureSettings)

    def __post_init__(self) -> None:
        if self.grasp_source not in GRASP_SOURCES:
            raise ValueError(f"grasp_source is '{self.grasp_source}', expected one of "
                             f"{', '.join(GRASP_SOURCES)}")
        if not 0 < self.max_gap < self.window or not 0 < self.deadline < self.window:
            raise ValueError(f'max_gap is {self.max_gap} s, deadline {self.deadline} s: expected '
                             f'more than 0 and less than window, {self.window} s')


@dataclass(frozen=True)
class Label:
    """The answer to one question, or the reason why there is none.

    frame: the object's TF frame, '' while unresolved. text: '' where withheld. offset: object
    minus tcp in the viewer frame [m], NaN where unknown. grasped: None where unknown.
    """

    question: Question
    frame: str
    text: str
    offset: Vector
    grasped: bool | None
    reason: str


@dataclass(frozen=True)
class Labels:
    """All labels of one observation, in the order of mention. stamp: in ns."""

    stamp: int
    instruction: str
    labels: tuple[Label, ...]

    @property
    def line(self) -> str:
        """For people: "the ball: left, the book: withheld"."""
        return ', '.join(f"{label.question.object}: {label.text or 'withheld'}"
                         for label in self.labels)


@dataclass(eq=False)
class Task:
    """An instruction being followed: its questions, and the frames of its phrases so far."""

    instruction: str
    questions: tuple[Question, ...]
    frames: dict[str, str] = field(default_factory=dict)
    # Observations from before the instruction that are answered with its first one.
    backlog: list[int] = field(default_factory=list)
    # Phrases that were waited for in vain once: they are not waited for again.
    absent: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class _View:
    """From where the objects are seen at an instant: the tcp in its root, the viewer's turn."""

    root: str
    tcp: Vector
    viewer_in_root: Quaternion

    def offset(self, frame: str, root: str, point: Vector) -> Vector:
        if root != self.root:
            raise MissingTransform(f"'{frame}' hangs below '{root}', the tcp below '{self.root}': "
                                   f'no transform connects them')
        x, y, z = (one - other for one, other in zip(point, self.tcp, strict=True))
        return rotate(conjugate(self.viewer_in_root), (x, y, z))


class Labelling:
    """Takes samples, observations and instructions; gives labels as they become known."""

    def __init__(self, catalogue: Catalogue, settings: LabelSettings) -> None:
        window, self._max_gap = int(settings.window * SECOND), int(settings.max_gap * SECOND)
        self.settings = settings
        self._catalogue = catalogue
        self._frames = sorted(catalogue.frames)
        self._deadline = int(settings.deadline * SECOND)
        self._transforms = TransformHistory(window, self._max_gap)
        self._contacts: StateHistory[frozenset[str]] = StateHistory('grasp_contacts', window,
                                                                    self._max_gap)
        self._holding: StateHistory[bool] = StateHistory('joint_states', window, self._max_gap)
        self._closure = GripperClosure(settings.closure)
        self._pending: deque[tuple[int, Task]] = deque()
        self._observed: int | None = None

    @property
    def last_observation(self) -> int | None:
        """The stamp of the latest observation [ns]."""
        return self._observed

    def give(self, instruction: str, backlog: Iterable[int] = ()) -> Task:
        """A new task; its phrases are resolved anew, even if the instruction is an old one.

        backlog: stamps of observations before it to answer as well. Raises InstructionError.
        """
        asked = questions(instruction, self.settings.formulation)
        return Task(instruction, asked, backlog=list(backlog))

    def observe(self, stamp: int, tasks: Sequence[Task]) -> None:
        """An observation to be labelled for each task. A stamp seen before is left out.

        Stamps that jump back by more than max_gap start anew: what was waiting is given up.
        """
        if self._observed is not None and stamp <= self._observed:
            if self._observed - stamp <= self._max_gap:
                return
            self._pending.clear()
        self._observed = stamp
        self._pending.extend((stamp, task) for task in tasks)

    def add_transforms(self, samples: Iterable[Sample]) -> None:
        """Samples of /tf."""
        for sample in samples:
            self._transforms.add(sample)

    def add_static_transforms(self, samples: Iterable[Sample]) -> None:
        """Samples of /tf_static."""
        for sample in samples:
            self._transforms.add_static(sample)

    def add_contacts(self, stamp: int, frames: frozenset[str]) -> None:
        """Frames of the objects that both fingers touch."""
        self._contacts.add(stamp, frames)

    def add_gripper(self, stamp: int, width: float) -> None:
        """The gripper's opening [m]."""
        if self._holding.newest is None or stamp > self._holding.newest:
            self._holding.add(stamp, self._closure.update(stamp, width))
        elif self._holding.add(stamp, False):  # time has jumped back
            self._closure = GripperClosure(self.settings.closure)
            self._closure.update(stamp, width)

    def take(self) -> list[Labels]:
        """The labels that have become known, or were given up, since the last call."""
        done: list[Labels] = []
        while self._pending and self._is_due(*self._pending[0]):
            done += self._answer(*self._pending.popleft())
        return done

    def finish(self) -> list[Labels]:
        """The labels of what is still waiting, with what is known: nothing more will come."""
        done = [labels for stamp, task in self._pending for labels in self._answer(stamp, task)]
        self._pending.clear()
        return done

    def _is_due(self, stamp: int, task: Task) -> bool:
        if self._observed is not None and self._observed - stamp > self._deadline:
            return True
        grasps = self._contacts if self.settings.grasp_source == 'contacts' else self._holding
        if grasps.newest is None or grasps.newest < stamp:
            return False
        if not self._has_come(self.settings.tcp_frame, stamp):
            return False
        if not self._has_come(self.settings.viewer_frame, stamp):
            return False
        return all(self._object_has_come(question, task, stamp) for question in task.questions)

    def _has_come(self, frame: str, stamp: int) -> bool:
        newest = self._newest(frame)
        return newest is not None and newest >= stamp

    def _newest(self, frame: str) -> int | None:
        """Up to when a frame is known; None while nothing connects it with the tcp's base.

        At the start part of a chain may have come and not yet the rest.
        """
        tcp_root = self._transforms.root(self.settings.tcp_frame)
        viewer_root = self._transforms.root(self.settings.viewer_frame)
        if not self._transforms.root(frame) == tcp_root == viewer_root:
            return None
        return self._transforms.newest(frame)

    def _object_has_come(self, question: Question, task: Task, stamp: int) -> bool:
        """Whether waiting on could change nothing of what is known about the object."""
        frame = task.frames.get(question.object)
        if frame is not None:
            return self._has_come(frame, stamp)
        try:
            candidates = self._catalogue.candidates(question.object)
        except CatalogueError:
            return True
        if question.object in task.absent:
            return True
        newest = [each for each in map(self._newest, candidates) if each is not None]
        # A frame that fell silent longer ago than the deadline will not come.
        alive = [each for each in newest if stamp - each <= self._deadline]
        return bool(alive) and min(alive) >= stamp

    def _answer(self, stamp: int, task: Task) -> list[Labels]:
        labels = self._label(stamp, task)
        # Earlier ones are not resolved by where things were before the instruction came.
        reasons = {each.question.object: each.reason for each in labels.labels if not each.frame}
        earlier = [self._label(each, task, reasons) for each in task.backlog]
        task.backlog = []
        return [*earlier, labels]

    def _label(self, stamp: int, task: Task, reasons: dict[str, str] | None = None) -> Labels:
        """The labels at an instant; resolves phrases, unless reasons why not are given."""
        try:
            view = self._view(stamp)
        except MissingTransform as missing:
            reason = str(missing)
            return Labels(stamp, task.instruction, tuple(
                Label(question, task.frames.get(question.object, ''), '', UNKNOWN, None, reason)
                for question in task.questions))
        if reasons is None:
            reasons = self._resolve(stamp, task, view)
        held, unknown_grasp = self._held(stamp, view)
        return Labels(stamp, task.instruction, tuple(
            self._one(stamp, view, question, task.frames.get(question.object, ''), held,
                      reasons.get(question.object, unknown_grasp))
            for question in task.questions))

    def _one(self, stamp: int, view: _View, question: Question, frame: str,
             held: frozenset[str] | None, reason: str) -> Label:
        if not frame:
            return Label(question, '', '', UNKNOWN, None, reason)
        try:
            offset = view.offset(frame, *self._transforms.position(frame, stamp))
        except MissingTransform as missing:
            return Label(question, frame, '', UNKNOWN, None, str(missing))
        if held is None:
            return Label(question, frame, '', offset, None, reason)
        grasped = frame in held
        code = codes(offset, grasped, question.formulation)
        text = str(words(code, question.formulation))
        return Label(question, frame, text, offset, grasped,
                     '' if text else f"the transform of '{frame}' is not finite")

    def heading(self, frame: str, stamp: int) -> float:
        """How a thing is turned that is longer than wide (its frame's x axis), or square (the side
        that points away from the viewer frame's origin), see `viewer.heading`; NaN of others, and
        where its transform is not known."""
        if not self._catalogue.has_heading(frame):
            return math.nan
        try:
            _, turn = self._transforms.rotation(frame, stamp)
            _, at = self._transforms.position(frame, stamp)
            _, origin = self._transforms.position(self.settings.viewer_frame, stamp)
            viewer = self._view(stamp).viewer_in_root
        except MissingTransform:
            return math.nan
        x, y, _ = rotate(conjugate(viewer), rotate(turn, (1.0, 0.0, 0.0)))
        if frame not in self._catalogue.square:
            return heading(x, y)
        away = (at[0] - origin[0], at[1] - origin[1], at[2] - origin[2])
        ahead, aside, _ = rotate(conjugate(viewer), away)
        return quarter(heading(x, y), math.atan2(aside, ahead))

    def _view(self, stamp: int) -> _View:
        root, tcp = self._transforms.position(self.settings.tcp_frame, stamp)
        viewer_root, turn = self._transforms.rotation(self.settings.viewer_frame, stamp)
        if viewer_root != root:
            raise MissingTransform(
                f"'{self.settings.viewer_frame}' hangs below '{viewer_root}', "
                f"'{self.settings.tcp_frame}' below '{root}': no transform connects them")
        return _View(root, tcp, turn)

    def _resolve(self, stamp: int, task: Task, view: _View) -> dict[str, str]:
        """Finds the frames of the task's phrases; gives the reasons of those not found."""
        unresolved = [each.object for each in task.questions if each.object not in task.frames]
        if not unresolved:
            return {}
        positions = self._positions(stamp, view)
        reasons = {}
        for phrase in unresolved:
            try:
                task.frames[phrase] = self._catalogue.resolve(phrase, positions)
            except CatalogueError as error:
                reasons[phrase] = str(error)
                task.absent.add(phrase)
        return reasons

    def _positions(self, stamp: int, view: _View) -> dict[str, Vector]:
        """Offsets from the tcp, in the viewer frame, of every object that is known now [m]."""
        found = {}
        for frame in self._frames:
            try:
                offset = view.offset(frame, *self._transforms.position(frame, stamp))
            except MissingTransform:
                continue
            if math.isfinite(sum(offset)):
                found[frame] = offset
        return found

    def _held(self, stamp: int, view: _View) -> tuple[frozenset[str] | None, str]:
        """(frames held, '') at an instant, or (None, why that is not known)."""
        try:
            if self.settings.grasp_source == 'contacts':
                return self._contacts.at(stamp), ''
            if not self._holding.at(stamp):
                return frozenset(), ''
        except MissingTransform as missing:
            return None, str(missing)
        distances = {frame: math.hypot(*offset)
                     for frame, offset in self._positions(stamp, view).items()}
        nearest = min(distances, key=lambda frame: distances[frame], default='')
        if nearest and distances[nearest] <= self.settings.grasp_radius:
            return frozenset((nearest,)), ''
        return frozenset(), ''

# SPDX-License-Identifier: Apache-2.0
"""What happened in an episode, as arrays and plain values: read once, told by video and report.

Times are seconds since the episode's first message, on the clock of the bag. Positions are metres
in base_link, joints radians, the gripper's width metres.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspire_bringup.episode_reader import EpisodeReader, stamp_nanoseconds
from inspire_bringup.manifest import Manifest, ManifestError

Array = NDArray[np.float64]
ARM_JOINTS = tuple(f'joint{number}' for number in range(1, 7))
GRIPPER = 'gripper'
POLICY_SOURCES = {0: 'unknown', 1: 'TF', 2: 'hindsight', 3: 'policy', 4: 'expert'}
CAMERAS = {'/camera/image_raw': 'camera', '/wrist_camera/image_raw': 'wrist camera'}
# A label belongs to an answer where both are of the same image.
SAME_OBSERVATION = 0.001  # s


@dataclass(frozen=True)
class Answer:
    """What was said about one object of one observation."""

    time: float  # s, of the observation
    said: float  # s, when it was published
    text: str  # empty: withheld
    reason: str = ''
    probabilities: tuple[float, ...] = ()
    options: tuple[str, ...] = ()
    source: str = ''
    question: str = ''
    truth: str | None = None  # the label of the same observation; None: there is none

    @property
    def agrees(self) -> bool | None:
        return None if not self.truth else self.text == self.truth


@dataclass(frozen=True)
class Motion:
    """Joint positions over time: times (n,), positions (n, 6), gripper width (n,)."""

    times: Array
    joints: Array
    gripper: Array

    def __bool__(self) -> bool:
        return len(self.times) > 0

    def at(self, time: float) -> tuple[Array, float]:
        """Interpolate joints (6,) and gripper width; before and after the ends hold."""
        joints = [np.interp(time, self.times, column) for column in self.joints.T]
        return np.array(joints), float(np.interp(time, self.times, self.gripper))


@dataclass(frozen=True)
class Track:
    """Poses of one frame over time: times (n,), positions (n, 3), quaternions xyzw (n, 4)."""

    times: Array
    positions: Array
    quaternions: Array

    def index(self, time: float) -> int:
        """Return the sample nearest to a time."""
        after = int(np.searchsorted(self.times, time))
        if after == 0:
            return 0
        if after == len(self.times):
            return after - 1
        return after if self.times[after] - time < time - self.times[after - 1] else after - 1


@dataclass(frozen=True)
class TaskMoment:
    """The success test at an instant."""

    time: float
    success: bool
    detail: str


@dataclass(frozen=True)
class Decision:
    """One decision of the policy: from the observation to the answers and the actions."""

    time: float  # s, of the observation
    thinking: float  # s, as the policy measured it
    said: float  # s after the observation, when the answers were published
    acted: float | None  # s after the observation, when its actions were published


@dataclass
class Story:
    """An episode told as values."""

    folder: Path
    manifest: Manifest | None
    damage: tuple[str, ...] = ()
    duration: float = 0.0
    instruction: str = ''
    task: str = ''
    world: str = ''  # what the simulation was set up for: the task's variant, by its instruction
    seed: int = 0
    objects: list[str] = field(default_factory=list)  # in the order of mention
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    labels: dict[str, list[Answer]] = field(default_factory=dict)
    decisions: list[Decision] = field(default_factory=list)
    measured: Motion = field(default_factory=lambda: _motion([]))
    executed: Motion = field(default_factory=lambda: _motion([]))
    tracks: dict[str, Track] = field(default_factory=dict)
    task_moments: list[TaskMoment] = field(default_factory=list)
    pictures: dict[str, list[tuple[float, NDArray[np.uint8]]]] = field(default_factory=dict)

    @property
    def outcome(self) -> str:
        return self.manifest.outcome if self.manifest else 'unknown'

    def done_after(self) -> float | None:
        """Return the time from the first decision to the lasting success [s], None without one."""
        moments = self.task_moments
        if not moments or not moments[-1].success:
            return None
        last_failure = max((one.time for one in moments if not one.success), default=0.0)
        begin = self.decisions[0].time if self.decisions else 0.0
        return max(0.0, last_failure - begin)

    def compared(self) -> tuple[int, int]:
        """Return how many answers equal the truth, and how many could be compared."""
        known = [one for each in self.answers.values() for one in each if one.agrees is not None]
        return sum(one.agrees is True for one in known), len(known)


def read(episode: Path | str, with_pictures: bool = False) -> Story:
    """Read an episode from a run's folder; pictures of the cameras only where asked for."""
    reader = EpisodeReader(episode)
    teller = _Teller()
    wanted = set(teller.handlers) | (set(CAMERAS) if with_pictures else set())
    for topic, time, message in reader.messages(wanted):
        teller.take(topic, time, message)
    try:
        manifest = reader.manifest
    except ManifestError:
        manifest = None
    story = teller.story(reader.place.folder, manifest)
    story.damage = reader.damage
    return story


class _Teller:
    """Collects messages into a story."""

    def __init__(self) -> None:
        self.start: int | None = None
        self.end = 0
        self.handlers: dict[str, Callable[[float, Any], None]] = {
            '/joint_states': lambda time, message: self.measured.append((time, message)),
            '/executed_command': lambda time, message: self.executed.append((time, message)),
            '/tf': self._on_transforms,
            '/reasoning': self._on_reasoning,
            '/spatial_labels': self._on_labels,
            '/action_chunk': self._on_chunk,
            '/task_state': self._on_task_state,
        }
        self.measured: list[tuple[float, Any]] = []
        self.executed: list[tuple[float, Any]] = []
        self.transforms: dict[str, list[tuple[float, ...]]] = defaultdict(list)
        self.reasonings: list[tuple[float, Any]] = []
        self.labels: list[tuple[float, Any]] = []
        self.chunks: dict[int, float] = {}
        self.task_states: list[tuple[float, Any]] = []
        self.pictures: dict[str, list[tuple[float, NDArray[np.uint8]]]] = defaultdict(list)

    def take(self, topic: str, time: int, message: Any) -> None:
        if self.start is None:
            self.start = time
        self.end = max(self.end, time)
        seconds = self._seconds(time)
        if topic in CAMERAS:
            self._on_picture(CAMERAS[topic], seconds, message)
        else:
            self.handlers[topic](seconds, message)

    def _seconds(self, nanoseconds: int) -> float:
        return (nanoseconds - (self.start or 0)) * 1e-9

    def _on_transforms(self, time: float, message: Any) -> None:
        for one in message.transforms:
            place, turn = one.transform.translation, one.transform.rotation
            self.transforms[one.child_frame_id].append(
                (
                    self._seconds(stamp_nanoseconds(one.header.stamp)),
                    *(place.x, place.y, place.z),
                    *(turn.x, turn.y, turn.z, turn.w),
                )
            )

    def _on_reasoning(self, time: float, message: Any) -> None:
        self.reasonings.append((time, message))

    def _on_labels(self, time: float, message: Any) -> None:
        self.labels.append((time, message))

    def _on_chunk(self, time: float, message: Any) -> None:
        self.chunks[message.chunk_id] = time

    def _on_task_state(self, time: float, message: Any) -> None:
        self.task_states.append((time, message))

    def _on_picture(self, camera: str, time: float, message: Any) -> None:
        if message.encoding != 'rgb8':
            return
        shape = (message.height, message.width, 3)
        self.pictures[camera].append((time, np.frombuffer(message.data, np.uint8).reshape(shape)))

    def story(self, folder: Path, manifest: Manifest | None) -> Story:
        last = self.task_states[-1][1] if self.task_states else None
        labels = self._answers(self.labels, {})
        truths = {
            (name, round(one.time / SAME_OBSERVATION)): one.text
            for name, each in labels.items()
            for one in each
        }
        answers = self._answers(self.reasonings, truths)
        said = [message.instruction for _, message in self.reasonings + self.labels]
        instruction = manifest.instruction if manifest and manifest.instruction else ''
        return Story(
            folder=folder,
            manifest=manifest,
            duration=self._seconds(self.end),
            instruction=instruction or next(filter(None, said), ''),
            task=(manifest.task if manifest else '') or (last.task if last else ''),
            world=(last.instruction or last.task) if last else '',
            seed=manifest.seed if manifest else (last.seed if last else 0),
            objects=list(answers) or list(labels),
            answers=answers,
            labels=labels,
            decisions=list(self._decisions()),
            measured=_motion(self.measured),
            executed=_motion(self.executed),
            tracks={name: _track(rows) for name, rows in self.transforms.items()},
            task_moments=[TaskMoment(t, m.success, m.detail) for t, m in self.task_states],
            pictures=dict(self.pictures),
        )

    def _answers(
        self, reasonings: Sequence[tuple[float, Any]], truths: dict[tuple[str, int], str]
    ) -> dict[str, list[Answer]]:
        found: dict[str, list[Answer]] = {}
        for said, message in reasonings:
            time = self._seconds(stamp_nanoseconds(message.header.stamp))
            for one in message.answers:
                name = one.question.object
                found.setdefault(name, []).append(
                    Answer(
                        time,
                        said,
                        one.text,
                        one.reason,
                        tuple(one.probabilities),
                        tuple(one.question.options),
                        POLICY_SOURCES.get(one.source, 'unknown'),
                        one.question.text,
                        truths.get((name, round(time / SAME_OBSERVATION))),
                    )
                )
        return found

    def _decisions(self) -> Iterator[Decision]:
        for said, message in self.reasonings:
            time = self._seconds(stamp_nanoseconds(message.header.stamp))
            acted = self.chunks.get(message.chunk_id)
            yield Decision(
                time,
                message.duration.sec + message.duration.nanosec * 1e-9,
                said - time,
                None if acted is None else acted - time,
            )


def _motion(samples: Sequence[tuple[float, Any]]) -> Motion:
    """Order joint states by name; samples that lack a joint of the arm are left out."""
    names = (*ARM_JOINTS, GRIPPER)
    times, rows = [], []
    for time, message in samples:
        places = {name: index for index, name in enumerate(message.name)}
        if all(name in places for name in names):
            times.append(time)
            rows.append([message.position[places[name]] for name in names])
    values = np.array(rows, dtype=float).reshape(-1, len(names))
    return Motion(np.array(times, dtype=float), values[:, :6], values[:, 6])


def _track(rows: Sequence[tuple[float, ...]]) -> Track:
    values = np.array(rows, dtype=float)
    return Track(values[:, 0], values[:, 1:4], values[:, 4:8])

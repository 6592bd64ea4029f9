# SPDX-License-Identifier: Apache-2.0
"""From a recorded episode to the rows of a dataset, the same as collecting makes.

A first reading of a bag finds when it was observed and what the arm was told (`bag_track`); then
the pictures of those instants are taken, and every object in the scene is labelled by the class
that labels live. Stamps count, not when a message was written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from inspire_labeler import cdr
from inspire_labeler.catalogue import Catalogue
from inspire_labeler.episode_hindsight import hindsight
from inspire_labeler.labelling import Labelling, Labels, LabelSettings, Task
from inspire_labeler.question import question, questions
from inspire_labeler.recompute import (
    CAMERA,
    CONTACTS,
    EXECUTED,
    GRIPPER_JOINT,
    INSTRUCTION,
    JOINTS,
    TF,
    TF_STATIC,
    Message,
    without_times,
)
from inspire_labeler.transform_history import SECOND
from inspire_policy import samples
from inspire_policy.bag_track import CHUNKS, PICTURES, POSES, STATE, WIDTHS, ExportError, Track
from inspire_policy.dataset_format import CAMERAS, HORIZON, Episode
from inspire_policy.evaluation import Job
from inspire_policy.pictures import encode, prepare
from inspire_policy.policy import LARGEST_ROTATION, LARGEST_TRANSLATION
from inspire_policy.recorded import Array, read_picture
from inspire_policy.samples import Demonstration, Instant, Scene

TOPICS = frozenset((*PICTURES, CAMERA, INSTRUCTION, TF, TF_STATIC, CONTACTS, JOINTS, EXECUTED,
                    POSES, WIDTHS, CHUNKS, STATE))
HINDSIGHT = 'hindsight'
LABELS = ('contacts', 'gripper', HINDSIGHT)

_FIRST = f'/{CAMERAS[0]}/image_raw'
_DEADLINE = 5.0         # one topic may have been written much later than another [s]

Messages = Callable[[], Iterable[Message]]


@dataclass(frozen=True)
class Exporting:
    """How is exported: the side of the pictures [pixels], steps from one observed instant to the
    next, and from what it is known where objects are and what is held: TF and `contacts`, TF and
    the `gripper`, or the gripper alone in `hindsight`."""

    image_size: int = 112
    stride: int = 4
    labels: str = 'contacts'

    def __post_init__(self) -> None:
        """Raise ValueError for what makes no dataset."""
        if self.labels not in LABELS:
            raise ValueError(f'labels from {self.labels!r}; valid: {", ".join(LABELS)}')
        if self.image_size < 1 or self.stride < 1:
            raise ValueError(f'image_size is {self.image_size}, stride {self.stride}; '
                             'valid: at least 1')


@dataclass(frozen=True, eq=False)
class Exported:
    """An episode with its rows, and how many instants were left out, by reason."""

    episode: Episode
    rows: pa.Table
    left_out: Mapping[str, int]


def export(number: int, job: Job, success: bool, messages: Messages, setting: Exporting,
           catalogue: Catalogue) -> Exported:
    """The samples of a recorded episode, which is read more than once.

    success: how it was judged; after the end of one that succeeded, holding is to be imitated.
    Raises ExportError, CatalogueError, InstructionError, MalformedMessage.
    """
    track = Track(messages(), job.instruction)
    stamps, unseen = track.instants(setting.stride)
    objects, places = _places(messages, job.instruction, track, stamps, setting, catalogue)
    pictures = _pictures(messages(), stamps, setting.image_size)
    left_out = Counter({'no pictures of all cameras with one stamp': unseen} if unseen else {})
    instants, actions, valid = [], [], []
    for stamp in stamps:
        known = places.get(stamp, {})
        reason = track.missing(stamp) or _missing(known, objects, pictures[stamp])
        if reason:
            left_out[reason] += 1
            continue
        instants.append(_instant(track, stamp, pictures[stamp], [known[each] for each in objects]))
        actions.append(track.actions(stamp))
        end = HORIZON if success else track.steps(stamp, track.end)
        valid.append(min(end, _believed(actions[-1])))
    if not instants:
        raise ExportError(f'no instant of the episode is known whole: {dict(left_out)}')
    shown = Demonstration(instants, np.array(actions), valid, track.steps(track.begin, track.end))
    if setting.labels == HINDSIGHT:
        there = Scene(objects, objects, _asked(job.instruction), _asked(job.instruction))
    else:
        start = dict(zip(objects, instants[0].offsets.tolist(), strict=True))
        there = samples.scene(job.instruction, start, catalogue)
    episode = samples.described(number, job, 'bag', success, shown, there)
    return Exported(episode, samples.rows(number, shown), left_out)


class Place(NamedTuple):
    """Where an object is: minus tcp in the viewer frame (3,) [m]; or the reason why that is not
    known. heading: see dataset_format."""

    offset: Sequence[float]
    grasped: bool
    reason: str
    heading: float = np.nan


Places = dict[int, dict[str, Place]]    # by stamp and object


def _places(messages: Messages, instruction: str, track: Track, stamps: Sequence[int],
            setting: Exporting, catalogue: Catalogue) -> tuple[tuple[str, ...], Places]:
    """(the objects, sorted; where they are)."""
    found: Places = {}
    if setting.labels == HINDSIGHT:
        # Images in place of their camera_info, which bears the same stamps: no bag needs both.
        taken = ((CAMERA if topic == _FIRST else topic, data) for topic, data in messages()
                 if topic != CAMERA)
        for each in hindsight(taken, LabelSettings()):
            found.setdefault(each.stamp, {})[each.object] = Place(each.offset, each.grasped,
                                                                  each.reason)
        return tuple(sorted(set(_asked(instruction)))), found
    objects = tuple(sorted(track.frames & catalogue.frames))
    labelling = Labelling(catalogue, LabelSettings(grasp_source=setting.labels,
                                                   deadline=_DEADLINE))
    # Each frame is asked for by its own name, so that all are labelled, and need not be resolved.
    task = Task(instruction, tuple(map(question, objects)), {each: each for each in objects})
    wanted = set(stamps)
    found = {}

    def note(done: Iterable[Labels]) -> None:
        for labels in done:
            found[labels.stamp] = {
                each.frame: Place(each.offset, bool(each.grasped), each.reason,
                                  labelling.heading(each.frame, labels.stamp))
                for each in labels.labels}

    for topic, data in messages():
        if topic == TF:
            labelling.add_transforms(cdr.read_transforms(data))
        elif topic == TF_STATIC:
            labelling.add_static_transforms(cdr.read_transforms(data))
        elif topic == CONTACTS:
            labelling.add_contacts(*cdr.read_contacts(data))
        elif topic == JOINTS:
            joints = cdr.read_joints(data)
            labelling.add_gripper(joints.stamp, joints.positions[GRIPPER_JOINT])
        elif topic == _FIRST and cdr.read_header_stamp(data) in wanted:
            labelling.observe(cdr.read_header_stamp(data), [task])
        note(labelling.take())
    note(labelling.finish())
    return objects, found


def _pictures(messages: Iterable[Message], stamps: Sequence[int],
              size: int) -> dict[int, dict[str, bytes]]:
    """stamp -> camera -> JPEG."""
    found: dict[int, dict[str, bytes]] = {stamp: {} for stamp in stamps}
    for topic, data in messages:
        if topic in PICTURES and (stamp := cdr.read_header_stamp(data)) in found:
            found[stamp][PICTURES[topic]] = encode(prepare(read_picture(data), size))
    return found


def _missing(known: Mapping[str, Place], objects: Sequence[str],
             pictures: Mapping[str, bytes]) -> str:
    """Why what is seen is not known, or ''."""
    for each in objects:
        if each not in known:
            return f'no label of {each}'
        if known[each].reason:
            return without_times(known[each].reason)
    for name in CAMERAS:
        if name not in pictures:
            return f'no picture of {name}'
    return ''


def _believed(actions: Array) -> int:
    """How many leading actions a policy could have decided on: where the commander changes, the
    commanded pose may jump."""
    jumps = ((np.linalg.norm(actions[:, :3], axis=1) > LARGEST_TRANSLATION)
             | (np.linalg.norm(actions[:, 3:6], axis=1) > LARGEST_ROTATION))
    return int(np.argmax(jumps)) if jumps.any() else HORIZON


def _instant(track: Track, stamp: int, pictures: Mapping[str, bytes],
             known: Sequence[Place]) -> Instant:
    positions, velocities, width, width_velocity = track.measured(stamp)
    commanded, commanded_width = track.commanded(stamp)
    return Instant(
        step=track.steps(track.begin, stamp), stamp=stamp / SECOND, images=pictures,
        joint_positions=positions, joint_velocities=velocities, gripper_width=width,
        gripper_velocity=width_velocity, tcp=track.tcp(stamp), commanded=commanded,
        commanded_width=commanded_width,
        offsets=np.array([each.offset for each in known], dtype=np.float64).reshape(-1, 3),
        headings=np.array([each.heading for each in known], dtype=np.float64),
        feet=np.full((len(known), 3), np.nan),      # answers do not say them
        grasped=np.array([each.grasped for each in known], dtype=np.bool_))


def _asked(instruction: str) -> tuple[str, ...]:
    """The instruction's objects, in the order of mention."""
    return tuple(each.object for each in questions(instruction))

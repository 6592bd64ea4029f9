# SPDX-License-Identifier: Apache-2.0
"""From one episode, as it went, to the rows of a dataset: what was seen at an instant, and the
actions that followed.

Collecting and exporting both come through here, so that what was recorded on a graph trains as
what was collected without one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from inspire_labeler.catalogue import Catalogue, CatalogueError
from inspire_labeler.question import questions
from inspire_labeler.viewer import heading, quarter
from inspire_policy.dataset_format import CAMERAS, HORIZON, ROWS, Episode
from inspire_policy.evaluation import Job
from inspire_policy.policy import ACTION_SIZE
from piper_driver.pose import Pose

Array = NDArray[np.float64]

# Words of position by the viewer's axis along which they tell things apart.
PLACES = {'x': ('front', 'middle', 'back'), 'y': ('left', 'middle', 'right'),
          'z': ('bottom', 'middle', 'top')}


@dataclass(frozen=True, eq=False)
class Instant:
    """What was known at one instant.

    step: how many actions had been carried out; images: camera -> JPEG; tcp and commanded in
    base_link; commanded_width: as last told [m]; offsets (objects, 3): grasp frame minus tcp in
    the viewer frame [m]; headings (objects,) and feet (objects, 3): see dataset_format; grasped
    (objects,).
    """

    step: int
    stamp: float
    images: Mapping[str, bytes]
    joint_positions: Array
    joint_velocities: Array
    gripper_width: float
    gripper_velocity: float
    tcp: Pose
    commanded: Pose
    commanded_width: float
    offsets: Array
    headings: Array
    feet: Array
    grasped: NDArray[np.bool_]
    phase: str = ''


@dataclass(frozen=True, eq=False)
class Demonstration:
    """One episode as it went: instants by rising step; of each the actions that followed
    (instants, HORIZON, 7), and how many of these are to be imitated; how many steps it took."""

    instants: Sequence[Instant]
    actions: Array
    valid: Sequence[int]
    steps: int

    @classmethod
    def of_steps(cls, instants: Sequence[Instant], actions: Array,
                 disturbed: NDArray[np.bool_]) -> Demonstration:
        """From all actions that were carried out (steps, 7), and which of them were disturbed
        (steps,). After the last one the arm holds."""
        ahead = [chunk(actions, each.step, each.commanded_width) for each in instants]
        return cls(instants, np.array(ahead), [valid(disturbed, each.step) for each in instants],
                   len(actions))


def offsets(tcp: Pose, objects: Mapping[str, Pose], frames: Sequence[str],
            rotation_base_to_viewer: Array) -> Array:
    """Object minus tcp in the viewer frame [m], (frames, 3)."""
    places = np.array([objects[frame].position - tcp.position for frame in frames])
    return np.asarray(places.reshape(-1, 3) @ rotation_base_to_viewer.T)


def headings(objects: Mapping[str, Pose], frames: Sequence[str], catalogue: Catalogue,
             rotation_base_to_viewer: Array) -> Array:
    """How things are turned that are longer than wide, or square (frames,), see dataset_format;
    NaN of all others."""
    return np.array([_heading(objects[frame], frame in catalogue.square, rotation_base_to_viewer)
                     if catalogue.has_heading(frame) else np.nan
                     for frame in frames])


def chunk(actions: Array, step: int, width: float) -> Array:
    """The HORIZON actions (HORIZON, 7) from `step` on; after the last one the arm holds.

    width: of the gripper where there was no action before the end [m].
    """
    result = np.zeros((HORIZON, ACTION_SIZE))
    ahead = actions[step:step + HORIZON]
    result[:len(ahead)] = ahead
    result[len(ahead):, 6] = actions[-1, 6] if len(actions) else width
    return result


def valid(disturbed: NDArray[np.bool_], step: int) -> int:
    """How many actions from `step` on are to be imitated, before the first disturbed one."""
    ahead = disturbed[step:step + HORIZON]
    return int(np.argmax(ahead)) if ahead.any() else HORIZON


def rows(number: int, shown: Demonstration) -> pa.Table:
    """The rows of episode `number`."""
    listed = shown.instants
    columns: dict[str, object] = {
        'episode': [number] * len(listed),
        'step': [each.step for each in listed],
        'stamp': [each.stamp for each in listed],
        **{name: [each.images[name] for each in listed] for name in CAMERAS},
        'joint_positions': _fixed([each.joint_positions for each in listed]),
        'joint_velocities': _fixed([each.joint_velocities for each in listed]),
        'gripper_width': _single([each.gripper_width for each in listed]),
        'gripper_velocity': _single([each.gripper_velocity for each in listed]),
        'tcp': _fixed([_pose(each.tcp) for each in listed]),
        'commanded': _fixed([_pose(each.commanded) for each in listed]),
        'commanded_width': _single([each.commanded_width for each in listed]),
        'actions': _fixed(shown.actions.reshape(len(listed), -1)),
        'valid': shown.valid,
        'offsets': [each.offsets.astype(np.float32).reshape(-1) for each in listed],
        'headings': [each.headings.astype(np.float32) for each in listed],
        'feet': [each.feet.astype(np.float32).reshape(-1) for each in listed],
        'grasped': [each.grasped for each in listed],
        'phase': [each.phase for each in listed],
    }
    return pa.table(columns, schema=ROWS)


@dataclass(frozen=True)
class Scene:
    """What there is, and what the instruction means by its words; see `Episode`."""

    objects: tuple[str, ...]
    names: tuple[str, ...]
    asked_phrases: tuple[str, ...]
    asked_frames: tuple[str, ...]


def scene(instruction: str, positions: Mapping[str, Sequence[float]],
          catalogue: Catalogue) -> Scene:
    """The scene of an instruction.

    positions: frame -> (x, y, z) along the viewer's axes at the start [m]. Raises CatalogueError,
    InstructionError.
    """
    asked = tuple(question.object for question in questions(instruction))
    meant = tuple(catalogue.resolve(phrase, positions) for phrase in asked)
    frames = tuple(sorted(positions))
    spoken = dict(zip(meant, asked, strict=True))
    names = tuple(spoken.get(frame) or name(frame, positions, catalogue) for frame in frames)
    return Scene(frames, names, asked, meant)


def described(number: int, job: Job, source: str, success: bool, shown: Demonstration,
              there: Scene) -> Episode:
    """What the dataset says of an episode."""
    return Episode(episode=number, task=job.task, instruction=job.instruction, split=job.split,
                   seed=job.seed, source=source, success=success, steps=shown.steps,
                   rows=len(shown.instants), objects=there.objects, names=there.names,
                   asked_phrases=there.asked_phrases, asked_frames=there.asked_frames)


def name(frame: str, positions: Mapping[str, Sequence[float]], catalogue: Catalogue) -> str:
    """A phrase that means exactly this frame among those there; '' where there is none."""
    known = [word for word, frames in catalogue.objects.items() if frame in frames]
    placed = [f'{place} {word}' for word in known for place in _places(word, catalogue)]
    for phrase in (f'the {each}' for each in (*known, *placed)):
        try:
            if catalogue.resolve(phrase, positions) == frame:
                return phrase
        except CatalogueError:
            continue
    return ''


def _heading(pose: Pose, square: bool, rotation_base_to_viewer: Array) -> float:
    angle = heading(*(rotation_base_to_viewer @ pose.rotation[:, 0])[:2])
    ahead, aside, _ = rotation_base_to_viewer @ pose.position
    return quarter(angle, float(np.arctan2(aside, ahead))) if square else angle


def _places(word: str, catalogue: Catalogue) -> tuple[str, ...]:
    """The words of position that tell things of that name apart."""
    axis = catalogue.middle.get(word)
    return PLACES[axis] if axis else tuple(place for each in ('y', 'x', 'z')
                                           for place in PLACES[each] if place != 'middle')


def _pose(pose: Pose) -> Array:
    """x y z [m], quaternion x y z w; of the two that are one rotation that whose w is positive."""
    return np.concatenate([pose.position, np.copysign(1.0, pose.quaternion[3]) * pose.quaternion])


def _single(values: Sequence[float]) -> NDArray[np.float32]:
    return np.asarray(values, dtype=np.float32)


def _fixed(values: Sequence[Array] | Array) -> pa.FixedSizeListArray:
    stacked = np.asarray(values, dtype=np.float32)
    return pa.FixedSizeListArray.from_arrays(stacked.reshape(-1), stacked.shape[1])

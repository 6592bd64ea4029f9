# SPDX-License-Identifier: Apache-2.0
"""What is right to do where one believes a thing to be, though it is elsewhere.

Rows of a dataset say what the corrector does that knows the truth. Who learns to act on places
that are wrong by a centimetre from these learns to leave a centimetre alone: what is wrong is more
often the place than the motion. Here the corrector is asked again, about a row's scene as it would
be if the places were right: what is done follows from what is read, exactly.

A scene is put together from a row's numbers. Each thing leans as its foot says; those that are
taken by their rim or a handle stand upright, which a cup that hangs aslant does not.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from inspire_labeler.viewer import viewer
from inspire_policy.dataset import Dataset
from inspire_sim import reach
from inspire_sim.corrector import Corrector
from inspire_sim.shapes import SHAPES
from inspire_sim.sights import Truth
from inspire_sim.tasks import find
from piper_driver.pose import Pose, quaternion_from_matrix

Array = NDArray[np.float64]


class Believer:
    """Asks the corrector about the rows of a dataset."""

    def __init__(self, data: Dataset) -> None:
        """Raises ValueError for an instruction of none of the tasks."""
        self._data = data
        self._variants = {one.instruction: find(one.instruction)[1] for one in data.episodes}
        seen_by = viewer(data.card['viewer'])
        self._to_base = seen_by.rotation_base_to_viewer.T
        self._yaw = seen_by.yaw
        self._turned = float(np.arctan2(self._to_base[1, 0], self._to_base[0, 0]))

    def actions(self, row: int, places: Mapping[str, Array], commanded: Pose, width: float,
                steps: int) -> Array:
        """What the corrector does (steps, 7) if things are where `places` say: by frame (8,), see
        supervision.Truth.answers; all others are where they are. Whether all is done follows from
        where they are. commanded: the pose that actions are integrated on; width: what the gripper
        was last told [m].
        """
        episode = self._data.episode_of(row)
        variant = self._variants[episode.instruction]
        law = Corrector(variant, self._yaw)
        law.assign(episode.asked_frames[0], episode.asked_frames[1] if variant.target else None)
        return law.correct(self.scene(row, places), steps, commanded, width, self.scene(row, {}))

    def knows(self, row: int) -> bool:
        """Whether the row says how the things that the instruction names stand."""
        episode, start = self._data.episode_of(row), self._data.object_starts[row]
        for frame in episode.asked_frames:
            number = start + episode.objects.index(frame)
            turned = SHAPES[frame].grip not in ('across', 'square', 'tab')
            if not (np.isfinite(self._data.all_feet[number]).all()
                    and (turned or np.isfinite(self._data.all_headings[number]))):
                return False
        return True

    def scene(self, row: int, places: Mapping[str, Array]) -> Truth:
        """All there is in a row, as believed."""
        data, episode = self._data, self._data.episode_of(row)
        start, count = data.object_starts[row], len(episode.objects)
        x, y, z, *quaternion = data.columns['tcp'][row].astype(np.float64)
        tcp = Pose(np.array([x, y, z]), np.array(quaternion))
        own = np.concatenate([data.all_offsets[start:start + count],
                              data.all_headings[start:start + count, None],
                              data.all_feet[start:start + count]], 1).astype(np.float64)
        objects = {}
        for frame, numbers in zip(episode.objects, own, strict=True):
            offset, heading, foot = numbers[:3], numbers[3], numbers[4:]
            if frame in places:
                offset, turn, foot = np.split(places[frame].astype(np.float64), [3, 5])
                heading = float(np.arctan2(turn[1], turn[0])) / 2.0
            turned = quaternion_from_matrix(self._rotation(frame, heading, foot))
            objects[frame] = Pose(tcp.position + self._to_base @ offset, np.array(turned))
        if 'cabinet' in objects:    # as its plates
            plate = next(frame for frame in (*places, *objects) if SHAPES[frame].grip == 'tab')
            objects['cabinet'] = Pose(objects['cabinet'].position, objects[plate].quaternion)
        grasped = frozenset(np.array(episode.objects)[data.grasped(row)].tolist())
        return Truth(float(data.columns['stamp'][row]), tcp, objects, grasped,
                     float(data.columns['gripper_width'][row]))

    def _rotation(self, frame: str, heading: float, foot: Array) -> Array:
        """Of a frame in base_link: its x as the heading says, or away from the foot where that is
        beside it, its z away from the foot where that is below."""
        shape, up = SHAPES[frame], -(self._to_base @ foot)
        if shape.grip == 'rim' and np.isfinite(up).all():
            heading = float(np.arctan2(up[1], up[0])) - self._turned
        heading = self._turned + (0.0 if np.isnan(heading) else heading)
        if shape.grip in ('rim', 'tab') or shape.rolls or not np.isfinite(up).all():
            return reach.about(reach.UP, heading)
        z = up / np.linalg.norm(up)
        y = np.cross(z, [np.cos(heading), np.sin(heading), 0.0])
        y /= np.linalg.norm(y)
        return np.stack([np.cross(y, z), y, z], 1)

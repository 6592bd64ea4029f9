# SPDX-License-Identifier: Apache-2.0
"""Where things stand on the table: apart by the room a gripper needs, within the arm's reach.

What an instruction tells apart by place (left, middle, right) is apart by a margin, and what is to
be brought near something is not near it yet.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspire_sim import shapes
from inspire_sim.shapes import SHAPES
from inspire_sim.tasks import CABINET_PLATES, Goal, Variant, viewer_right
from piper_driver.pose import Pose

Array = NDArray[np.float64]

GAP = 0.055            # least distance between the edges of two things [m]: a finger and some air
SIDE_MARGIN = 0.045    # of left, middle, right, along the viewer's y [m]
APART = 0.16            # least distance between the edges of two things that are to be near [m]
PULLED = 0.075         # how far a plate that is to be pushed in stands out [m]
DISTRACTORS = 3        # at most
MORE_DISTRACTORS = 6   # at most, in the variation
TURN_LIMIT = np.radians(55.0)   # of a long object against the line to the arm

# Where the tool reaches: (least, most) distance from the arm's axis [m], angle to each side [rad].
MOVED_AREA = (0.24, 0.39, np.radians(46.0))
TARGET_AREA = (0.25, 0.39, np.radians(48.0))
OTHER_AREA = (0.21, 0.47, np.radians(62.0))
CABINET_AREA = (0.535, 0.56, np.radians(18.0), np.radians(40.0))  # to either side
CORRIDOR = np.radians(26.0)     # kept free in front of the cabinet, to each side

_ALIKE = (('orange', 'orange_cup'), ('plate', *CABINET_PLATES), ('bowl_1', 'bowl_2', 'bowl_3'))
_NEVER_BESIDE = ('cabinet', *CABINET_PLATES, 'bowl_2', 'bowl_3')


@dataclass(frozen=True)
class Spot:
    """Where something stands: its underside's middle (3,), its yaw, the turn of its rim point."""

    position: Array
    yaw: float
    turn: float = 0.0

    def frame(self, frame: str) -> Pose:
        """The grasp frame of what stands here, in base_link."""
        return Pose(self.position, _about_z(self.yaw)) @ SHAPES[frame].grasp(self.turn)


def laid_out(variant: Variant, random: np.random.Generator, viewer_yaw: float) -> dict[str, Spot]:
    """Spots for everything that the variant needs, by frame."""
    if 'cabinet' in variant.present:
        return _cabinet(variant, random)
    for _ in range(2000):
        spots = _attempt(variant, random)
        if spots and _told_apart(variant, spots, viewer_yaw):
            return spots
    raise RuntimeError(f'found no room for {variant.instruction!r}')


def _attempt(variant: Variant, random: np.random.Generator) -> dict[str, Spot] | None:
    """Everything the task needs, the largest first, or None where something found no room."""
    spots: dict[str, Spot] = {}
    random.integers(2)    # once a side; drawn still, so that seeds keep the scenes they had
    targets = variant.target.candidates if variant.target else ()
    alike = list(variant.present)
    random.shuffle(alike)
    for frame in sorted(alike, key=lambda name: -SHAPES[name].radius):
        area = TARGET_AREA if frame in targets else MOVED_AREA
        turned = frame in variant.moved.candidates or variant.goal is Goal.STACK
        spot = _spot(frame, area, spots, random, turned)
        if spot is None:
            return None
        spots[frame] = spot
    return spots


def _spot(frame: str, area: tuple[float, float, float], spots: Mapping[str, Spot],
          random: np.random.Generator, turned: bool) -> Spot | None:
    shape = SHAPES[frame]
    for _ in range(40):
        distance = np.sqrt(random.uniform(area[0] ** 2, area[1] ** 2))
        bearing = random.uniform(-area[2], area[2])
        turn = random.uniform(-1.0, 1.0)
        flip = np.pi * random.integers(2)
        position = np.array([distance * np.cos(bearing), distance * np.sin(bearing), 0.0])
        if not _free(position, shape.radius, spots):
            continue
        if shape.grip == 'rim':
            # The rim point lies to the arm's left: fingers, which open sideways, straddle it, and
            # nothing that can be seen of a cup tells one point of its rim from another.
            yaw = turn * np.pi
            return Spot(position, yaw, bearing + np.pi / 2 - yaw)
        reach = TURN_LIMIT if turned and shape.grip == 'across' else np.pi / 2
        return Spot(position, bearing + turn * reach + flip)
    return None


def _free(position: Array, radius: float, spots: Mapping[str, Spot]) -> bool:
    return all(np.hypot(*(position - spot.position)[:2]) >= radius + SHAPES[other].radius + GAP
               for other, spot in spots.items())


def _told_apart(variant: Variant, spots: Mapping[str, Spot], viewer_yaw: float) -> bool:
    """Whether the goal is still ahead, and left, middle and right can be told.

    They are told by the bowls' middles and by their rims alike.
    """
    if variant.goal is Goal.NEAR and variant.target:
        pair = (variant.moved.candidates[0], variant.target.candidates[0])
        apart = np.hypot(*(spots[pair[0]].position - spots[pair[1]].position)[:2])
        return bool(apart >= SHAPES[pair[0]].radius + SHAPES[pair[1]].radius + APART)
    if variant.moved.along != 'y':
        return True
    axis = viewer_right(viewer_yaw)
    middles = {frame: float(spots[frame].position @ axis) for frame in variant.moved.candidates}
    rims = {frame: float(spots[frame].frame(frame).position @ axis) for frame in middles}
    same = sorted(middles, key=middles.__getitem__) == sorted(rims, key=rims.__getitem__)
    return same and all(np.diff(sorted(values.values())).min() >= SIDE_MARGIN
                        for values in (middles, rims))


def _cabinet(variant: Variant, random: np.random.Generator) -> dict[str, Spot]:
    """The cabinet facing the arm, with its plates on the shelves in shuffled order."""
    near, far, least, most = CABINET_AREA
    bearing = random.choice([-1.0, 1.0]) * random.uniform(least, most)
    distance = random.uniform(near, far)
    yaw = bearing + random.uniform(-0.12, 0.12)
    at = distance * np.array([np.cos(bearing), np.sin(bearing), 0.0])
    inwards = np.array([np.cos(yaw), np.sin(yaw), 0.0])
    frames = list(CABINET_PLATES)
    random.shuffle(frames)
    spots = {'cabinet': Spot(at, yaw)}
    asked = {'bottom': 0, 'middle': 1, 'top': 2}[variant.moved.place]
    for number, (frame, height) in enumerate(zip(frames, shapes.SHELVES, strict=True)):
        out = random.uniform(0.0, 0.008)
        if variant.goal is Goal.PUSH and number == asked:
            out = PULLED + random.uniform(-0.01, 0.0)
        spots[frame] = Spot(at - out * inwards + np.array([0.0, 0.0, height]), yaw)
    return spots


def others(variant: Variant, spots: Mapping[str, Spot],
           random: np.random.Generator) -> dict[str, Spot]:
    """Up to three things that no word of the instruction can mean, where there is room."""
    pool = _pool(variant, spots)
    count = int(random.integers(DISTRACTORS + 1))
    return _beside(spots, random.permutation(pool)[:count].tolist(), random, count)


def more(variant: Variant, spots: Mapping[str, Spot],
         random: np.random.Generator) -> dict[str, Spot]:
    """Up to six more of them, among all that stands there already."""
    frames = random.permutation(_pool(variant, spots)).tolist()
    return _beside(spots, frames, random, MORE_DISTRACTORS)


def _pool(variant: Variant, spots: Mapping[str, Spot]) -> list[str]:
    return [frame for frame in SHAPES if frame not in spots
            and frame not in _NEVER_BESIDE and not _mistakable(frame, variant)]


def _beside(spots: Mapping[str, Spot], frames: Sequence[str], random: np.random.Generator,
            most: int) -> dict[str, Spot]:
    added: dict[str, Spot] = {}
    for frame in frames:
        if len(added) == most:
            break
        spot = _spot(frame, OTHER_AREA, {**spots, **added}, random, turned=False)
        if spot is not None and not _before_cabinet(spot, frame, spots):
            added[frame] = spot
    return added


def _mistakable(frame: str, variant: Variant) -> bool:
    return any(frame in group and any(present in group for present in variant.present)
               for group in _ALIKE)


def _before_cabinet(spot: Spot, frame: str, spots: Mapping[str, Spot]) -> bool:
    if 'cabinet' not in spots:
        return False
    cabinet = spots['cabinet'].position
    angle = np.arctan2(spot.position[1], spot.position[0]) - np.arctan2(cabinet[1], cabinet[0])
    half = np.arcsin(min(1.0, SHAPES[frame].radius / np.hypot(*spot.position[:2])))
    return bool(abs(angle) < CORRIDOR + half)


def _about_z(yaw: float) -> Array:
    return np.array([0.0, 0.0, np.sin(yaw / 2.0), np.cos(yaw / 2.0)])

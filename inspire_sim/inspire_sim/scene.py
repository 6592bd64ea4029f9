# SPDX-License-Identifier: Apache-2.0
"""A task's table: what lies where, in which colours, under which light.

Everything random comes from (instruction, seed), through streams that do not know of each other:
leaving out the distractors, say, moves nothing else. Positions keep room for the open gripper
around what is to be grasped, and what an instruction tells apart by place is apart by a margin.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from zlib import crc32

import mujoco
import numpy as np
from numpy.typing import NDArray
from piper_driver.pose import Pose

from inspire_sim import shapes
from inspire_sim.objects import add_materials, add_object
from inspire_sim.room import add_room
from inspire_sim.shapes import SHAPES
from inspire_sim.tasks import CABINET_PLATES, Goal, Variant, viewer_right

Array = NDArray[np.float64]

GAP = 0.055            # least distance between the edges of two things [m]: a finger and some air
SIDE_MARGIN = 0.045    # of left, middle, right, along the viewer's y [m]
APART = 0.16            # least distance between the edges of two things that are to be near [m]
PULLED = 0.075         # how far a plate that is to be pushed in stands out [m]
DISTRACTORS = 3        # at most
TURN_LIMIT = np.radians(55.0)   # of a long object against the line to the arm

# Where the tool reaches: (least, most) distance from the arm's axis [m], angle to each side [rad].
MOVED_AREA = (0.24, 0.39, np.radians(46.0))
TARGET_AREA = (0.25, 0.39, np.radians(48.0))
OTHER_AREA = (0.21, 0.47, np.radians(62.0))
CABINET_AREA = (0.535, 0.56, np.radians(18.0), np.radians(40.0))  # to either side
CORRIDOR = np.radians(26.0)     # kept free in front of the cabinet, to each side

_ALIKE = (('orange', 'orange_cup'), ('plate', *CABINET_PLATES), ('bowl_1', 'bowl_2', 'bowl_3'))
_NEVER_BESIDE = ('cabinet', *CABINET_PLATES, 'bowl_2', 'bowl_3')

# Hue 0..1, saturation, value; and how far each may be off.
_COLOURS = {
    'ball': ((0.97, 0.78, 0.86), (0.04, 0.12, 0.10)), 'orange': ((0.078, 0.93, 0.97), (0.012, 0.05, 0.03)),
    'apple': ((0.995, 0.86, 0.76), (0.012, 0.08, 0.08)), 'watermelon': ((0.30, 0.55, 0.55), (0.02, 0.08, 0.08)),
    'banana': ((0.142, 0.82, 0.96), (0.012, 0.08, 0.03)), 'can': ((0.0, 0.85, 0.80), (0.06, 0.10, 0.10)),
    'plug': ((0.12, 0.05, 0.93), (0.3, 0.04, 0.05)), 'plate': ((0.11, 0.05, 0.95), (0.05, 0.03, 0.03)),
    'cookies': ((0.60, 0.85, 0.62), (0.05, 0.10, 0.10)), 'towel': ((0.52, 0.58, 0.66), (0.10, 0.12, 0.10)),
    'book': ((0.98, 0.72, 0.50), (0.05, 0.12, 0.08)), 'cabinet': ((0.09, 0.42, 0.80), (0.02, 0.10, 0.10)),
    'blue': ((0.615, 0.85, 0.75), (0.02, 0.08, 0.10)), 'green': ((0.37, 0.78, 0.62), (0.025, 0.10, 0.08)),
    'red': ((0.99, 0.86, 0.80), (0.012, 0.08, 0.08)), 'yellow': ((0.145, 0.86, 0.97), (0.012, 0.08, 0.03)),
    'orange_cup': ((0.065, 0.92, 0.97), (0.010, 0.05, 0.03)),
}


@dataclass(frozen=True)
class SceneObject:
    """frame: on TF; body: in MuJoCo; grasp: the frame in the body; position (3,) [m] and yaw [rad]:
    of the body at the start of the episode."""

    frame: str
    body: str
    grasp: Pose
    position: Array
    yaw: float

    @property
    def start(self) -> Pose:
        """The grasp frame in base_link at the start."""
        return Pose(self.position, _about_z(self.yaw)) @ self.grasp


@dataclass(frozen=True)
class Scene:
    """What `build_scene` put on the table; moved and target are the frames in the variant's roles."""

    variant: Variant
    objects: tuple[SceneObject, ...]
    moved: str
    target: str | None

    def object(self, frame: str) -> SceneObject:
        """The object of a frame. Raises KeyError naming those that exist."""
        for candidate in self.objects:
            if candidate.frame == frame:
                return candidate
        raise KeyError(f'no {frame} here; there are {", ".join(o.frame for o in self.objects)}')

    def place(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """Put every object where it starts, at rest."""
        for item in self.objects:
            joint = model.body(item.body).jntadr[0]
            if joint < 0:
                continue
            at, velocity = model.jnt_qposadr[joint], model.jnt_dofadr[joint]
            x, y, z, w = _about_z(item.yaw)
            data.qpos[at:at + 7] = [*item.position, w, x, y, z]
            data.qvel[velocity:velocity + 6] = 0.0


@dataclass(frozen=True)
class _Spot:
    """Where something stands: its underside's middle (3,), its yaw, the turn of its rim point."""

    position: Array
    yaw: float
    turn: float = 0.0


def build_scene(spec: mujoco.MjSpec, variant: Variant, seed: int, viewer_yaw: float,
                distractors: bool = True) -> Scene:
    """Add table, objects, light and background to the spec; all of it follows from variant and seed."""
    if seed < 0:
        raise ValueError(f'seed is {seed}; valid: 0 and above')
    spots = _layout(variant, _stream(variant, seed, 'layout'), viewer_yaw)
    if distractors:
        spots |= _beside(variant, spots, _stream(variant, seed, 'distractors'))
    add_room(spec, _stream(variant, seed, 'room'))
    add_materials(spec)
    objects = []
    for frame, spot in spots.items():
        random = _stream(variant, seed, f'colour of {_lot(frame)}')
        body = add_object(spec, frame, _colour(frame, random), random, spot.position, spot.yaw)
        objects.append(SceneObject(frame, body, SHAPES[frame].grasp(spot.turn), spot.position,
                                   spot.yaw))
    starts = {item.frame: item.start.position for item in objects}
    return Scene(variant, tuple(objects), variant.moved.resolve(starts, viewer_yaw),
                 variant.target.resolve(starts, viewer_yaw) if variant.target else None)


def _stream(variant: Variant, seed: int, purpose: str) -> np.random.Generator:
    return np.random.default_rng([seed, crc32(variant.instruction.encode()), crc32(purpose.encode())])


def _layout(variant: Variant, random: np.random.Generator, viewer_yaw: float) -> dict[str, _Spot]:
    if 'cabinet' in variant.present:
        return _cabinet(variant, random)
    for _ in range(2000):
        spots = _attempt(variant, random)
        if spots and _told_apart(variant, spots, viewer_yaw):
            return spots
    raise RuntimeError(f'found no room for {variant.instruction!r}')


def _attempt(variant: Variant, random: np.random.Generator) -> dict[str, _Spot] | None:
    """Everything the task needs, the largest first, or None where something found no room."""
    spots: dict[str, _Spot] = {}
    side = random.choice([-1.0, 1.0])
    targets = variant.target.candidates if variant.target else ()
    alike = list(variant.present)
    random.shuffle(alike)
    for frame in sorted(alike, key=lambda name: -SHAPES[name].radius):
        area = TARGET_AREA if frame in targets else MOVED_AREA
        spot = _spot(frame, area, spots, random, side, grasped=frame in variant.moved.candidates)
        if spot is None:
            return None
        spots[frame] = spot
    return spots


def _spot(frame: str, area: tuple[float, float, float], spots: Mapping[str, _Spot],
          random: np.random.Generator, side: float, grasped: bool) -> _Spot | None:
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
            # The rim point lies to one side, where the fingers, which open sideways, straddle it.
            yaw = turn * np.pi
            return _Spot(position, yaw, bearing + side * np.pi / 2 + turn * 0.25 - yaw)
        reach = TURN_LIMIT if grasped and shape.grip == 'across' else np.pi / 2
        return _Spot(position, bearing + turn * reach + flip)
    return None


def _free(position: Array, radius: float, spots: Mapping[str, _Spot]) -> bool:
    return all(np.hypot(*(position - spot.position)[:2]) >= radius + SHAPES[other].radius + GAP
               for other, spot in spots.items())


def _told_apart(variant: Variant, spots: Mapping[str, _Spot], viewer_yaw: float) -> bool:
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
    rims = {frame: float((_grasp(frame, spots[frame])).position @ axis) for frame in middles}
    same = sorted(middles, key=middles.__getitem__) == sorted(rims, key=rims.__getitem__)
    return same and all(np.diff(sorted(values.values())).min() >= SIDE_MARGIN
                        for values in (middles, rims))


def _grasp(frame: str, spot: _Spot) -> Pose:
    return Pose(spot.position, _about_z(spot.yaw)) @ SHAPES[frame].grasp(spot.turn)


def _cabinet(variant: Variant, random: np.random.Generator) -> dict[str, _Spot]:
    """The cabinet facing the arm, with its plates on the shelves in shuffled order."""
    near, far, least, most = CABINET_AREA
    bearing = random.choice([-1.0, 1.0]) * random.uniform(least, most)
    distance = random.uniform(near, far)
    yaw = bearing + random.uniform(-0.12, 0.12)
    at = distance * np.array([np.cos(bearing), np.sin(bearing), 0.0])
    inwards = np.array([np.cos(yaw), np.sin(yaw), 0.0])
    frames = list(CABINET_PLATES)
    random.shuffle(frames)
    spots = {'cabinet': _Spot(at, yaw)}
    asked = {'bottom': 0, 'middle': 1, 'top': 2}[variant.moved.place]
    for number, (frame, height) in enumerate(zip(frames, shapes.SHELVES, strict=True)):
        out = random.uniform(0.0, 0.008)
        if variant.goal is Goal.PUSH and number == asked:
            out = PULLED + random.uniform(-0.01, 0.0)
        spots[frame] = _Spot(at - out * inwards + np.array([0.0, 0.0, height]), yaw)
    return spots


def _beside(variant: Variant, spots: Mapping[str, _Spot],
            random: np.random.Generator) -> dict[str, _Spot]:
    """Up to three things that no word of the instruction can mean, where there is room."""
    pool = [frame for frame in SHAPES if frame not in variant.present
            and frame not in _NEVER_BESIDE and not _mistakable(frame, variant)]
    count = int(random.integers(DISTRACTORS + 1))
    added: dict[str, _Spot] = {}
    for frame in random.permutation(pool)[:count].tolist():
        spot = _spot(frame, OTHER_AREA, {**spots, **added}, random, 1.0, grasped=False)
        if spot is not None and not _before_cabinet(spot, frame, spots):
            added[frame] = spot
    return added


def _mistakable(frame: str, variant: Variant) -> bool:
    return any(frame in group and any(present in group for present in variant.present)
               for group in _ALIKE)


def _before_cabinet(spot: _Spot, frame: str, spots: Mapping[str, _Spot]) -> bool:
    if 'cabinet' not in spots:
        return False
    cabinet = spots['cabinet'].position
    angle = np.arctan2(spot.position[1], spot.position[0]) - np.arctan2(cabinet[1], cabinet[0])
    half = np.arcsin(min(1.0, SHAPES[frame].radius / np.hypot(*spot.position[:2])))
    return bool(abs(angle) < CORRIDOR + half)


def _lot(frame: str) -> str:
    """What shares one colour: the three bowls, the cabinet's three plates."""
    return frame[:-2] if frame[-1].isdigit() else frame


def _colour(frame: str, random: np.random.Generator) -> tuple[float, float, float]:
    if frame.startswith('bowl'):
        return hsv(random.choice([0.03, 0.10, 0.50, 0.56, 0.72]), random.uniform(0.30, 0.55),
                   random.uniform(0.55, 0.80))
    if frame.startswith('plate_'):
        return hsv(random.uniform(0.0, 1.0), random.uniform(0.03, 0.16), 0.95)
    key = frame if frame in _COLOURS else frame.split('_')[0]
    middle, spread = _COLOURS[key]
    hue, saturation, value = np.array(middle) + np.array(spread) * random.uniform(-1.0, 1.0, 3)
    return hsv(float(hue), float(saturation), float(value))


def hsv(hue: float, saturation: float, value: float) -> tuple[float, float, float]:
    """Red, green, blue (0..1) of hue (a full turn is 1), saturation and value (0..1)."""
    wheel = (np.array([5.0, 3.0, 1.0]) + 6.0 * hue) % 6.0
    share = np.clip(np.minimum(wheel, 4.0 - wheel), 0.0, 1.0)
    red, green, blue = np.clip(value, 0.0, 1.0) * (1.0 - np.clip(saturation, 0.0, 1.0) * share)
    return float(red), float(green), float(blue)


def _about_z(yaw: float) -> Array:
    return np.array([0.0, 0.0, np.sin(yaw / 2.0), np.cos(yaw / 2.0)])

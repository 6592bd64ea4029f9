# SPDX-License-Identifier: Apache-2.0
"""Where the tcp has to be: to grasp an object, to let it go, to move over what is between.

Poses are of the tcp in base_link. Objects are given by their frames and their `Shape`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspire_sim import reach, shapes
from inspire_sim.shapes import SHAPES, Shape
from piper_driver.pose import Pose

Array = NDArray[np.float64]

CORRIDOR = 0.07         # to each side of a path, in which things are moved over [m]
BESIDE = 0.028          # between the edges of a thing and the one it is put near [m]
FINGER = 0.062          # from the edge of what is let go to the next thing: an open finger [m]
DROP = 0.003            # height above its seat at which a thing is let go [m]
NESTING_DROP = 0.010    # the same for bowls: fingers reach below the upper one's rim

_SHELF_LEANS = np.radians([62.0, 70.0, 75.0])    # of the tool, at the handles of the three shelves
# A plate's frame in the cabinet's frame, along its x, when the plate is in.
_IN = SHAPES['plate_1'].frame[0] - SHAPES['cabinet'].frame[0]
_HANDLES = np.array(shapes.SHELVES) + SHAPES['plate_1'].frame[2]


@dataclass(frozen=True, eq=False)
class Hold:
    """Where the tcp was when the fingers closed, and what they hold: its frame in the tcp."""

    at: Pose
    held: Pose

    def carried(self, position: Array, turn: float = 0.0) -> Pose:
        """The tcp's pose at `position` on the way, turned by `turn` [rad] about z."""
        return made(position, reach.carried(self.at.rotation, self.at.position, position,
                                            reach.lean(position), turn))


def grasp(shape: Shape, frame: Pose, attempt: int = 0) -> Pose:
    """To close the fingers on what has its frame at `frame`; a later attempt turns a little."""
    position, axes = frame.position, frame.rotation
    if shape.grip == 'rim':
        # The fingers follow the slope of the wall, whose outside faces a little downwards.
        slope = np.cos(shape.lean) * axes[:, 0] - np.sin(shape.lean) * axes[:, 2]
        opening = reach.nearest_sideways(slope, position)
    elif shape.grip == 'round':
        turn = 0.35 * ((attempt + 1) // 2) * (-1) ** attempt
        opening = reach.about(reach.UP, turn) @ reach.sideways(position)
    else:
        choices = [axes[:, 1]] if shape.grip == 'across' else [axes[:, 0], axes[:, 1]]
        if abs(axes[2, 1]) > 0.7:    # it lies on its side
            choices = [axes[:, 2]]
        level = [_level(reach.nearest_sideways(axis, position)) for axis in choices]
        opening = max(level, key=lambda axis: float(axis @ reach.sideways(position)))
    return made(position, reach.level_tool(opening, position))


def handle(frame: Pose, inwards: Array) -> Pose:
    """At the handle of a cabinet's plate, from the front; inwards: unit vector (3,)."""
    opening = reach.nearest_sideways(frame.rotation[:, 1], frame.position)
    leaning = float(np.interp(frame.position[2], _HANDLES, _SHELF_LEANS))
    direction = np.sin(leaning) * inwards - np.cos(leaning) * reach.UP
    return made(frame.position, reach.tool(_level(opening), direction))


def stands_out(plate: Pose, cabinet: Pose) -> float:
    """How far a cabinet's plate stands out of it [m]."""
    return _IN - float((plate.position - cabinet.position) @ cabinet.rotation[:, 0])


def release(shape: Shape, hold: Hold, spot: Array, turn: float = 0.0) -> Pose:
    """Where what is held stands on `spot` (3,) with the middle of its underside."""
    start = hold.at.position
    position = np.array([*spot[:2], start[2]])
    rotation = hold.at.rotation
    for _ in range(4):    # the tool's rotation depends on where it is
        leaning = max(reach.present_lean(hold.at.rotation, start), reach.least_lean(position))
        rotation = reach.carried(hold.at.rotation, start, position, leaning, turn)
        position = spot - rotation @ foot(shape, hold.held, rotation.T @ reach.UP)
    return made(position, rotation)


def alignment(shape: Shape, hold: Hold, target: Pose) -> float:
    """How far to turn what is held about z, so that it is aligned with `target` [rad]."""
    swing = reach.bearing(target.position) - reach.bearing(hold.at.position)
    present = _yaw((hold.at @ hold.held).rotation[:, 0]) + swing
    period = np.pi / 2 if shape.grip == 'square' else np.pi
    turns = (_yaw(target.rotation[:, 0]) - present) % period + period * np.arange(-2, 2)
    gripper = _yaw(hold.at.rotation[:, 1]) - _yaw(reach.sideways(hold.at.position))
    gripper = (gripper + np.pi) % (2 * np.pi) - np.pi
    return float(min(turns, key=lambda turn: abs(gripper + turn)))


def on(target: str, frame: Pose, nested: bool) -> Array:
    """The spot (3,) on a target, a little above where things rest on it."""
    shape = SHAPES[target]
    drop = NESTING_DROP if nested else DROP
    return np.asarray(shape.base(frame) + (shape.seat + drop) * reach.UP)


def beside(objects: Mapping[str, Pose], moved: str, target: str) -> Array:
    """A free spot (3,) on the table next to the target, the one nearest to where `moved` is."""
    middle, now = objects[target].position, objects[moved].position
    gap = SHAPES[target].radius + SHAPES[moved].radius + BESIDE
    angles = np.linspace(-np.pi, np.pi, 72, endpoint=False)
    spots = [np.array([middle[0] + gap * np.cos(angle), middle[1] + gap * np.sin(angle), DROP])
             for angle in angles]
    others = [frame for frame in objects if frame not in (moved, target)]

    def awkwardness(spot: Array) -> float:
        distance = _across(spot, np.zeros(3))
        cost = _across(spot, now) + 0.1 * abs(reach.bearing(spot))
        cost += 20.0 * (max(0.0, 0.23 - distance) + max(0.0, distance - 0.40))
        return cost + 20.0 * sum(max(0.0, SHAPES[frame].radius + SHAPES[moved].radius + FINGER
                                     - _across(objects[frame].position, spot)) for frame in others)

    return min(spots, key=awkwardness)


def tallest(objects: Mapping[str, Pose], start: Array, end: Array,
            besides: Iterable[str]) -> float:
    """The height of the tallest thing on the way, apart from some [m]; 0 where there is none."""
    heights = [0.0]
    for frame, pose in objects.items():
        shape = SHAPES[frame]
        if frame in besides or frame == 'cabinet' or shape.grip == 'tab':
            continue
        if _beside_path(pose.position, start, end) < shape.radius + CORRIDOR:
            heights.append(float(shape.base(pose)[2]) + shape.height)
    return max(heights)


def midway(hold: Hold, end: Array, height: float, turn: float) -> Pose:
    """Half the way of what is carried: on an arc about the arm, with half the turn."""
    start = hold.at.position
    bearings = (reach.bearing(start), reach.bearing(end))
    distance = float(np.hypot(*start[:2]) + np.hypot(*end[:2])) / 2.0
    angle = sum(bearings) / 2.0
    position = np.array([distance * np.cos(angle), distance * np.sin(angle), height])
    return hold.carried(position, turn / 2.0)


def foot(shape: Shape, frame: Pose, up: Array = reach.UP) -> Array:
    """The middle of the underside (3,) of a thing with its grasp frame at `frame`; up: a unit
    vector, in the same coordinates. Of a tray it is the point under its middle, of a ball the
    lowest one."""
    if shape.rolls:
        return np.asarray(frame.position - shape.frame[2] * up)
    if shape.grip in ('rim', 'tab'):
        return shape.base(frame)
    return np.asarray(frame.position - shape.frame[2] * frame.rotation[:, 2])


def neutral(position: Array) -> Pose:
    """The gripper opening sideways at a position: from there it turns either way."""
    return made(position, reach.level_tool(reach.sideways(position), position))


def lifted(pose: Pose, height: float) -> Pose:
    """Straight above, at a height, leaning as the tool does there."""
    position = np.array([*pose.position[:2], height])
    leaning = max(reach.lean(position), reach.present_lean(pose.rotation, pose.position))
    return made(position, reach.carried(pose.rotation, pose.position, position, leaning))


def backwards(pose: Pose, distance: float) -> Pose:
    """Drawn back along the tool."""
    return Pose(pose.position - distance * pose.rotation[:, 2], pose.quaternion)


def made(position: Array, rotation: Array) -> Pose:
    """A pose from position (3,) and rotation (3, 3)."""
    matrix = np.eye(4)
    matrix[:3, :3] = rotation
    matrix[:3, 3] = position
    return Pose.from_matrix(matrix)


def _level(axis: Array) -> Array:
    flat = np.array([axis[0], axis[1], 0.0])
    return np.asarray(flat / np.linalg.norm(flat))


def _yaw(axis: Array) -> float:
    return float(np.arctan2(axis[1], axis[0]))


def _across(point: Array, other: Array) -> float:
    return float(np.hypot(point[0] - other[0], point[1] - other[1]))


def _beside_path(point: Array, start: Array, end: Array) -> float:
    """Horizontal distance of a point from the straight path [m]."""
    along = (end - start)[:2]
    length = float(along @ along)
    share = float(np.clip((point - start)[:2] @ along / length, 0.0, 1.0)) if length > 0 else 0.0
    return float(np.hypot(*(point[:2] - start[:2] - share * along)))

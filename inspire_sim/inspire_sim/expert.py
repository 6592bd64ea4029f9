# SPDX-License-Identifier: Apache-2.0
"""A scripted expert that solves every task from the truth, and says what it is doing.

It works in stages of a few legs each. Fetching an object is approach, descend, close; what follows
depends on the goal. Every plan is made anew from what is true now, so that a miss or a drop is
noticed and the object is fetched again.

It reads only `Truth` and the variant, no physics engine, so it runs wherever object frames are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from piper_driver.pose import Pose

from inspire_sim import reach, shapes
from inspire_sim.motion import CAREFUL, Leg, Mover
from inspire_sim.shapes import SHAPES, Shape
from inspire_sim.tasks import Goal, Variant

if TYPE_CHECKING:
    from inspire_sim.world import Truth

Array = NDArray[np.float64]

ABOVE = 0.085           # of the approach above the grasp [m]
OVER = 0.03             # between what moves and what it moves over [m]
CORRIDOR = 0.07         # to each side of a path, in which things are moved over [m]
LIFT = 0.125            # of a picked object [m]
BESIDE = 0.035          # between the edges of a thing and the one it is put near [m]
DRAW = 0.068            # of a plate out of the cabinet [m]
BACK = 0.07             # of the approach to a handle, along the tool [m]
BEHIND = 0.055          # of the closed gripper from the handle's frame, before it pushes [m]
TOUCHING = 0.024        # between tcp and a handle's frame when the fingertips touch it [m]
ATTEMPTS = 6

_SHELF_LEANS = np.radians([62.0, 70.0, 75.0])    # of the tool, at the handles of the three shelves
_HANDLES = np.array(shapes.SHELVES) + SHAPES['plate_1'].frame[2]
# A plate's frame in the cabinet's frame, along its x, when the plate is in.
_IN = SHAPES['plate_1'].frame[0] - SHAPES['cabinet'].frame[0]


@dataclass(frozen=True, eq=False)
class _Hold:
    """Where the tcp was when the fingers closed, and what they hold: its frame in the tcp."""

    at: Pose
    held: Pose


class Expert:
    """Plans chunks of actions for one variant, from the truth.

    `phase` is a word for what it does now; `done` says that it has nothing left to do.
    """

    def __init__(self, variant: Variant, viewer_yaw: float = 0.0) -> None:
        """Take on `variant`; viewer_yaw [rad] decides what is left and right."""
        self.variant = variant
        self.phase = 'start'
        self.done = False
        self._viewer_yaw = viewer_yaw
        self._roles: tuple[str, str | None] | None = None
        self._mover: Mover | None = None
        self._attempt = 0
        self._hold: _Hold | None = None
        self._placing: Pose | None = None
        self._missed = 0
        self._enter(self._push if variant.goal is Goal.PUSH else self._fetch)

    @property
    def moved(self) -> str:
        """The frame of the object to be moved. Raises RuntimeError before the first plan."""
        return self._known_roles[0]

    @property
    def target(self) -> str | None:
        """The frame of the object to move it to. Raises RuntimeError before the first plan."""
        return self._known_roles[1]

    def plan(self, truth: Truth, steps: int = 8, commanded: Pose | None = None) -> Array:
        """The next actions (steps, 7); all are to be carried out before the next call.

        commanded: the pose that the actions will be integrated on; without it, where the actions
        so far lead. Raises KeyError when an object of the task is missing from the truth.
        """
        if self._roles is None:
            self._roles = self._resolved(truth)
        if self._mover is None:
            self._mover = Mover(commanded or truth.tcp)
        if commanded is not None:
            self._mover.pose = commanded
        self._notice(truth)
        legs = self._stage(truth)
        return np.array([self._act(legs, self._mover) for _ in range(steps)])

    def _act(self, legs: list[Leg], mover: Mover) -> Array:
        """One action along the legs of the present stage; after the last, hold."""
        leg = legs[min(self._leg, len(legs) - 1)]
        if not self._over:
            self.phase = leg.phase
        action = mover.step(leg)
        if mover.arrived(leg) and not self._over:
            self._waited += 1
            if leg.passing or self._waited > leg.wait:
                self._leg, self._waited = self._leg + 1, 0
                self._over = self._leg >= len(legs)
        return action

    # Stages: what to do next, given the truth ------------------------------------------------

    def _notice(self, truth: Truth) -> None:
        """Change the stage where the truth calls for it."""
        held = self.moved in truth.grasped
        if self._stage == self._fetch:
            if self._over and held:
                self._take(truth)
            elif self._over:
                self._again()
        elif self.phase in ('lift', 'carry', 'lower', 'pull', 'hold'):
            self._missed = 0 if held else self._missed + 1
            if self._missed >= 2:
                self._again()
            elif self.variant.goal is Goal.PICK and self._over:
                self.done, self.phase = True, 'hold'
        elif self._over and not self.done:
            if self._achieved(truth) or self._attempt >= ATTEMPTS:
                self.done, self.phase = True, 'done'
            else:
                self._again()

    def _take(self, truth: Truth) -> None:
        """The fingers have closed on the object: go on with it."""
        self._hold = _Hold(truth.tcp, truth.tcp.inverse() @ truth.objects[self.moved])
        self._enter({Goal.PICK: self._lift, Goal.PULL: self._draw}.get(
            self.variant.goal, self._deliver))

    def _again(self) -> None:
        self._attempt += 1
        self.done = False
        self._enter(self._push if self.variant.goal is Goal.PUSH else self._fetch)

    def _enter(self, stage: Callable[[Truth], list[Leg]]) -> None:
        self._stage, self._leg, self._waited, self._over, self._missed = stage, 0, 0, False, 0
        self._placing = None

    def _fetch(self, truth: Truth) -> list[Leg]:
        """To the object, with fingers around it, and close them."""
        shape = self._shape
        if shape.grip == 'tab':
            grasp = self._at_handle(truth)
            above = _backwards(grasp, BACK)
        else:
            grasp = self._grasp(truth.objects[self.moved])
            height = max(grasp.position[2] + ABOVE,
                         self._tallest(truth, truth.tcp.position, grasp.position) + OVER)
            above = _lifted(grasp, min(height, 0.20))
        squeezed = max(0.0, shape.width - 0.015)
        legs = [Leg('approach', above, shape.opening),
                Leg('descend', grasp, shape.opening, CAREFUL, wait=2),
                Leg('close', grasp, squeezed, wait=8)]
        return [*self._away(truth), *legs] if self._attempt else legs

    def _away(self, truth: Truth) -> list[Leg]:
        """Out of the way, before the next attempt; in the legs from the second attempt on."""
        pose = self._start_of_attempt(truth)
        if self._shape.grip == 'tab':
            return [Leg('back off', _backwards(pose, BACK), 0.05, CAREFUL)]
        return [Leg('back off', _lifted(pose, max(pose.position[2], 0.13)), 0.06, CAREFUL)]

    def _start_of_attempt(self, truth: Truth) -> Pose:
        if self._leg == 0 and self._waited == 0 and self._placing is None:
            self._placing = truth.tcp
        return self._placing or truth.tcp

    def _lift(self, truth: Truth) -> list[Leg]:
        """Straight up, and keep it there."""
        at = self._known_hold.at
        goal = self._carried(np.array([*at.position[:2], at.position[2] + LIFT]))
        return [Leg('lift', goal, self._squeezed, wait=4)]

    def _deliver(self, truth: Truth) -> list[Leg]:
        """Up, over to the target, down, let go, leave."""
        hold = self._known_hold
        if self.phase in ('close', 'lift', 'carry'):
            # It may have shifted in the hand, and the target may have been pushed.
            self._hold = hold = _Hold(hold.at, truth.tcp.inverse() @ truth.objects[self.moved])
            self._placing = self._placement(truth, hold)
        assert self._placing is not None
        place, start = self._placing, hold.at.position
        over = self._tallest(truth, start, place.position) + OVER + self._hanging(hold)
        height = float(np.clip(over, max(place.position[2] + 0.05, start[2] + 0.07), 0.22))
        opened = self._shape.opening
        return [
            Leg('lift', self._carried(np.array([*start[:2], height])), self._squeezed, CAREFUL + 0.05,
                passing=True),
            Leg('carry', self._carried(np.array([*place.position[:2], height]),
                                       self._turn(truth, hold)), self._squeezed),
            Leg('lower', place, self._squeezed, CAREFUL, wait=2),
            Leg('open', place, opened, wait=5),
            Leg('leave', _lifted(place, place.position[2] + 0.09), opened, CAREFUL + 0.05)]

    def _draw(self, truth: Truth) -> list[Leg]:
        """Out of the cabinet by its handle, and leave it."""
        at = self._known_hold.at
        out = Pose(at.position - DRAW * self._inwards(truth), at.quaternion)
        return [Leg('pull', out, self._squeezed, CAREFUL, wait=2),
                Leg('open', out, self._shape.opening, wait=5),
                Leg('leave', _backwards(out, BACK), self._shape.opening, CAREFUL)]

    def _push(self, truth: Truth) -> list[Leg]:
        """Into the cabinet with closed fingers, and leave it."""
        inwards = self._inwards(truth)
        handle = self._at_handle(truth)
        behind = Pose(handle.position - BEHIND * inwards, handle.quaternion)
        reached = float((handle.position - truth.tcp.position) @ inwards)
        touching = reached if 0.012 < reached < 0.032 else TOUCHING
        goal = Pose(handle.position + (self._out(truth) - touching) * inwards, handle.quaternion)
        if self.phase == 'leave' and self._placing is not None:
            goal = self._placing
        self._placing = goal
        return [Leg('approach', _backwards(behind, BACK), 0.0),
                Leg('descend', behind, 0.0, CAREFUL),
                Leg('push', goal, 0.0, CAREFUL * 0.8, wait=3),
                Leg('leave', _backwards(goal, BACK + 0.02), 0.0, CAREFUL)]

    # Where to hold and where to put things ---------------------------------------------------

    def _grasp(self, frame: Pose) -> Pose:
        """The tcp's pose to grasp what has its frame at `frame`."""
        shape, position, axes = self._shape, frame.position, frame.rotation
        if shape.grip == 'rim':
            # The fingers follow the slope of the wall, whose outside faces a little downwards.
            opening = np.cos(shape.lean) * axes[:, 0] - np.sin(shape.lean) * axes[:, 2]
            opening = reach.nearest_sideways(opening, position)
        elif shape.grip == 'round':
            turn = 0.35 * ((self._attempt + 1) // 2) * (-1) ** self._attempt
            opening = reach.about(reach.UP, turn) @ reach.sideways(position)
        else:
            choices = [axes[:, 1]] if shape.grip == 'across' else [axes[:, 0], axes[:, 1]]
            flat = [_flattened(reach.nearest_sideways(axis, position)) for axis in choices]
            opening = max(flat, key=lambda axis: float(axis @ reach.sideways(position)))
        return _pose(position, reach.level_tool(opening, position))

    def _at_handle(self, truth: Truth) -> Pose:
        """The tcp's pose at the handle of the plate that is to be moved."""
        frame = truth.objects[self.moved]
        opening = reach.nearest_sideways(frame.rotation[:, 1], frame.position)
        leaning = float(np.interp(frame.position[2], _HANDLES, _SHELF_LEANS))
        direction = np.sin(leaning) * self._inwards(truth) - np.cos(leaning) * reach.UP
        return _pose(frame.position, reach.tool(_flattened(opening), direction))

    def _placement(self, truth: Truth, hold: _Hold) -> Pose:
        """The tcp's pose from which what is held is let go."""
        turn = self._turn(truth, hold)
        spot = self._spot(truth)
        position = np.array([*spot[:2], hold.at.position[2]])
        for _ in range(4):    # the tool's rotation depends on where it is
            leaning = max(reach.present_lean(hold.at.rotation, hold.at.position),
                          reach.least_lean(position))
            rotation = reach.carried(hold.at.rotation, hold.at.position, position, leaning, turn)
            position = spot - rotation @ self._support(hold, rotation)
        return _pose(position, rotation)

    def _support(self, hold: _Hold, rotation: Array) -> Array:
        """The point of what is held, in the tcp, that is to come to the spot on the target."""
        shape, held = self._shape, hold.held
        if shape.grip == 'round' and shape.height < 0.06:   # a ball, however it lies
            return held.position - shape.frame[2] * (rotation.T @ reach.UP)
        if shape.grip == 'rim':
            return shape.base(held)
        return held.position - held.rotation @ np.array([0.0, 0.0, shape.frame[2]])

    def _spot(self, truth: Truth) -> Array:
        """Where the middle of the moved object's underside is to be, (3,)."""
        assert self.target is not None
        shape, frame = SHAPES[self.target], truth.objects[self.target]
        if self.variant.goal is Goal.NEAR:
            return self._beside(truth)
        base = shape.base(frame)
        # Nested bowls are let go a little higher: the fingers reach below the upper one's rim.
        drop = 0.010 if shape.grip == 'rim' else 0.003
        return np.asarray(base + (shape.seat + drop) * reach.UP)

    def _beside(self, truth: Truth) -> Array:
        """A free place next to the target, the one nearest to where the object is."""
        assert self.target is not None
        target = truth.objects[self.target].position
        now = truth.objects[self.moved].position
        gap = SHAPES[self.target].radius + self._shape.radius + BESIDE
        angles = np.arctan2(*(now - target)[1::-1]) + np.linspace(-np.pi, np.pi, 48)
        spots = [np.array([target[0] + gap * np.cos(angle), target[1] + gap * np.sin(angle), 0.003])
                 for angle in angles]
        return min(spots, key=lambda spot: self._awkwardness(truth, spot, now))

    def _awkwardness(self, truth: Truth, spot: Array, now: Array) -> float:
        distance = float(np.hypot(*spot[:2]))
        cost = float(np.hypot(*(spot - now)[:2])) + 0.1 * abs(reach.bearing(spot))
        cost += 20.0 * (max(0.0, 0.23 - distance) + max(0.0, distance - 0.40))
        for frame, pose in truth.objects.items():
            if frame not in (self.moved, self.target):
                near = float(np.hypot(*(pose.position - spot)[:2]))
                cost += 20.0 * max(0.0, SHAPES[frame].radius + self._shape.radius + 0.062 - near)
        return cost

    def _turn(self, truth: Truth, hold: _Hold) -> float:
        """How far to turn what is held about z, so that it is aligned with what it is stacked on."""
        grip = self._shape.grip
        if self.variant.goal is not Goal.STACK or grip not in ('square', 'across'):
            return 0.0
        assert self.target is not None
        spot = truth.objects[self.target]
        swing = reach.bearing(spot.position) - reach.bearing(hold.at.position)
        present = _yaw((hold.at @ hold.held).rotation) + swing
        period = np.pi / 2 if grip == 'square' else np.pi
        turns = (_yaw(spot.rotation) - present) % period + period * np.arange(-2, 2)
        gripper = _yaw_of(hold.at.rotation[:, 1]) - _yaw_of(reach.sideways(hold.at.position))
        gripper = (gripper + np.pi) % (2 * np.pi) - np.pi
        return float(min(turns, key=lambda turn: abs(gripper + turn)))

    def _carried(self, position: Array, turn: float = 0.0) -> Pose:
        at = self._known_hold.at
        return _pose(position, reach.carried(at.rotation, at.position, position,
                                             reach.lean(position), turn))

    def _hanging(self, hold: _Hold) -> float:
        """How far what is held reaches below the tcp [m]."""
        return float(max(hold.at.position[2] - 0.0, self._shape.frame[2]))

    def _tallest(self, truth: Truth, start: Array, end: Array) -> float:
        """The height of the tallest thing on the way, apart from the moved one [m]."""
        heights = [0.0]
        for frame, pose in truth.objects.items():
            if frame in (self.moved, 'cabinet') or SHAPES[frame].grip == 'tab':
                continue
            if _beside_path(pose.position, start, end) < SHAPES[frame].radius + CORRIDOR:
                heights.append(SHAPES[frame].base(pose)[2] + SHAPES[frame].height)
        return max(heights)

    def _inwards(self, truth: Truth) -> Array:
        """Unit vector (3,) into the cabinet."""
        return truth.objects['cabinet'].rotation[:, 0]

    def _out(self, truth: Truth) -> float:
        """How far the moved plate stands out of the cabinet [m]."""
        cabinet = truth.objects['cabinet']
        frame = truth.objects[self.moved].position
        return _IN - float((frame - cabinet.position) @ self._inwards(truth))

    def _achieved(self, truth: Truth) -> bool:
        """Whether the object is where it was to be brought, as far as frames tell."""
        goal, frame = self.variant.goal, truth.objects[self.moved]
        if goal is Goal.PUSH:
            return self._out(truth) < 0.010
        if goal is Goal.PULL:
            return self._out(truth) > 0.060
        assert self.target is not None
        spot = self._spot(truth) if goal is not Goal.NEAR else None
        shape = self._shape
        middle = shape.base(frame) if shape.grip == 'rim' else frame.position
        if spot is None:
            target = truth.objects[self.target].position
            edge = SHAPES[self.target].radius + shape.radius + 0.055
            return bool(np.hypot(*(middle - target)[:2]) < edge)
        lowered = frame.position[2] - shape.frame[2] - spot[2]
        return bool(np.hypot(*(middle - spot)[:2]) < SHAPES[self.target].hold and lowered > -0.02)

    @property
    def _shape(self) -> Shape:
        return SHAPES[self.moved]

    @property
    def _squeezed(self) -> float:
        return max(0.0, self._shape.width - 0.015)

    @property
    def _known_roles(self) -> tuple[str, str | None]:
        if self._roles is None:
            raise RuntimeError('the expert has not planned yet; call plan(truth) first')
        return self._roles

    @property
    def _known_hold(self) -> _Hold:
        assert self._hold is not None    # stages that use it begin with _take
        return self._hold

    def _resolved(self, truth: Truth) -> tuple[str, str | None]:
        positions = {frame: pose.position for frame, pose in truth.objects.items()}
        target = self.variant.target
        return (self.variant.moved.resolve(positions, self._viewer_yaw),
                target.resolve(positions, self._viewer_yaw) if target else None)


def _lifted(pose: Pose, height: float) -> Pose:
    """The pose brought up to a height, leaning as the tool does there."""
    position = np.array([*pose.position[:2], height])
    leaning = max(reach.lean(position), reach.present_lean(pose.rotation, pose.position))
    return _pose(position, reach.carried(pose.rotation, pose.position, position, leaning))


def _backwards(pose: Pose, distance: float) -> Pose:
    return Pose(pose.position - distance * pose.rotation[:, 2], pose.quaternion)


def _flattened(axis: Array) -> Array:
    flat = np.array([axis[0], axis[1], 0.0])
    return np.asarray(flat / np.linalg.norm(flat))


def _pose(position: Array, rotation: Array) -> Pose:
    matrix = np.eye(4)
    matrix[:3, :3] = rotation
    matrix[:3, 3] = position
    return Pose.from_matrix(matrix)


def _yaw(rotation: Array) -> float:
    return float(np.arctan2(rotation[1, 0], rotation[0, 0]))


def _yaw_of(axis: Array) -> float:
    return float(np.arctan2(axis[1], axis[0]))


def _beside_path(point: Array, start: Array, end: Array) -> float:
    """Horizontal distance of a point from the straight path [m]."""
    along = (end - start)[:2]
    length = float(along @ along)
    share = float(np.clip((point - start)[:2] @ along / length, 0.0, 1.0)) if length > 0 else 0.0
    return float(np.hypot(*(point[:2] - start[:2] - share * along)))


def solved_phases() -> Iterable[str]:
    """Every word that `phase` may be, for those who show it."""
    return ('start', 'approach', 'descend', 'close', 'lift', 'carry', 'lower', 'open', 'leave',
            'pull', 'push', 'back off', 'hold', 'done')

# SPDX-License-Identifier: Apache-2.0
"""Whether a task's goal holds, as geometry: where things are, how fast they go, where the tcp is.

A goal is a list of conditions; the first that does not hold is said, with its number. Conditions
are such that a throw or a push past the goal does not meet them: what is picked must be in the
hand, what is placed must be let go, upright and at rest.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import mujoco
import numpy as np
from numpy.typing import NDArray

from inspire_sim.robot import FINGER_JOINTS, TCP
from inspire_sim.scene import Scene
from inspire_sim.shapes import SHAPES, Shape
from inspire_sim.tasks import Goal

Array = NDArray[np.float64]

LIFT = 0.08             # of a picked object above where it lay [m]
IN_HAND = 0.03          # most between tcp and the frame of what is held [m]
LET_GO = 0.045          # least between tcp and the frame of what is released [m]
NEAR = 0.06             # most between the edges of two things that are near [m]
PULLED_OUT = 0.05       # of a plate from where it was [m]
PUSHED_IN = 0.012       # most that a plate stands out when it is in [m]
SUPPORT = 0.016         # most between where a thing is and where it would rest, upwards [m]
REST_SPEED = 0.03       # [m/s]
HAND_SPEED = 0.15       # of what is held, against the tcp [m/s]
UPRIGHT = np.radians(20.0)
ALIGNED = np.radians(20.0)


@dataclass(frozen=True)
class Success:
    """Whether the goal holds now, and what is missing (or that nothing is)."""

    achieved: bool
    detail: str


@dataclass(frozen=True)
class _Thing:
    """An object now: origin (3,), axes (3, 3), its grasp frame's origin (3,) and velocity (3,)."""

    frame: str
    shape: Shape
    origin: Array
    axes: Array
    grasp: Array
    velocity: Array

    @property
    def middle(self) -> Array:
        """A point on its axis: what is placed must have this above the target's."""
        return self.grasp if self.shape.grip != 'rim' else self.origin

    @property
    def height(self) -> float:
        """How far the point that is held is above where the thing would rest on the table."""
        return float(self.grasp[2]) - self.shape.frame[2]

    @property
    def speed(self) -> float:
        return float(np.linalg.norm(self.velocity))


@dataclass(frozen=True)
class _Hand:
    """The gripper now: tcp (3,) [m], its velocity (3,) [m/s], total width [m]."""

    tcp: Array
    velocity: Array
    width: float


_Condition = tuple[bool, str]


def evaluate(scene: Scene, model: mujoco.MjModel, data: mujoco.MjData) -> Success:
    """Whether the scene's goal holds in `data`."""
    moved = _thing(scene, model, data, scene.moved)
    target = _thing(scene, model, data, scene.target) if scene.target else None
    hand = _hand(model, data)
    goal = scene.variant.goal
    if goal is Goal.PICK or target is None:
        conditions = _picked(moved, scene, hand)
    elif goal is Goal.NEAR:
        conditions = _near(moved, target, hand)
    elif goal is Goal.PULL:
        conditions = _pulled(moved, target, scene, hand)
    elif goal is Goal.PUSH:
        conditions = _pushed(moved, target)
    else:
        conditions = _placed(moved, target, hand, aligned=goal is Goal.STACK)
    for holds, missing in conditions:
        if not holds:
            return Success(False, missing)
    return Success(True, 'done')


def _picked(moved: _Thing, scene: Scene, hand: _Hand) -> Iterator[_Condition]:
    name = moved.frame
    rise = float(moved.grasp[2] - scene.object(name).start.position[2])
    yield rise >= LIFT, f'{name} is {_cm(rise)} above where it lay, needs {_cm(LIFT)}'
    away = float(np.linalg.norm(moved.grasp - hand.tcp))
    yield away <= IN_HAND, f'{name} is {_cm(away)} from the tcp, not in the hand'
    least, most = 0.6 * moved.shape.width, moved.shape.width + 0.008
    yield (least <= hand.width <= most,
           f'the gripper is {_cm(hand.width)} open, not closed on {name}')
    drift = float(np.linalg.norm(moved.velocity - hand.velocity))
    yield drift <= HAND_SPEED, f'{name} moves in the hand at {drift:.2f} m/s'


def _near(moved: _Thing, target: _Thing, hand: _Hand) -> Iterator[_Condition]:
    gap = _across(moved.middle - target.middle) - moved.shape.radius - target.shape.radius
    yield (gap <= NEAR, f'{moved.frame} is {_cm(gap)} from {target.frame}, '
                        f'needs {_cm(NEAR)} or less')
    yield (abs(moved.height) <= SUPPORT,
           f'{moved.frame} is {_cm(moved.height)} above the table')
    yield _upright(moved)
    yield from _left_alone(moved, hand)


def _placed(moved: _Thing, target: _Thing, hand: _Hand, aligned: bool) -> Iterator[_Condition]:
    name, on = moved.frame, target.frame
    apart = _across(moved.middle - target.origin)
    yield (apart <= target.shape.hold,
           f'{name} is {_cm(apart)} from the middle of {on}, needs {_cm(target.shape.hold)}')
    above = moved.height - float(target.origin[2]) - target.shape.seat
    yield (-0.012 <= above <= SUPPORT,
           f'{name} is {_cm(above)} from where it would rest on {on}')
    yield _upright(target)
    if moved.shape.grip != 'round':
        yield _upright(moved)
    if aligned and moved.shape.grip in ('square', 'across'):
        yield _aligned(moved, target)
    yield from _left_alone(moved, hand)


def _pulled(moved: _Thing, cabinet: _Thing, scene: Scene, hand: _Hand) -> Iterator[_Condition]:
    start = scene.object(moved.frame).position
    drawn = _stands_out(moved.origin, cabinet) - _stands_out(start, cabinet)
    yield (drawn >= PULLED_OUT,
           f'{moved.frame} is drawn out by {_cm(drawn)}, needs {_cm(PULLED_OUT)}')
    sunk = float(start[2] - moved.origin[2])
    yield abs(sunk) <= SUPPORT, f'{moved.frame} is {_cm(sunk)} below its shelf'
    yield from _left_alone(moved, hand)


def _pushed(moved: _Thing, cabinet: _Thing) -> Iterator[_Condition]:
    out = _stands_out(moved.origin, cabinet)
    yield (out <= PUSHED_IN,
           f'{moved.frame} stands {_cm(out)} out of the cabinet, needs {_cm(PUSHED_IN)} or less')
    aside = abs(float((moved.origin - cabinet.origin) @ cabinet.axes[:, 1]))
    yield aside <= 0.02, f'{moved.frame} is {_cm(aside)} beside its shelf'
    yield moved.speed <= REST_SPEED, f'{moved.frame} moves at {moved.speed:.2f} m/s'


def _left_alone(moved: _Thing, hand: _Hand) -> Iterator[_Condition]:
    away = float(np.linalg.norm(moved.grasp - hand.tcp))
    yield away >= LET_GO, f'the gripper is still {_cm(away)} from {moved.frame}'
    yield moved.speed <= REST_SPEED, f'{moved.frame} moves at {moved.speed:.2f} m/s'


def _upright(thing: _Thing) -> _Condition:
    tilt = float(np.arccos(np.clip(thing.axes[2, 2], -1.0, 1.0)))
    return tilt <= UPRIGHT, f'{thing.frame} is tilted by {np.degrees(tilt):.0f} degrees'


def _aligned(moved: _Thing, target: _Thing) -> _Condition:
    turn = _yaw(moved) - _yaw(target)
    period = np.pi / 2 if moved.shape.grip == 'square' else np.pi
    off = float(abs((turn + period / 2) % period - period / 2))
    return off <= ALIGNED, f'{moved.frame} is turned by {np.degrees(off):.0f} degrees'


def _stands_out(origin: Array, cabinet: _Thing) -> float:
    """How far a plate stands out of the cabinet, towards the arm [m]."""
    return -float((origin - cabinet.origin) @ cabinet.axes[:, 0])


def _yaw(thing: _Thing) -> float:
    return float(np.arctan2(thing.axes[1, 0], thing.axes[0, 0]))


def _across(offset: Array) -> float:
    return float(np.hypot(offset[0], offset[1]))


def _cm(metres: float) -> str:
    return f'{round(100.0 * metres, 1) + 0.0:.1f} cm'    # never -0.0


def _thing(scene: Scene, model: mujoco.MjModel, data: mujoco.MjData, frame: str) -> _Thing:
    item = scene.object(frame)
    body = model.body(item.body).id
    axes = data.xmat[body].reshape(3, 3).copy()
    origin = data.xpos[body].copy()
    velocity = np.zeros(6)
    mujoco.mj_objectVelocity(model, data, mujoco.mjtObj.mjOBJ_BODY, body, velocity, 0)
    offset = axes @ item.grasp.position
    return _Thing(frame, SHAPES[frame], origin, axes, origin + offset,
                  velocity[3:] + np.cross(velocity[:3], offset))


def _hand(model: mujoco.MjModel, data: mujoco.MjData) -> _Hand:
    site = model.site(TCP).id
    velocity = np.zeros(6)
    mujoco.mj_objectVelocity(model, data, mujoco.mjtObj.mjOBJ_SITE, site, velocity, 0)
    width = sum(float(data.joint(name).qpos[0]) for name in FINGER_JOINTS)
    return _Hand(data.site_xpos[site].copy(), velocity[3:], width)

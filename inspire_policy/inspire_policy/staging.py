# SPDX-License-Identifier: Apache-2.0
"""Puts a world in the middle of a task, as no motion of the arm does: plates half drawn, any of
the things in the hand, what is held above where it is to go. So that instants which an episode
only passes through are seen as often as one likes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inspire_sim import aims, reach
from inspire_sim.aims import Hold
from inspire_sim.corrector import Corrector, closed_on
from inspire_sim.shapes import SHAPES, Shape
from inspire_sim.tasks import CABINET_PLATES, Goal
from piper_driver.kinematics import HOME, solve
from piper_driver.pose import Pose

if TYPE_CHECKING:
    from inspire_sim.world import TableWorld

Array = NDArray[np.float64]

DRAWN = 0.085           # of a plate out of the cabinet, at most [m]
CLEAR = 0.005           # between a finger and what it is put around, at least [m]
CLOSING = 16            # steps until fingers have closed
SETTLING = 4            # steps until what was put elsewhere in the hand lies still in it
ASKEW = 0.6             # share of things that are taken hold of beside their middle, and turned
MISSED, TURNED = 0.02, 0.8      # by so much at most: to each side [m], about up [rad]
LIFTS = 3               # of what is held, one after the other
RISING, RISE = 8, 0.006     # steps, at most, of a lift; in each [m]
ASIDE = 0.004           # to either side in each of these steps, at most [m]
OWN = 0.6               # share of things in the hand, that are carried, that are those to be moved
NEAR, ABOVE = (0.015, 0.05), 0.12   # of where a thing goes: spread beside, at most above [m]
ELSEWHERE = 0.25        # share of places that have nothing to do with where a thing goes
TRIES = 8               # to find a place for the arm where it touches nothing


class Stagehand:
    """Moves things and the arm in a world; the expert knows who is who there."""

    def __init__(self, world: TableWorld, expert: Corrector, random: np.random.Generator) -> None:
        self._world, self._expert, self._random = world, expert, random

    def draw(self) -> None:
        """Each plate of a cabinet, half of the time, to any length out of it."""
        objects = self._world.truth().objects
        for frame in CABINET_PLATES:
            if 'cabinet' in objects and frame in objects and self._random.random() < 0.5:
                wanted = self._random.uniform(0.0, DRAWN)
                self._world.place_object(frame, drawn(frame, objects, objects[frame], wanted))

    def take(self, carried: bool) -> str:
        """Any of the things into the hand, on the table: which ('': none). First any way of taking
        hold, then any thing that is taken so and can be reached; often taken askew, as by one who
        does not know exactly where it is. carried: mostly the one to be moved."""
        world, random = self._world, self._random
        objects = world.truth().objects
        ways = random.permutation(sorted({SHAPES[frame].grip for frame in objects})).tolist()
        order = sorted(random.permutation(sorted(objects)).tolist(),
                       key=lambda frame: ways.index(SHAPES[frame].grip))
        if carried and random.random() < OWN:
            order.insert(0, self._expert.moved)
        for frame in order:
            shape = SHAPES[frame]
            if not 0.0 < shape.width < shape.opening - 2 * CLEAR:
                continue
            found = solve(self._askew(shape, grasp(frame, objects)), HOME)
            if found.converged and world.place_arm(found.q, shape.opening):
                self._wait(CLOSING, closed_on(shape))
                return frame
        return ''

    def _askew(self, shape: Shape, right: Pose) -> Pose:
        """How the arm takes hold of a thing: as it should, or beside that and turned."""
        random = self._random
        if random.random() >= ASKEW:
            return right
        missed, turned = (MISSED / 4.0, 0.0) if shape.grip == 'tab' else (MISSED, TURNED)
        aside = random.uniform(-missed, missed, 2)      # a handle is narrow
        turn = reach.about(reach.UP, random.uniform(-turned, turned))
        return aims.made(right.position + [*aside, 0.0], turn @ right.rotation)

    def lift(self, frame: str) -> Iterator[None]:
        """What is held, as it was taken, and lifted (a handle: drawn) bit by bit."""
        random, width = self._random, closed_on(SHAPES[frame])
        rise, most = np.array([0.0, 0.0, RISE]), ASIDE
        if SHAPES[frame].grip == 'tab':
            most = 0.0
            rise = -RISE * self._world.truth().objects['cabinet'].rotation[:, 0]
        yield
        for _ in range(LIFTS):
            aside = random.uniform(-most, most, 2)
            for _ in range(int(random.integers(1, RISING + 1))):
                self._world.step(np.array([*(rise + [*aside, 0.0]), 0.0, 0.0, 0.0, width]))
            yield

    def carry(self, frame: str) -> bool:
        """What is held to any place on its way; whether there is one for it."""
        world, width = self._world, self._world.arm_state().gripper_width
        for _ in range(TRIES):
            found = solve(self._carried(frame), HOME)
            if found.converged and world.place_arm(found.q, width, frame):
                self._wait(SETTLING, closed_on(SHAPES[frame]))
                return True
        return False

    def _carried(self, frame: str) -> Pose:
        """Where the tcp is then."""
        truth, random, expert = self._world.truth(), self._random, self._expert
        tcp, objects, shape = truth.tcp, truth.objects, SHAPES[frame]
        if shape.grip == 'tab':
            pose = objects[frame]
            way = drawn(frame, objects, pose, random.uniform(0.0, DRAWN)).position - pose.position
            return Pose(tcp.position + way, tcp.quaternion)
        hold = Hold(tcp, tcp.inverse() @ objects[frame])
        turn = random.normal() * 0.3
        target = expert.target
        if target is None or frame != expert.moved or random.random() < ELSEWHERE:
            angle, distance = random.uniform(-1.0, 1.0), random.uniform(0.20, 0.42)
            return hold.carried(np.array([distance * np.cos(angle), distance * np.sin(angle),
                                          random.uniform(0.06, 0.25)]), turn)
        goal, aligned = expert.variant.goal, shape.grip in ('square', 'across')
        if goal is Goal.STACK and aligned:
            turn = turn / 3.0 + aims.alignment(shape, hold, objects[target])
        spot = (aims.beside(objects, frame, target) if goal is Goal.NEAR else
                aims.on(target, objects[target], goal is Goal.STACK and shape.grip == 'rim'))
        place = aims.release(shape, hold, spot, turn)
        beside = random.normal(size=2) * random.choice(NEAR)
        return Pose(place.position + [*beside, random.uniform(0.0, ABOVE)], place.quaternion)

    def _wait(self, steps: int, width: float) -> None:
        for _ in range(steps):
            self._world.step(np.array([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, width]))


def grasp(frame: str, objects: dict[str, Pose]) -> Pose:
    """Where the tcp is to close the fingers on a thing."""
    if SHAPES[frame].grip == 'tab':
        return aims.handle(objects[frame], objects['cabinet'].rotation[:, 0])
    return aims.grasp(SHAPES[frame], objects[frame])


def drawn(frame: str, objects: dict[str, Pose], pose: Pose, wanted: float) -> Pose:
    """`pose` moved along with a plate that is drawn until it stands out by `wanted` [m]."""
    cabinet = objects['cabinet']
    further = wanted - aims.stands_out(objects[frame], cabinet)
    return Pose(pose.position - further * cabinet.rotation[:, 0], pose.quaternion)

# SPDX-License-Identifier: Apache-2.0
"""A scripted expert that solves every task from the truth, and says what it is doing.

It works in stages of a few legs each. Fetching an object is approach, descend, close; what follows
depends on the goal. Every plan is made anew from what is true now, so that a miss or a drop is
noticed and the object is fetched again.

It reads only `Truth` and the variant, no physics engine, so it runs wherever object frames are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inspire_sim import aims
from inspire_sim.aims import Hold
from inspire_sim.motion import CAREFUL, Leg, Mover
from inspire_sim.shapes import SHAPES, Shape
from inspire_sim.tasks import Goal, Variant
from piper_driver.pose import Pose

if TYPE_CHECKING:
    from inspire_sim.world import Truth

Array = NDArray[np.float64]

# Every word that `phase` may be.
PHASES = ('start', 'back off', 'approach', 'descend', 'close', 'lift', 'carry', 'lower', 'pull',
          'push', 'open', 'leave', 'hold', 'done')

ABOVE = 0.085           # of the approach above the grasp [m]
OVER = 0.03             # between what moves and what it moves over [m]
HIGHEST = 0.22          # of the tcp on its way [m]
LIFT = 0.125            # of a picked object [m]
DRAW = 0.076            # of a plate out of the cabinet [m]
BACK = 0.07             # of the approach to a handle, along the tool [m]
BEHIND = 0.055          # of the closed gripper from the handle's frame, before it pushes [m]
TOUCHING = 0.024        # between tcp and a handle's frame when the fingertips touch it [m]
SQUEEZE = 0.015         # by which the fingers are told to close further than the object allows [m]
PUSH = 0.006            # of a plate into the cabinet, past where it is in [m]
DRAWN_OUT, PUSHED_IN = 0.066, 0.003    # how far a plate stands out when it is done [m]
STILL_NEAR = 0.048      # between the edges of two things that are near [m]
ATTEMPTS = 6


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
        self._hold: Hold | None = None
        self._goal: Pose | None = None    # kept from one plan to the next, once decided
        self._attempt = 0
        self._stage: Callable[[Truth], list[Leg]] = self._begin
        self._leg = self._waited = self._missed = 0    # of the stage: leg, steps waited in it
        self._over = False

    def assign(self, moved: str, target: str | None) -> None:
        """Say which frames are meant, in place of resolving names by where things are."""
        self._roles = moved, target

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

    def _enter(self, stage: Callable[[Truth], list[Leg]]) -> None:
        self._stage, self._goal = stage, None
        self._leg = self._waited = self._missed = 0
        self._over = False

    # What is going on -----------------------------------------------------------------------

    def _notice(self, truth: Truth) -> None:
        """Change the stage where the truth calls for it."""
        held = self.moved in truth.grasped
        if self._stage == self._back_off:
            if self._over:
                self._enter(self._begin)
        elif self._stage == self._fetch:
            if self._over:
                self._after_closing(truth, held)
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

    def _after_closing(self, truth: Truth, held: bool) -> None:
        if not held:
            self._again()
            return
        self._hold = Hold(truth.tcp, truth.tcp.inverse() @ truth.objects[self.moved])
        self._enter({Goal.PICK: self._lift, Goal.PULL: self._draw}.get(
            self.variant.goal, self._deliver))

    def _again(self) -> None:
        self._attempt += 1
        self.done = False
        self._enter(self._back_off)

    def _achieved(self, truth: Truth) -> bool:
        """Whether the object is where it was to be brought, as far as frames tell."""
        if self.variant.goal is Goal.PUSH:
            return self._out(truth) < PUSHED_IN
        if self.variant.goal is Goal.PULL:
            return self._out(truth) > DRAWN_OUT
        shape, frame = self._shape, truth.objects[self.moved]
        target, other = self._target_shape, truth.objects[self._target]
        middle = shape.base(frame) if shape.grip == 'rim' else frame.position
        apart = float(np.hypot(*(middle - target.base(other))[:2]))
        if self.variant.goal is Goal.NEAR:
            return apart < target.radius + shape.radius + STILL_NEAR
        above = frame.position[2] - shape.frame[2] - target.base(other)[2] - target.seat
        return bool(apart < target.hold and above > -0.01)

    # Stages ---------------------------------------------------------------------------------

    @property
    def _begin(self) -> Callable[[Truth], list[Leg]]:
        return self._push if self.variant.goal is Goal.PUSH else self._fetch

    def _back_off(self, truth: Truth) -> list[Leg]:
        """Out of the way with open fingers, before another attempt."""
        pose = self._kept(truth.tcp)
        if self._shape.grip == 'tab':
            return [Leg('back off', aims.backwards(pose, BACK), self._shape.opening, CAREFUL)]
        height = max(float(pose.position[2]), 0.13)
        goal = aims.neutral(np.array([*pose.position[:2], height]))
        return [Leg('back off', goal, self._shape.opening, CAREFUL)]

    def _fetch(self, truth: Truth) -> list[Leg]:
        """To the object, with the fingers around it, and close them."""
        shape, frame = self._shape, truth.objects[self.moved]
        if shape.grip == 'tab':
            grasp = aims.handle(frame, self._inwards(truth))
            above = aims.backwards(grasp, BACK)
        else:
            grasp = aims.grasp(shape, frame, self._attempt)
            over = aims.tallest(truth.objects, truth.tcp.position, grasp.position, [self.moved])
            above = aims.lifted(grasp, min(max(grasp.position[2] + ABOVE, over + OVER), HIGHEST))
        return [Leg('approach', above, shape.opening),
                Leg('descend', grasp, shape.opening, CAREFUL, wait=2),
                Leg('close', grasp, self._squeezed, wait=8)]

    def _lift(self, truth: Truth) -> list[Leg]:
        """Straight up, and keep it there."""
        at = self._known_hold.at.position
        goal = self._known_hold.carried(np.array([*at[:2], at[2] + LIFT]))
        return [Leg('lift', goal, self._squeezed, wait=4)]

    def _deliver(self, truth: Truth) -> list[Leg]:
        """Up, over to the target, down, let go, leave."""
        if self.phase in ('close', 'lift', 'carry'):
            # It may have shifted in the hand, and the target may have been pushed.
            at = self._known_hold.at
            self._hold = Hold(at, truth.tcp.inverse() @ truth.objects[self.moved])
            self._goal = aims.release(self._shape, self._hold, self._spot(truth),
                                      self._turn(truth))
        hold, place = self._known_hold, self._kept(truth.tcp)
        start, opened, turn = hold.at.position, self._shape.opening, self._turn(truth)
        over = aims.tallest(truth.objects, start, place.position, [self.moved])
        height = min(HIGHEST, max(over + OVER + start[2], place.position[2] + 0.05,
                                  start[2] + 0.07))
        return [
            Leg('lift', hold.carried(np.array([*start[:2], height])), self._squeezed,
                CAREFUL + 0.05, passing=True),
            Leg('carry', aims.midway(hold, place.position, height, turn), self._squeezed,
                passing=True),
            Leg('carry', hold.carried(np.array([*place.position[:2], height]), turn),
                self._squeezed),
            Leg('lower', place, self._squeezed, CAREFUL, wait=2),
            Leg('open', place, opened, wait=5),
            Leg('leave', aims.lifted(place, place.position[2] + 0.09), opened, CAREFUL + 0.05)]

    def _draw(self, truth: Truth) -> list[Leg]:
        """Out of the cabinet by its handle, and leave it."""
        at, opened = self._known_hold.at, self._shape.opening
        out = Pose(at.position - DRAW * self._inwards(truth), at.quaternion)
        return [Leg('pull', out, self._squeezed, CAREFUL, wait=2),
                Leg('open', out, opened, wait=5),
                Leg('leave', aims.backwards(out, BACK), opened, CAREFUL)]

    def _push(self, truth: Truth) -> list[Leg]:
        """Into the cabinet with closed fingers, and leave it."""
        inwards = self._inwards(truth)
        handle = aims.handle(truth.objects[self.moved], inwards)
        if self.phase != 'leave' or self._goal is None:
            gap = float((handle.position - truth.tcp.position) @ inwards)
            touching = gap if 0.5 * TOUCHING < gap < 1.4 * TOUCHING else TOUCHING
            ahead = (self._out(truth) + PUSH - touching) * inwards
            self._goal = Pose(handle.position + ahead, handle.quaternion)
        behind = Pose(handle.position - BEHIND * inwards, handle.quaternion)
        return [Leg('approach', aims.backwards(behind, BACK), 0.0),
                Leg('descend', behind, 0.0, CAREFUL),
                Leg('push', self._goal, 0.0, CAREFUL * 0.8, wait=3),
                Leg('leave', aims.backwards(self._goal, BACK + 0.02), 0.0, CAREFUL)]

    # What stages ask ------------------------------------------------------------------------

    def _kept(self, pose: Pose) -> Pose:
        """The goal that this stage has decided on; `pose` where there is none yet."""
        if self._goal is None:
            self._goal = pose
        return self._goal

    def _spot(self, truth: Truth) -> Array:
        if self.variant.goal is Goal.NEAR:
            return aims.beside(truth.objects, self.moved, self._target)
        return aims.on(self._target, truth.objects[self._target], self._shape.grip == 'rim'
                       and self.variant.goal is Goal.STACK)

    def _turn(self, truth: Truth) -> float:
        if self.variant.goal is not Goal.STACK or self._shape.grip not in ('square', 'across'):
            return 0.0
        return aims.alignment(self._shape, self._known_hold, truth.objects[self._target])

    def _inwards(self, truth: Truth) -> Array:
        """Unit vector (3,) into the cabinet."""
        return truth.objects['cabinet'].rotation[:, 0]

    def _out(self, truth: Truth) -> float:
        """How far the moved plate stands out of the cabinet [m]."""
        return aims.stands_out(truth.objects[self.moved], truth.objects['cabinet'])

    @property
    def _shape(self) -> Shape:
        return SHAPES[self.moved]

    @property
    def _target(self) -> str:
        if self.target is None:
            raise RuntimeError(f'{self.variant.instruction!r} has no target')
        return self.target

    @property
    def _target_shape(self) -> Shape:
        return SHAPES[self._target]

    @property
    def _squeezed(self) -> float:
        return max(0.0, self._shape.width - SQUEEZE)

    @property
    def _known_roles(self) -> tuple[str, str | None]:
        if self._roles is None:
            raise RuntimeError('the expert has not planned yet; call plan(truth) first')
        return self._roles

    @property
    def _known_hold(self) -> Hold:
        if self._hold is None:
            raise RuntimeError('the expert holds nothing')
        return self._hold

    def _resolved(self, truth: Truth) -> tuple[str, str | None]:
        positions = {frame: pose.position for frame, pose in truth.objects.items()}
        target = self.variant.target
        return (self.variant.moved.resolve(positions, self._viewer_yaw),
                target.resolve(positions, self._viewer_yaw) if target else None)

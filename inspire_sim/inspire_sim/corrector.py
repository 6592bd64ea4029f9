# SPDX-License-Identifier: Apache-2.0
"""What the expert would do from wherever the arm is now, however it came there.

`Expert` remembers what it has done. `Corrector` remembers nothing but which objects are meant: the
stage and the leg follow from the truth alone, and the arm is taken to be under way already. So
the same sight calls for the same actions, which is what a policy that has no memory can learn;
and what a policy does by itself can be corrected at every decision (DAgger, Ross et al. 2011).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inspire_sim import aims, reach
from inspire_sim.aims import Hold
from inspire_sim.expert import BACK, SQUEEZE, Expert
from inspire_sim.motion import CAREFUL, Leg, Mover
from inspire_sim.shapes import Shape
from inspire_sim.tasks import Goal
from piper_driver.pose import Pose

if TYPE_CHECKING:
    from inspire_sim.world import Truth

Array = NDArray[np.float64]

AT = (0.007, 0.3)       # of a pose that is reached: [m], [rad]
CONE = 0.3              # half width by length of the way down to a grasp, or to a place
CONE_TURN = 0.7         # most turn off the grasp inside it [rad]
ROOM = 0.008            # by which fingers are wider than what they go around [m]
CLOSED = 0.015          # width that fingers are told, at most, to close [m]
SLACK = 0.004           # by which fingers are told to be wider, at most, that are closing [m]
BETWEEN = 0.04          # of a grasp, where a thing may be between the fingers [m]
CLOSING = 2             # steps more in which fingers that are closing close
TRIED = 0.05            # of a lift that shows whether it is held [m]
BESIDE = 0.02           # of a grasp, at most, where open fingers are still around a thing [m]
LEVEL = 0.015           # below a grasp, where fingers need not rise, or above, closing [m]
LAID = (0.02, 0.008)    # beside and above where a thing is laid, at most, to be let go [m]
STACKED = 0.01          # the same beside, where it is stacked, or put near another [m]
SHIFTED = 0.025         # beside where a thing is laid, at most, to come to it without rising [m]
PUSHED = 0.012          # beside the middle of a handle, at most, where it is pushed [m]
LEFT = 0.09             # of open fingers behind a handle that they have let go [m]
PRESSED = 0.008         # of the commanded pose below the arm, at most, where fingers open [m]
LOW = 0.09              # height below which nothing is moved sideways [m]
RISEN = 0.09            # of the tcp above the grasp of what was let go [m]


def closed_on(shape: Shape) -> float:
    """What fingers are told to close on a thing [m]: the same for all but the thinnest, since what
    closes need not know on what. How hard it presses is up to the gripper, whose force is limited.
    """
    return min(max(0.0, shape.width - SQUEEZE), CLOSED)


class Corrector(Expert):
    """Says at any instant what the expert would do; see the module's docstring."""

    def correct(self, truth: Truth, steps: int, commanded: Pose, width: float,
                judged: Truth | None = None) -> Array:
        """The next actions (steps, 7) from here.

        commanded: what they will be integrated on; width: what the gripper was last told [m].
        judged: by what it is judged whether what was to be done is done, where `truth` is only
        believed: some millimetres must not decide that. Raises KeyError when an object of the
        task is missing from the truth.
        """
        self._judged = truth if judged is None else judged
        if self._roles is None:
            self._roles = self._resolved(truth)
        self.done, self._attempt = False, 0
        legs, leg = self._from(truth, commanded, width)
        self._leg, self._waited, self._over = leg, 0, False
        mover = Mover(commanded)
        mover.be_under_way(legs[leg])
        return np.array([self._act(legs, mover) for _ in range(steps)])

    @property
    def _squeezed(self) -> float:
        return closed_on(self._shape)

    def _from(self, truth: Truth, commanded: Pose, width: float) -> tuple[list[Leg], int]:
        """The legs of the stage that the arm is in, and which of them it is on."""
        self._goal = None
        if self.moved in truth.grasped and self.variant.goal is not Goal.PUSH:
            return self._holding(truth, commanded)
        narrowest = min(width, truth.gripper_width)
        if self.variant.goal is not Goal.PICK and self._achieved(self._judged):
            return self._leaving(truth, commanded, narrowest)
        if self.variant.goal is Goal.PUSH:
            self.phase = 'start'
            legs = self._push(truth)
            return self._entered(legs, commanded, legs[1].goal, closing=False, around=PUSHED)
        legs, shape = self._fetch(truth), self._shape
        if truth.gripper_width < shape.width - ROOM:      # closed on nothing
            return self._coming(legs, commanded, inside=False)
        apart = float(np.linalg.norm(commanded.position - legs[1].goal.position))
        if width <= self._squeezed + SLACK and apart < BETWEEN and shape.grip != 'tab':
            return self._met_something(commanded)
        around = min(BESIDE, max(AT[0], (shape.opening - shape.width) / 2))
        return self._entered(legs, commanded, legs[1].goal, narrowest < shape.width + ROOM, around)

    def _met_something(self, commanded: Pose) -> tuple[list[Leg], int]:
        """Fingers that were told to close are on something, though it is not said to be held: lift
        it. What is not between them after all stays, and they close on nothing."""
        closed = self._squeezed
        return [Leg('close', commanded, closed, wait=CLOSING),
                Leg('lift', aims.lifted(commanded, commanded.position[2] + TRIED), closed)], 0

    def _entered(self, legs: list[Leg], commanded: Pose, goal: Pose, closing: bool,
                 around: float) -> tuple[list[Leg], int]:
        """On which of approach, descend, close (push) the arm is.

        closing: whether fingers are too narrow to go around the thing, or told to be. around: how
        far beside the goal they need not rise to come to it [m]. One who knows where the thing is
        to a centimetre would otherwise go up and down above it, or open while they close.
        """
        if _at(commanded, goal):
            return legs, 2
        ahead = commanded.position - goal.position
        axis = legs[0].goal.position - goal.position
        length = float(np.linalg.norm(axis))
        along = float(ahead @ axis) / length
        beside = float(np.linalg.norm(ahead - along * axis / length))
        turn = float(np.linalg.norm(commanded.difference(goal)[1]))
        if closing:
            if abs(along) < LEVEL and beside < around:
                return legs, 2
        elif (-LEVEL < along < length + 0.02 and beside < around + CONE * max(0.0, along)
              and turn < CONE_TURN):
            return legs, 1
        if self.variant.goal is Goal.PUSH and beside < 2 * PUSHED and -BACK < along < 0:
            return legs, 2
        return self._coming(legs, commanded, -BACK < along < length - 0.02 and beside < BACK)

    def _coming(self, legs: list[Leg], commanded: Pose, inside: bool) -> tuple[list[Leg], int]:
        """To where the way down begins; first out of the way of things. inside: of a handle's."""
        if self._shape.grip == 'tab':
            if not inside:
                return legs, 0
            away = aims.backwards(commanded, BACK)
            return [Leg('back off', away, legs[0].width, CAREFUL, passing=True), *legs], 0
        if commanded.position[2] >= LOW:
            return legs, 0
        up = aims.neutral(np.array([*commanded.position[:2], 0.13]))
        return [Leg('back off', up, self._shape.opening, CAREFUL, passing=True), *legs], 0

    def _holding(self, truth: Truth, commanded: Pose) -> tuple[list[Leg], int]:
        """With the object in the hand: where it was picked is below, or inwards, of here."""
        shape, frame = self._shape, truth.objects[self.moved]
        if self.variant.goal is Goal.PULL:
            inwards = self._inwards(truth)
            at = Pose(commanded.position + self._out(truth) * inwards, commanded.quaternion)
            self._hold = Hold(at, truth.tcp.inverse() @ frame)
            legs = self._draw(truth)
            return legs, int(_at(commanded, legs[0].goal))
        lifted = float(frame.position[2] - shape.frame[2])
        if shape.grip == 'rim':
            frame = _by_the_rim(shape, truth.tcp, frame)
            truth = replace(truth, objects={**truth.objects, self.moved: frame})
            lifted = float(shape.base(frame)[2])
        at = _as_taken(commanded, commanded.position - max(0.0, lifted) * reach.UP)
        self._hold = Hold(at, truth.tcp.inverse() @ frame)
        if self.variant.goal is Goal.PICK:
            return self._lift(truth), 0
        self.phase = 'carry'
        legs = self._deliver(truth)
        lift, over, place = legs[0].goal, legs[2].goal, legs[3].goal
        ahead = commanded.position - place.position
        beside, above = float(np.hypot(*ahead[:2])), float(ahead[2])
        aligned = self.variant.goal is Goal.STACK
        near = LAID[0] if self.variant.goal is Goal.PLACE else STACKED
        turned = float(np.linalg.norm(commanded.difference(place)[1]))
        if _at(commanded, place) or (beside < near and above < LAID[1]
                                     and not (aligned and turned > AT[1])):
            return [Leg('open', _unpressed(commanded, truth.tcp), shape.opening, wait=5)], 0
        if beside < SHIFTED + CONE * max(0.0, above):
            return legs, 3
        high = commanded.position[2] > min(lift.position[2], over.position[2]) - 0.02
        return legs, 2 if high else 0

    def _deliver(self, truth: Truth) -> list[Leg]:
        """As the expert; above the target what is held stands already as it will."""
        legs = super()._deliver(truth)
        over, place = legs[2].goal.position, legs[3].goal
        leaning = max(reach.present_lean(place.rotation, place.position), reach.least_lean(over))
        level = reach.carried(place.rotation, place.position, over, leaning)
        legs[2] = replace(legs[2], goal=aims.made(over, level))
        return legs

    def _leaving(self, truth: Truth, commanded: Pose, width: float) -> tuple[list[Leg], int]:
        """What was to be done is done: let go, go away, and stand there."""
        opened = 0.0 if self.variant.goal is Goal.PUSH else self._shape.opening
        frame = truth.objects[self.moved]
        if self._shape.grip == 'tab':
            grasp = aims.handle(frame, self._inwards(truth))
            ahead = float((grasp.position - commanded.position) @ self._inwards(truth))
            away = aims.backwards(commanded, max(0.0, LEFT - ahead))
        else:
            height = aims.grasp(self._shape, frame).position[2] + RISEN
            away = aims.lifted(commanded, max(float(commanded.position[2]), height))
        legs = [Leg('open', commanded, opened, wait=3), Leg('leave', away, opened, CAREFUL + 0.05)]
        return legs, int(width > opened - 0.006)


def _by_the_rim(shape: Shape, tcp: Pose, frame: Pose) -> Pose:
    """The frame of what is held by its rim, from the hand: its wall is between the fingers, and
    flat against them. Who knows where it is to half a centimetre knows it less exactly; but where
    along the fingers only that tells."""
    outwards = tcp.rotation[:, 1] * np.sign(tcp.rotation[:, 1] @ frame.rotation[:, 0])
    turned = reach.about(reach.UP, float(np.arctan2(outwards[1], outwards[0])))
    along = float((shape.base(frame) - tcp.position) @ turned[:, 1])
    position = tcp.position + along * turned[:, 1]
    return aims.made(np.array([*position[:2], frame.position[2]]), turned)


def _as_taken(commanded: Pose, position: Array) -> Pose:
    """The tcp at a position below where it is told to be, leaning as it does where a thing is
    taken: so what it holds stands there as it stood."""
    return aims.made(position, reach.carried(commanded.rotation, commanded.position, position,
                                             reach.lean(position)))


def _unpressed(commanded: Pose, tcp: Pose) -> Pose:
    """As commanded, but no lower than the arm came where it presses on something: fingers that are
    pressed on what they hold do not open."""
    if tcp.position[2] - commanded.position[2] < PRESSED:
        return commanded
    return aims.made(np.array([*commanded.position[:2], tcp.position[2]]), commanded.rotation)


def _at(pose: Pose, goal: Pose) -> bool:
    translation, rotation = pose.difference(goal)
    return bool(np.linalg.norm(translation) < AT[0] and np.linalg.norm(rotation) < AT[1])

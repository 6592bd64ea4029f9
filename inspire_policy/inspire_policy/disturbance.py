# SPDX-License-Identifier: Apache-2.0
"""Pushes in the expert's way, so that its demonstrations show how to come back.

A push moves the commanded pose smoothly off the path, over some steps; the gripper stays as it was
told. What the expert does afterwards is worth imitating, the push is not. Close to things, and
with something in the hand, pushes are small and never go down.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from inspire_sim.world import Truth

Array = NDArray[np.float64]

TYPICAL = 130           # steps of an episode: the number of pushes asked for comes on as many
REST = 12               # steps after a push until the next
STARTS = 0.5            # share of the episodes that begin with a push
SHORTEST, LONGEST = 3, 8             # steps of a push
FREE = (0.01, 0.04)     # size of a push [m]
CLOSE = (0.004, 0.015)  # the same close to something, or with something in the hand
FREE_TURN, CLOSE_TURN = 0.2, 0.1     # most turn about z [rad]
NEAR = 0.10             # from the tcp to the nearest object's frame: close [m]
LOW = 0.11              # height of the tcp below which no push goes down [m]
LARGEST_STEP = 0.018    # of a push [m]: 0.36 m/s, which the arm can follow

# What the expert does when it may be pushed: not while fingers close or open on something, nor
# while it slides a plate.
DISTURBED_PHASES = frozenset(
    ('start', 'back off', 'approach', 'descend', 'lift', 'carry', 'lower', 'leave'))


@dataclass(frozen=True)
class Push:
    """The size [m] and turn [rad] of one push, spread over steps (K, 6): changes of the pose."""

    steps: Array

    def actions(self, width: float) -> Array:
        """The push as a policy's actions (K, 7), the gripper told to be `width` [m] wide."""
        return np.column_stack([self.steps, np.full(len(self.steps), width)])


class Disturber:
    """Decides when an episode is pushed, and how; all from its instruction and seed."""

    def __init__(self, instruction: str, seed: int, pushes: float) -> None:
        """pushes: how many come on an episode of typical length. Raises ValueError."""
        if not 0 <= pushes <= 10:
            raise ValueError(f'{pushes} disturbances an episode; valid: 0 to 10')
        self._random = np.random.default_rng([seed, crc32(instruction.encode()), 1])
        self._rate = pushes / TYPICAL
        self._rest = 0
        self._first = pushes > 0 and self._random.random() < STARTS

    def push(self, truth: Truth, phase: str, steps: int) -> Push | None:
        """The push that comes now, in front of `steps` planned steps, or None."""
        first, self._first = self._first, False
        chance = self._random.random()
        self._rest -= steps
        if phase not in DISTURBED_PHASES or not (
                first or (self._rest <= 0 and chance < self._rate * steps)):
            return None
        made = self._made(truth)
        self._rest = REST
        return made

    def _made(self, truth: Truth) -> Push:
        place = truth.tcp.position
        distances = [float(np.linalg.norm(pose.position - place))
                     for pose in truth.objects.values()]
        close = bool(truth.grasped) or min(distances, default=np.inf) < NEAR
        size = self._random.uniform(*(CLOSE if close else FREE))
        turn = self._random.uniform(-1.0, 1.0) * (CLOSE_TURN if close else FREE_TURN)
        direction = self._random.normal(size=3)
        direction /= np.linalg.norm(direction)
        if close or place[2] + size * direction[2] < LOW:
            direction[2] = abs(direction[2])
        count = int(self._random.integers(SHORTEST, LONGEST + 1))
        count = max(count, int(np.ceil(2.0 * size / LARGEST_STEP)))
        change = np.array([*(size * direction), 0.0, 0.0, turn])
        return Push(bump(count)[:, None] * change)


def bump(count: int) -> Array:
    """Shares (count,) of a smooth motion's steps: they rise, fall, and sum up to 1."""
    heights = np.sin(np.pi * (np.arange(count) + 0.5) / count) ** 2
    return np.asarray(heights / heights.sum())

# SPDX-License-Identifier: Apache-2.0
"""Which commands are let through: checks of time, frame, names and values; refusals are counted.

A value a little beyond its range is moved to the range's end (a policy that integrates small steps
arrives there honestly); one far beyond is a mistake and is refused, with the thing, its value and
what would have been valid.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from math import inf, isfinite
from typing import NoReturn

import numpy as np

from piper_driver.limits import GRIPPER_NAME, JOINT_NAMES, Limits
from piper_driver.pose import Pose, Vector

STALE = 0.2             # a command older than this is refused [s]
FUTURE = 0.1            # and one stamped further ahead than this [s]
# After the arm was put elsewhere a commander goes on for some tens of milliseconds before it sees
# that: for so long nothing is taken [s].
SETTLING = 0.1
BASE_FRAME = 'base_link'    # in which poses are commanded
MARGIN_POSITION = 0.05  # a pose this far outside the box is moved to its edge [m]
MARGIN_JOINT = 0.1      # the same for a joint [rad]
MARGIN_WIDTH = 0.01     # the same for the gripper [m]
INSET = 0.002           # of the edge to which it is moved, so that the arm can brake there [m]


class Refusal(StrEnum):
    """Why a command was refused; the keys under which refusals are counted."""

    NOT_FINITE = 'not finite'
    NAME = 'name'
    FRAME = 'frame'
    STALE = 'stale'
    FUTURE = 'future'
    RESTART = 'before restart'
    OUT_OF_RANGE = 'out of range'
    STATE = 'state'


class CommandRefused(ValueError):
    """A command that was not taken; the message names the thing, its value and what is valid."""

    def __init__(self, kind: Refusal, reason: str) -> None:
        """Keep the kind beside the words."""
        super().__init__(reason)
        self.kind = kind


class Gate:
    """Checks commands against `limits` and counts them."""

    def __init__(self, limits: Limits) -> None:
        """Start with nothing seen."""
        self._limits = limits
        self._newest: dict[str, float] = {}
        self._restarted = -inf
        self.accepted = 0
        self.refusals: Counter[Refusal] = Counter()
        self.last_refusal = ''

    def refuse(self, kind: Refusal, reason: str) -> NoReturn:
        """Count a refusal and raise it."""
        self.refusals[kind] += 1
        self.last_refusal = reason
        raise CommandRefused(kind, reason)

    def accept(self, stream: str, stamp: float) -> None:
        """Count a command that passed; `stamp` [s] is the oldest that the next one may have."""
        self.accepted += 1
        self._newest[stream] = stamp

    def restart(self, now: float) -> None:
        """Note that the arm was put elsewhere: commands from before that are void."""
        self._restarted = now

    def check_time(self, stream: str, stamp: float, now: float) -> None:
        """Refuse a command that is stale, from the future or older than the one before it.

        Neither may it be from before the last restart, or `SETTLING` after it.
        """
        if not isfinite(stamp):
            self.refuse(Refusal.NOT_FINITE, f'stamp is {stamp}, not a time')
        if now - stamp > STALE:
            self.refuse(Refusal.STALE, f'stamp {stamp:.3f} is {now - stamp:.3f} s old; '
                        f'valid is up to {STALE} s')
        if stamp - now > FUTURE:
            self.refuse(Refusal.FUTURE, f'stamp {stamp:.3f} is {stamp - now:.3f} s ahead; '
                        f'valid is up to {FUTURE} s')
        # after a clock that went back (another bag, another simulation) what was noted is void
        if self._restarted <= now + FUTURE and stamp < self._restarted + SETTLING:
            self.refuse(Refusal.RESTART, f'stamp {stamp:.3f} is not of the arm as it was put at '
                        f'{self._restarted:.3f}; valid is from {self._restarted + SETTLING:.3f}')
        newest = self._newest.get(stream, stamp)
        if stamp < newest <= now + FUTURE:
            self.refuse(Refusal.STALE, f'stamp {stamp:.3f} is older than that of the last '
                        f'command, {newest:.3f}')

    def pose(self, frame: str, place: Sequence[float], turn: Sequence[float]) -> Pose:
        """Return a pose from a position (3,) [m] and xyzw (4,) in `frame`, or refuse it."""
        if frame != BASE_FRAME:
            self.refuse(Refusal.FRAME, f'frame is {frame!r}; valid is {BASE_FRAME!r}')
        try:
            return Pose(np.array(place), np.array(turn))
        except ValueError as error:
            self.refuse(Refusal.NOT_FINITE, str(error))

    def position(self, pose: Pose) -> Vector:
        """Return the pose's position [m] moved into the workspace, or refuse it."""
        lower, upper = self._limits.tcp_lower, self._limits.tcp_upper
        place = [self._in_range(f'pose {axis}', value, 'm in base_link', low, high,
                                MARGIN_POSITION, INSET)
                 for axis, value, low, high
                 in zip('xyz', pose.position.tolist(), lower, upper, strict=True)]
        return place[0], place[1], place[2]

    def width(self, width: float) -> float:
        """Return the gripper's width [m] moved into its range, or refuse it."""
        return self._in_range(GRIPPER_NAME, width, 'm', self._limits.gripper_lower,
                              self._limits.gripper_upper, MARGIN_WIDTH)

    def opening(self, names: Sequence[str], positions: Sequence[float]) -> float:
        """Return the one value [m] of a command that names the gripper alone, or refuse it."""
        if list(names) != [GRIPPER_NAME] or len(positions) != 1:
            self.refuse(Refusal.NAME, f'joint names are {list(names)} with {len(positions)} '
                        f'positions; valid is [{GRIPPER_NAME!r}] with 1')
        return positions[0]

    def joints(self, names: Sequence[str], positions: Sequence[float]) -> dict[str, float]:
        """Return joint (and gripper) goals by name, moved into their ranges, or refuse them."""
        known = (*JOINT_NAMES, GRIPPER_NAME)
        if len(names) != len(positions) or not names:
            self.refuse(Refusal.NAME, f'{len(names)} joint names with {len(positions)} positions')
        for name in names:
            if name not in known:
                self.refuse(Refusal.NAME,
                            f'joint name {name!r} is unknown; valid are {", ".join(known)}')
        if len(set(names)) != len(names):
            self.refuse(Refusal.NAME, f'a joint is named twice: {", ".join(names)}')
        return {name: self._joint(name, float(value))
                for name, value in zip(names, positions, strict=True)}

    def _joint(self, name: str, value: float) -> float:
        if name == GRIPPER_NAME:
            return self.width(value)
        index = JOINT_NAMES.index(name)
        return self._in_range(name, value, 'rad', self._limits.lower[index],
                              self._limits.upper[index], MARGIN_JOINT)

    def _in_range(self, name: str, value: float, unit: str, low: float, high: float,
                  margin: float, inset: float = 0.0) -> float:
        if not isfinite(value):
            self.refuse(Refusal.NOT_FINITE,
                        f'{name} is {value}; valid is {low:.3f}..{high:.3f} {unit}')
        if not low - margin <= value <= high + margin:
            self.refuse(Refusal.OUT_OF_RANGE,
                        f'{name} is {value:.3f} {unit}; valid is {low:.3f}..{high:.3f}')
        return min(max(value, low + inset), high - inset)

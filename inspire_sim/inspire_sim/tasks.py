# SPDX-License-Identifier: Apache-2.0
"""The paper's fifteen real-robot tasks as data: what is said, what is moved, and where to.

A task has variants ("a/b" in the paper's Table 4), one per instruction. A variant names its
objects by role; a role is a set of candidate frames and, where several are alike, the adjective
of position that picks one of them. Which one that is depends on where they stand, so it is
resolved from positions, once, when the instruction is given.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from itertools import permutations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Split = Literal['seen', 'unseen']
Place = Literal['', 'left', 'middle', 'right', 'bottom', 'top']

BOWLS = ('bowl_1', 'bowl_2', 'bowl_3')
CABINET_PLATES = ('plate_1', 'plate_2', 'plate_3')


class UnknownTask(ValueError):
    """Neither a task's id nor an instruction of one."""


class Goal(StrEnum):
    """What is to be done with the moved object."""

    PICK = 'pick'
    NEAR = 'near'
    PULL = 'pull'
    PUSH = 'push'
    PLACE = 'place'    # in or on the target, anywhere on it
    STACK = 'stack'    # on the target, aligned with it


@dataclass(frozen=True)
class Role:
    """Which frame plays a part: one candidate, or several alike told apart by their place.

    left, middle, right go along the viewer's y; bottom, middle, top along z.
    """

    candidates: tuple[str, ...]
    place: Place = ''
    along: Literal['', 'y', 'z'] = ''

    def resolve(self, positions: Mapping[str, NDArray[np.float64]], viewer_yaw: float) -> str:
        """The frame in this role.

        positions: frame -> (3,) [m] in base_link; viewer_yaw: of the viewer about z [rad].
        Raises KeyError naming the frame that is missing.
        """
        for frame in self.candidates:
            if frame not in positions:
                raise KeyError(f'{frame} is not among the objects: {", ".join(sorted(positions))}')
        if not self.along:
            return self.candidates[0]
        axis = np.array([0.0, 0.0, 1.0])
        if self.along == 'y':
            axis = viewer_right(viewer_yaw)
        ordered = sorted(self.candidates, key=lambda frame: float(positions[frame] @ axis))
        return ordered[_RANK[self.place]]


@dataclass(frozen=True)
class Variant:
    """One instruction of a task.

    present: every frame the task needs on the table, beside the two roles those that the
    instruction has to tell them from.
    """

    task: str
    instruction: str
    goal: Goal
    moved: Role
    target: Role | None
    present: tuple[str, ...]


@dataclass(frozen=True)
class Task:
    """One of the paper's tasks; `number` is its row in Table 4."""

    id: str
    number: int
    split: Split
    variants: tuple[Variant, ...]


def viewer_right(viewer_yaw: float) -> NDArray[np.float64]:
    """The viewer's y axis, to the viewer's right, as a unit vector (3,) in base_link."""
    return np.array([-np.sin(viewer_yaw), np.cos(viewer_yaw), 0.0])


def find(task_or_instruction: str, seed: int = 0) -> tuple[Task, Variant]:
    """The task and variant of an id (the seed takes its variants in turn) or of an instruction.

    Raises UnknownTask that lists the nearest instructions and the valid ids.
    """
    asked = _plain(task_or_instruction)
    if asked in _BY_ID:
        found = _BY_ID[asked]
        return found, found.variants[seed % len(found.variants)]
    if asked in _BY_INSTRUCTION:
        variant = _BY_INSTRUCTION[asked]
        return _BY_ID[variant.task], variant
    near = get_close_matches(asked[:200], [*_BY_ID, *_BY_INSTRUCTION], n=3, cutoff=0.5)
    hint = f'did you mean {" or ".join(repr(name) for name in near)}? ' if near else ''
    raise UnknownTask(f'no task {_shown(task_or_instruction)}; {hint}'
                      f'valid ids: {", ".join(_BY_ID)}; or one of their instructions')


def task(identifier: str) -> Task:
    """The task of an id. Raises UnknownTask that lists the valid ids."""
    if identifier not in _BY_ID:
        raise UnknownTask(f'no task {_shown(identifier)}; valid ids: {", ".join(_BY_ID)}')
    return _BY_ID[identifier]


def variants() -> tuple[Variant, ...]:
    """All variants of all tasks, in the order of the paper's table."""
    return tuple(variant for entry in TASKS for variant in entry.variants)


def _plain(text: str) -> str:
    return ' '.join(text.lower().split()).rstrip('.! ')


def _shown(text: str) -> str:
    return repr(text) if len(text) <= 80 else f'{text[:80]!r}... ({len(text)} characters)'


def _task(identifier: str, number: int, rows: Iterable[tuple[str, Goal, Role, Role | None]],
          also: tuple[str, ...] = ()) -> Task:
    made = []
    for instruction, goal, moved, target in rows:
        frames = (*moved.candidates, *(target.candidates if target else ()), *also)
        made.append(Variant(identifier, instruction, goal, moved, target,
                            tuple(dict.fromkeys(frames))))
    return Task(identifier, number, 'seen' if number <= 10 else 'unseen', tuple(made))


def _one(frame: str) -> Role:
    return Role((frame,))


def _bowl(place: Place) -> Role:
    return Role(BOWLS, place, 'y')


def _shelf(place: Place) -> Role:
    return Role(CABINET_PLATES, place, 'z')


_RANK = {'left': 0, 'bottom': 0, 'middle': 1, 'right': 2, 'top': 2}
_SHELVES: tuple[Place, ...] = ('bottom', 'middle', 'top')
_ROW: tuple[Place, ...] = ('left', 'middle', 'right')

TASKS = (
    _task('pick_ball', 1, [('pick up the ball', Goal.PICK, _one('ball'), None)]),
    _task('pick_plug', 2, [('pick up the plug', Goal.PICK, _one('plug'), None)]),
    _task('move_can_near', 3,
          [(f'move the can near the {fruit}', Goal.NEAR, _one('can'), _one(fruit))
           for fruit in ('apple', 'watermelon')], also=('apple', 'watermelon')),
    _task('pull_plate', 4,
          [(f'pull out the {place} plate from the cabinet', Goal.PULL, _shelf(place),
            _one('cabinet')) for place in _SHELVES]),
    _task('push_plate', 5,
          [(f'push the {place} plate into the cabinet', Goal.PUSH, _shelf(place),
            _one('cabinet')) for place in _SHELVES]),
    _task('banana_in_plate', 6,
          [('put the banana in the plate', Goal.PLACE, _one('banana'), _one('plate'))]),
    _task('cup_in_plate', 7,
          [(f'put the {colour} cup in the plate', Goal.PLACE, _one(f'{colour}_cup'),
            _one('plate')) for colour in ('blue', 'green', 'red')],
          also=('blue_cup', 'green_cup', 'red_cup')),
    _task('cookies_on_towel', 8,
          [('put the cookies on the towel', Goal.PLACE, _one('cookies'), _one('towel'))]),
    _task('stack_cubes', 9,
          [('stack the green cube on the blue cube', Goal.STACK, _one('green_cube'),
            _one('blue_cube'))]),
    _task('stack_bowls', 10,
          [(f'stack the {upper} bowl on the {lower} bowl', Goal.STACK, _bowl(upper), _bowl(lower))
           for upper, lower in permutations(_ROW, 2)]),
    _task('cup_on_plate', 11,
          [(f'put the {colour} cup on the plate', Goal.PLACE, _one(f'{colour}_cup'),
            _one('plate')) for colour in ('orange', 'yellow')],
          also=('orange_cup', 'yellow_cup')),
    _task('ball_on_book', 12,
          [('put the ball on the book', Goal.PLACE, _one('ball'), _one('book'))]),
    _task('stack_legos', 13,
          [('stack the green lego on the blue lego', Goal.STACK, _one('green_lego'),
            _one('blue_lego'))]),
    _task('banana_on_towel', 14,
          [('put the banana on the towel', Goal.PLACE, _one('banana'), _one('towel'))]),
    _task('pick_orange', 15, [('pick up the orange', Goal.PICK, _one('orange'), None)]),
)

_BY_ID = {entry.id: entry for entry in TASKS}
_BY_INSTRUCTION = {variant.instruction: variant for entry in TASKS for variant in entry.variants}

# SPDX-License-Identifier: Apache-2.0
"""Closed-loop evaluation without ROS: episodes with seeds fixed in advance, counted honestly.

An episode succeeds when the world's success test has held for a second. Whatever goes wrong in one
is a failure of that episode with its reason, never a hole in the denominator.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from inspire_labeler.formulation import formulation
from inspire_labeler.question import questions
from inspire_labeler.viewer import viewer
from inspire_policy.policy import Policy, PolicyObservation
from inspire_sim.tasks import TASKS, Task, task

if TYPE_CHECKING:
    from inspire_labeler.question import Question
    from inspire_sim.world import World

LONGEST = 800         # steps of 0.05 s until an episode is given up
HELD = 20             # steps for which success must hold: 1 s
LAST_SEED = 2**32 - 1  # the seeds that the simulation's messages carry
AFTERWARDS = 40       # steps that a policy which says it is done is given for it to hold


@dataclass(frozen=True)
class Job:
    """One episode to run."""

    task: str
    instruction: str
    split: str
    seed: int


@dataclass(frozen=True)
class Row:
    """One episode that was run. steps: of 0.05 s; time: wall seconds; detail: what the success
    test said last; error: why it could not be finished, or empty."""

    task: str
    instruction: str
    split: str
    seed: int
    success: bool
    steps: int
    time: float
    detail: str
    error: str


@dataclass(frozen=True)
class Setting:
    """What every process needs to know: the policy's family, where the viewer is, how is asked,
    the size of the images [pixels], and after how many steps an episode is given up."""

    policy: str
    viewer: str = 'libero'
    formulation: str = 'direction'
    image_size: int = 224
    longest: int = LONGEST


@dataclass(frozen=True)
class Score:
    """Successes of one instruction."""

    task: str
    instruction: str
    split: str
    episodes: int
    successes: int

    @property
    def interval(self) -> tuple[float, float]:
        """Where the success rate lies with 95 % confidence."""
        return wilson(self.successes, self.episodes)


def jobs(task_ids: Sequence[str], episodes: int, seed: int) -> tuple[Job, ...]:
    """`episodes` of every instruction of the tasks (none named: all), with seeds from `seed` on.

    Raises UnknownTask, ValueError.
    """
    if episodes < 1 or not 0 <= seed <= LAST_SEED + 1 - episodes:
        raise ValueError(f'{episodes} episodes from seed {seed}; valid: at least 1, from 0, '
                         f'the last seed at most {LAST_SEED}')
    chosen: Sequence[Task] = [task(name) for name in task_ids] if task_ids else TASKS
    return tuple(Job(one.id, variant.instruction, one.split, seed + index)
                 for one in chosen for variant in one.variants for index in range(episodes))


def scores(rows: Sequence[Row]) -> tuple[Score, ...]:
    """The successes of each instruction, in the order of the paper's table."""
    found = []
    for one in TASKS:
        for variant in one.variants:
            mine = [row for row in rows if row.instruction == variant.instruction]
            if mine:
                found.append(Score(one.id, variant.instruction, one.split, len(mine),
                                   sum(row.success for row in mine)))
    return tuple(found)


def wilson(successes: int, episodes: int, z: float = 1.959964) -> tuple[float, float]:
    """Wilson's interval of a rate (Wilson 1927), at 95 % for the default z; (0, 1) of nothing."""
    if episodes == 0:
        return 0.0, 1.0
    rate, share = successes / episodes, z * z / episodes
    centre = (rate + share / 2) / (1 + share)
    half = z / (1 + share) * sqrt(rate * (1 - rate) / episodes + share / (4 * episodes))
    return max(0.0, centre - half), min(1.0, centre + half)


def run_episode(world: World, policy: Policy, job: Job, setting: Setting) -> Row:
    """Run one episode in a world, from its reset to its end."""
    begin = time.perf_counter()
    world.reset(job.instruction, job.seed)
    asked = questions(job.instruction, formulation(setting.formulation))
    steps, achieved, detail = _loop(world, policy, asked, setting.longest)
    return made_row(job, achieved, steps, time.perf_counter() - begin, detail, '')


def _loop(world: World, policy: Policy, asked: Sequence[Question],
          longest: int) -> tuple[int, bool, str]:
    """Decide and act until success has held for a second, or it is too late: (steps, success,
    what the success test said last)."""
    policy.reset(world.instruction, asked)
    steps, held, left = 0, 0, longest
    width: float | None = None      # as last told
    while left > 0:
        seen = observed(world, policy)
        decision = policy.decide(seen)
        if decision.done:
            left = min(left, AFTERWARDS + len(decision.actions))
        actions = decision.actions if len(decision.actions) else holding(
            seen.gripper_width if width is None else width, left)
        for action in actions:
            world.step(action)
            steps, left = steps + 1, left - 1
            result = world.success()
            held = held + 1 if result.achieved else 0
            if held >= HELD:
                return steps, True, result.detail
        width = float(actions[-1, 6])
    return steps, False, world.success().detail


def holding(width: float, steps: int) -> NDArray[np.float64]:
    """Steps (K, 7) in which an arm stands: what the node sends when a policy has no more to do."""
    actions = np.zeros((steps, 7))
    actions[:, 6] = width
    return actions


def observed(world: World, policy: Policy) -> PolicyObservation:
    """What the policy gets to see of a world: the truth only where it says that it needs it."""
    seen = world.observe()
    return PolicyObservation(
        stamp=seen.stamp, images=seen.images, joint_positions=np.array(seen.arm.position),
        joint_velocities=np.array(seen.arm.velocity), gripper_width=seen.arm.gripper_width,
        tcp=seen.tcp, instruction=seen.instruction, commanded=world.commanded,
        truth=world.truth() if policy.needs_truth else None)


def make_world(policy: Policy, setting: Setting) -> World:
    """A world with the cameras that the policy looks through."""
    from inspire_sim.world import TableWorld  # brings the physics, which the parent can do without
    return TableWorld(cameras=tuple(policy.cameras), viewer_yaw=viewer(setting.viewer).yaw,
                      image_size=(setting.image_size, setting.image_size))


def made_row(job: Job, success: bool, steps: int, seconds: float, detail: str, error: str) -> Row:
    """The row of a job."""
    return Row(job.task, job.instruction, job.split, job.seed, success, steps, round(seconds, 3),
               detail, error)


def as_json(found: Sequence[Score], rows_path: str) -> dict[str, Any]:
    """What `./inspire evaluate --json` writes."""
    return {'tasks': [asdict(score) for score in found], 'rows': rows_path}


COLUMNS = tuple(field.name for field in fields(Row))

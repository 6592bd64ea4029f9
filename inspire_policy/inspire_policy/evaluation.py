# SPDX-License-Identifier: Apache-2.0
"""What an evaluation is: episodes with seeds fixed in advance, a setting, and a row for each.

An episode succeeds when the world's success test has held for a second. Whatever goes wrong in one
is a failure of that episode with its reason, never a hole in the denominator.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from inspire_policy.answer_tally import Case, Tally
from inspire_policy.forcing import Forced
from inspire_sim.tasks import TASKS, Task, task
from inspire_sim.variation import Variation

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
    test said last; error: why it could not be finished, or empty.

    decisions: how many; answers: how they were, counted; timings: milliseconds of each decision by
    stage; jerk [m/s³], seam and inside [m/s] (`smoothness`), None where there is none; misses: how
    far from where each object was the answers put it [m], of a policy that tells.
    """

    task: str
    instruction: str
    split: str
    seed: int
    success: bool
    steps: int
    time: float
    detail: str
    error: str
    decisions: int = 0
    jerk: float | None = None
    seam: float | None = None
    inside: float | None = None
    answers: Sequence[Tally] = ()
    timings: Mapping[str, Sequence[float]] = field(default_factory=dict)
    misses: Sequence[float] = ()

    def __post_init__(self) -> None:
        """Give what comes from JSON, or from a table, its types again."""
        object.__setattr__(self, 'misses', tuple(self.misses))
        answers = tuple(Tally(Case(*case), times) for case, times in self.answers)
        object.__setattr__(self, 'answers', answers)
        timings = {stage: tuple(values) for stage, values in self.timings.items()}
        object.__setattr__(self, 'timings', timings)


@dataclass(frozen=True)
class Setting:
    """What every process needs to know: the policy's family, where the viewer is, how is asked,
    the size of the images [pixels], and after how many steps an episode is given up.

    options: further ones of the family; variation: of the world; forced: words put into the prompt
    in place of the policy's own; checkpoint_sha256: of what the policy was loaded from; tracks:
    a folder for what happened in the episodes that fail, or ''.
    """

    policy: str
    viewer: str = 'libero'
    formulation: str = 'direction'
    image_size: int = 224
    longest: int = LONGEST
    options: Mapping[str, str] = field(default_factory=dict)
    variation: Variation = Variation.NONE
    forced: Forced = Forced.NONE
    checkpoint_sha256: str = ''
    tracks: str = ''

    def __post_init__(self) -> None:
        """Give what comes from JSON its types. Raises ValueError for an unknown name."""
        object.__setattr__(self, 'variation', Variation(self.variation))
        object.__setattr__(self, 'forced', Forced(self.forced))

    def track(self, job: Job) -> Path:
        """Where the track of an episode that fails goes."""
        return Path(self.tracks) / f'{job.instruction.replace(" ", "_")}-{job.seed}.npz'

    def described(self) -> dict[str, Any]:
        """All that the outcome hangs on, for JSON."""
        described = asdict(self)
        del described['tracks']
        return described


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


def made_row(job: Job, success: bool, steps: int, seconds: float, detail: str, error: str,
             **measured: Any) -> Row:
    """The row of a job; `measured` are Row's further fields."""
    return Row(job.task, job.instruction, job.split, job.seed, success, steps, round(seconds, 3),
               detail, error, **measured)

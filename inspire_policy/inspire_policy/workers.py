# SPDX-License-Identifier: Apache-2.0
"""An evaluation's episodes on many processes, each with one world and one policy of its own."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import asdict

from inspire_policy.closed_loop import make_policy, make_world, run_episode
from inspire_policy.crew import Done, Told, spread
from inspire_policy.evaluation import Job, Row, Setting, made_row


def evaluate(setting: Setting, todo: Sequence[Job], workers: int) -> Generator[Row, None, None]:
    """Run the episodes on `workers` processes; yields a row as each ends, in no fixed order.

    Closing the iterator (or Ctrl-C in the caller) ends the processes. Raises ValueError, at once.
    """
    return _rows(spread(evaluator, setting, todo, workers))


def _rows(ended: Generator[Done[Job], None, None]) -> Generator[Row, None, None]:
    try:
        for done in ended:
            yield Row(**done.told) if not done.error else made_row(
                done.job, False, 0, done.seconds, '', done.error)
    finally:
        ended.close()


def evaluator(setting: Setting) -> Callable[[Job], Told]:
    """What a process that evaluates does with each job."""
    policy = make_policy(setting)
    world = make_world(policy, setting)
    return lambda job: (asdict(run_episode(world, policy, job, setting)), b'')

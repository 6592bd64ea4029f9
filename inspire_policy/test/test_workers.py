# SPDX-License-Identifier: Apache-2.0
"""Processes that work, that fail, and that die."""

import os
import signal
from multiprocessing import active_children

import pytest

from inspire_policy import crew
from inspire_policy.evaluation import Job, Setting, jobs
from inspire_policy.workers import evaluate, evaluator


def test_the_expert_is_evaluated_on_two_processes() -> None:
    todo = jobs(['pick_ball', 'pick_orange'], episodes=1, seed=0)
    rows = sorted(evaluate(Setting('expert'), todo, workers=2), key=lambda row: row.task)
    assert [(row.task, row.split, row.seed, row.success, row.error) for row in rows] == [
        ('pick_ball', 'seen', 0, True, ''), ('pick_orange', 'unseen', 0, True, '')]
    assert all(20 < row.steps < 200 and row.time > 0 for row in rows)


def test_an_exception_fails_its_episode_with_the_reason() -> None:
    todo = jobs(['pick_ball'], episodes=2, seed=0)
    rows = list(evaluate(Setting('nonsense'), todo, workers=1))
    assert [row.success for row in rows] == [False, False]
    assert all("there is no policy 'nonsense'" in row.error for row in rows)


def test_a_process_that_dies_fails_its_episode_and_is_replaced() -> None:
    first, second = jobs(['pick_ball'], episodes=2, seed=0)
    worker = crew._Worker(evaluator, Setting('expert'), Job)
    try:
        worker.give(first)
        os.kill(worker.process.pid, signal.SIGKILL)
        done = worker.done()
        assert (done.job, done.told, done.error) == (
            first, {}, 'the process ended with status -9')
        worker.give(second)
        done = worker.done()
        assert (done.job, done.told['success'], done.error) == (second, True, '')
    finally:
        worker.end()
    assert not worker.process.is_alive()


def test_a_process_that_hangs_fails_its_episode(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = crew._Worker(evaluator, Setting('expert'), Job)
    try:
        os.kill(worker.process.pid, signal.SIGSTOP)
        monkeypatch.setattr(crew, 'PATIENCE', 0.3)
        worker.give(jobs(['pick_ball'], 1, 0)[0])
        assert crew._answering([worker]) == [worker]
        assert worker.done().error == 'no answer for 0 s'
    finally:
        worker.end()
    assert not worker.process.is_alive()


def test_stopping_half_way_leaves_no_process() -> None:
    episodes = evaluate(Setting('expert'), jobs(['pick_ball'], 3, 0), workers=1)
    next(episodes)
    working = active_children()
    assert len(working) == 1
    episodes.close()
    assert not [child for child in working if child.is_alive()]


def test_no_workers_are_refused() -> None:
    with pytest.raises(ValueError, match='0 workers'):
        next(evaluate(Setting('expert'), jobs(['pick_ball'], 1, 0), workers=0))

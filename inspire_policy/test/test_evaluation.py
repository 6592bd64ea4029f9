# SPDX-License-Identifier: Apache-2.0
"""Counting successes honestly, with a world and a policy of a few lines."""

from collections.abc import Sequence
from types import SimpleNamespace

import numpy as np
import pytest

from inspire_labeler.question import Question
from inspire_policy.evaluation import (
    HELD,
    Job,
    Row,
    Score,
    Setting,
    as_json,
    jobs,
    observed,
    run_episode,
    scores,
    wilson,
)
from inspire_policy.policy import Decision, PolicyObservation
from inspire_sim.tasks import UnknownTask, variants
from piper_driver.pose import Pose

JOB = Job('pick_ball', 'pick up the ball', 'seen', 3)
SETTING = Setting('fake', longest=100)


class CountingWorld:
    """Succeeds from step `begins` to step `ends`."""

    commanded = Pose.identity()

    def __init__(self, begins: int = 1000, ends: int = 1000) -> None:
        self.begins, self.ends = begins, ends
        self.steps = 0
        self.started: tuple[str, int] = ('', -1)

    def reset(self, task: str, seed: int) -> None:
        self.instruction, self.started, self.steps = task, (task, seed), 0

    def step(self, action: np.ndarray) -> None:
        self.steps += 1
        self.last = action

    def observe(self) -> SimpleNamespace:
        arm = SimpleNamespace(position=(0.0,) * 6, velocity=(0.0,) * 6, gripper_width=0.05)
        return SimpleNamespace(stamp=0.0, images={}, arm=arm, tcp=Pose.identity(),
                               instruction=self.instruction)

    def truth(self) -> str:
        return 'the truth'

    def success(self) -> SimpleNamespace:
        return SimpleNamespace(achieved=self.begins <= self.steps < self.ends,
                               detail=f'at step {self.steps}')


class ChunkPolicy:
    """Four steps at a time; done after `chunks` of them, with empty hands when `stops`."""

    needs_truth = False
    cameras = ()

    def __init__(self, chunks: int = 1000, stops: bool = False) -> None:
        self.chunks, self.stops = chunks, stops
        self.asked: Sequence[Question] = ()

    def reset(self, instruction: str, questions: Sequence[Question]) -> None:
        self.asked = questions

    def decide(self, observation: PolicyObservation) -> Decision:
        self.chunks -= 1
        done = self.chunks < 0
        actions = np.zeros((0 if done and self.stops else 4, 7))
        return Decision((), '', actions, done=done)


def test_wilsons_interval_agrees_with_published_values() -> None:
    assert wilson(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert wilson(10, 10) == pytest.approx((0.7225, 1.0), abs=1e-4)
    assert wilson(95, 100) == pytest.approx((0.8882, 0.9785), abs=1e-4)
    assert wilson(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize('successes', range(0, 21, 5))
def test_swapping_success_and_failure_mirrors_the_interval(successes: int) -> None:
    low, high = wilson(successes, 20)
    assert wilson(20 - successes, 20) == pytest.approx((1 - high, 1 - low))
    assert low <= successes / 20 <= high


def test_seeds_are_fixed_in_advance_and_equal_for_every_instruction() -> None:
    todo = jobs(['pull_plate'], episodes=3, seed=40)
    assert [(job.instruction.split()[3], job.seed) for job in todo] == [
        (place, seed) for place in ('bottom', 'middle', 'top') for seed in (40, 41, 42)]
    assert len(jobs([], episodes=2, seed=0)) == 2 * len(variants())


@pytest.mark.parametrize(('episodes', 'seed'), [(0, 0), (-1, 0), (5, -1)])
def test_impossible_numbers_are_refused(episodes: int, seed: int) -> None:
    with pytest.raises(ValueError, match=f'{episodes} episodes from seed {seed}'):
        jobs([], episodes, seed)


def test_an_unknown_task_is_refused_by_name() -> None:
    with pytest.raises(UnknownTask, match="no task 'fly'"):
        jobs(['fly'], 1, 0)


def test_an_episode_ends_when_success_has_held_for_a_second() -> None:
    world, policy = CountingWorld(begins=30), ChunkPolicy()
    row = run_episode(world, policy, JOB, SETTING)
    assert (row.success, row.steps, row.error) == (True, 30 + HELD - 1, '')
    assert world.started == ('pick up the ball', 3)
    assert [question.object for question in policy.asked] == ['the ball']


def test_a_success_that_does_not_last_is_none() -> None:
    row = run_episode(CountingWorld(begins=30, ends=30 + HELD - 1), ChunkPolicy(), JOB, SETTING)
    assert (row.success, row.steps, row.detail) == (False, 100, 'at step 100')


def test_a_policy_that_says_it_is_done_gets_two_seconds_for_success_to_hold() -> None:
    row = run_episode(CountingWorld(), ChunkPolicy(chunks=5), JOB, SETTING)
    assert (row.success, row.steps) == (False, 5 * 4 + 4 + 40)
    late = run_episode(CountingWorld(begins=24), ChunkPolicy(chunks=5), JOB, SETTING)
    assert late.success


def test_a_policy_that_stops_acting_stands_for_as_long_without_being_asked_again() -> None:
    policy = ChunkPolicy(chunks=2, stops=True)
    row = run_episode(CountingWorld(), policy, JOB, SETTING)
    assert (row.success, row.steps, policy.chunks) == (False, 8 + 40, -1)
    world = CountingWorld(begins=8)
    late = run_episode(world, ChunkPolicy(chunks=2, stops=True), JOB, SETTING)
    assert (late.success, late.steps) == (True, 8 + HELD - 1)
    assert np.array_equal(world.last, np.zeros(7))     # the gripper stays as last told
    world = CountingWorld()
    assert not run_episode(world, ChunkPolicy(chunks=0, stops=True), JOB, SETTING).success
    assert np.array_equal(world.last, [0, 0, 0, 0, 0, 0, 0.05])    # or as it was found


def test_only_a_policy_that_says_so_sees_the_truth() -> None:
    world, policy = CountingWorld(), ChunkPolicy()
    world.reset('pick up the ball', 0)
    assert observed(world, policy).truth is None
    policy.needs_truth = True
    assert observed(world, policy).truth == 'the truth'


def test_scores_count_failures_of_every_kind() -> None:
    def row(instruction: str, success: bool, error: str = '') -> Row:
        return Row('t', instruction, 'seen', 0, success, 10, 0.1, '', error)

    found = scores([row('pick up the plug', True), row('pick up the ball', True),
                    row('pick up the ball', False), row('pick up the ball', False, 'it broke')])
    assert found == (Score('pick_ball', 'pick up the ball', 'seen', 3, 1),
                     Score('pick_plug', 'pick up the plug', 'seen', 1, 1))
    assert as_json(found, 'rows.csv') == {
        'tasks': [{'task': 'pick_ball', 'instruction': 'pick up the ball', 'split': 'seen',
                   'episodes': 3, 'successes': 1},
                  {'task': 'pick_plug', 'instruction': 'pick up the plug', 'split': 'seen',
                   'episodes': 1, 'successes': 1}],
        'rows': 'rows.csv'}

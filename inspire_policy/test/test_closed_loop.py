# SPDX-License-Identifier: Apache-2.0
"""An episode from its reset to its end, with a world and a policy of a few lines."""

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from worlds import ChunkPolicy, CountingWorld

from inspire_policy.answer_tally import Case, accuracy
from inspire_policy.closed_loop import (
    DECISION,
    loaded_from,
    make_policy,
    make_world,
    observed,
    run_episode,
)
from inspire_policy.evaluation import HELD, Job, Setting
from inspire_policy.families import FAMILIES
from inspire_policy.families.expert import create
from inspire_policy.forcing import Forced
from inspire_policy.policy import UndecodableAction
from inspire_policy.track import read_track

JOB = Job('pick_ball', 'pick up the ball', 'seen', 3)
SETTING = Setting('fake', longest=100)


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
    assert observed(world, policy).truth.objects.keys() == {'ball'}


def test_answers_are_counted_against_the_truth_by_phase() -> None:
    """The ball is to the right; it is held from step 20 to 40. A decision has four steps."""
    row = run_episode(CountingWorld(takes=20, lays=40), ChunkPolicy(word='right'), JOB, SETTING)
    assert row.decisions == 25
    assert dict(row.answers) == {
        Case('the ball', 'moved', 'before', 'front', 'right', False): 5,
        Case('the ball', 'moved', 'holding', 'grasped', 'right', False): 5,
        Case('the ball', 'moved', 'after', 'front', 'right', False): 15}
    assert accuracy(row.answers).contradictions == 5


def test_a_policy_that_says_nothing_has_no_answers() -> None:
    assert run_episode(CountingWorld(), ChunkPolicy(word=''), JOB, SETTING).answers == ()


def test_every_stage_of_every_decision_is_timed_and_the_whole() -> None:
    row = run_episode(CountingWorld(), ChunkPolicy(), JOB, SETTING)
    assert list(row.timings) == ['answers', 'actions', DECISION]
    assert row.timings['answers'] == (2.0,) * 25      # milliseconds
    assert len(row.timings[DECISION]) == 25 and min(row.timings[DECISION]) > 0.0


def test_the_seam_between_chunks_is_seen() -> None:
    """The arm goes 1 mm a step, and stands in the first step of every chunk."""
    policy = ChunkPolicy(move=lambda step: 0.0 if step % 4 == 0 else 0.001)
    row = run_episode(CountingWorld(), policy, JOB, SETTING)
    assert (row.inside, row.seam) == pytest.approx((0.0, 0.02))
    # Third differences of -1, 0, -1, 2 mm in turn.
    assert row.jerk == pytest.approx(np.sqrt(6 / 4) * 0.001 / 0.05**3, rel=0.02)
    still = run_episode(CountingWorld(), ChunkPolicy(), JOB, SETTING)
    assert (still.jerk, still.seam, still.inside) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(('forced', 'right'), [(Forced.RIGHT, 1.0), (Forced.WRONG, 0.0)])
def test_words_are_forced_on_the_policy_at_each_decision(forced: Forced, right: float) -> None:
    policy = ChunkPolicy(word='front')
    row = run_episode(CountingWorld(takes=20, lays=40), policy, JOB,
                      Setting('fake', longest=100, forced=forced))
    assert accuracy(row.answers).share == right
    assert all(set(words) == {'the ball'} for words in policy.heard)
    own = ChunkPolicy(word='front')
    run_episode(CountingWorld(), own, JOB, SETTING)
    assert own.heard == [{}] * 25


def test_what_goes_wrong_in_an_episode_is_its_reason_and_what_was_noted_before_stays() -> None:
    class Breaking(ChunkPolicy):
        def decide(self, observation):
            if self.chunks < 998:
                raise UndecodableAction('no chunk')
            return super().decide(observation)

    row = run_episode(CountingWorld(), Breaking(word='front'), JOB, SETTING)
    assert (row.success, row.steps, row.error) == (False, 12, 'UndecodableAction: no chunk')
    assert accuracy(row.answers).right == 3 and row.decisions == 3


def test_the_track_of_a_failure_is_kept_and_that_of_a_success_is_not(tmp_path) -> None:
    setting = Setting('fake', longest=100, tracks=str(tmp_path / 'tracks'))
    run_episode(CountingWorld(begins=30), ChunkPolicy(), JOB, setting)
    assert not setting.track(JOB).exists()
    run_episode(CountingWorld(), ChunkPolicy(word='left'), JOB, setting)
    track = read_track(setting.track(JOB))
    assert (track.instruction, track.seed, track.variation) == ('pick up the ball', 3, 'none')
    assert len(track.joints) == 101 and track.widths[0] == np.float32(0.05)
    (word,) = track.words(5)
    assert word == ('the ball', 'left', None, 'front')
    assert np.allclose(track.poses(7)['ball'].position, [0.3, 0.2, 0.02])


def test_the_expert_is_always_right_in_the_world_itself() -> None:
    setting = Setting('expert')
    policy = make_policy(setting)
    world = make_world(policy, setting)
    job = Job('ball_on_book', 'put the ball on the book', 'unseen', 0)
    row = run_episode(world, policy, job, setting)
    found = accuracy(row.answers)
    assert row.success and found.share == 1.0 and found.near == found.near_right
    assert {case.role for case, _ in row.answers} == {'moved', 'target'}
    assert {case.phase for case, _ in row.answers} == {'before', 'holding', 'after'}


def test_options_that_a_family_does_not_take_are_refused_with_those_it_takes() -> None:
    with pytest.raises(ValueError, match="'expert' takes no reasoning; options: viewer, ca"):
        make_policy(Setting('expert', options={'reasoning': 'off'}))
    assert type(make_policy(Setting('expert', options={'catalogue': ''}))) is type(create())


def test_a_policy_that_may_choose_computes_with_one_thread(monkeypatch, tmp_path) -> None:
    made = []
    module = ModuleType('threaded')
    module.create = lambda viewer='', threads=0: made.append(threads) or ChunkPolicy()
    module.SHIPPED = tmp_path
    monkeypatch.setitem(sys.modules, 'threaded', module)
    monkeypatch.setitem(FAMILIES, 'threaded', 'threaded')
    make_policy(Setting('threaded'))
    make_policy(Setting('threaded', options={'threads': '2'}))
    assert made == ['1', '2']
    assert loaded_from(Setting('threaded')) == tmp_path
    module.SHIPPED = tmp_path / 'none'
    assert loaded_from(Setting('threaded')) is None
    assert loaded_from(Setting('threaded', options={'checkpoint': 'x'})) == Path('x')
    assert loaded_from(Setting('expert')) is None


def test_forcing_words_on_a_policy_that_does_not_act_on_them_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be forced on the policy 'expert'"):
        make_policy(Setting('expert', forced=Forced.WRONG))

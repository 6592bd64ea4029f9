# SPDX-License-Identifier: Apache-2.0
"""An episode ends by success that holds, by the policy's end, or by time."""

from dataclasses import replace

from inspire_bringup.ending import SETTLING, Outcome, View, judge

RUNNING = View(elapsed=10.0, success_duration=0.0, missing='the ball is on the table')


def judged(**changes):
    return judge(replace(RUNNING, **changes), timeout=60.0, success_hold=1.0)


def test_it_goes_on_while_nothing_is_decided():
    assert judged() is None


def test_success_counts_when_it_has_held():
    assert judged(success_duration=0.9) is None
    ending = judged(success_duration=1.0)
    assert (ending.outcome, ending.error) == (Outcome.SUCCESS, False)
    assert ending.note == 'succeeded after 10.0 s'


def test_success_counts_even_when_the_policy_ends_badly_or_late():
    assert judged(success_duration=1.0, policy_error='stale').outcome is Outcome.SUCCESS
    assert judged(success_duration=1.0, elapsed=61.0).outcome is Outcome.SUCCESS


def test_a_policy_that_gives_up_is_an_error_with_its_words():
    ending = judged(policy_error='no frame answers to "the dragon"')
    assert (ending.outcome, ending.error) == (Outcome.FAILURE, True)
    assert 'the dragon' in ending.note


def test_success_may_settle_after_the_policy_is_done():
    assert judged(policy_done=10.0 - SETTLING) is None
    ending = judged(policy_done=9.9 - SETTLING)
    assert ending.outcome is Outcome.FAILURE
    assert ending.note == 'failed: the policy is done, but the ball is on the table'


def test_without_a_judge_of_success_the_policy_s_end_is_the_end():
    ending = judged(success_duration=None, policy_done=10.0)
    assert ending.outcome is Outcome.UNKNOWN


def test_out_of_time_is_a_failure_that_says_what_was_missing():
    assert judged(elapsed=60.0) is None
    ending = judged(elapsed=60.1)
    assert ending.outcome is Outcome.FAILURE
    assert ending.note == 'failed: out of time after 60 s: the ball is on the table'


def test_the_numbers_are_those_of_the_service():
    from inspire_msgs.srv import StopEpisode

    for outcome in Outcome:
        assert getattr(StopEpisode.Request, f'OUTCOME_{outcome.name}') == outcome

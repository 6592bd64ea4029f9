# SPDX-License-Identifier: Apache-2.0
"""Episodes are fixed in advance, and a row holds what came of one through any file."""

import json
from dataclasses import asdict

import pytest

from inspire_policy.answer_tally import Case, Tally
from inspire_policy.evaluation import Job, Row, Setting, jobs, made_row
from inspire_policy.forcing import Forced
from inspire_sim.tasks import UnknownTask, variants
from inspire_sim.variation import Variation


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


def test_a_row_is_the_same_after_json() -> None:
    case = Case('the ball', 'moved', 'before', 'left', 'right', False)
    row = made_row(Job('pick_ball', 'pick up the ball', 'seen', 3), False, 80, 1.23456, 'too low',
                   '', decisions=10, jerk=1.5, answers=(Tally(case, 4),),
                   timings={'see': [1.0, 2.0]})
    again = Row(**json.loads(json.dumps(asdict(row))))
    assert again == row and again.time == 1.235
    assert again.answers[0].case.true == 'left' and again.answers[0].times == 4


def test_a_setting_comes_back_from_its_description_without_what_is_no_matter() -> None:
    setting = Setting('nano', options={'reasoning': 'off'}, variation=Variation.CAMERA,
                      forced=Forced.WRONG, tracks='/tmp/somewhere')
    described = json.loads(json.dumps(setting.described()))
    assert 'tracks' not in described and described['variation'] == 'camera'
    assert Setting(**described).described() == setting.described()
    assert Setting(**described).variation is Variation.CAMERA


@pytest.mark.parametrize('wrong', [{'variation': 'fog'}, {'forced': 'maybe'}])
def test_a_setting_of_an_unknown_name_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="'fog'|'maybe'"):
        Setting('expert', **wrong)

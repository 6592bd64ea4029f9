# SPDX-License-Identifier: Apache-2.0
"""An evaluation in figures."""

import json

import pytest

from inspire_policy.answer_tally import Case, Tally
from inspire_policy.evaluation import Row, Setting
from inspire_policy.evaluation_summary import (
    Motion,
    answers_by,
    as_json,
    motion,
    stage_times,
    words,
)
from inspire_policy.success_rate import scores

BALL, ORANGE = 'pick up the ball', 'pick up the orange'


def row(instruction: str, answers: tuple[Tally, ...] = (), **more: object) -> Row:
    split = 'unseen' if instruction == ORANGE else 'seen'
    task = 'pick_orange' if instruction == ORANGE else 'pick_ball'
    return Row(task, instruction, split, 0, True, 10, 0.1, '', '', answers=answers, **more)


def tally(true: str, said: str, times: int, near: bool = False, phase: str = 'before') -> Tally:
    return Tally(Case('the ball', 'moved', phase, true, said, near), times)


ROWS = [
    row(BALL, (tally('left', 'left', 6), tally('left', 'up', 2), tally('up', 'left', 1, True)),
        jerk=1.0, seam=0.02, inside=0.01, timings={'see': [1.0, 2.0], 'decision': [5.0, 6.0]},
        misses=[0.01, 0.02, 0.03]),
    row(ORANGE, (tally('grasped', 'left', 1, phase='holding'),), jerk=3.0, seam=0.04, inside=0.01,
        timings={'see': [3.0], 'decision': [7.0]}),
    row(BALL),     # broke down before anything was noted
]


def test_answers_are_told_apart_by_anything() -> None:
    found = answers_by(ROWS, lambda one, case: (one.split, case.phase))
    assert {key: (one.right, one.clear, one.near) for key, one in found.items()} == {
        ('seen', 'before'): (6, 8, 1), ('unseen', 'holding'): (0, 1, 0)}
    assert words(ROWS) == {('left', 'left'): 6, ('left', 'up'): 2, ('grasped', 'left'): 1}


def test_times_are_of_all_decisions_by_stage() -> None:
    see, decision = stage_times(ROWS)
    assert (see.stage, see.decisions, see.p50) == ('see', 3, 2.0)
    assert decision.p95 == pytest.approx(6.9) and decision.p99 == pytest.approx(6.98)
    assert stage_times([ROWS[2]]) == ()


def test_smoothness_is_the_median_of_the_episodes_that_moved() -> None:
    assert motion(ROWS) == Motion(2, 2.0, 0.03, 0.01)
    assert motion(ROWS).ratio == pytest.approx(3.0)
    assert motion([ROWS[2]]) == Motion(0, None, None, None) and motion([ROWS[2]]).ratio is None


def test_the_json_keeps_its_documented_keys_and_is_json() -> None:
    found = json.loads(json.dumps(as_json(scores(ROWS), ROWS, Setting('expert'), 'rows.csv')))
    assert found['tasks'] == [
        {'task': 'pick_ball', 'instruction': BALL, 'split': 'seen', 'episodes': 2, 'successes': 2},
        {'task': 'pick_orange', 'instruction': ORANGE, 'split': 'unseen', 'episodes': 1,
         'successes': 1}]
    assert found['rows'] == 'rows.csv' and found['setting']['policy'] == 'expert'
    assert found['answers']['seen'] == {'clear': 8, 'right': 6, 'near': 1, 'near_right': 0,
                                        'contradictions': 0, 'share': 0.75}
    assert found['answers']['unseen']['contradictions'] == 1
    assert [(one['split'], one['role'], one['phase']) for one in found['answers']['parts']] == [
        ('seen', 'moved', 'before'), ('unseen', 'moved', 'holding')]
    assert found['answers']['objects'][0]['object'] == 'the ball'
    assert found['places'] == {'seen': {'answers': 3, 'p50': 0.02, 'p95': 0.029}}
    assert [one['stage'] for one in found['timings']] == ['see', 'decision']
    assert found['smoothness'] == {'episodes': 2, 'jerk': 2.0, 'seam': 0.03, 'inside': 0.01,
                                   'ratio': pytest.approx(3.0)}


def test_nothing_at_all_has_figures_too() -> None:
    found = as_json((), [], Setting('expert'), 'rows.csv')
    assert found['tasks'] == [] and found['timings'] == []

# SPDX-License-Identifier: Apache-2.0
"""Arguments become parameters of stages; what is wrong is said by name, value and valid choice."""

import pytest

from inspire_bringup.stages import (
    Argument,
    ArgumentError,
    Loop,
    Stage,
    Use,
    When,
    complete,
    resolve,
)


def known(text):
    if text == 'pick_bal':
        raise ValueError("no task 'pick_bal'; did you mean 'pick_ball'?")


TASK = Argument('task', 'what to do', check=known)
SEED = Argument('seed', 'which world', default=7, kind=int, lower=0, upper=9)
RATE = Argument('rate', 'how fast', default=1.0, kind=float, lower=0.0)
RECORD = Argument('record', 'record or not', default=True, kind=bool)
VIEWER = Argument('viewer', 'whose left', default='libero', choices=('libero', 'piper_real'))
LOOP = Loop(
    'act',
    'a loop',
    (TASK, SEED, RATE, RECORD, VIEWER),
    (
        Stage(
            'sim',
            'inspire_sim',
            'sim',
            parameters={
                'task': Use('task'),
                'rate': Use('rate'),
                'yaw': Use('viewer', through=lambda name: 0.0 if name == 'libero' else -1.5),
                'fixed': 3,
            },
        ),
        Stage('recorder', 'inspire_bringup', 'recorder', condition=When('record')),
    ),
)


def test_arguments_reach_the_parameters_that_use_them():
    sim, _ = resolve(LOOP, complete(LOOP, {'task': 'pick_ball', 'viewer': 'piper_real'}))
    assert dict(sim.parameters) == {'task': 'pick_ball', 'rate': 1.0, 'yaw': -1.5, 'fixed': 3}


def test_texts_become_values_of_the_argument_s_kind():
    values = complete(LOOP, {'task': '7', 'seed': '3', 'rate': '2', 'record': 'False'})
    assert dict(values) == {
        'task': '7', 'seed': 3, 'rate': 2.0, 'record': False, 'viewer': 'libero',
    }  # fmt: skip
    assert isinstance(values['rate'], float)


def test_a_stage_runs_only_under_its_condition():
    names = [stage.name for stage in resolve(LOOP, complete(LOOP, {'task': 'x'}))]
    assert names == ['sim', 'recorder']
    without = resolve(LOOP, complete(LOOP, {'task': 'x', 'record': 'false'}))
    assert [stage.name for stage in without] == ['sim']


@pytest.mark.parametrize(
    ('given', 'message'),
    [
        ({}, "act needs the argument 'task': what to do"),
        ({'task': 'x', 'speed': '1'}, "no argument 'speed'; it has task, seed, rate"),
        ({'task': 'x', 'seed': 'two'}, "seed: 'two' is not a whole number"),
        ({'task': 'x', 'seed': '-1'}, r"seed: '-1' is not a whole number in 0\.\.9"),
        ({'task': 'x', 'seed': '10'}, r"seed: '10' is not a whole number in 0\.\.9"),
        ({'task': 'x', 'rate': 'fast'}, "rate: 'fast' is not a number of at least 0"),
        ({'task': 'x', 'rate': 'nan'}, "rate: 'nan' is not a number of at least 0"),
        ({'task': 'pick_bal'}, "task: no task 'pick_bal'; did you mean 'pick_ball'"),
        ({'task': 'x', 'record': 'maybe'}, "record: 'maybe' is neither true nor false"),
        ({'task': 'x', 'viewer': 'me'}, "viewer: 'me' is none of libero, piper_real"),
    ],
)
def test_an_argument_that_is_wrong_is_named(given, message):
    with pytest.raises(ArgumentError, match=message):
        complete(LOOP, given)


def test_a_stage_cannot_use_an_argument_that_its_loop_lacks():
    stage = Stage('sim', 'inspire_sim', 'sim', parameters={'seed': Use('seed')})
    with pytest.raises(ArgumentError, match=r"'sim' uses unknown \['seed'\]"):
        Loop('act', '', (TASK,), (stage,))

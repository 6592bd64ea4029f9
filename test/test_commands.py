# SPDX-License-Identifier: Apache-2.0
"""Commands as programs call them: status, stderr, and files for machines."""

import json

import pytest

from .conftest import inspire


def test_bench_writes_figures_and_the_machine(tmp_path):
    written = tmp_path / 'figures.json'
    done = inspire('bench', 'labels', '--json', str(written))
    assert done.returncode == 0, done.stderr
    content = json.loads(written.read_text())
    assert set(content) == {'machine', 'figures'}
    assert content['machine']['cores']
    for figure in content['figures']:
        assert list(figure) == ['name', 'value', 'unit', 'runs', 'min', 'median', 'max']
        assert figure['min'] <= figure['median'] <= figure['max']


def test_questions_prints_a_list_for_machines():
    done = inspire('questions', 'put the ball on the book', '--json')
    assert done.returncode == 0, done.stderr
    listed = json.loads(done.stdout)
    assert [one['object'] for one in listed] == ['the ball', 'the book']
    assert all(set(one) == {'object', 'question', 'options'} for one in listed)


def test_evaluate_writes_successes_and_the_table_of_episodes(tmp_path):
    written = tmp_path / 'found.json'
    done = inspire(
        'evaluate', '--policy', 'expert', '--episodes', '1', '--workers', '1',
        '--tasks', 'pick_ball', '--json', str(written), timeout=110.0,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    content = json.loads(written.read_text())
    (task,) = content['tasks']
    assert set(task) == {'task', 'instruction', 'split', 'episodes', 'successes'}
    assert (task['task'], task['episodes']) == ('pick_ball', 1)
    with open(content['rows']) as rows:
        assert len(rows.read().splitlines()) == 2


def test_the_tests_end_with_pytest_s_closing_line():
    done = inspire('test', '--no-setup', 'inspire_bringup/test/test_stages.py')
    assert done.returncode == 0, done.stdout + done.stderr
    assert ' passed in ' in done.stdout.splitlines()[-1]


def test_tests_that_fail_fail_the_command():
    done = inspire('test', '--no-setup', 'no/such/file.py')
    assert done.returncode != 0


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (('bench', 'lables'), "there is no benchmark 'lables'"),
        (('run', 'act'), '--task'),
        (('run', 'dance'), "invalid choice: 'dance'"),
        (('run', 'act', '--task', 'pick_ball', '--without', 'nobody'), "no stage 'nobody'"),
        (('run', 'act', '--task', 'pick_bal'), "argument --task: no task 'pick_bal'"),
        (
            ('run', 'act', '--task', 'pick_ball', '--seed', '-1'),
            "argument --seed: '-1' is not a whole number in 0..4294967295",
        ),
        (
            ('run', 'collect', '--task', 'pick_ball', '--episodes', '0'),
            "argument --episodes: '0' is not a whole number in 1..1000000",
        ),
        (
            ('run', 'act', '--task', 'pick_ball', '--real-time-factor', '-1'),
            "argument --real-time-factor: '-1' is not a number in 0.0..100.0",
        ),
        (('record', '--duration', 'nan'), "'nan' is not a number of at least 0.0"),
        (('echo', '--timeout', '-1'), "'-1' is not a number of at least 0.0"),
        (('bench', 'labels', '--json', '/proc/nothing/x.json'), '/proc/nothing'),
        (
            ('evaluate', '--policy', 'expert', '--seed', '99999999999'),
            'from seed 99999999999; valid: at least 1, from 0, the last seed at most 4294967295',
        ),
        (('questions', ''), ''),
        (('report', '/nowhere'), '/nowhere'),
        (('video', '/nowhere'), '/nowhere'),
        (('repair', '/nowhere'), '/nowhere'),
        (('label', '/nowhere'), '/nowhere'),
        (('evaluate', '--policy', 'expert', '--tasks', 'pick_bal'), 'pick_bal'),
    ],
    ids=lambda value: ' '.join(value) if isinstance(value, tuple) else '',
)
def test_a_wrong_demand_is_an_error_on_stderr_without_a_traceback(arguments, message, tmp_path):
    more = ('--runs', str(tmp_path)) if arguments[0] == 'run' and len(arguments) > 3 else ()
    refused = inspire(*arguments, *more)
    assert refused.returncode != 0
    assert message in refused.stderr
    assert refused.stderr.count('\n') == 1, refused.stderr
    assert not list(tmp_path.iterdir())

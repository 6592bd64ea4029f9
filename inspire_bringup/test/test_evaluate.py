# SPDX-License-Identifier: Apache-2.0
"""`./inspire evaluate`: what it writes, and what it says when it cannot."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from inspire_bringup import command_line
from inspire_bringup.commands import evaluate
from inspire_policy.evaluation import Job, Row


def row(job: Job, success: bool = True) -> Row:
    return Row(job.task, job.instruction, job.split, job.seed, success, 90, 0.5,
               'done' if success else 'too low', '')


def backwards(setting: object, todo: tuple[Job, ...], workers: int) -> Iterator[Row]:
    """Instead of processes: the last episode ends first, odd seeds fail."""
    for job in reversed(todo):
        yield row(job, job.seed % 2 == 0)


def run(*words: str) -> int:
    return command_line.main(['evaluate', '--policy', 'expert', *words])


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluate, 'evaluate', backwards)


def test_successes_and_rows_are_written(quick: None, tmp_path: Path,
                                        capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / 'new' / 'figures.json'
    assert run('--tasks', 'pick_orange,pull_plate', '--episodes', '3', '--json', str(out)) == 0
    figures = json.loads(out.read_text())
    assert figures['tasks'][0] == {
        'task': 'pull_plate', 'instruction': 'pull out the bottom plate from the cabinet',
        'split': 'seen', 'episodes': 3, 'successes': 2}
    assert [entry['task'] for entry in figures['tasks']] == ['pull_plate'] * 3 + ['pick_orange']
    with open(figures['rows'], newline='') as file:
        rows = list(csv.DictReader(file))
    assert [(line['task'], line['seed']) for line in rows[:3]] == [
        ('pick_orange', '0'), ('pick_orange', '1'), ('pick_orange', '2')]
    assert list(rows[0]) == ['task', 'instruction', 'split', 'seed', 'success', 'steps', 'time',
                             'detail', 'error']
    shown = capsys.readouterr().out
    assert 'all tasks' in shown and '8/12' in shown and 'too low' in shown


def test_the_rows_of_a_stopped_run_are_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
                                            capsys: pytest.CaptureFixture[str]) -> None:
    def stopped(setting: object, todo: tuple[Job, ...], workers: int) -> Iterator[Row]:
        yield row(todo[0])
        raise KeyboardInterrupt

    monkeypatch.setattr(evaluate, 'evaluate', stopped)
    table = tmp_path / 'rows.csv'
    assert run('--tasks', 'pick_ball', '--rows', str(table)) == 130
    assert table.read_text().splitlines()[1:] == ['pick_ball,pick up the ball,seen,0,True,90,0.5,'
                                                  'done,']
    assert 'stopped after 1 of 20 episodes' in capsys.readouterr().out


@pytest.mark.parametrize(('words', 'said'), [
    (('--tasks', 'fly'), "no task 'fly'; valid ids: pick_ball"),
    (('--episodes', '0'), '0 episodes from seed 0; valid: at least 1'),
    (('--seed', '-1'), 'valid: at least 1, from 0'),
    (('--seed', '4294967295', '--episodes', '2'), 'the last seed at most 4294967295'),
    (('--workers', '0'), '0 workers; valid: at least 1')])
def test_what_cannot_be_is_refused_with_what_can(words: tuple[str, ...], said: str, tmp_path: Path,
                                                 capsys: pytest.CaptureFixture[str]) -> None:
    rows = tmp_path / 'rows.csv'
    rows.write_text('an older table')
    assert run(*words, '--rows', str(rows)) == 1
    assert said in capsys.readouterr().err
    assert rows.read_text() == 'an older table'


def test_a_folder_that_cannot_be_made_is_an_error(quick: None, tmp_path: Path,
                                                  capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / 'file').write_text('')
    for option in ('--rows', '--json'):
        assert run(option, str(tmp_path / 'file' / 'rows.csv')) == 1
        assert 'file' in capsys.readouterr().err
    assert run('--json', str(tmp_path)) == 1
    assert 'Is a directory' in capsys.readouterr().err

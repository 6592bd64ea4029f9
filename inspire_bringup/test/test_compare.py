# SPDX-License-Identifier: Apache-2.0
"""`./inspire compare`: the difference of two tables, and what it refuses."""

import json
from pathlib import Path

import pytest

from inspire_bringup import command_line
from inspire_policy import row_table
from inspire_policy.evaluation import Setting, jobs, made_row


def table(path: Path, solved: set[int], episodes: int = 8, **setting: object) -> Path:
    rows = [made_row(job, job.seed in solved, 90, 1.0, '', '')
            for job in jobs(['pick_ball', 'pick_orange'], episodes, 0)]
    row_table.write(path, rows, Setting('expert', **setting))
    return path


def run(*words: object) -> int:
    return command_line.main(['compare', *map(str, words)])


def test_the_difference_is_printed_and_written(tmp_path: Path,
                                               capsys: pytest.CaptureFixture[str]) -> None:
    first = table(tmp_path / 'a.csv', {0, 1})
    second = table(tmp_path / 'b.csv', {0, 2, 3, 4, 5, 6}, options={'reasoning': 'off'})
    out = tmp_path / 'new' / 'out.json'
    assert run(first, second, '--json', out) == 0
    shown = capsys.readouterr().out
    assert '+50.0' in shown and 'options: {} and {"reasoning": "off"}' in shown
    assert "Newcombe's interval" in shown
    found = json.loads(out.read_text())
    assert [one['name'] for one in found['groups']] == ['seen', 'unseen', 'all', 'pick_ball',
                                                        'pick_orange']
    whole = found['groups'][2]
    assert (whole['both'], whole['first_only'], whole['second_only'], whole['neither']) == (
        2, 2, 10, 2)
    assert whole['p'] == pytest.approx(2 * (1 + 12 + 66) / 2**12)
    assert whole['interval'][0] < 0.5 < whole['interval'][1]
    assert found['settings_differ'] == ['options: {} and {"reasoning": "off"}']


def test_other_worlds_of_the_same_seeds_can_be_compared(tmp_path: Path) -> None:
    first = table(tmp_path / 'a.csv', {0, 1})
    assert run(first, table(tmp_path / 'b.csv', {0}, variation='camera')) == 0


def test_eighty_columns_hold_the_whole_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                             capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv('COLUMNS', '80')
    paths = [tmp_path / 'a.csv', tmp_path / 'b.csv']
    for path, solved in zip(paths, (0, 1), strict=True):
        rows = [made_row(job, bool(solved), 90, 1.0, '', '') for job in jobs([], 40, 0)]
        row_table.write(path, rows, Setting('expert'))
    assert run(*paths) == 0
    shown = capsys.readouterr().out
    assert '…' not in shown and 'banana_in_plate' in shown and shown.count('+100.0') == 2 * 18
    assert max(map(len, shown[shown.index('tasks '):].splitlines())) <= 80


@pytest.mark.parametrize(('changes', 'said'), [
    ({'episodes': 9}, 'the episodes are not the same ones: 2 of 18 are in the second table only'),
    ({'viewer': 'piper_real'}, 'viewer is libero in the first table and piper_real in the second'),
    ({'longest': 400}, 'longest is 800 in the first table and 400 in the second')])
def test_other_episodes_are_refused(changes: dict[str, object], said: str, tmp_path: Path,
                                    capsys: pytest.CaptureFixture[str]) -> None:
    first = table(tmp_path / 'a.csv', {0, 1})
    assert run(first, table(tmp_path / 'b.csv', {0}, **changes)) == 1
    assert said in capsys.readouterr().err


def test_what_is_no_table_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = table(tmp_path / 'a.csv', {0})
    (tmp_path / 'b.csv').write_text('a,b\n1,2\n')
    assert run(first, tmp_path / 'b.csv') == 1
    assert 'b.csv: row 1 is no episode' in capsys.readouterr().err
    assert run(first, tmp_path / 'missing.csv') == 1
    assert 'missing.csv' in capsys.readouterr().err

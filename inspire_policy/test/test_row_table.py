# SPDX-License-Identifier: Apache-2.0
"""A table gives back what was written, whole or cut off, and says what it cannot be."""

import csv
from pathlib import Path

import pytest

from inspire_policy import row_table
from inspire_policy.answer_tally import Case, Tally
from inspire_policy.evaluation import Row, Setting
from inspire_policy.row_table import differences
from inspire_sim.variation import Variation

SETTING = Setting('nano', options={'reasoning': 'off'}, variation=Variation.CAMERA)
CASE = Case('the "blue", cup', 'moved', 'before', 'left', 'right', True)
ROWS = [
    Row('pick_ball', 'pick up the ball', 'seen', 0, True, 90, 1.5, 'done', '', 12, 3.5, 0.01,
        0.002, (Tally(CASE, 3),), {'see': (1.5, 2.25)}, (0.012, 0.3)),
    Row('pick_ball', 'pick up the ball', 'seen', 1, False, 0, 0.5, '', 'it broke,\n"badly"'),
]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / 'rows.csv'
    row_table.write(path, ROWS, SETTING)
    return path


def test_what_was_written_is_read(table: Path) -> None:
    rows, setting = row_table.read(table)
    assert rows == ROWS and setting is not None
    assert setting.described() == SETTING.described()


def test_the_first_columns_are_those_of_any_reader(table: Path) -> None:
    with table.open(newline='') as file:
        lines = list(csv.DictReader(file))
    assert list(lines[0])[:9] == ['task', 'instruction', 'split', 'seed', 'success', 'steps',
                                  'time', 'detail', 'error']
    assert (lines[0]['success'], lines[1]['jerk']) == ('True', '')


def test_a_row_is_appended(table: Path) -> None:
    row_table.append(table, ROWS[0], SETTING)
    assert row_table.read(table)[0] == [*ROWS, ROWS[0]]


@pytest.mark.parametrize('cut', [5, 40, 200])
def test_a_last_line_that_was_cut_off_is_left_out(table: Path, cut: int) -> None:
    row_table.append(table, ROWS[0], SETTING)
    table.write_text(table.read_text()[:-cut])
    assert row_table.read(table)[0] == ROWS


def test_a_line_that_is_broken_elsewhere_is_an_error(table: Path) -> None:
    table.write_text(table.read_text().replace(',90,', ',many,'))
    with pytest.raises(ValueError, match=r'rows.csv: row 1 is no episode.*many'):
        row_table.read(table)


def test_rows_of_two_settings_are_an_error(table: Path) -> None:
    row_table.append(table, ROWS[0], Setting('expert'))
    with pytest.raises(ValueError, match='holds rows of 2 settings'):
        row_table.read(table)


def test_an_older_table_is_read_without_what_it_lacks(tmp_path: Path) -> None:
    path = tmp_path / 'old.csv'
    path.write_text('task,instruction,split,seed,success,steps,time,detail,error\n'
                    'pick_ball,pick up the ball,seen,0,True,90,0.5,done,\n')
    (row,), setting = row_table.read(path)
    assert (row.success, row.answers, row.jerk, setting) == (True, (), None, None)


def test_a_table_of_something_else_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / 'other.csv'
    path.write_text('a,b\n1,2\n3,4\n')
    with pytest.raises(ValueError, match=r'other.csv: row 1 is no episode'):
        row_table.read(path)


def test_an_older_table_stays_until_a_new_one_is_complete(table: Path) -> None:
    def broken():
        yield ROWS[0]
        raise RuntimeError

    before = table.read_text()
    with pytest.raises(RuntimeError):
        row_table.write(table, broken(), SETTING)
    assert table.read_text() == before and list(table.parent.iterdir()) == [table]


def test_in_what_settings_differ_is_said() -> None:
    assert differences(SETTING, SETTING) == []
    assert differences(SETTING, Setting('nano', options={'reasoning': 'full'})) == [
        'options: {"reasoning": "off"} and {"reasoning": "full"}', 'variation: camera and none']

# SPDX-License-Identifier: Apache-2.0
"""`./inspire questions`: as a table, as JSON, and with an error for what cannot be asked."""

import json

import pytest

from inspire_bringup.command_line import main


def test_json_is_a_list_of_object_question_and_options(capsys):
    assert main(['questions', 'put the ball on the book', '--json']) == 0
    assert json.loads(capsys.readouterr().out) == [
        {'object': f'the {name}',
         'question': f'In which direction is the {name} relative to the robot?',
         'options': ['left', 'right', 'up', 'down', 'front', 'back', 'grasped']}
        for name in ('ball', 'book')]


@pytest.mark.parametrize('formulation, options', [
    ('direction_3d', ['front|back', 'right|left', 'up|down', 'grasped']),
    ('proximity', ['near', 'middle', 'far', 'grasped']),
    ('distance', [*'0123456789', 'grasped']),
])
def test_any_formulation_can_be_asked_for(capsys, formulation, options):
    assert main(['questions', 'pick up the ball', '--formulation', formulation, '--json']) == 0
    asked, = json.loads(capsys.readouterr().out)
    assert asked['options'] == options


def test_the_table_shows_every_question_and_short_options(capsys):
    assert main(['questions', 'put the ball on the book', '--formulation', 'location_3d']) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4 and lines[2].startswith('the ball  What is the accurate position of ')
    assert lines[3].endswith('-9..9 -9..9 -9..9 grasped')


@pytest.mark.parametrize('instruction, complaint', [
    ('', 'the instruction is empty'), ('stop', "named in the instruction 'stop'"),
    ('x' * 10_000, 'has 10000 characters, at most 1024'),
    ('把球放在书上', 'CJK UNIFIED IDEOGRAPH'),
])
@pytest.mark.parametrize('more', [[], ['--json']])
def test_what_cannot_be_asked_is_an_error_on_stderr_only(capsys, instruction, complaint, more):
    assert main(['questions', instruction, *more]) != 0
    printed = capsys.readouterr()
    assert printed.out == '' and complaint in printed.err and printed.err.count('\n') == 1

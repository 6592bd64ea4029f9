# SPDX-License-Identifier: Apache-2.0
"""The live view shows answers beside the truth."""

import io

import pytest
from rich.console import Console

from inspire_bringup.view import Observation, Rate, Said, View, layout

BALL = Said('the ball', 'In which direction is the ball relative to the robot?', 'left', '',
            (('left', 0.75), ('right', 0.25)))  # fmt: skip


def drawn(view):
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(layout(view))
    return console.export_text()


def view(label='left'):
    return View(
        reasoning=Observation(1.5, 'pick up the ball', (BALL,), 3),
        labels=Observation(1.5, 'pick up the ball', (Said('the ball', '', label),)),
        agreed=9, compared=10, task='pick_ball', missing='the ball is on the table', elapsed=1.5,
    )  # fmt: skip


def test_it_shows_question_answer_truth_probabilities_and_agreement():
    text = drawn(view())
    for part in ('"pick up the ball"', 'In which direction is the ball', 'truth: left', '0.75',
                 '9 of 10 answers as the truth (90%)', 'the ball is on the table'):  # fmt: skip
        assert part in text
    bar = next(line for line in text.splitlines() if '0.75' in line)
    assert bar.count('█') == 15


def test_before_anything_comes_it_says_so():
    assert 'no instruction yet' in drawn(View())


def test_a_withheld_answer_shows_its_reason():
    held = View(reasoning=Observation(0.0, 'x', (Said('the ball', '?', '', 'no transform'),)))
    assert 'no answer (no transform)' in drawn(held)


def test_the_record_for_programs_has_the_label_beside_the_answer():
    record = view(label='down').as_record()
    assert record['answers'][0]['answer'] == 'left'
    assert record['answers'][0]['label'] == 'down'
    assert record['answers'][0]['probabilities'] == {'left': 0.75, 'right': 0.25}
    assert (record['agreed'], record['compared'], record['chunk']) == (9, 10, 3)


def test_a_rate_is_that_of_the_latest_arrivals_and_falls_in_silence():
    rate = Rate()
    assert rate.hertz(0.0) == 0.0
    for index in range(11):
        rate.note(index * 0.1)
    assert rate.hertz(1.0) == pytest.approx(10.0)
    assert rate.hertz(2.0) == pytest.approx(1.0)

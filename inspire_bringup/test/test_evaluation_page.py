# SPDX-License-Identifier: Apache-2.0
"""The page of an evaluation says what was measured, loads nothing, and lets nothing into HTML."""

from dataclasses import replace
from pathlib import Path

import pytest
from test_report import Balance

from inspire_bringup import evaluation_page
from inspire_bringup.evaluation_page import Evaluation, page, recipe, word_table
from inspire_policy.answer_tally import Case, Tally
from inspire_policy.evaluation import Job, Row, Setting, jobs, made_row
from inspire_policy.forcing import Forced
from inspire_sim.variation import Variation

ANSWERS = (Tally(Case('the ball', 'moved', 'before', 'left', 'left', False), 8),
           Tally(Case('the ball', 'moved', 'before', 'left', 'up', False), 2),
           Tally(Case('the ball', 'moved', 'holding', 'grasped', 'left', False), 1))


def row(job: Job, **changes: object) -> Row:
    made = made_row(job, job.seed % 4 != 0, 120, 2.0, 'the ball is 4 cm too low', '', decisions=2,
                    jerk=5.0, seam=0.03, inside=0.01, answers=ANSWERS,
                    misses=[0.012, 0.034], timings={'see': [20.0, 22.0], 'decision': [41.0, 43.0]})
    return replace(made, **changes)


def evaluation(rows: list[Row], **changes: object) -> Evaluation:
    made = Evaluation(tuple(rows), Setting('expert'), 'out.rows.csv', 2, {'python': '3.11'},
                      {'cores': '2'})
    return replace(made, **changes)


@pytest.fixture
def rows() -> list[Row]:
    return [row(job) for job in jobs(['pick_ball', 'pick_orange'], 8, 0)]


def test_the_page_says_what_was_measured(rows: list[Row]) -> None:
    text = page(evaluation(rows))
    for said in ('75.0 %', '6/8 · 75%', 'pick orange', 'the ball is 4 cm too low', '42.00 ms',
                 '5.0 m/s³', '3.00', '2.3 cm', 'out.rows.csv', 'wrong about grasped',
                 './inspire evaluate --policy expert --tasks pick_ball,pick_orange --episodes 8 '
                 '--seed 0 --workers 2'):
        assert said in text, said


def test_the_page_is_well_formed_and_loads_nothing(rows: list[Row]) -> None:
    rows += [row(job, success=False) for job in jobs(['stack_bowls'], 8, 0)]
    balance = Balance()
    balance.feed(page(evaluation(rows)))
    assert (balance.open, balance.wrong, balance.loaded) == ([], [], [])
    assert '48 more' not in page(evaluation(rows)) and ' more</summary>' in page(evaluation(rows))


def test_an_evaluation_without_episodes_or_answers_has_a_page(rows: list[Row]) -> None:
    assert 'The policy gave no answers' in page(evaluation([]))
    silent = [replace(one, answers=(), timings={}, jerk=None, seam=None, inside=None, success=True)
              for one in rows]
    text = page(evaluation(silent))
    assert 'The policy gave no answers' in text and 'None.' in text
    assert 'Time of a decision' not in text


def test_errors_are_told_from_failures_and_counted_by_kind(rows: list[Row]) -> None:
    rows[0] = row(Job('pick_ball', 'pick up the ball', 'seen', 0), success=False,
                  error='UndecodableAction: step 3 is <nan>')
    text = page(evaluation(rows))
    assert 'UndecodableAction: 1' in text
    assert '<td class="bad">UndecodableAction: step 3 is &lt;nan&gt;</td>' in text


def test_words_of_others_do_not_become_markup(rows: list[Row]) -> None:
    evil = '</script><script>alert(1)</script>'
    bad = Case(evil, 'moved', 'before', evil, evil, False)
    rows[0] = replace(rows[0], detail=evil, error=evil, answers=(Tally(bad, 1),),
                      timings={evil: [1.0]})
    setting = Setting('expert', options={'checkpoint': evil})
    assert evil not in page(evaluation(rows, setting=setting))


def test_videos_are_inside_or_where_they_lie_when_too_large(
        rows: list[Row], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / 'out.videos' / 'pick_up_the_ball-0.mp4'
    path.parent.mkdir()
    path.write_bytes(b'0123')
    about = evaluation(rows, videos={('pick up the ball', 0): path})
    assert 'src="data:video/mp4;base64,MDEyMw=="' in page(about, tmp_path)
    monkeypatch.setattr(evaluation_page, 'LARGEST_EMBEDDED', 3)
    assert 'src="out.videos/pick_up_the_ball-0.mp4"' in page(about, tmp_path)


def test_what_is_unusual_is_said_at_the_top_and_in_the_command(rows: list[Row]) -> None:
    setting = Setting('nano', options={'reasoning': 'drafted'}, forced=Forced.WRONG,
                      variation=Variation.BACKGROUND)
    text = page(evaluation(rows, setting=setting))
    assert 'reasoning: drafted' in text and 'variation: background' in text
    assert 'Answers were forced (wrong)' in text
    assert '--policy nano --reasoning drafted --forced wrong --variation background' in recipe(
        evaluation(rows, setting=setting))


def test_words_are_shares_of_each_true_words_answers(rows: list[Row]) -> None:
    table = word_table(rows[:1])
    assert table['words'] == ['left', 'up', 'grasped']
    assert table['lines'] == [('left', 10, [('left', 8, 0.8), ('up', 2, 0.2),
                                            ('grasped', 0, 0.0)]),
                              ('grasped', 1, [('left', 1, 1.0), ('up', 0, 0.0),
                                              ('grasped', 0, 0.0)])]

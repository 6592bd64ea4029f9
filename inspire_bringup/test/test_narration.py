# SPDX-License-Identifier: Apache-2.0
"""The reasoning is told line by line, as it changes."""

from inspire_bringup.narration import PROGRESS, Narration, Tally, progress


def test_an_answer_is_told_when_it_changes_and_only_then():
    narration = Narration()
    told = [narration.hear(time, [('the ball', word, '')]) for time, word in enumerate(
        ['left', 'left', 'front', 'down', 'down', 'grasped']
    )]  # fmt: skip
    assert [len(lines) for lines in told] == [1, 0, 1, 1, 0, 1]
    assert told[2] == ['   2.0 s  the ball: front']
    assert narration.decisions == 6
    assert narration.summary() == ['the ball: left, front, down, grasped']


def test_each_object_has_a_history_of_its_own():
    narration = Narration()
    narration.hear(0.0, [('the ball', 'left', ''), ('the book', 'right', '')])
    lines = narration.hear(0.4, [('the ball', 'left', ''), ('the book', 'down', '')])
    assert lines == ['   0.4 s  the book: down']
    assert narration.summary() == ['the ball: left', 'the book: right, down']


def test_a_withheld_answer_is_told_with_its_reason():
    narration = Narration()
    lines = narration.hear(1.0, [('the ball', '', 'no transform from ball')])
    assert lines == ['   1.0 s  the ball: no answer (no transform from ball)']
    assert narration.summary() == ['the ball: no answer']


def test_progress_says_what_is_known_and_nothing_else():
    assert progress(3.21, 1, Tally(), '') == 'progress: 3.2 s, 1 decision'
    line = progress(12.0, 30, Tally(60, 58), 'the ball is on the table')
    assert line.startswith(PROGRESS)
    assert line.endswith('30 decisions, 58 of 60 answers as the truth, the ball is on the table')


def test_a_tally_counts_this_episode_alone():
    assert Tally(36, 35).since(Tally(20, 20)) == Tally(16, 15)
    assert Tally(16, 15).since(Tally(20, 20)) == Tally(16, 15)  # counted anew

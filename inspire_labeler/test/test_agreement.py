# SPDX-License-Identifier: Apache-2.0
"""Counting agreement, whichever side comes first."""

from itertools import permutations

import pytest

from inspire_labeler.agreement import AgreementCounter, Said

SECOND = 10**9
TASK = 'put the ball on the book'


def said(**words):
    return [Said(f'the {name}', 'direction', word) for name, word in words.items()]


def totals(counter):
    return counter.compared, counter.agreed, counter.unlabelled


@pytest.mark.parametrize('order', list(permutations(range(4))))
def test_the_order_of_arrival_changes_no_count(order):
    counter = AgreementCounter()
    happenings = [
        lambda: counter.add_answers(1, TASK, said(ball='left', book='down')),
        lambda: counter.add_labels(1, TASK, said(ball='left', book='up')),
        lambda: counter.add_answers(2, TASK, said(ball='up', book='front')),
        lambda: counter.add_labels(2, TASK, said(ball='up', book='')),
    ]
    for index in order:
        happenings[index]()
    assert totals(counter) == (3, 2, 1)
    counts = {count.object: (count.compared, count.agreed, count.unlabelled)
              for count in counter.objects}
    assert counts == {'the ball': (2, 2, 0), 'the book': (1, 0, 1)}


def test_only_answers_of_the_very_same_observation_are_compared():
    counter = AgreementCounter()
    counter.add_labels(1, TASK, said(ball='left'))
    counter.add_answers(2, TASK, said(ball='left'))
    assert totals(counter) == (0, 0, 0)


def test_an_answer_whose_label_does_not_come_is_unlabelled_after_the_patience():
    counter = AgreementCounter(patience=2.0)
    assert not counter.add_answers(0, TASK, said(ball='left'))
    assert not counter.add_labels(2 * SECOND, TASK, said(ball='left'))
    assert totals(counter) == (0, 0, 0)
    assert counter.add_labels(2 * SECOND + 1, TASK, said(ball='left'))
    assert totals(counter) == (0, 0, 1)


def test_another_formulation_is_another_question():
    counter = AgreementCounter()
    counter.add_labels(1, TASK, [Said('the ball', 'proximity', 'near')])
    counter.add_answers(1, TASK, said(ball='left'))
    assert totals(counter) == (0, 0, 1)


def test_an_answer_that_the_policy_withheld_is_not_counted():
    counter = AgreementCounter()
    counter.add_labels(1, TASK, said(ball='left'))
    assert not counter.add_answers(1, TASK, said(ball=''))
    assert totals(counter) == (0, 0, 0)


def test_counts_start_again_with_a_new_instruction():
    counter = AgreementCounter()
    counter.add_labels(1, TASK, said(ball='left'))
    counter.add_answers(1, TASK, said(ball='left'))
    counter.add_answers(2, 'pick up the plug', said(plug='up'))
    assert totals(counter) == (0, 0, 0) and counter.objects == ()
    counter.add_labels(2, 'pick up the plug', said(plug='up'))
    assert totals(counter) == (1, 1, 0) and counter.instruction == 'pick up the plug'


def test_the_latest_pair_is_kept():
    counter = AgreementCounter()
    counter.add_labels(7, TASK, said(ball='left'))
    counter.add_answers(7, TASK, said(ball='right'))
    count, = counter.objects
    assert (count.answer, count.label, counter.stamp) == ('right', 'left', 7)


def test_memory_stays_bounded_when_one_side_never_comes():
    counter = AgreementCounter(patience=1e6)
    for stamp in range(5000):
        counter.add_labels(stamp, TASK, said(ball='left'))
        counter.add_answers(stamp + 10**18, TASK, said(ball='left'))
    assert len(counter._labels) <= 900 and len(counter._waiting) <= 900

# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from inspire_labeler.formulation import OPTIONS, Formulation
from inspire_labeler.rule import VOCABULARY
from inspire_policy.answer_set import alternatives, best, holds


@pytest.mark.parametrize('formulation', Formulation)
def test_every_answer_of_the_rule_can_be_spelled_and_nothing_else(formulation):
    options = OPTIONS[formulation]
    for answer in VOCABULARY[formulation][::37] + VOCABULARY[formulation][-1:]:
        assert holds(options, answer)
    for wrong in ('', 'nowhere', 'left left', 'grasped grasped', 'front right', '1 2'):
        assert holds(options, wrong) == (wrong in VOCABULARY[formulation])


def test_a_product_is_spelled_position_by_position():
    options = OPTIONS[Formulation.DIRECTION_3D]
    assert alternatives(options, []) == ('front', 'back', 'grasped')
    assert alternatives(options, ['front']) == ('right', 'left')
    assert alternatives(options, ['front', 'left']) == ('up', 'down')
    assert alternatives(options, ['front', 'left', 'up']) == ()
    assert alternatives(options, ['grasped']) == ()


def test_the_best_option_wins_though_another_token_has_a_larger_logit():
    word, shares = best([9.0, -5.0, -3.0, 100.0], {'left': 1, 'right': 2}, ('left', 'right'))
    assert word == 'right'
    assert sum(shares) == pytest.approx(1.0)
    assert shares[1] > shares[0]


def test_of_equal_options_the_first_is_taken():
    assert best([0.0, 0.0], {'left': 0, 'right': 1}, ('left', 'right'))[0] == 'left'


def test_logits_that_say_nothing_are_refused():
    for logits in ([np.nan, 1.0], [-np.inf, -np.inf]):
        with pytest.raises(ValueError, match='left, right'):
            best(logits, {'left': 0, 'right': 1}, ('left', 'right'))


def test_an_infinite_logit_wins():
    word, shares = best([1.0, np.inf], {'left': 0, 'right': 1}, ('left', 'right'))
    assert (word, shares) == ('right', (0.0, 1.0))


def test_no_answer_is_invalid_whatever_the_logits_are():
    """Twenty thousand here; `./inspire bench decoding` has a million."""
    from inspire_policy.adversary import invalid_answers
    assert invalid_answers(20_000, seed=20261127) == 0


def test_the_adversary_finds_a_constraint_that_is_none():
    """Multiplying by a mask, as others do: where all that is allowed is negative, 0 wins."""
    from inspire_policy.adversary import invalid_answers

    def masked(logits, ids, words):
        mask = np.zeros(len(logits))
        mask[list(ids.values())] = 1.0
        with np.errstate(invalid='ignore'):
            token = int(np.argmax(np.nan_to_num(logits * mask)))
        return {number: word for word, number in ids.items()}.get(token, 'nothing'), ()

    assert invalid_answers(1000, seed=1, decode=masked) > 100

# SPDX-License-Identifier: Apache-2.0
"""The least error that changes a word: a smaller one never does, one a little larger does."""

import numpy as np
import pytest

from inspire_labeler.boundary import boundary_distance
from inspire_labeler.formulation import Formulation
from inspire_labeler.rule import answer, codes

OFFSETS = np.random.default_rng(3).uniform(-0.5, 0.5, (60, 3))
TURNS = np.random.default_rng(4).normal(size=(4000, 3))
DIRECTIONS = TURNS / np.linalg.norm(TURNS, axis=1, keepdims=True)


@pytest.mark.parametrize('formulation', Formulation)
def test_no_smaller_error_changes_the_word_and_one_a_little_larger_does(
        formulation: Formulation) -> None:
    for offset in OFFSETS:
        least = boundary_distance(offset, formulation)
        word = codes(offset, False, formulation)
        inside = codes(offset + 0.999 * least * DIRECTIONS, False, formulation)
        assert (inside == word).all(), offset
        # 4000 directions leave gaps of about 3 degrees: the plane is reached a little later.
        beyond = codes(offset + (1.01 * least + 1e-4) * DIRECTIONS, False, formulation)
        assert (beyond != word).any(), offset


def test_a_tie_is_on_the_boundary_and_the_lead_counts_at_45_degrees() -> None:
    assert boundary_distance((0.2, 0.2, 0.0)) == 0.0
    assert boundary_distance((0.3, 0.1, 0.0)) == pytest.approx(0.2 / np.sqrt(2))
    assert boundary_distance((0.0, 0.0, 0.0)) == 0.0
    # An error of 1 cm along one axis leaves this word, one of 1 cm between two axes does not.
    offset = np.array([0.100, 0.088, 0.0])
    assert boundary_distance(offset) < 0.01
    assert answer(offset - [0.01, 0, 0]) == 'front'
    assert answer(offset + [-0.007, 0.007, 0]) == 'right'


def test_an_unknown_offset_has_no_distance() -> None:
    assert np.isnan(boundary_distance((np.nan, 0.0, 0.0)))
    with pytest.raises(ValueError, match=r'shape \(2,\), expected \(3,\)'):
        boundary_distance((0.0, 0.0))

# SPDX-License-Identifier: Apache-2.0
"""The rule against a brute-force oracle in plain Python, and its laws."""

import math

import numpy as np
import pytest

from inspire_labeler.formulation import GRASPED, OPTIONS, Formulation, formulation
from inspire_labeler.rule import VOCABULARY, answer, codes, words

D, D3, P, L3, DIST = Formulation
NAN, INF = math.nan, math.inf
CASES = 1_000_000


def oracle(x, y, z, grasped, asked):
    """The rule once more, one case at a time, written as the documentation says it."""
    if not (math.isfinite(x) and math.isfinite(y) and math.isfinite(z)):
        return ''
    if grasped:
        return 'grasped'
    front, right, up = ('front' if x > 0 else 'back', 'right' if y > 0 else 'left',
                        'up' if z > 0 else 'down')
    if asked is D:
        best, word = abs(z), up
        if abs(x) > best:
            best, word = abs(x), front
        if abs(y) > best:
            word = right
        return word
    if asked is D3:
        return f'{front} {right} {up}'
    if asked is L3:
        return ' '.join(str(int(max(-9.0, min(9.0, 10 * c)))) for c in (x, y, z))
    distance = math.sqrt(x * x + y * y + z * z)
    if asked is P:
        return 'near' if distance < 0.2 else 'middle' if distance < 0.3 else 'far'
    return str(int(min(10 * distance, 9)))


def awkward_offsets(count, seed):
    """Random offsets of which three quarters have ties, zeros, boundaries or no finite value."""
    generator = np.random.default_rng(seed)
    offsets = generator.uniform(-1.2, 1.2, (count, 3))
    quarter = count // 4
    # Multiples of 0.05: ties, zeros, and the doubles on the thresholds themselves.
    offsets[:quarter] = generator.integers(-22, 23, (quarter, 3)) / 20
    # One step of a double beside them.
    beside = generator.integers(-11, 12, (quarter, 3)) / 10
    offsets[quarter:2 * quarter] = np.nextafter(beside, generator.choice([-9, 9], (quarter, 3)))
    # Lengths on the thresholds, along one axis or in the plane (0.2 = |0.12, 0.16|).
    special = np.array([0.0, -0.0, 0.2, 0.3, 0.12, 0.16, 0.18, 0.24, 1e-300, 1e-12, 1e200, 1e308,
                        NAN, INF, -INF])
    sign = generator.choice([-1.0, 1.0], (quarter, 3))
    offsets[2 * quarter:3 * quarter] = generator.choice(special, (quarter, 3)) * sign
    return offsets, generator.random(count) < 0.1


@pytest.mark.parametrize('asked', list(Formulation), ids=str)
def test_a_million_awkward_cases_equal_the_brute_force_oracle(asked):
    offsets, grasped = awkward_offsets(CASES, seed=7)
    vectorised = words(codes(offsets, grasped, asked), asked).tolist()
    for (x, y, z), held, word in zip(offsets.tolist(), grasped.tolist(), vectorised,
                                     strict=True):
        assert word == oracle(x, y, z, held, asked), (x, y, z, held)


@pytest.mark.parametrize('offset, word', [
    ((0.3, 0.1, -0.2), 'front'), ((-0.3, 0.1, -0.2), 'back'),
    ((0.1, 0.3, 0.2), 'right'), ((0.1, -0.3, 0.2), 'left'),
    ((0.1, 0.2, 0.3), 'up'), ((0.1, 0.2, -0.3), 'down'),
])
def test_the_largest_component_names_the_direction(offset, word):
    assert answer(offset) == word


def test_ties_go_z_then_x_then_y():
    assert answer((0.1, 0.1, 0.1)) == 'up'
    assert answer((0.1, 0.1, 0.0)) == 'front'
    assert answer((0.0, 0.1, -0.1)) == 'down'


def test_a_zero_offset_is_down_and_a_zero_component_counts_as_negative():
    assert answer((0.0, 0.0, 0.0)) == 'down'
    assert answer((-0.0, 0.0, -0.0)) == 'down'
    assert answer((0.0, 0.0, 0.0), False, D3) == 'back left down'


def test_the_thresholds_belong_to_the_farther_word():
    assert [answer((0, d, 0), False, P) for d in (0.1999999, 0.2, 0.2999999, 0.3)] == [
        'near', 'middle', 'middle', 'far']
    assert [answer((d, 0, 0), False, DIST) for d in (0.0, 0.0999, 0.1, 0.3, 0.95, 7.0)] == [
        '0', '0', '1', '3', '9', '9']


def test_decimetres_are_cut_toward_zero_and_clipped_at_nine():
    assert answer((-0.09, 0.09, 0.3), False, L3) == '0 0 3'
    assert answer((-0.31, 0.95, -2.0), False, L3) == '-3 9 -9'
    for tenth in range(10):
        assert answer((tenth / 10, -tenth / 10, 0), False, L3) == f'{tenth} {-tenth} 0'


@pytest.mark.parametrize('asked', list(Formulation), ids=str)
def test_what_is_not_finite_is_never_a_word_even_when_grasped(asked):
    bad = [(NAN, 0, 0), (0, INF, 0), (0, 0, -INF), (NAN, INF, 1), (1e300, NAN, 1e300)]
    for held in (False, True):
        assert codes(bad, held, asked).tolist() == [-1] * len(bad)
        assert words(codes(bad, held, asked), asked).tolist() == [''] * len(bad)


@pytest.mark.parametrize('axis, swap', [
    (0, {'front': 'back', 'back': 'front'}),
    (1, {'left': 'right', 'right': 'left'}),
    (2, {'up': 'down', 'down': 'up'}),
])
@pytest.mark.parametrize('asked', [D, D3], ids=str)
def test_mirroring_an_axis_swaps_its_two_words_and_no_other(axis, swap, asked):
    offsets = np.random.default_rng(3).normal(size=(2000, 3))
    mirrored = offsets * np.where(np.arange(3) == axis, -1, 1)
    for one, other in zip(words(codes(offsets, False, asked), asked),
                          words(codes(mirrored, False, asked), asked), strict=True):
        assert ' '.join(swap.get(word, word) for word in one.split()) == other


@pytest.mark.parametrize('asked', [P, DIST], ids=str)
def test_distances_do_not_see_mirrors(asked):
    offsets = np.random.default_rng(4).normal(scale=0.3, size=(2000, 3))
    assert np.array_equal(codes(offsets, False, asked), codes(-offsets, False, asked))


@pytest.mark.parametrize('asked', list(Formulation), ids=str)
def test_shape_is_kept_and_every_code_has_its_word(asked):
    offsets = np.random.default_rng(5).normal(size=(4, 5, 3))
    result = codes(offsets, np.zeros((4, 1), bool), asked)
    assert result.shape == (4, 5) and result.dtype == np.int16
    assert codes(np.empty((0, 3)), False, asked).shape == (0,)
    every = np.arange(len(VOCABULARY[asked]))
    assert tuple(words(every, asked)) == VOCABULARY[asked]
    assert len(set(VOCABULARY[asked])) == len(every)


@pytest.mark.parametrize('asked', list(Formulation), ids=str)
def test_the_options_allow_exactly_the_vocabulary(asked):
    *positions, alone = OPTIONS[asked]
    assert alone == GRASPED
    for word in VOCABULARY[asked][:-1]:
        if asked in (D3, L3):
            parts = word.split()
            assert len(parts) == 3
            assert all(part in options.split('|')
                       for part, options in zip(parts, positions, strict=True))
        else:
            assert word in positions


def test_asking_twice_gives_the_same_answer_and_changes_no_input():
    offsets, grasped = awkward_offsets(2000, seed=8)
    before = offsets.copy()
    assert np.array_equal(codes(offsets, grasped), codes(offsets, grasped))
    assert np.array_equal(offsets, before, equal_nan=True)


def test_a_block_border_changes_nothing():
    offsets = np.random.default_rng(6).normal(size=(8192 * 2 + 1, 3))
    one_by_one = np.array([codes(each) for each in offsets[8190:8195]])
    assert np.array_equal(codes(offsets)[8190:8195], one_by_one)


def test_wrong_shapes_and_codes_are_refused_with_what_is_valid():
    with pytest.raises(ValueError, match=r'shape \(2,\), expected'):
        codes([1.0, 2.0])
    with pytest.raises(ValueError, match='grasped has shape'):
        codes([0.0, 0.0, 1.0], [True, False])
    with pytest.raises(ValueError, match='codes of direction are -1 to 6, got 0 to 7'):
        words([0, 7])
    with pytest.raises(ValueError, match="no formulation 'where'; formulations: direction, "):
        formulation('where')

# SPDX-License-Identifier: Apache-2.0
"""Paired comparison: against published values, and by its laws."""

import pytest

from inspire_policy.evaluation import Row
from inspire_policy.paired import compared, mcnemar, newcombe


def rows(outcomes: str, instruction: str = 'pick up the ball', split: str = 'seen',
         task: str = 'pick_ball') -> list[Row]:
    return [Row(task, instruction, split, seed, letter == '+', 9, 0.1, '', '')
            for seed, letter in enumerate(outcomes)]


def test_the_published_example_comes_out() -> None:
    """Airway hyper-responsiveness of 21 children before and after a transplant (Bentur et al.
    2009, in Fagerland, Lydersen and Laake 2014): 1 both, 1 before only, 7 after only, 12 neither;
    exact p 0.0703, square-and-add interval of the difference 0.026 to 0.507."""
    assert mcnemar(1, 7) == pytest.approx(0.0703, abs=5e-5)
    assert newcombe(1, 1, 7, 12) == pytest.approx((0.026, 0.507), abs=1e-3)


def test_mcnemars_p_is_that_of_the_binomial_by_hand() -> None:
    assert mcnemar(0, 0) == 1.0 and mcnemar(3, 3) == 1.0
    assert mcnemar(0, 5) == pytest.approx(2 / 32) and mcnemar(5, 0) == mcnemar(0, 5)
    assert mcnemar(10, 30) < mcnemar(10, 25) < mcnemar(10, 15)
    assert 0.0 <= mcnemar(0, 3000) < 1e-300


@pytest.mark.parametrize('counts', [(10, 3, 8, 4), (0, 5, 0, 5), (20, 0, 0, 0), (0, 0, 0, 7),
                                    (0, 9, 2, 0), (4, 0, 6, 0)])
def test_swapping_the_two_mirrors_the_interval(counts: tuple[int, int, int, int]) -> None:
    both, first, second, neither = counts
    low, high = newcombe(both, first, second, neither)
    assert newcombe(both, second, first, neither) == pytest.approx((-high, -low))
    difference = (second - first) / sum(counts)
    assert -1.0 <= low <= difference <= high <= 1.0


def test_more_agreement_between_the_pairs_makes_the_interval_narrower() -> None:
    def width(both: int, neither: int) -> float:
        low, high = newcombe(both, 10, 20, neither)
        return high - low

    rate_kept = [newcombe(40, 10, 20, 40), newcombe(25, 25, 35, 25)]
    assert (rate_kept[0][1] - rate_kept[0][0]) < (rate_kept[1][1] - rate_kept[1][0])
    assert width(40, 40) < width(10, 10)


def test_episodes_are_paired_by_split_in_total_and_by_task() -> None:
    first = rows('++--') + rows('+-', 'pick up the orange', 'unseen', 'pick_orange')
    second = rows('+-+-') + rows('++', 'pick up the orange', 'unseen', 'pick_orange')
    found = {one.name: one for one in compared(first, list(reversed(second)))}
    assert list(found) == ['seen', 'unseen', 'all', 'pick_ball', 'pick_orange']
    seen, unseen = found['seen'], found['unseen']
    assert (seen.both, seen.first_only, seen.second_only, seen.neither) == (1, 1, 1, 1)
    assert (unseen.rates, unseen.difference) == ((0.5, 1.0), 0.5)
    assert found['all'].episodes == 6 and found['all'].second_only == 2


@pytest.mark.parametrize(('second', 'said'), [
    (rows('+++'), "1 of 4 are in the first table only, such as 'pick up the ball', seed 3"),
    (rows('+++++'), "1 of 5 are in the second table only, such as 'pick up the ball', seed 4"),
    (rows('++++') + rows('+'), 'the second table has 1 episodes twice'),
    ([], 'the second table has no episodes')])
def test_other_episodes_are_refused(second: list[Row], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        compared(rows('++++'), second)

# SPDX-License-Identifier: Apache-2.0
"""Counting successes honestly."""

import pytest

from inspire_policy.evaluation import Row
from inspire_policy.success_rate import Score, scores, wilson


def test_wilsons_interval_agrees_with_published_values() -> None:
    assert wilson(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert wilson(10, 10) == pytest.approx((0.7225, 1.0), abs=1e-4)
    assert wilson(95, 100) == pytest.approx((0.8882, 0.9785), abs=1e-4)
    assert wilson(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize('successes', range(0, 21, 5))
def test_swapping_success_and_failure_mirrors_the_interval(successes: int) -> None:
    low, high = wilson(successes, 20)
    assert wilson(20 - successes, 20) == pytest.approx((1 - high, 1 - low))
    assert low <= successes / 20 <= high


def test_scores_count_failures_of_every_kind() -> None:
    def row(instruction: str, success: bool, error: str = '') -> Row:
        return Row('t', instruction, 'seen', 0, success, 10, 0.1, '', error)

    found = scores([row('pick up the plug', True), row('pick up the ball', True),
                    row('pick up the ball', False), row('pick up the ball', False, 'it broke')])
    assert found == (Score('pick_ball', 'pick up the ball', 'seen', 3, 1),
                     Score('pick_plug', 'pick up the plug', 'seen', 1, 1))

# SPDX-License-Identifier: Apache-2.0
"""Contradictions between the episode's parameters are refused with a reason."""

import pytest

from inspire_bringup.episode_parameters import EpisodeParameters


@pytest.mark.parametrize(
    ('given', 'message'),
    [
        ({}, 'task and instruction are empty'),
        ({'instruction': 'x' * 10_000}, 'instruction has 10000 characters; valid: at most 1024'),
        ({'task': 'pick_ball', 'timeout': 1.0}, 'success_hold is 1.0 s; valid: less than timeout'),
        ({'instruction': 'pick up the ball', 'episodes': 2}, 'episodes is 2'),
        (
            {'task': 'pick_ball', 'seed': 2**32 - 1, 'episodes': 2},
            '2 episodes from seed 4294967295; valid: the last seed at most 4294967295',
        ),
    ],
)
def test_what_contradicts_is_refused_with_value_and_valid_range(given, message):
    with pytest.raises(ValueError, match=message):
        EpisodeParameters(**given)


def test_a_task_is_enough():
    assert EpisodeParameters(task='pick_ball').episodes == 1

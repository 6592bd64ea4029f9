# SPDX-License-Identifier: Apache-2.0
"""A decision that could not be executed cannot be made."""

import math

import numpy as np
import pytest

from inspire_policy.policy import (
    LARGEST_ROTATION,
    LARGEST_TRANSLATION,
    LONGEST_CHUNK,
    WIDEST_GRIPPER,
    Decision,
    UndecodableAction,
)


def step(dx: float = 0.0, turn: float = 0.0, width: float = 0.03) -> list[float]:
    return [dx, 0.0, 0.0, 0.0, 0.0, turn, width]


def decide(actions: object, **rest: object) -> Decision:
    return Decision(answers=(), transcript='', actions=actions, **rest)


def test_a_valid_chunk_is_kept_as_it_is_and_cannot_be_changed_afterwards() -> None:
    chunk = np.array([step(0.01, 0.1, 0.07), step(-0.05, -0.5, 0.0)])
    decision = decide(chunk)
    np.testing.assert_array_equal(decision.actions, chunk)
    chunk[0, 0] = math.nan
    assert decision.actions[0, 0] == 0.01
    with pytest.raises(ValueError):
        decision.actions[0, 0] = 1.0


@pytest.mark.parametrize('bad', [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize('column', range(7))
def test_a_number_that_is_not_finite_is_refused_and_its_place_named(
    bad: float, column: int
) -> None:
    chunk = np.array([step(), step()])
    chunk[1, column] = bad
    with pytest.raises(UndecodableAction, match=f'step 1, column {column} is {bad}'):
        decide(chunk)


@pytest.mark.parametrize(
    ('beyond', 'message'),
    [
        (step(dx=LARGEST_TRANSLATION * 1.001), 'translation is 0.05005 m; valid: 0 to 0.05 m'),
        (step(dx=-1.0), 'translation is 1 m'),
        (step(turn=LARGEST_ROTATION * 1.01), 'rotation is 0.505 rad; valid: 0 to 0.5 rad'),
        (step(width=WIDEST_GRIPPER + 0.001), 'gripper width is 0.071 m; valid: 0 to 0.07 m'),
        (step(width=-0.001), 'gripper width is -0.001 m'),
    ],
)
def test_a_step_beyond_the_bounds_is_refused_not_clipped(
    beyond: list[float], message: str
) -> None:
    with pytest.raises(UndecodableAction, match=message):
        decide([step(), beyond])


def test_the_bound_is_on_the_length_of_a_step_not_on_each_axis() -> None:
    with pytest.raises(UndecodableAction, match='translation'):
        decide([[0.04, 0.04, 0.0, 0.0, 0.0, 0.0, 0.0]])


def test_float32_may_write_the_widest_gripper_a_little_wider() -> None:
    decision = decide(np.array([step(width=0.07)], dtype=np.float32))
    assert decision.actions[0, 6] == WIDEST_GRIPPER


@pytest.mark.parametrize(
    'shape', [(7,), (8, 6), (8, 8), (1, 8, 7), (0, 7), (LONGEST_CHUNK + 1, 7)]
)
def test_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(UndecodableAction):
        decide(np.zeros(shape))


@pytest.mark.parametrize('nonsense', [None, 'zeros', [[1, 2], [3]], [['a'] * 7]])
def test_what_is_no_array_of_numbers_is_refused(nonsense: object) -> None:
    with pytest.raises(UndecodableAction):
        decide(nonsense)


def test_only_a_policy_that_is_done_may_give_no_steps() -> None:
    assert len(decide(np.zeros((0, 7)), done=True).actions) == 0


@pytest.mark.parametrize('duration', [0.0, -0.05, math.nan, math.inf, 2.0])
def test_a_step_takes_a_sensible_time(duration: float) -> None:
    with pytest.raises(UndecodableAction, match='step_duration'):
        decide([step()], step_duration=duration)

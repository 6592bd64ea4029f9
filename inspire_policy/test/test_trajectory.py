# SPDX-License-Identifier: Apache-2.0
"""Laws of the trajectory: it ends where its steps lead, never jumps, and stands still when it is
over.
"""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspire_policy.trajectory import Trajectory
from piper_driver.pose import Pose, apply_delta

START = Pose(np.array([0.3, 0.0, 0.2]), np.array([1.0, 0.0, 0.0, 0.0]))
number = st.floats(-0.02, 0.02)
angle = st.floats(-0.2, 0.2)
width = st.floats(0.0, 0.07)
action = st.tuples(number, number, number, angle, angle, angle, width)
chunk = st.lists(action, min_size=1, max_size=8).map(np.array)


def holding(time: float = 0.0) -> Trajectory:
    return Trajectory.holding(START, 0.07, time)


def apart(one: Pose, two: Pose) -> float:
    """Metres plus radians between two poses."""
    translation, rotation = one.difference(two)
    return float(np.linalg.norm(translation) + np.linalg.norm(rotation))


def test_a_step_forward_moves_forward_and_a_step_left_moves_left() -> None:
    trajectory = holding().extended(
        np.array([[0.01, 0, 0, 0, 0, 0, 0.07], [0, 0.02, 0, 0, 0, 0, 0.05]]), 0.05, 0.0
    )
    np.testing.assert_allclose(trajectory.sample(0.05).pose.position, [0.31, 0.0, 0.2])
    np.testing.assert_allclose(trajectory.sample(0.10).pose.position, [0.31, 0.02, 0.2])
    assert trajectory.sample(0.075).width == pytest.approx(0.06)


def test_halfway_in_time_is_halfway_along_line_and_arc() -> None:
    turn = np.array([[0.02, 0, 0, 0, 0, 0.4, 0.07]])
    middle = holding().extended(turn, 0.05, 0.0).sample(0.025).pose
    assert apart(middle, apply_delta(START, [0.01, 0, 0], [0, 0, 0.2])) < 1e-9


@given(chunk)
@settings(deadline=None)
def test_it_ends_where_the_steps_lead_one_after_the_other(actions: np.ndarray) -> None:
    expected = START
    for each in actions:
        expected = apply_delta(expected, each[:3], each[3:6])
    trajectory = holding().extended(actions, 0.05, 0.0)
    assert apart(trajectory.end.pose, expected) < 1e-9
    assert trajectory.end.width == actions[-1, 6]
    assert trajectory.end_time == pytest.approx(0.05 * len(actions))


@given(chunk, chunk, st.floats(-0.1, 0.3))
@settings(deadline=None)
def test_it_never_jumps_not_even_between_chunks(
    first: np.ndarray, second: np.ndarray, pause: float
) -> None:
    trajectory = holding().extended(first, 0.05, 0.0)
    now = max(0.0, trajectory.end_time + pause)
    longer = trajectory.extended(second, 0.05, now)
    assert apart(trajectory.sample(now).pose, longer.sample(now).pose) < 1e-9
    fastest = max(np.abs(first).sum(1).max(), np.abs(second).sum(1).max()) / 0.05
    times = np.linspace(now, longer.end_time, 60)
    points = [longer.sample(time) for time in times]
    for one, two in pairwise(points):
        assert apart(one.pose, two.pose) <= fastest * (times[1] - times[0]) + 1e-9


@given(chunk, st.floats(0.0, 100.0))
def test_it_stands_still_when_it_is_over_and_before_it_begins(
    actions: np.ndarray, later: float
) -> None:
    trajectory = holding(5.0).extended(actions, 0.05, 5.0)
    assert trajectory.sample(trajectory.end_time + later) == trajectory.end
    assert apart(trajectory.sample(5.0 - later).pose, START) < 1e-9


@given(chunk)
def test_two_chunks_lead_where_one_long_chunk_leads(actions: np.ndarray) -> None:
    once = holding().extended(actions, 0.05, 0.0)
    twice = holding()
    for each in actions:
        twice = twice.extended(each[np.newaxis], 0.05, 0.0)
    assert apart(once.end.pose, twice.end.pose) < 1e-9
    assert apart(once.sample(0.12).pose, twice.sample(0.12).pose) < 1e-9


def test_a_chunk_that_comes_late_begins_when_it_comes_not_with_a_leap() -> None:
    trajectory = holding().extended(np.array([[0.01, 0, 0, 0, 0, 0, 0.0]]), 0.05, 7.0)
    assert trajectory.end_time == pytest.approx(7.05)
    np.testing.assert_allclose(trajectory.sample(7.025).pose.position, [0.305, 0.0, 0.2])
    assert trajectory.sample(6.9).width == 0.07


def test_what_is_past_is_forgotten() -> None:
    trajectory, moves = holding(), np.array([[0.001, 0, 0, 0, 0, 0, 0.0]] * 8)
    for _ in range(100):
        trajectory = trajectory.extended(moves, 0.05, trajectory.end_time - 0.05)
    assert len(trajectory.times) < 15


def test_a_stop_slows_down_evenly_along_the_same_path_and_then_stands() -> None:
    moving = holding().extended(np.array([[0.01, 0, 0, 0, 0, 0, 0.0]] * 8), 0.05, 0.0)
    stopped = moving.stopped(0.1, within=0.1)
    assert apart(stopped.sample(0.1).pose, moving.sample(0.1).pose) < 1e-9
    # From 0.2 m/s evenly to rest in 0.1 s: half of 0.2 * 0.1 = 0.01 m beyond 0.02 m.
    np.testing.assert_allclose(stopped.end.pose.position, [0.33, 0.0, 0.2], atol=1e-9)
    times = np.linspace(0.1, 0.2, 11)
    ways = np.diff([stopped.sample(time).pose.position[0] for time in times])
    assert (np.diff(ways) <= 1e-6).all()
    assert stopped.sample(9.0) == stopped.end


def test_a_stop_of_what_stands_changes_nothing() -> None:
    stopped = holding().stopped(3.0, within=0.1)
    assert apart(stopped.sample(3.05).pose, START) < 1e-9
    assert stopped.end_time == 3.0

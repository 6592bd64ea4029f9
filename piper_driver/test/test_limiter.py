# SPDX-License-Identifier: Apache-2.0
"""The set-point's own laws: it arrives, brakes, and stays in ranges and box."""

import numpy as np
import pytest

from piper_driver.kinematics import HOME, tcp_position
from piper_driver.limiter import Limiter
from piper_driver.limits import PIPER

STILL = (0.0,) * 6
DT = 0.005


def _follow(limiter, goal, seconds):
    places = []
    for _ in range(round(seconds / DT)):
        limiter.follow(goal, STILL, DT)
        places.append(list(limiter.position))
    return np.array(places)


def _turned(angle, joint=0):
    goal = list(HOME)
    goal[joint] += angle
    return goal


def test_a_step_is_reached_at_the_acceleration_limit_and_without_overshoot():
    limiter = Limiter(PIPER, HOME)
    places = _follow(limiter, _turned(1.25), 1.1)[:, 0]
    # up and down with 5 rad/s^2 over 1.25 rad: 2 * sqrt(1.25 / 5) = 1.0 s
    arrived = DT * (1 + int(np.argmax(places > 1.249)))
    assert arrived == pytest.approx(1.0, abs=0.06)
    assert places.max() <= 1.25 + 1e-9
    assert places[-1] == pytest.approx(1.25)
    assert not limiter.moving


def test_a_goal_that_moves_evenly_is_followed_without_lag_once_caught_up():
    limiter = Limiter(PIPER, HOME)
    speed = (0.5, 0, 0, 0, 0, 0)
    goal = list(HOME)
    for _ in range(200):
        goal[0] += 0.5 * DT
        limiter.follow(goal, speed, DT)
    assert limiter.position[0] == pytest.approx(goal[0], abs=1e-4)
    assert limiter.velocity[0] == pytest.approx(0.5, abs=1e-3)


def test_braking_takes_the_deceleration_limit():
    limiter = Limiter(PIPER, HOME)
    _follow(limiter, _turned(1.2), 0.3)
    speed = limiter.velocity[0]
    assert speed == pytest.approx(1.5)
    before, ticks = limiter.position[0], 0
    while limiter.moving:
        limiter.brake(DT)
        ticks += 1
    assert ticks == pytest.approx(1.5 / 25 / DT, abs=1)
    assert limiter.position[0] - before < 1.5 ** 2 / 50


def test_a_goal_beyond_the_range_ends_at_its_end():
    limiter = Limiter(PIPER, HOME)
    places = _follow(limiter, _turned(5.0, joint=5), 3.0)[:, 5]
    assert places.max() <= PIPER.upper[5]
    assert places[-1] == pytest.approx(PIPER.upper[5], abs=1e-3)


def test_a_goal_below_the_table_stops_above_it_and_says_blocked():
    limiter = Limiter(PIPER, HOME)
    for _ in range(600):
        limiter.follow(_turned(0.8, joint=1), STILL, DT)
        assert tcp_position(limiter.position)[2] >= PIPER.table_height
    assert limiter.blocked
    assert tcp_position(limiter.position)[2] < PIPER.table_height + 0.01


def test_a_set_point_that_starts_outside_may_come_in_and_goes_no_further_out():
    low = list(HOME)
    low[1] += 0.8
    start = tcp_position(low)[2]
    assert start < 0
    limiter = Limiter(PIPER, low)
    _follow(limiter, [*low[:1], low[1] + 0.3, *low[2:]], 0.5)
    assert tcp_position(limiter.position)[2] >= start - 1e-9
    places = _follow(limiter, HOME, 4.0)
    assert np.allclose(places[-1], HOME)
    inside = [tcp_position(place)[2] > PIPER.table_height for place in places[:-1]]
    speeds = abs(np.diff(places, axis=0)).max(axis=1) / DT
    assert speeds[np.logical_not(inside)].max() < 0.31 < speeds.max()


def test_a_set_point_outside_one_face_is_not_led_out_through_another():
    high = (-0.9996, 0.6292, -2.7148, -0.8226, 0.6047, 1.9268)      # z 0.726, x -0.299
    limiter = Limiter(PIPER, high)
    start = np.array(tcp_position(high))
    assert start[2] > PIPER.workspace_upper[2] and start[0] > PIPER.workspace_lower[0]
    goal = np.add(high, (0, -0.3, 0.3, -0.3, -0.3, 0.3))            # lower, and further back
    assert tcp_position(goal)[0] < -0.32 and tcp_position(goal)[2] < start[2]
    for _ in range(300):
        limiter.follow(goal, STILL, DT)
        assert tcp_position(limiter.position)[0] >= PIPER.workspace_lower[0]
    assert limiter.blocked


def test_a_set_point_outside_a_joints_range_comes_back_into_it():
    outside = [PIPER.upper[0] + 0.1, *HOME[1:]]
    limiter = Limiter(PIPER, outside)
    places = _follow(limiter, HOME, 3.0)[:, 0]
    assert places.max() <= outside[0]
    assert places[-1] == pytest.approx(0.0)


def test_after_a_late_step_the_speed_grows_from_what_it_really_was():
    limiter = Limiter(PIPER, HOME)
    _follow(limiter, _turned(1.2), 0.3)
    limiter.linger(0.2)
    assert limiter.velocity[0] == pytest.approx(0.3)
    limiter.follow(_turned(1.2), STILL, DT)
    assert limiter.velocity[0] == pytest.approx(0.3 + 5 * DT)


def test_a_late_tick_keeps_the_limits():
    limiter = Limiter(PIPER, HOME)
    rng = np.random.default_rng(0)
    for _ in range(2000):
        dt = rng.choice([0.0005, 0.005, 0.02])
        before = np.array(limiter.velocity)
        limiter.follow(_turned(rng.uniform(-5, 5), joint=rng.integers(6)), STILL, dt)
        change = np.abs(np.array(limiter.velocity) - before)
        assert np.all(change <= np.array(PIPER.deceleration) * dt + 1e-9)
        assert np.all(limiter.position >= np.array(PIPER.lower) - 1e-9)
        assert np.all(limiter.position <= np.array(PIPER.upper) + 1e-9)

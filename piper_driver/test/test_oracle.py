# SPDX-License-Identifier: Apache-2.0
"""The oracle lets pass what keeps the limits, and notices each breach by its name."""

from math import nan

import numpy as np
import pytest

from piper_driver.kinematics import HOME, downward, solve, tcp_position
from piper_driver.limits import PIPER
from piper_driver.oracle import Oracle, fingertips

DT = 0.005


def _judged(places, dts=None, widths=None, start=HOME):
    """Return an oracle that has seen these changes from `start`."""
    oracle = Oracle(PIPER)
    oracle.place(start, 0.05)
    widths = widths or [0.05] * len(places)
    for place, dt, width in zip(places, dts or [DT] * len(places), widths, strict=True):
        oracle.see(np.array(start) + place, width, dt)
    oracle.judge()
    return oracle


def _first(*values):
    return [np.array([value, 0, 0, 0, 0, 0]) for value in values]


def test_it_sees_the_fingertips_where_the_driver_s_other_model_has_them():
    joints = np.random.default_rng(1).uniform(PIPER.lower, PIPER.upper, (500, 6))
    ours = np.array([tcp_position(q) for q in joints])
    assert 1e-6 < np.linalg.norm(fingertips(joints) - ours, axis=1).max() < 2e-4


def test_a_motion_within_the_limits_passes():
    # 5 rad/s^2 up, then 25 rad/s^2 down
    speeds = [*np.arange(1, 11) * 5 * DT, 0.125, 0.0]
    oracle = _judged(_first(*np.cumsum(speeds) * DT))
    assert not oracle.broken and oracle.seen == 12


@pytest.mark.parametrize(('places', 'name'), [
    (_first(5.1 * DT * DT), 'acceleration'),
    (_first(*np.cumsum([*np.arange(1, 61) * 0.025, 1.5 - 0.126]) * DT), 'deceleration'),
    (_first(*np.cumsum(np.arange(1, 123) * 0.025) * DT), 'velocity'),
    (_first(0.02 * DT, 0.02 * DT, 0.02 * DT - 0.026 * DT), 'acceleration'),
    (_first(nan), 'position')])
def test_a_breach_is_noticed_and_named(places, name):
    assert f'joint1 {name}' in _judged(places).broken


def test_coming_to_a_stand_in_silence_is_no_breach_and_going_on_at_once_is_one():
    speeds = np.arange(1, 61) * 0.025
    way = np.cumsum(speeds * DT)
    places, dts = [*way, way[-1] + 0.03], [*[DT] * 60, 0.1]
    assert not _judged(_first(*places), dts).broken
    assert _judged(_first(*places, places[-1] + 1.5 * DT), [*dts, DT]).broken == {
        'joint1 acceleration': 1}


@pytest.mark.parametrize(('start', 'joint2', 'name'), [
    (solve(downward((0.3, 0.0, 0.006)), HOME).q, 1e-4, 'table height'),
    # z = 0.6997 m
    ((0.8738, 0.7114, -1.5572, 1.0092, 0.3784, -0.4699), -1e-4, 'workspace box z')])
def test_a_place_below_the_table_or_outside_the_box_is_noticed(start, joint2, name):
    way = np.array([0, joint2, 0, 0, 0, 0])
    oracle = _judged([way * k * k / 2 for k in range(1, 20)], start=start)
    assert {*oracle.broken} == {name}


def test_what_starts_outside_may_come_in_and_not_go_out_again():
    outside = (PIPER.upper[0] + 0.05, *HOME[1:])
    speeds = [-0.02, -0.04, -0.04]
    inwards = np.cumsum(speeds) * DT
    assert not _judged(_first(*inwards), start=outside).broken
    assert _judged(_first(*inwards, inwards[-1] + 1e-5), start=outside).broken[
        'joint1 position'] == 1


def test_the_gripper_s_speed_and_width_are_watched():
    still = _first(0.0, 0.0)
    assert not _judged(still, widths=[0.05 + 0.15 * DT, 0.05]).broken
    assert {*_judged(still, widths=[0.05 + 0.16 * DT, 0.05]).broken} == {'gripper speed'}
    assert 'gripper width' in _judged(_first(0.0), [1.0], widths=[0.071]).broken

# SPDX-License-Identifier: Apache-2.0
"""What is let through, what is moved to the edge, what is refused and in which words."""

from math import inf, nan

import pytest

from piper_driver.gate import CommandRefused, Gate, Refusal
from piper_driver.kinematics import HOME, tcp
from piper_driver.limits import PIPER
from piper_driver.pose import Pose


@pytest.fixture
def gate():
    return Gate(PIPER)


def _refused(kind, words, action, *arguments):
    with pytest.raises(CommandRefused, match=words) as refusal:
        action(*arguments)
    assert refusal.value.kind is kind


def test_a_fresh_stamp_passes_and_bad_ones_are_named(gate):
    gate.check_time('motion', 9.9, 10.0)
    gate.check_time('motion', 10.05, 10.0)
    _refused(Refusal.STALE, r'9\.700 is 0\.300 s old; valid is up to 0\.2',
             gate.check_time, 'motion', 9.7, 10.0)
    _refused(Refusal.FUTURE, r'10\.200 is 0\.200 s ahead; valid is up to 0\.1',
             gate.check_time, 'motion', 10.2, 10.0)
    _refused(Refusal.NOT_FINITE, 'stamp is nan', gate.check_time, 'motion', nan, 10.0)


def test_a_command_older_than_the_one_before_it_is_refused_per_stream(gate):
    gate.accept('motion', 10.0)
    _refused(Refusal.STALE, 'older than that of the last', gate.check_time, 'motion', 9.95, 10.0)
    gate.check_time('gripper', 9.95, 10.0)
    gate.check_time('motion', 10.0, 10.0)


def test_after_the_clock_went_back_streams_go_on(gate):
    gate.accept('motion', 500.0)
    gate.check_time('motion', 3.0, 3.0)


def test_what_was_commanded_before_a_restart_is_refused_and_a_little_after_it(gate):
    gate.restart(10.0)
    for stamp, now in ((9.95, 10.0), (10.0, 10.0), (10.09, 10.095), (9.99, 10.15)):
        _refused(Refusal.RESTART, r'as it was put at 10\.000; valid is from 10\.100',
                 gate.check_time, 'motion', stamp, now)
        _refused(Refusal.RESTART, 'as it was put', gate.check_time, 'gripper', stamp, now)
    gate.check_time('motion', 10.1, 10.1)
    gate.check_time('motion', 3.0, 3.0)     # the clock went back


def test_a_position_a_little_outside_is_moved_to_the_edge_and_far_outside_refused(gate):
    down = tcp(HOME).quaternion
    x, y, z = gate.position(Pose((0.3, 0.0, -0.02), down))
    assert (x, y) == (0.3, 0.0)
    assert z == pytest.approx(PIPER.table_height + 0.002)
    _refused(Refusal.OUT_OF_RANGE, r'pose z is -0\.100 m in base_link; valid is 0\.005\.\.0\.700',
             gate.position, Pose((0.3, 0.0, -0.1), down))
    _refused(Refusal.OUT_OF_RANGE, 'pose x is 1.000', gate.position, Pose((1.0, 0, 0.2), down))


@pytest.mark.parametrize(('frame', 'place', 'turn', 'kind', 'words'), [
    ('world', (0.3, 0, 0.2), (0, 0, 0, 1), Refusal.FRAME, "'world'; valid is 'base_link'"),
    ('', (0.3, 0, 0.2), (0, 0, 0, 1), Refusal.FRAME, "frame is ''"),
    ('base_link', (nan, 0, 0.2), (0, 0, 0, 1), Refusal.NOT_FINITE, 'pose is not finite'),
    ('base_link', (0.3, 0, 0.2), (0, inf, 0, 1), Refusal.NOT_FINITE, 'pose is not finite'),
    ('base_link', (0.3, 0, 0.2), (0, 0, 0, 0), Refusal.NOT_FINITE, 'has no direction')])
def test_a_pose_in_another_frame_or_that_is_none_is_refused(gate, frame, place, turn, kind, words):
    _refused(kind, words, gate.pose, frame, place, turn)


@pytest.mark.parametrize(('names', 'positions'), [
    (['joint1'], [0.03]), (['gripper', 'joint1'], [0.03, 0.0]), (['gripper'], []), ([], [])])
def test_a_gripper_command_names_the_gripper_alone(gate, names, positions):
    assert gate.opening(['gripper'], [0.03]) == 0.03
    _refused(Refusal.NAME, r"valid is \['gripper'\] with 1", gate.opening, names, positions)


@pytest.mark.parametrize(('width', 'taken'), [(0.03, 0.03), (-0.005, 0.0), (0.075, 0.07)])
def test_a_width_a_little_outside_is_moved_into_the_range(gate, width, taken):
    assert gate.width(width) == taken


@pytest.mark.parametrize(('width', 'kind'), [
    (0.2, Refusal.OUT_OF_RANGE), (nan, Refusal.NOT_FINITE), (-inf, Refusal.NOT_FINITE)])
def test_an_impossible_width_is_refused(gate, width, kind):
    _refused(kind, r'gripper is .*valid is 0\.000\.\.0\.070', gate.width, width)


@pytest.mark.parametrize(('names', 'positions', 'kind', 'words'), [
    (['joint7'], [0.0], Refusal.NAME, "'joint7' is unknown; valid are joint1, .*gripper"),
    (['joint1', 'joint1'], [0, 0], Refusal.NAME, 'named twice'),
    (['joint1'], [0, 0], Refusal.NAME, '1 joint names with 2 positions'),
    ([], [], Refusal.NAME, '0 joint names'),
    (['joint2'], [nan], Refusal.NOT_FINITE, r'joint2 is nan; valid is 0\.000\.\.3\.142 rad'),
    (['joint5'], [1.5], Refusal.OUT_OF_RANGE, r'joint5 is 1\.500 rad; valid is -1\.222\.\.1\.22')])
def test_joint_commands_are_refused_by_name(gate, names, positions, kind, words):
    _refused(kind, words, gate.joints, names, positions)


def test_joints_a_little_outside_are_moved_to_their_end(gate):
    assert gate.joints(['joint5', 'gripper'], [1.3, 0.02]) == {
        'joint5': PIPER.upper[4], 'gripper': 0.02}


def test_refusals_are_counted_by_kind_and_the_last_is_kept(gate):
    for width in (nan, 0.5, 0.5):
        with pytest.raises(CommandRefused):
            gate.width(width)
    assert gate.refusals == {Refusal.NOT_FINITE: 1, Refusal.OUT_OF_RANGE: 2}
    assert gate.last_refusal.startswith('gripper is 0.500')

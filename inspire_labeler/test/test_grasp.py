# SPDX-License-Identifier: Apache-2.0
"""Whether the gripper holds something: sampled states, and the gripper's own opening."""

import numpy as np
import pytest

from inspire_labeler.grasp import ClosureSettings, GripperClosure, StateHistory
from inspire_labeler.transform_history import MissingTransform

MS = 1_000_000
PERIOD = 5  # ms


def ramp(*corners):
    """Widths [m] at 200 Hz through corners (s, m)."""
    times = np.arange(0, corners[-1][0], PERIOD / 1000)
    return np.interp(times, *zip(*corners, strict=True))


def holdings(widths, commands=None, settings=None, noise=0.0, seed=0):
    closure = GripperClosure(settings or ClosureSettings())
    noisy = widths + np.random.default_rng(seed).normal(scale=noise, size=len(widths))
    told = [None] * len(widths) if commands is None else commands
    return np.array([closure.update(i * PERIOD * MS, w, c)
                     for i, (w, c) in enumerate(zip(noisy, told, strict=True))])


def test_closing_on_something_holds_it_until_the_gripper_opens():
    # Open, closed from 1.0 to 1.5 s on 40 mm, held, opened from 3.0 s.
    held = holdings(ramp((0, .07), (1, .07), (1.5, .04), (3, .04), (3.3, .07), (4, .07)))
    assert not held[:300].any()
    assert held[330:600].all()  # 1.65 to 3.0 s: settle_time after it stopped
    assert not held[620:].any()


@pytest.mark.parametrize('seed', range(5))
def test_noise_neither_makes_nor_ends_a_grasp(seed):
    widths = ramp((0, .07), (1, .07), (1.5, .04), (3, .04), (3.3, .07), (6, .07))
    held = holdings(widths, noise=0.0001, seed=seed)
    assert np.count_nonzero(np.diff(held.astype(int))) == 2
    assert not holdings(ramp((0, .05), (6, .05)), noise=0.0001, seed=seed).any()


def test_closing_on_nothing_holds_nothing():
    assert not holdings(ramp((0, .07), (1, .07), (2, .0), (4, .0), (5, .07), (6, .07))).any()
    assert not holdings(ramp((0, .07), (1, .07), (2, .002), (4, .002))).any()


def test_a_closed_gripper_that_pushes_holds_nothing():
    assert not holdings(ramp((0, 0.), (4, 0.)), noise=0.0003).any()


def test_a_half_open_gripper_that_never_closed_holds_nothing():
    assert not holdings(ramp((0, .03), (4, .03))).any()


def test_opening_to_a_rest_holds_nothing():
    assert not holdings(ramp((0, 0.), (1, 0.), (1.5, .03), (3, .03))).any()


def test_what_slips_out_is_lost():
    held = holdings(ramp((0, .07), (.5, .02), (2, .02), (2.1, .0), (3, .0)))
    assert held[200:390].all() and not held[430:].any()


def test_several_grasps_are_several():
    one = [(0, .07), (.5, .07), (.8, .03), (1.5, .03), (1.7, .07)]
    corners = [(t + 2 * k, w) for k in range(3) for t, w in one]
    held = holdings(ramp(*corners, (6, .07)))
    assert np.count_nonzero(np.diff(held.astype(int)) == 1) == 3


def test_a_soft_thing_that_is_squeezed_on_stays_held():
    assert holdings(ramp((0, .07), (.5, .03), (4, .02)))[200:].all()


def test_stopping_where_it_was_told_to_is_no_grasp_if_the_command_is_known():
    widths = ramp((0, .07), (.5, .04), (2, .04))
    assert holdings(widths)[200:].all()
    assert not holdings(widths, commands=widths).any()
    assert holdings(widths, commands=np.minimum(widths, .03))[200:].all()


def test_closing_further_after_a_stop_on_the_way_is_a_grasp():
    widths = ramp((0, .07), (.5, .04), (1.5, .04), (1.7, .025), (3, .025))
    told = np.where(np.arange(len(widths)) < 300, widths, 0.0)
    held = holdings(widths, commands=told)
    assert not held[:300].any() and held[380:].all()


def test_held_since_is_when_the_gripper_came_to_rest():
    closure = GripperClosure()
    for i, width in enumerate(ramp((0, .07), (1, .07), (1.5, .04), (3, .04))):
        if closure.update(i * PERIOD * MS, float(width)):
            break
    assert closure.held_since == pytest.approx(1500 * MS, abs=2 * 20 * MS)


def test_widths_that_are_no_numbers_are_skipped():
    widths = ramp((0, .07), (.5, .03), (2, .03))
    widths[250:260] = np.nan
    widths[270] = np.inf
    assert holdings(widths)[200:].all()


def test_time_that_jumps_back_starts_anew():
    closure = GripperClosure()
    for i, width in enumerate(ramp((0, .07), (.5, .03), (1, .03))):
        closure.update(10**12 + i * PERIOD * MS, float(width))
    assert closure.holding
    assert not closure.update(0, .03)


@pytest.mark.parametrize('wrong', [{'slip_margin': .01}, {'still': 0.}, {'settle_time': -1.}])
def test_contradicting_settings_are_refused(wrong):
    with pytest.raises(ValueError, match=f'{next(iter(wrong))} is .*expected'):
        ClosureSettings(**wrong)


@pytest.fixture
def contacts():
    history = StateHistory('grasp_contacts', window=1000 * MS, max_gap=100 * MS)
    for at, state in ((0, 'a'), (10, 'b'), (20, 'c')):
        history.add(at * MS, state)
    return history


def test_the_latest_state_at_or_before_an_instant_counts(contacts):
    assert [contacts.at(at * MS) for at in (0, 5, 9, 10, 19, 20)] == list('aaabbc')


def test_nothing_is_known_after_the_last_sample_or_before_the_first(contacts):
    with pytest.raises(MissingTransform, match='no grasp_contacts at or after 0.021 s'):
        contacts.at(21 * MS)
    with pytest.raises(MissingTransform, match='no grasp_contacts at or before -0.001 s'):
        contacts.at(-1 * MS)


def test_a_sample_counts_for_max_gap_only(contacts):
    contacts.add(200 * MS, 'd')
    assert contacts.at(120 * MS) == 'c'
    with pytest.raises(MissingTransform, match='the last one is 0.101 s older'):
        contacts.at(121 * MS)


def test_late_states_are_dropped_and_a_jump_back_starts_anew(contacts):
    assert not contacts.add(15 * MS, 'x') and contacts.at(15 * MS) == 'b'
    assert contacts.add(-200 * MS, 'y') and contacts.newest == -200 * MS

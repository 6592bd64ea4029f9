# SPDX-License-Identifier: Apache-2.0
"""The tree over time: what is found, what is refused, and what the refusal says."""

import re
import threading
import time

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from tf2_ros.buffer_core import BufferCore
from tf2_ros.exceptions import (
    ConnectivityException,
    ExtrapolationException,
    InvalidArgumentException,
    LookupException,
    TransformException,
)
from tf2_ros.geometry import IDENTITY, compose, invert

SECOND = 1_000_000_000


def at(x, y=0.0, z=0.0, yaw=0.0):
    return (x, y, z, *Rotation.from_euler('z', yaw).as_quat().tolist())


@pytest.fixture
def core():
    return BufferCore()


def position(core, target, source, stamp):
    return core.lookup(target, source, stamp)[0][:3]


def test_a_transform_is_found_at_its_stamp_and_between_two(core):
    core.insert('world', 'ball', 1 * SECOND, at(0.0))
    core.insert('world', 'ball', 2 * SECOND, at(1.0))
    assert position(core, 'world', 'ball', 1 * SECOND) == (0.0, 0.0, 0.0)
    assert position(core, 'world', 'ball', SECOND * 5 // 4) == pytest.approx((0.25, 0, 0))
    assert position(core, 'world', 'ball', 2 * SECOND) == (1.0, 0.0, 0.0)


def test_swapping_the_frames_inverts_the_transform(core):
    core.insert('world', 'a', SECOND, at(1.0, 2.0, 3.0, yaw=0.7))
    core.insert('world', 'b', SECOND, at(-1.0, 0.5, 0.0, yaw=-2.0))
    there, _ = core.lookup('a', 'b', SECOND)
    back, _ = core.lookup('b', 'a', SECOND)
    assert compose(there, back) == pytest.approx(IDENTITY)


def test_any_path_in_a_random_tree_equals_the_product_along_it(core):
    random = np.random.default_rng(3)
    world_from = {'f0': IDENTITY}
    for index in range(1, 30):
        parent = f'f{random.integers(index)}'
        step = (*random.uniform(-1, 1, 3).tolist(), *Rotation.random(rng=random).as_quat())
        core.insert(parent, f'f{index}', SECOND, step, static=bool(random.integers(2)))
        world_from[f'f{index}'] = compose(world_from[parent], step)
    for _ in range(200):
        target, source = (f'f{random.integers(30)}' for _ in range(2))
        got, _ = core.lookup(target, source, SECOND)
        wanted = compose(invert(world_from[target]), world_from[source])
        assert got[:3] == pytest.approx(wanted[:3], abs=1e-9)
        assert abs(np.dot(got[3:], wanted[3:])) == pytest.approx(1.0)


def test_nothing_is_extrapolated_and_the_error_names_frames_and_times(core):
    core.insert('world', 'ball', 5 * SECOND, at(0.0))
    with pytest.raises(ExtrapolationException, match=r'time 6\.000000 .* known is of 5\.000000'):
        core.lookup('world', 'ball', 6 * SECOND)
    core.insert('world', 'ball', 7 * SECOND, at(0.0))
    future = r'into the future refused: time 8\.000000 .* newest transform is of 7\.000000'
    with pytest.raises(ExtrapolationException, match=future):
        core.lookup('world', 'ball', 8 * SECOND)
    past = (
        r'into the past refused: time 4\.000000 was asked for, and the oldest transform is of '
        r"5\.000000 \(transform from 'ball' to 'world'\)"
    )
    with pytest.raises(ExtrapolationException, match=past):
        core.lookup('world', 'ball', 4 * SECOND)


def test_time_zero_is_the_latest_common_time(core):
    for stamp in (1, 2, 3):
        core.insert('world', 'a', stamp * SECOND, at(float(stamp)))
    core.insert('world', 'b', 1 * SECOND, at(0.0))
    core.insert('world', 'b', 2 * SECOND, at(0.0))
    transform, stamp = core.lookup('b', 'a', 0)
    assert (transform[0], stamp) == (2.0, 2 * SECOND)
    assert core.lookup('world', 'a', 0)[1] == 3 * SECOND


def test_a_static_transform_holds_at_every_time_and_is_replaced_by_the_next(core):
    core.insert('base', 'viewer', 123, at(1.0), static=True)
    assert position(core, 'base', 'viewer', 99 * SECOND) == (1.0, 0.0, 0.0)
    core.insert('base', 'viewer', 99, at(2.0), static=True)
    assert position(core, 'base', 'viewer', 5) == (2.0, 0.0, 0.0)
    assert core.lookup('base', 'viewer', 0)[1] == 0


def test_late_data_is_sorted_in_and_a_repeated_stamp_replaces(core):
    core.insert('world', 'ball', 3 * SECOND, at(3.0))
    core.insert('world', 'ball', 1 * SECOND, at(1.0))
    core.insert('world', 'ball', 2 * SECOND, at(9.0))
    core.insert('world', 'ball', 2 * SECOND, at(2.0))
    for tenth in range(10, 31):
        assert position(core, 'world', 'ball', tenth * SECOND // 10)[0] == pytest.approx(
            tenth / 10
        )


def test_data_older_than_the_cache_is_forgotten_and_refused():
    core = BufferCore(cache_ns=SECOND)
    for tenth in range(31):
        core.insert('world', 'ball', SECOND + tenth * SECOND // 10, at(0.0))
    with pytest.raises(ExtrapolationException, match=r'oldest transform is of 3\.000000'):
        core.lookup('world', 'ball', 2 * SECOND)
    refused = core.insert('world', 'ball', 2 * SECOND, at(0.0), authority='sim')
    assert re.match(r'TF_OLD_DATA: transform of ball at 2\.000000, sent by sim', refused)


@pytest.mark.parametrize(
    ('parent', 'child', 'transform', 'reason'),
    [
        ('a', 'a', IDENTITY, 'TF_SELF_TRANSFORM'),
        ('', 'a', IDENTITY, 'TF_NO_FRAME_ID'),
        ('a', '', IDENTITY, 'TF_NO_CHILD_FRAME_ID'),
        ('a', 'b', (float('nan'), 0, 0, 0, 0, 0, 1), 'TF_NAN_INPUT'),
        ('a', 'b', (0, float('inf'), 0, 0, 0, 0, 1), 'TF_NAN_INPUT'),
        ('a', 'b', (0, 0, 0, 0, 0, float('nan'), 1), 'TF_NAN_INPUT'),
        ('a', 'b', (0, 0, 0, 0, 0, 0, 0), 'TF_DENORMALIZED_QUATERNION'),
        ('a', 'b', (0, 0, 0, 0, 0, 0, 1.1), 'TF_DENORMALIZED_QUATERNION'),
    ],
)
def test_a_wrong_transform_is_refused_with_its_reason(core, parent, child, transform, reason):
    assert core.insert(parent, child, SECOND, transform).startswith(reason)
    assert core.all_frames_as_yaml() == '[]'


def test_unknown_empty_and_slashed_frames_are_named(core):
    core.insert('world', 'ball', SECOND, at(0.0))
    with pytest.raises(LookupException, match="target_frame 'bal' does not exist"):
        core.lookup('bal', 'ball', 0)
    with pytest.raises(LookupException, match="source_frame 'x' does not exist"):
        core.lookup('ball', 'x', 0)
    with pytest.raises(InvalidArgumentException, match='is empty'):
        core.lookup('', 'ball', 0)
    with pytest.raises(InvalidArgumentException, match="'/world'.*no leading slash"):
        core.lookup('/world', 'ball', 0)


def test_a_leading_slash_is_dropped_from_what_comes_in(core):
    core.insert('/world', '/ball', SECOND, at(1.0))
    assert position(core, 'world', 'ball', SECOND) == (1.0, 0.0, 0.0)


def test_two_trees_are_not_connected(core):
    core.insert('world', 'ball', SECOND, at(0.0))
    core.insert('mars', 'rover', SECOND, at(0.0))
    for stamp in (0, SECOND):
        with pytest.raises(ConnectivityException, match="connects 'rover' with 'ball'"):
            core.lookup('ball', 'rover', stamp)


def test_a_loop_is_an_error_and_no_hang(core):
    core.insert('a', 'b', SECOND, at(0.0))
    core.insert('b', 'c', SECOND, at(0.0))
    core.insert('c', 'a', SECOND, at(0.0))
    core.insert('x', 'y', SECOND, at(0.0))
    for stamp in (0, SECOND):
        with pytest.raises(LookupException, match='loop'):
            core.lookup('y', 'a', stamp)


def test_a_frame_may_change_its_parent_and_is_not_interpolated_across(core):
    core.insert('world', 'hand', 0, at(10.0), static=True)
    core.insert('world', 'ball', 1 * SECOND, at(1.0))
    core.insert('hand', 'ball', 3 * SECOND, at(0.5))
    assert position(core, 'world', 'ball', 2 * SECOND) == (1.0, 0.0, 0.0)
    assert position(core, 'world', 'ball', 3 * SECOND) == (10.5, 0.0, 0.0)


def test_frames_below_the_missing_data_can_still_be_related(core):
    core.insert('world', 'base', SECOND, at(0.0))
    core.insert('base', 'link', 0, at(1.0), static=True)
    core.insert('base', 'camera', 0, at(0.0, 1.0), static=True)
    assert position(core, 'camera', 'link', 50 * SECOND) == (1.0, -1.0, 0.0)
    with pytest.raises(ExtrapolationException):
        core.lookup('world', 'link', 50 * SECOND)


def test_the_same_frame_is_the_identity_even_if_unknown(core):
    assert core.lookup('ghost', 'ghost', 7) == (IDENTITY, 7)


def test_clear_forgets_what_moves_and_keeps_what_does_not(core):
    core.insert('world', 'base', 0, at(1.0), static=True)
    core.insert('world', 'ball', SECOND, at(1.0))
    core.clear()
    assert position(core, 'world', 'base', 5 * SECOND) == (1.0, 0.0, 0.0)
    with pytest.raises(TransformException):
        core.lookup('world', 'ball', SECOND)
    core.insert('world', 'ball', 1, at(4.0))  # time may start again
    assert position(core, 'world', 'ball', 1) == (4.0, 0.0, 0.0)


def test_lookup_full_relates_two_times_by_a_fixed_frame(core):
    for stamp in (1, 2):
        core.insert('world', 'car', stamp * SECOND, at(float(stamp)))
    got, stamp = core.lookup_full('car', 2 * SECOND, 'car', 1 * SECOND, 'world')
    assert got[:3] == (-1.0, 0.0, 0.0)
    assert stamp == 2 * SECOND


def test_waiting_ends_when_the_data_come_and_says_why_when_they_do_not(core):
    late = threading.Timer(0.05, core.insert, ('world', 'ball', SECOND, at(0.0)))
    late.start()
    assert core.wait('world', 'ball', SECOND, timeout_s=10.0) == (True, '')
    late.join()
    started = time.monotonic()
    found, why = core.wait('world', 'ball', 2 * SECOND, timeout_s=0.05)
    assert not found and 'extrapolation' in why
    assert time.monotonic() - started < 5.0


def test_many_threads_may_write_and_read_at_once(core):
    core.insert('world', 'ball', SECOND, at(0.0))
    core.insert('world', 'ball', 2 * SECOND, at(0.0))
    errors = []

    def write(offset):
        for step in range(300):
            core.insert('world', 'ball', 2 * SECOND + step * 7 + offset, at(0.0))

    def read():
        try:
            for _ in range(300):
                core.lookup('ball', 'world', 0)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(offset,)) for offset in range(3)]
    threads += [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors


def test_all_frames_are_listed_as_yaml(core):
    core.insert('world', 'ball', 1 * SECOND, at(0.0), authority='sim')
    core.insert('world', 'ball', 3 * SECOND, at(0.0), authority='sim')
    assert core.all_frames_as_yaml() == (
        "ball: \n  parent: 'world'\n  broadcaster: 'sim'\n  rate: 1.000\n"
        '  most_recent_transform: 3.000000\n  oldest_transform: 1.000000\n'
        '  buffer_length: 2.000\n'
    )
    assert core.all_frames_as_string() == 'ball: child of world\n'


def test_a_lookup_and_an_insert_are_quick_enough_for_a_hot_path(core):
    """Generous: some 5 and 30 microseconds are usual; a second a thousand would mean a mistake."""
    for step in range(1000):
        for link in range(8):
            core.insert(f'link{link}', f'link{link + 1}', (step + 1) * 10_000_000, at(0.1))
    started = time.perf_counter()
    for step in range(1000):
        core.lookup('link0', 'link8', 5_000_000_000 + step * 1_000_003)
    assert time.perf_counter() - started < 1.0

# SPDX-License-Identifier: Apache-2.0
"""Losses are counted from sequence numbers; gaps from stamps."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspire_bringup.losses import (
    SequenceTracks,
    StampIntervals,
    StampPlace,
    TopicLedger,
    stamp_place,
)


@given(st.sets(st.integers(2, 400)), st.integers(401, 500))
def test_of_one_publisher_exactly_the_missing_numbers_are_lost(missing, last):
    tracks = SequenceTracks()
    for sequence in range(1, last + 1):
        if sequence not in missing:
            tracks.see(sequence)
    assert tracks.lost == len(missing)


@given(st.lists(st.sampled_from('abc'), max_size=200), st.tuples(*[st.integers(1, 1000)] * 3))
def test_interleaved_publishers_without_a_loss_count_none(turns, starts):
    numbers = dict(zip('abc', starts, strict=True))
    tracks = SequenceTracks()
    for publisher in turns:
        tracks.see(numbers[publisher], publishers=3)
        numbers[publisher] += 1
    assert tracks.lost == 0


def test_of_two_publishers_a_loss_of_the_later_one_is_counted():
    tracks = SequenceTracks()
    for sequence in (1, 100, 2, 101, 3, 104, 4):  # 102 and 103 are missing
        tracks.see(sequence, publishers=2)
    assert tracks.lost == 2


def test_a_publisher_that_starts_again_is_no_loss():
    tracks = SequenceTracks()
    for sequence in (7, 8, 9, 1, 2, 3):
        tracks.see(sequence)
    assert tracks.lost == 0


def test_joining_late_is_no_loss():
    tracks = SequenceTracks()
    tracks.see(5000)
    assert tracks.lost == 0


def test_a_pause_of_a_periodic_topic_is_a_gap_and_says_how_long():
    intervals = StampIntervals()
    for index in range(100):
        intervals.see(index * 10_000_000 + (50_000_000 if index > 60 else 0))
    assert (intervals.gaps, intervals.longest, intervals.period) == (1, 60_000_000, 10_000_000)


def test_a_pause_among_the_first_messages_is_a_gap_too():
    intervals = StampIntervals()
    for index in range(60):
        intervals.see(index * 10_000_000 + (50_000_000 if index > 5 else 0))
    assert intervals.gaps == 1


def test_a_topic_without_a_period_has_no_gaps():
    intervals = StampIntervals()
    for index in range(60):
        intervals.see(index**3 * 1_000_000)
    assert intervals.gaps == 0


def test_stamps_of_two_publishers_at_once_are_one_period():
    intervals = StampIntervals()
    for index in range(60):
        intervals.see(index * 10_000_000)
        intervals.see(index * 10_000_000)
    assert (intervals.period, intervals.gaps) == (10_000_000, 0)


@pytest.mark.parametrize(
    ('leading', 'place'),
    [
        (['std_msgs/Header', 'builtin_interfaces/Time', 'int32'], StampPlace(4, False)),
        (['builtin_interfaces/Time', 'int32'], StampPlace(4, False)),
        (['geometry_msgs/TransformStamped[]', 'std_msgs/Header'], StampPlace(8, True)),
        (['string'], None),
        (['geometry_msgs/Vector3', 'float64'], None),
        ([], None),
    ],
)
def test_the_stamp_is_found_from_the_leading_types(leading, place):
    assert stamp_place(leading) == place


def test_a_stamp_is_read_from_the_serialized_bytes():
    header = b'\0\1\0\0'
    assert StampPlace(4, False).read(header + struct.pack('<iI', 3, 7) + b'rest') == 3_000_000_007
    assert StampPlace(8, True).read(header + struct.pack('<IiI', 1, 3, 7)) == 3_000_000_007
    assert StampPlace(8, True).read(header + struct.pack('<I', 0)) is None
    assert StampPlace(4, False).read(b'\0\0\0\0' + struct.pack('>iI', 3, 7)) == 3_000_000_007


def test_what_sequence_numbers_and_events_both_saw_is_counted_once():
    ledger = TopicLedger('/a', 'std_msgs/msg/String')
    for sequence in (1, 2, 5):
        ledger.receive(sequence, 10, sequence, None)
    ledger.lost_by_event = 2
    ledger.lost_in_queue = 1
    assert (ledger.lost_in_transport, ledger.lost, ledger.written) == (2, 3, 2)
    assert '2 lost in transport' in ledger.warning()
    assert '1 lost in the recorder' in ledger.warning()


def test_what_a_topic_sent_before_it_was_heard_is_lost_only_if_it_appeared_late():
    for late, lost in ((True, 4), (False, 0)):
        ledger = TopicLedger('/a', 'std_msgs/msg/String', late=late)
        ledger.receive(1, 1, 5, None)
        assert ledger.lost == lost


def test_the_rate_is_that_between_first_and_last():
    ledger = TopicLedger('/a', 'std_msgs/msg/String')
    for index in range(11):
        ledger.receive(1_000_000_000 + index * 100_000_000, 1, None, None)
    assert ledger.rate == pytest.approx(10.0)

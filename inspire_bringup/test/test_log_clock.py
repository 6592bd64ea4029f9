# SPDX-License-Identifier: Apache-2.0
"""Messages are logged with the time at which they came, on the system's or on simulated time."""

import struct

from inspire_bringup.log_clock import LogClock, Received


def clock(received: int, now: int) -> Received:
    data = b'\0\1\0\0' + struct.pack('<iI', *divmod(now, 1_000_000_000))
    return Received('/clock', received, received, 1, data)


def message(received: int, topic: str = '/a') -> Received:
    return Received(topic, received, received - 1, 1, b'\0\1\0\0')


def test_on_the_systems_clock_a_message_is_logged_when_it_was_received():
    stamped = LogClock(simulated=False).stamp([message(20), message(10)])
    assert [one.log_time for one in stamped] == [10, 20]


def test_on_simulated_time_a_message_is_logged_with_the_clock_before_it():
    stamped = LogClock(simulated=True).stamp(
        [message(15), message(35), clock(10, 1_000), clock(30, 2_000)]
    )
    assert [(one.topic, one.log_time) for one in stamped] == [
        ('/clock', 1_000),
        ('/a', 1_000),
        ('/clock', 2_000),
        ('/a', 2_000),
    ]


def test_messages_before_the_first_clock_wait_for_it():
    log_clock = LogClock(simulated=True)
    assert log_clock.stamp([message(5)]) == []
    stamped = log_clock.stamp([clock(10, 1_000)])
    assert [(one.topic, one.log_time) for one in stamped] == [('/a', 1_000), ('/clock', 1_000)]


def test_batches_give_the_same_as_single_messages():
    received = [clock(10, 5), message(11), message(12), clock(20, 9), message(21)]
    one_by_one, at_once = LogClock(simulated=True), LogClock(simulated=True)
    singly = [stamped for one in received for stamped in one_by_one.stamp([one])]
    assert singly == at_once.stamp(received)

# SPDX-License-Identifier: Apache-2.0
"""The stream keeps its rhythm whatever the clock does, repeats the hold, begins with silence."""

import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from inspire_policy.stream import Stream, next_due
from inspire_policy.trajectory import SetPoint
from piper_driver.pose import Pose

START = Pose(np.array([0.3, 0.0, 0.2]), np.array([1.0, 0.0, 0.0, 0.0]))
DEADLINE = 5.0  # s


class TickedClock:
    """A clock that ticks when the test says so."""

    def __init__(self) -> None:
        self._time = 0.0
        self._ticked = threading.Condition()

    def now(self) -> float:
        return self._time

    def set(self, time: float) -> None:
        with self._ticked:
            self._time = time
            self._ticked.notify_all()

    def wait_until(self, time: float, /) -> bool:
        with self._ticked:
            return self._ticked.wait_for(lambda: self._time >= time, timeout=0.02)


class Recorder:
    """What was sent, and when by the clock."""

    def __init__(self, clock: TickedClock) -> None:
        self.clock = clock
        self.sent: list[tuple[float, SetPoint]] = []

    def send(self, point: SetPoint, time: float) -> None:
        self.sent.append((time, point))

    def failed(self, error: Exception) -> None:
        raise AssertionError(error)


def eventually(condition: Callable[[], bool]) -> bool:
    limit = time.monotonic() + DEADLINE
    while not condition() and time.monotonic() < limit:
        time.sleep(0.001)
    return condition()


@pytest.fixture
def clock() -> TickedClock:
    return TickedClock()


@pytest.fixture
def recorder(clock: TickedClock) -> Recorder:
    return Recorder(clock)


@pytest.fixture
def stream(clock: TickedClock, recorder: Recorder) -> Iterator[Stream]:
    stream = Stream(clock, 0.01, recorder.send, recorder.failed)
    stream.start()
    yield stream
    stream.close()


def tick(clock: TickedClock, recorder: Recorder, times: list[float]) -> None:
    """Set the clock to each time, and wait until what was due then has been sent."""
    for each in times:
        clock.set(each)
        assert eventually(lambda due=each: bool(recorder.sent) and recorder.sent[-1][0] == due), (
            f'nothing was sent at {each}'
        )


def begin(stream: Stream, clock: TickedClock, recorder: Recorder) -> None:
    """Hold, and wait until the stream is in step with the clock."""
    stream.hold(START, 0.07)

    def advance() -> bool:
        clock.set(clock.now() + 0.01)
        return bool(recorder.sent)

    assert eventually(advance)


def test_before_the_first_pose_nothing_is_sent(
    stream: Stream, clock: TickedClock, recorder: Recorder
) -> None:
    for count in range(20):
        clock.set(0.01 * count)
        time.sleep(0.002)  # gives a wrong stream its chance
    assert not recorder.sent


def test_each_tick_of_a_simulated_clock_sends_one_set_point_in_spite_of_rounding(
    stream: Stream, clock: TickedClock, recorder: Recorder
) -> None:
    begin(stream, clock, recorder)
    begun = round(clock.now() / 0.01)
    recorder.sent.clear()
    times = [0.01 * count for count in range(begun + 1, begun + 60)]
    tick(clock, recorder, times)
    assert [moment for moment, _ in recorder.sent] == times


def test_while_the_clock_stands_still_nothing_is_sent_twice(
    stream: Stream, clock: TickedClock, recorder: Recorder
) -> None:
    begin(stream, clock, recorder)
    tick(clock, recorder, [clock.now() + 0.01])
    count = len(recorder.sent)
    time.sleep(0.05)
    assert len(recorder.sent) == count


def test_a_chunk_that_comes_while_a_set_point_is_made_makes_no_longer_step() -> None:
    """While the stream reads the time, a chunk comes, and the time goes on."""

    class SlowClock(TickedClock):
        def __init__(self) -> None:
            super().__init__()
            self.chunks: list[threading.Thread] = []  # each comes at a reading for a set-point
            self.due = False

        def wait_until(self, time: float, /) -> bool:
            self.due = super().wait_until(time)
            return self.due

        def now(self) -> float:
            read = super().now()
            if self.chunks and self.due and threading.current_thread().name == 'stream':
                chunk = self.chunks.pop()
                self.set(read + 0.004)
                chunk.start()
                chunk.join(0.1)
            return read

    clock = SlowClock()
    recorder = Recorder(clock)
    stream = Stream(clock, 0.01, recorder.send, recorder.failed)
    stream.start()
    try:
        begin(stream, clock, recorder)
        tick(clock, recorder, [clock.now() + 0.01])
        step = np.tile([0.0005, 0, 0, 0, 0, 0, 0.07], (8, 1))
        stream.extend(step, 0.003)
        begun = len(recorder.sent)
        chunk = threading.Thread(target=stream.extend, args=(step, 0.003))
        clock.chunks.append(chunk)
        for _ in range(7):
            tick(clock, recorder, [clock.now() + 0.01])
        chunk.join()
    finally:
        stream.close()
    times = np.array([moment for moment, _ in recorder.sent[begun - 1 :]])
    places = np.array([point.pose.position[0] for _, point in recorder.sent[begun - 1 :]])
    assert places[-1] == pytest.approx(0.3 + 16 * 0.0005)
    assert np.max(np.diff(places) / np.diff(times)) < 0.0005 / 0.003 + 1e-9


def test_after_a_jump_forward_there_is_no_burst(
    stream: Stream, clock: TickedClock, recorder: Recorder
) -> None:
    begin(stream, clock, recorder)
    tick(clock, recorder, [50.0])
    count = len(recorder.sent)
    time.sleep(0.02)
    assert len(recorder.sent) == count
    tick(clock, recorder, [50.01, 50.02])


def test_after_a_jump_back_it_goes_on(
    stream: Stream, clock: TickedClock, recorder: Recorder
) -> None:
    begin(stream, clock, recorder)
    tick(clock, recorder, [50.0])
    clock.set(1.0)
    count = len(recorder.sent)

    def ticking() -> bool:
        clock.set(clock.now() + 0.01)
        return len(recorder.sent) > count + 3

    assert eventually(ticking)


def test_the_hold_is_repeated_after_a_chunk(
    stream: Stream, clock: TickedClock, recorder: Recorder
) -> None:
    begin(stream, clock, recorder)
    end = stream.extend(np.array([[0.02, 0, 0, 0, 0, 0, 0.0]]), 0.05).end
    now = clock.now()
    tick(clock, recorder, [now + 0.01 * count for count in range(1, 20)])
    after = [point for moment, point in recorder.sent if moment > now + 0.0501]
    assert len(after) == 14
    assert all(point == end for point in after)


def test_a_failure_to_send_is_told_and_ends_the_stream(clock: TickedClock) -> None:
    told: list[Exception] = []

    def broken(_: SetPoint, time: float) -> None:
        raise OSError('no network')

    stream = Stream(clock, 0.01, broken, told.append)
    unhandled, threading.excepthook = threading.excepthook, lambda _: None
    try:
        stream.start()
        stream.hold(START, 0.07)
        clock.set(1.0)
        assert eventually(lambda: bool(told))
    finally:
        stream.close()
        threading.excepthook = unhandled
    assert str(told) == "[OSError('no network')]"


def test_without_a_pose_there_is_nothing_to_integrate_a_chunk_on(stream: Stream) -> None:
    with pytest.raises(RuntimeError, match='no pose'):
        stream.extend(np.zeros((8, 7)), 0.05)


@pytest.mark.parametrize(
    ('due', 'now', 'expected'),
    [
        (1.00, 1.000, 1.01),  # on time
        (1.00, 1.004, 1.01),  # a little late: the rhythm stays
        (1.00, 1.011, 1.021),  # more than a period late: the missed one is not made up for
        (1.00, 7.000, 7.01),  # long late: from now on
    ],
)
def test_when_the_next_is_due(due: float, now: float, expected: float) -> None:
    assert next_due(due, now, 0.01) == pytest.approx(expected)

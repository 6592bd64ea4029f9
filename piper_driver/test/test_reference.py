# SPDX-License-Identifier: Apache-2.0
"""The reference interpolates between commands, waits at the last one and never runs past it."""

import numpy as np
import pytest

from piper_driver.limits import PIPER
from piper_driver.pose import Pose
from piper_driver.reference import RAMP_GROWTH, RAMP_SPEED, Cadence, PoseReference

DT = 0.005
TURN = (0.0, 0.0, 0.0, 1.0)


def _pose(x):
    return Pose((x, 0, 0.2), TURN)


def _aim(reference, x, interval=0.01):
    reference.aim((x, 0.0, 0.2), TURN, _pose(x), interval)


def _stream(speed, seconds, lead=0.2):
    """Return (commanded, reference) x of a stream that moves after `lead` seconds."""
    reference, cadence = PoseReference(PIPER, _pose(0.3)), Cadence()
    rows, commanded = [], 0.3
    for tick in range(round((lead + seconds) / DT)):
        now = tick * DT
        if tick % 2 == 0:
            commanded = 0.3 + speed * max(now - lead, 0.0)
            cadence.beat(now, tick == 0)
            _aim(reference, commanded, cadence.interval)
        reference.advance(cadence.share(now, DT), DT)
        rows.append((commanded, reference.place[0]))
    return np.array(rows), reference


def test_a_stream_is_followed_within_one_interval():
    rows, _ = _stream(0.1, 1.0)
    assert abs(rows[-40:, 0] - rows[-40:, 1]).max() <= 0.1 * 0.01 + 1e-6


def test_it_is_never_ahead_of_what_was_commanded():
    rows, _ = _stream(0.25, 1.0)
    assert np.all(rows[:, 1] <= rows[:, 0] + 1e-12)


def test_it_moves_evenly_between_commands():
    rows, _ = _stream(0.1, 1.0)
    steps = np.diff(rows[-60:, 1])
    assert steps == pytest.approx(np.full(59, 0.1 * DT), rel=0.05)


def test_it_waits_at_the_last_command():
    rows, reference = _stream(0.1, 1.0)
    cadence = Cadence()
    for _ in range(40):
        reference.advance(cadence.share(5.0, DT), DT)
    assert reference.place[0] == pytest.approx(rows[-1, 0], abs=1e-12)


def test_a_far_first_command_is_approached_at_the_ramp_speed():
    reference, cadence = PoseReference(PIPER, _pose(0.3)), Cadence()
    places = []
    for tick in range(400):
        if tick % 2 == 0:
            cadence.beat(tick * DT, tick == 0)
            _aim(reference, 0.5, cadence.interval)
        reference.advance(cadence.share(tick * DT, DT), DT)
        places.append(reference.place[0])
    speeds = np.diff(places) / DT
    times = DT * np.arange(1, len(places))
    assert np.all(speeds <= RAMP_SPEED * (1 + RAMP_GROWTH * times) + 1e-9)
    assert speeds[40] > RAMP_SPEED
    assert places[-1] == pytest.approx(0.5, abs=1e-6)


def test_a_stream_that_starts_where_the_arm_is_needs_no_ramp():
    rows, _ = _stream(0.4, 1.5, lead=0.05)
    assert rows[-1, 0] - rows[-1, 1] < 0.4 * 0.011


def test_a_command_is_late_some_milliseconds_after_one_and_a_half_intervals():
    cadence = Cadence()
    cadence.beat(1.0, True)
    assert not cadence.late(1.0 + 0.019)
    assert cadence.late(1.0 + 0.021)
    cadence.beat(1.0 + 0.021, False)
    assert not cadence.late(1.0 + 0.03)


def test_the_cadence_learns_the_interval_of_a_stream():
    cadence = Cadence()
    for beat in range(60):
        cadence.beat(beat * 0.02, beat == 0)
    assert cadence.interval == pytest.approx(0.02, rel=0.01)
    assert cadence.silence(59 * 0.02 + 0.5) == pytest.approx(0.5)

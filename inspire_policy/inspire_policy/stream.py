# SPDX-License-Identifier: Apache-2.0
"""The one place where commands leave: a thread that sends the trajectory's set-point at a steady
rate.

It repeats the hold set-point when there is nothing to do, so that silence means that the policy is
dead: the arm's watchdog then holds the arm. Before the first trajectory nothing is sent, so
nothing moves at start.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from inspire_policy.clock import Clock
from inspire_policy.trajectory import SetPoint, Trajectory
from piper_driver.pose import Pose

# A simulated clock ticks at our own rate: a tick that rounding puts just before its time is on
# time. Else every second set-point would be missed. Share of a period.
EARLY = 0.1


class Stream:
    """Sends `trajectory`'s set-points every `period` seconds of `clock` until closed.

    `send(set_point, time)` is called on the stream's own thread. When it raises, the thread ends
    and `failed(error)` is called: whoever owns the stream has to end the process, since nothing
    holds the arm's stream any more.
    """

    def __init__(
        self,
        clock: Clock,
        period: float,
        send: Callable[[SetPoint, float], None],
        failed: Callable[[Exception], None],
    ) -> None:
        if period <= 0.0:
            raise ValueError(f'period is {period} s; valid: above 0')
        self._clock = clock
        self._period = period
        self._send = send
        self._failed = failed
        self._trajectory: Trajectory | None = None
        self._changing = threading.Lock()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name='stream', daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Stop sending, and wait until the thread has ended."""
        self._closing.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    @property
    def trajectory(self) -> Trajectory | None:
        """What is being sent; None: nothing."""
        return self._trajectory

    def hold(self, pose: Pose, width: float) -> None:
        """Begin anew, standing at `pose`."""
        with self._changing:
            self._trajectory = Trajectory.holding(pose, width, self._clock.now())

    def extend(self, actions: NDArray[np.float64], step_duration: float) -> Trajectory:
        """Append a chunk (K, 7) and return the trajectory that is being sent from now on."""
        with self._changing:
            if self._trajectory is None:
                raise RuntimeError('no pose to integrate the chunk on: call hold() first')
            self._trajectory = self._trajectory.extended(
                actions, step_duration, self._clock.now()
            )
            return self._trajectory

    def stop(self, within: float) -> None:
        """Slow down along the path and hold there."""
        with self._changing:
            if self._trajectory is not None:
                self._trajectory = self._trajectory.stopped(self._clock.now(), within)

    def _sample(self) -> tuple[float, SetPoint | None]:
        """Return the time and its set-point; None: nothing to send.

        A trajectory changed between the two has forgotten what lies before the change, or begins
        before it is sampled: either is a step longer than the motion's own.
        """
        with self._changing:
            now = self._clock.now()
            trajectory = self._trajectory
            return now, trajectory.sample(now) if trajectory is not None else None

    def _run(self) -> None:
        due = self._clock.now()
        while not self._closing.is_set():
            if not self._clock.wait_until(due - EARLY * self._period):
                if due - self._clock.now() > 2 * self._period:  # the clock was set back
                    due = self._clock.now()
                continue
            now, point = self._sample()
            if point is not None:
                try:
                    self._send(point, now)
                except Exception as error:  # whatever it is, the arm has no stream any more
                    if self._closing.is_set():
                        return  # what it sends through is being taken down
                    self._failed(error)
                    raise
            due = next_due(due, now, self._period)


def next_due(due: float, now: float, period: float) -> float:
    """Return when to send next: in step with `due`, but never in a burst after a delay or a jump.
    """
    following = due + period
    return following if following > now else now + period

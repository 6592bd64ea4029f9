# SPDX-License-Identifier: Apache-2.0
"""The hardware's loop: a thread that acts when the arm has spoken, or when a command has come.

It is nobody's executor: what a callback does, or fails to do, does not hold it up, and its silence
towards the arm is what makes the arm hold. Each complete state of the arm is one tick; between two
of them commands are looked for often, so that they need not wait for the next one. While the arm
says nothing there are no ticks, and so no targets; now and then it is asked whether it is lost.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event, Thread

LOOK = 0.0015       # between two looks for commands [s]
ASK = 0.1           # between two questions to an arm that says nothing [s]
FRESH = 0.03        # a command is acted on at once only while the last state is this fresh [s]


class ControlLoop:
    """Calls `tick(now)` for each state and `express(now)` in between, times on the steady clock.

    `failure` is what ended the thread, if something did: its owner has to know.
    """

    def __init__(self, tick: Callable[[float], object], express: Callable[[float], object]
                 ) -> None:
        """Begin at once."""
        self.failure: Exception | None = None
        self.states = 0
        self._tick, self._express = tick, express
        self._spoken = Event()
        self._ended = Event()
        self._thread = Thread(target=self._run, name='control', daemon=True)
        self._thread.start()

    def on_state(self) -> None:
        """Note, from any thread, that the arm has spoken."""
        self._spoken.set()

    def close(self) -> None:
        """End."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            last = time.monotonic()
            while not self._ended.is_set():
                spoken = self._spoken.wait(LOOK)
                self._spoken.clear()
                now = time.monotonic()
                if spoken or now - last > ASK:
                    self._tick(now)
                    self.states += spoken
                    last = now
                elif now - last < FRESH:
                    self._express(now)
        except Exception as failure:  # noqa: BLE001  whatever it is, the owner has to know
            self.failure = failure

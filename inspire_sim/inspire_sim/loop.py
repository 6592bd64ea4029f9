# SPDX-License-Identifier: Apache-2.0
"""The world running by itself: a thread ticks it at its pace; it can be paused, stepped, reset.

At every control instant (each second physics step) `at_control` is called with the time, before
the physics moves on: whoever owns the arm commands it there, and publishes what is true at that
time. Time never goes back: a reset jumps ahead by `RESET_GAP` in which nothing happens, so that
nobody interpolates over the teleport.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Lock, RLock, Thread, main_thread

from inspire_sim.pacing import Pace
from inspire_sim.world import PhysicsError, TableWorld

RESET_GAP = 0.5        # simulated [s]
PHYSICS_PER_CONTROL = 2
IDLE_WAIT = 0.05       # wall [s] between looks while nothing runs
VISIT_WAIT = 0.0005    # wall [s] between looks while somebody has the world


class StepRefused(ValueError):
    """The world cannot be stepped as asked; the message says what to do."""


class SimulationLoop:
    """Ticks a world; its methods may be called from any thread."""

    def __init__(self, world: TableWorld, pace: Pace, at_control: Callable[[float], None],
                 at_idle: Callable[[], None] = lambda: None) -> None:
        """Bind to a world that has a task. `at_idle` is called now and then while paused."""
        self.world = world
        self.pace = pace
        self.failure: Exception | None = None
        self.diverged = ''
        self._turn = RLock()   # held during a tick and by every visitor
        self._visitors = 0
        self._counting = Lock()
        self._at_control, self._at_idle = at_control, at_idle
        self._paused = False
        self._ended = Event()
        self._thread = Thread(target=self._run, name='physics')

    def start(self) -> None:
        """Start ticking."""
        self._thread.start()

    def close(self) -> None:
        """Stop ticking and join the thread."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    @property
    def paused(self) -> bool:
        """Whether time stands still by request."""
        return self._paused

    @contextmanager
    def visit(self) -> Iterator[None]:
        """Keep the world still, between two ticks. A visitor goes before the next tick."""
        with self._counting:
            self._visitors += 1
        try:
            with self._turn:
                yield
        finally:
            with self._counting:
                self._visitors -= 1

    def set_pause(self, paused: bool) -> None:
        """Stop or go on, from the next control instant."""
        with self.visit():
            self._paused = paused
            self.pace.restart()

    def reset(self, task: str, seed: int) -> None:
        """Set up a task (empty: the present one) at a later simulated time. Raises UnknownTask."""
        with self.visit():
            self.world.reset(task or self.world.task, seed, self.world.time + RESET_GAP)
            self.diverged = ''
            self.pace.restart()

    def step(self, count: int) -> float:
        """Take physics steps of a paused world and return the time [s]. Raises StepRefused."""
        with self.visit():
            if not self._paused:
                raise StepRefused('the world runs; pause it with set_pause first')
            if count < 1:
                raise StepRefused(f'steps is {count}; valid: 1 and above')
            if self.diverged:
                raise StepRefused(self.diverged)
            for _ in range(count):
                self._advance()
                if self.diverged:
                    raise StepRefused(self.diverged)
            return self.world.time

    def _run(self) -> None:
        try:
            # A main thread interrupted before it could close this one must not be survived.
            while not self._ended.is_set() and main_thread().is_alive():
                if self._visitors:
                    self._ended.wait(VISIT_WAIT)
                    continue
                if self._paused or self.diverged:
                    self._at_idle()
                    self._ended.wait(IDLE_WAIT)
                    self.pace.restart()
                    continue
                with self._turn:
                    if not self._paused and not self.diverged:
                        self._tick()
                self.pace.wait()
        except Exception as failure:  # noqa: BLE001  whatever it is, the owner has to know
            self.failure = failure

    def _tick(self) -> None:
        """Go on to the next control instant."""
        self._advance()
        while not self.diverged and self.world.steps % PHYSICS_PER_CONTROL:
            self._advance()

    def _advance(self) -> None:
        if self.world.steps % PHYSICS_PER_CONTROL == 0:
            self._at_control(self.world.time)
        try:
            self.world.physics_step()
        except PhysicsError as error:
            self.diverged = str(error)


# SPDX-License-Identifier: Apache-2.0
"""Episodes on many processes, each with one world and one policy of its own.

A process that dies or hangs fails its episode, with the reason, and is replaced. Processes
exchange lines of JSON, nothing that could run.
"""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Generator, Sequence
from contextlib import suppress
from dataclasses import asdict
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING

from inspire_policy.evaluation import Job, Row, Setting, made_row, make_world, run_episode
from inspire_policy.families import create
from inspire_policy.policy import Policy

if TYPE_CHECKING:
    from inspire_sim.world import World

PATIENCE = 600.0      # wall seconds without an answer after which a process counts as hung


def evaluate(setting: Setting, todo: Sequence[Job], workers: int) -> Generator[Row, None, None]:
    """Run the episodes on `workers` processes; yields a row as each ends, in no fixed order.

    Closing the iterator (or Ctrl-C in the caller) ends the processes. Raises ValueError, at once.
    """
    if workers < 1:
        raise ValueError(f'{workers} workers; valid: at least 1')
    return _evaluate(setting, todo, workers)


def _evaluate(setting: Setting, todo: Sequence[Job], workers: int) -> Generator[Row, None, None]:
    waiting = list(reversed(todo))
    crew = [_Worker(setting) for _ in range(min(workers, len(todo)))]
    try:
        for worker in crew:
            worker.give(waiting.pop())
        while any(worker.job for worker in crew):
            for worker in _answering(crew):
                yield worker.row()
                if waiting:
                    worker.give(waiting.pop())
    finally:
        for worker in crew:
            worker.end()


class _Worker:
    """A process that runs one episode after the other, and is replaced when it dies or hangs."""

    def __init__(self, setting: Setting) -> None:
        self.job: Job | None = None
        self._setting = setting
        self._start()

    def _start(self) -> None:
        context = get_context('spawn')
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_work, args=(theirs, json.dumps(
            asdict(self._setting))), daemon=True)
        self.process.start()
        theirs.close()

    def give(self, job: Job) -> None:
        """Have an episode run."""
        if not self.process.is_alive():
            self.end()
            self._start()
        self.job, self._since = job, time.monotonic()
        with suppress(OSError):    # it died just now: `row` will say so
            self.connection.send_bytes(json.dumps(asdict(job)).encode())

    @property
    def hangs(self) -> bool:
        """Whether it has been silent for too long."""
        return self.job is not None and time.monotonic() - self._since > PATIENCE

    def row(self) -> Row:
        """The row of the episode that ended, or the reason why there is none."""
        job, self.job = self.job, None
        assert job is not None
        seconds = time.monotonic() - self._since
        if seconds > PATIENCE and not self.connection.poll():
            self.end()
            return made_row(job, False, 0, seconds, '', f'no answer for {PATIENCE:.0f} s')
        try:
            return Row(**json.loads(self.connection.recv_bytes()))
        except (EOFError, OSError):
            self.process.join(5.0)
            reason = f'the process ended with status {self.process.exitcode}'
            return made_row(job, False, 0, seconds, '', reason)

    def end(self) -> None:
        """End the process."""
        self.connection.close()
        if self.process.is_alive():
            self.process.terminate()
            self.process.join(2.0)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


def _answering(crew: Sequence[_Worker]) -> list[_Worker]:
    """Those who have finished, died or hung; waits for the first."""
    while True:
        busy = {worker.connection: worker for worker in crew if worker.job}
        ready = [busy[item] for item in wait(list(busy), timeout=1.0)]  # type: ignore[index]
        ready += [worker for worker in busy.values() if worker.hangs and worker not in ready]
        if ready:
            return ready


def _work(connection: Connection, setting_text: str) -> None:
    """A process's life: take an episode, run it, tell how it went."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    setting = Setting(**json.loads(setting_text))
    policy: Policy | None = None
    world: World | None = None
    while True:
        try:
            job = Job(**json.loads(connection.recv_bytes()))
        except EOFError:
            return
        begin = time.perf_counter()
        try:
            if policy is None or world is None:
                policy = create(setting.policy, viewer=setting.viewer)
                world = make_world(policy, setting)
            row = run_episode(world, policy, job, setting)
        except Exception as error:  # noqa: BLE001 - a crash is a failure with its reason
            row = made_row(job, False, 0, time.perf_counter() - begin, '',
                       f'{type(error).__name__}: {error}')
        connection.send_bytes(json.dumps(asdict(row)).encode())

# SPDX-License-Identifier: Apache-2.0
"""Episodes on many processes, each of which keeps what it needs (a world, a policy) for all of its
own.

A process that dies or hangs fails its episode, with the reason, and is replaced. Processes
exchange lines of JSON, and bytes for what a line cannot hold: nothing that could run.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from dataclasses import Field

PATIENCE = 600.0      # wall seconds without an answer after which a process counts as hung

# One thread each, where nobody said otherwise: Mesa's renderer and BLAS would take every core.
ONE_THREAD = {'LP_NUM_THREADS': '1', 'OMP_NUM_THREADS': '1'}

Told = tuple[dict[str, Any], bytes]     # what comes of a job: a line, and bytes


class Dataclass(Protocol):
    """What JSON can carry to another process."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


S = TypeVar('S')
J = TypeVar('J', bound=Dataclass)


@dataclass(frozen=True)
class Done(Generic[J]):
    """A job that ended. seconds: wall time; told, data: what came of it; error: why nothing."""

    job: J
    seconds: float
    told: Mapping[str, Any]
    data: bytes
    error: str


def spread(begin: Callable[[S], Callable[[J], Told]], setting: S, todo: Sequence[J],
           workers: int) -> Generator[Done[J], None, None]:
    """Do the jobs on `workers` processes; yields each as it ends, in no fixed order.

    A process makes what does its jobs by `begin(setting)`, once; both have to be importable.
    Closing the iterator (or Ctrl-C in the caller) ends the processes. Raises ValueError, at once.
    """
    if workers < 1:
        raise ValueError(f'{workers} workers; valid: at least 1')
    return _spread(begin, setting, todo, workers)


def _spread(begin: Callable[[S], Callable[[J], Told]], setting: S, todo: Sequence[J],
            workers: int) -> Generator[Done[J], None, None]:
    waiting = list(reversed(todo))
    crew = [_Worker(begin, setting, type(todo[0])) for _ in range(min(workers, len(todo)))]
    try:
        for worker in crew:
            worker.give(waiting.pop())
        while any(worker.job for worker in crew):
            for worker in _answering(crew):
                yield worker.done()
                if waiting:
                    worker.give(waiting.pop())
    finally:
        for worker in crew:
            worker.end()


class _Worker(Generic[S, J]):
    """A process that does one job after the other, and is replaced when it dies or hangs."""

    def __init__(self, begin: Callable[[S], Callable[[J], Told]], setting: S,
                 kind: type[J]) -> None:
        self.job: J | None = None
        self._begin, self._setting, self._kind = begin, setting, kind
        self._start()

    def _start(self) -> None:
        context = get_context('spawn')
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_work, daemon=True, args=(
            theirs, self._begin, self._setting, self._kind))
        with _environment(ONE_THREAD):
            self.process.start()
        theirs.close()

    def give(self, job: J) -> None:
        """Have a job done."""
        if not self.process.is_alive():
            self.end()
            self._start()
        self.job, self._since = job, time.monotonic()
        with suppress(OSError):    # it died just now: `done` will say so
            self.connection.send_bytes(json.dumps(asdict(job)).encode())

    @property
    def hangs(self) -> bool:
        """Whether it has been silent for too long."""
        return self.job is not None and time.monotonic() - self._since > PATIENCE

    def done(self) -> Done[J]:
        """What came of the job that ended, or the reason why nothing did."""
        job, self.job = self.job, None
        assert job is not None
        seconds = time.monotonic() - self._since
        if seconds > PATIENCE and not self.connection.poll():
            self.end()
            return Done(job, seconds, {}, b'', f'no answer for {PATIENCE:.0f} s')
        try:
            line, _, data = self.connection.recv_bytes().partition(b'\n')
        except (EOFError, OSError):
            self.process.join(5.0)
            reason = f'the process ended with status {self.process.exitcode}'
            return Done(job, seconds, {}, b'', reason)
        answer = json.loads(line)
        return Done(job, seconds, answer['told'], data, answer['error'])

    def end(self) -> None:
        """End the process."""
        self.connection.close()
        if self.process.is_alive():
            self.process.terminate()
            self.process.join(2.0)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


def _answering(crew: Sequence[_Worker[S, J]]) -> list[_Worker[S, J]]:
    """Those who have finished, died or hung; waits for the first."""
    while True:
        busy = {worker.connection: worker for worker in crew if worker.job}
        ready = [busy[item] for item in wait(list(busy), timeout=1.0)]  # type: ignore[index]
        ready += [worker for worker in busy.values() if worker.hangs and worker not in ready]
        if ready:
            return ready


@contextmanager
def _environment(defaults: Mapping[str, str]) -> Iterator[None]:
    """Variables for a process that is started now, where they are not set."""
    added = [name for name in defaults if name not in os.environ]
    os.environ.update({name: defaults[name] for name in added})
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]


def _work(connection: Connection, begin: Callable[[S], Callable[[J], Told]], setting: S,
          kind: type[J]) -> None:
    """A process's life: take a job, do it, tell what came of it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    do: Callable[[J], Told] | None = None
    while True:
        try:
            job = kind(**json.loads(connection.recv_bytes()))
        except EOFError:
            return
        told: dict[str, Any] = {}
        data, error = b'', ''
        try:
            if do is None:
                do = begin(setting)
            told, data = do(job)
        except Exception as problem:  # noqa: BLE001 - a crash is a failure with its reason
            error = f'{type(problem).__name__}: {problem}'
        line = json.dumps({'told': told, 'error': error}).encode()
        connection.send_bytes(line + b'\n' + data)

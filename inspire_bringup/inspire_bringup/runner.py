# SPDX-License-Identifier: Apache-2.0
"""Run processes together, and stop them together.

Each process is required: when one ends, whoever is marked `stop_first` is stopped before the rest
(the policy: its silence makes the arm hold), then everything. Nothing is left behind: each process
leads a group of its own that is killed in the end, and the kernel kills it should this process be
killed itself. Knows nothing of ROS.

Stopping escalates INT, INT, TERM, KILL, because rclpy (Jazzy) sometimes misses a signal.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import selectors
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO

Show = Callable[[str, str], None]  # (name of the process, line without its end)

POLL = 0.05  # s: how soon an ended process is noticed
TAIL = 12  # lines of a failed process's log to show
INTERRUPTED = 130  # exit status of a program ended by Ctrl-C, as shells count it

# How long [s] to wait after each signal before the next; after the last comes KILL. In a fault
# whoever moves the arm gets little time: the arm has to be still within a second.
Escalation = Sequence[tuple[signal.Signals, float]]
ESCALATION: Escalation = ((signal.SIGINT, 4.0), (signal.SIGINT, 2.0), (signal.SIGTERM, 2.0))
ESCALATION_URGENT: Escalation = ((signal.SIGINT, 0.5),)

# ROS 2's console format marks severities so; anything else stays in the log.
SEVERE = ('[ERROR]', '[FATAL]')

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Process:
    """What to start. `foreground`: the run ends when it does, with its status."""

    name: str
    command: tuple[str, ...]
    foreground: bool = False
    stop_first: bool = False


@dataclass(frozen=True)
class Outcome:
    """How a run ended: exit status, and what went wrong (empty: nothing)."""

    code: int
    message: str = ''


def run(
    processes: Sequence[Process],
    logs: Path,
    show: Show,
    environment: Mapping[str, str] | None = None,
) -> Outcome:
    """Run the processes until one ends or a signal comes, then stop them all.

    Args:
        processes: what to start, all at once.
        logs: folder for the output of each, `<name>.log`.
        show: receives each line of foreground processes, and errors of the others.
        environment: of the processes, on top of this process's own.

    """
    logs.mkdir(parents=True, exist_ok=True)
    complete = {**os.environ, 'PYTHONUNBUFFERED': '1', **(environment or {})}
    with _requests_to_stop() as requests, contextlib.ExitStack() as stack:
        group = _Group(logs, show, requests)
        stack.callback(group.close)
        stack.callback(group.stop, urgent=True)
        for process in processes:
            try:
                group.start(process, complete)
            except OSError as error:
                return Outcome(1, f'{process.name} cannot be started: {error}')
        outcome = group.watch()
        group.stop(urgent=bool(outcome.message))
        return outcome


def describe(status: int) -> str:
    """Return in words how a process ended, from its `returncode`."""
    if status >= 0:
        return f'exited with status {status}'
    return f'was killed by {signal.Signals(-status).name}'


@contextlib.contextmanager
def _requests_to_stop() -> Iterator[list[int]]:
    """Collect INT, TERM and HUP instead of dying of them; only the main thread can."""
    requests: list[int] = []

    def collect(number: int, _frame: FrameType | None) -> None:
        requests.append(number)

    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [(number, signal.signal(number, collect)) for number in signals]
    try:
        yield requests
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this (child) process when its parent dies, even of SIGKILL."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


class _Child:
    """A started process, its log, and the last lines of it."""

    def __init__(self, process: Process, log: Path, environment: Mapping[str, str]) -> None:
        self.process = process
        self.log_path = log
        self.tail: deque[str] = deque(maxlen=TAIL)
        self.output_ended = False
        self._log: IO[bytes] | None = open(log, 'ab', buffering=0)  # noqa: SIM115
        self._partial = b''
        parent = os.getpid()
        try:
            self.popen = subprocess.Popen(
                process.command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,  # Ctrl-C in the terminal reaches the runner alone
                preexec_fn=lambda: die_with_parent(parent),
            )
        except OSError:
            self._log.close()
            raise
        assert self.popen.stdout is not None
        self.pipe: IO[bytes] = self.popen.stdout
        os.set_blocking(self.pipe.fileno(), False)

    def read(self) -> list[str]:
        """Return the lines that came since the last call, after logging them."""
        arrived = b''
        with contextlib.suppress(BlockingIOError):
            while piece := os.read(self.pipe.fileno(), 65536):
                arrived += piece
            self.output_ended = True
        self._write(arrived)
        *lines, self._partial = (self._partial + arrived).split(b'\n')
        if self.output_ended and self._partial:
            lines, self._partial = [*lines, self._partial], b''
        texts = [line.decode(errors='replace').rstrip('\r') for line in lines]
        self.tail.extend(texts)
        return texts

    def _write(self, data: bytes) -> None:
        if self._log is not None and data:
            try:
                self._log.write(data)
            except OSError:  # a full disk must not end the run; the tail is still shown
                self._log.close()
                self._log = None

    def signal(self, number: int) -> None:
        """Send to the whole group: a process may have started others."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.popen.pid, number)

    def running(self) -> bool:
        return self.popen.poll() is None

    def close(self) -> None:
        self.pipe.close()
        if self._log is not None:
            self._log.close()


class _Group:
    """The started processes of a run."""

    def __init__(self, logs: Path, show: Show, requests: list[int]) -> None:
        self._logs = logs
        self._show = show
        self._requests = requests
        self._children: list[_Child] = []
        self._selector = selectors.DefaultSelector()

    def start(self, process: Process, environment: Mapping[str, str]) -> None:
        child = _Child(process, self._logs / f'{process.name}.log', environment)
        self._children.append(child)
        self._selector.register(child.pipe, selectors.EVENT_READ, child)

    def watch(self) -> Outcome:
        """Wait until a process ends or a stop is requested; say how the run is to end."""
        while True:
            self._drain(POLL)
            if self._requests:
                return Outcome(INTERRUPTED, 'interrupted')
            ended = [child for child in self._children if not child.running()]
            if ended:
                return self._judge(ended)

    def _judge(self, ended: list[_Child]) -> Outcome:
        """Blame the first background process that ended; the foreground may only be its victim."""
        if all(child.process.foreground for child in ended) and ended[0].popen.returncode != 0:
            self._drain(4 * POLL)
            ended = [child for child in self._children if not child.running()]
        self._drain(0)
        blamed = min(ended, key=lambda child: child.process.foreground)
        status = blamed.popen.returncode
        if not blamed.process.foreground:
            return Outcome(1, self._report(blamed))
        if status < 0:
            return Outcome(128 - status, self._report(blamed))
        return Outcome(status)

    def _report(self, child: _Child) -> str:
        what = f'{child.process.name} {describe(child.popen.returncode)}'
        if not child.tail:
            return f'{what}; it printed nothing (log: {child.log_path})'
        lines = '\n'.join(f'  {line}' for line in child.tail)
        return f'{what}; the end of {child.log_path}:\n{lines}'

    def stop(self, urgent: bool) -> None:
        """Stop first whoever moves the arm, then the rest; kill what does not end."""
        first = [child for child in self._children if child.process.stop_first]
        rest = [child for child in self._children if not child.process.stop_first]
        self._escalate(first, ESCALATION_URGENT if urgent else ESCALATION)
        self._escalate(rest, ESCALATION)

    def _escalate(self, children: list[_Child], steps: Escalation) -> None:
        for number, patience in steps:
            running = [child for child in children if child.running()]
            for child in running:
                child.signal(number)
            self._wait(running, patience)
        for child in children:
            child.signal(signal.SIGKILL)  # the group: also what an ended process left behind
        for child in children:
            child.popen.wait()

    def _wait(self, children: list[_Child], patience: float) -> None:
        """Wait for the children to end; an impatient user (one more Ctrl-C) shortens it."""
        deadline, requested = time.monotonic() + patience, len(self._requests)
        while any(child.running() for child in children):
            if time.monotonic() > deadline or len(self._requests) > max(requested, 1):
                return
            self._drain(POLL)

    def _drain(self, timeout: float) -> None:
        """Read what the processes printed; wait at most `timeout` for it, and not less."""
        end = time.monotonic() + timeout
        while True:
            for key, _ in self._selector.select(max(0.0, end - time.monotonic())):
                self._pass_on(key.data)
            if time.monotonic() >= end:
                return

    def _pass_on(self, child: _Child) -> None:
        for line in child.read():
            if child.process.foreground or any(mark in line for mark in SEVERE):
                self._show(child.process.name, line)
        if child.output_ended:
            self._selector.unregister(child.pipe)

    def close(self) -> None:
        self._drain(0)
        self._selector.close()
        for child in self._children:
            child.close()

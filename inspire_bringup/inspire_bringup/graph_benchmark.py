# SPDX-License-Identifier: Apache-2.0
"""Measures the whole graph: how soon the arm moves after the command, and how soon it holds.

Run by `./inspire bench start`, `hold` and `trips`. The graph is the one that a user gets,
in a ROS domain of its own; a probe listens to it from outside.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from inspire_bringup import checkout
from inspire_bringup.domain import claimed_domain
from inspire_bringup.figures import Measured
from inspire_bringup.loops import ACT
from inspire_bringup.processes import processes
from inspire_bringup.ros_probe import TripCounter, in_context, last_change, probing
from inspire_bringup.runner import die_with_parent
from inspire_bringup.stages import complete, resolve

INSTRUCTION = 'put the ball on the book'
TASK = 'ball_on_book'
START_RUNS = 3
HOLD_RUNS = 5
PATIENCE = 60.0  # s for anything to come up
LISTEN = 1.0  # s after the policy's death
RUNNING = 600.0  # s of normal running in which the watchdog must not trip


def start() -> list[Measured]:
    """Measure the time from `./inspire demo` to the first motion [s], set-up being done."""
    return [('first_motion', [first_motion() for _ in range(START_RUNS)], 's')]


def first_motion() -> float:
    """Return how long after the start of the command the arm is first told to move [s]."""
    words = [*demo_command(), TASK, '--no-video']
    with claimed_domain() as domain, probing(domain) as graph, folder() as runs:
        begin = time.monotonic()
        with process([*words, '--runs', str(runs)], domain):
            graph.until(graph.has_moved, PATIENCE, 'the first motion')
            return graph.probe.executed[-1].wall - begin


def demo_command() -> list[str]:
    """Return the demo as a user calls it: by the script of the repository where there is one."""
    try:
        return [str(checkout.root() / 'inspire'), 'demo']
    except RuntimeError:
        return [sys.executable, '-P', '-m', 'inspire_bringup.command_line', 'demo']


def hold() -> list[Measured]:
    """Measure, in simulated time, when the arm holds after its policy was killed or frozen [s]."""
    figures: list[Measured] = []
    with claimed_domain() as domain, idle_graph(domain):
        for name, number in (('killed', signal.SIGKILL), ('frozen', signal.SIGSTOP)):
            samples = [hold_after(number, domain) for _ in range(HOLD_RUNS)]
            figures.append((f'hold_after_policy_{name}', samples, 's'))
    return figures


def trips() -> list[Measured]:
    """Count how often the watchdog trips in ten minutes of episodes, recorded, in real time."""
    words = [sys.executable, '-P', '-m', 'inspire_bringup.command_line', 'run', 'collect']
    words += ['--task', TASK, '--episodes', '1000', '--progress-period', '0']
    with (
        claimed_domain() as domain,
        folder() as runs,
        in_context(domain, TripCounter) as (counter, executor),
        process([*words, '--directory', str(runs), '--runs', str(runs)], domain) as started,
    ):
        begin: float | None = None
        while begin is None or time.monotonic() < begin + RUNNING:
            if started.poll() is not None:
                raise RuntimeError(f'the graph ended with status {started.returncode}')
            executor.spin_once(timeout_sec=0.2)
            if begin is None and counter.first is not None:
                begin = time.monotonic()
        return [('watchdog_trips_in_ten_minutes', [float(counter.trips)], '')]


@contextlib.contextmanager
def idle_graph(domain: int, rate: float = 1.0) -> Iterator[None]:
    """Run all stages but the policy and the conductor, so that the policy can be killed alone.

    `rate` is simulated seconds a second.
    """
    words = [sys.executable, '-P', '-m', 'inspire_bringup.command_line', 'run', 'act']
    words += ['--task', TASK, '--without', 'policy', '--no-record']
    words += ['--real-time-factor', str(rate)]
    with folder() as runs, process([*words, '--runs', str(runs)], domain):
        yield


def hold_after(number: signal.Signals, domain: int) -> float:
    """Start a policy, let it move the arm, end its stream with this signal.

    Returns the simulated time from the last command that it sent to the last change of the command
    that was executed [s]. The probe is a new one each time: an old one would still believe in the
    policy that was killed before, and talk to it.
    """
    with probing(domain) as graph, policy(domain) as started:
        probe = graph.probe
        graph.instruct(INSTRUCTION, PATIENCE)
        probe.executed.clear()
        graph.until(graph.has_moved, PATIENCE, 'motion')
        started.send_signal(number)
        graph.spin(LISTEN)
        return last_change(probe.executed).stamp - probe.commanded[-1]


@contextlib.contextmanager
def policy(domain: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run the policy of the stage table by itself."""
    stages = resolve(ACT, complete(ACT, {'task': TASK}))
    with folder() as logs:
        (one,) = processes([stage for stage in stages if stage.name == 'policy'], logs)
        with process(list(one.command), domain) as started:
            yield started


@contextlib.contextmanager
def process(words: list[str], domain: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command in a ROS domain, its output discarded; it ends with the block, or with us."""
    environment, parent = {**os.environ, 'ROS_DOMAIN_ID': str(domain)}, os.getpid()
    started = subprocess.Popen(
        words,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=lambda: die_with_parent(parent),
    )
    try:
        yield started
    finally:
        started.send_signal(signal.SIGCONT)
        started.send_signal(signal.SIGINT)
        try:
            started.wait(timeout=15.0)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix='inspire-bench-') as made:
        yield Path(made)

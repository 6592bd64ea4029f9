# SPDX-License-Identifier: Apache-2.0
"""Processes that exchange lines and bytes."""

import json
import os
from collections.abc import Callable

import pytest
from chores import doubling

from inspire_policy import crew
from inspire_policy.crew import Told
from inspire_policy.evaluation import Job, jobs

TODO = jobs(['pull_plate'], 2, 0)


class Sent:
    """A connection that takes what a process has to do, and what it tells."""

    def __init__(self, todo: tuple[Job, ...]) -> None:
        self.todo, self.told = [json.dumps(vars(job)).encode() for job in todo], []

    def recv_bytes(self) -> bytes:
        if not self.todo:
            raise EOFError
        return self.todo.pop(0)

    def send_bytes(self, data: bytes) -> None:
        self.told.append(data)


@pytest.fixture(autouse=True)
def interruptible(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew.signal, 'signal', lambda *_: None)


def test_a_job_gives_a_line_and_bytes_and_a_failure_its_reason() -> None:
    connection = Sent(TODO[-2:])
    crew._work(connection, doubling, 3, Job)
    (first, data), (second, nothing) = (one.split(b'\n', 1) for one in connection.told)
    assert json.loads(first) == {'told': {'seed': 0}, 'error': ''}
    assert data == TODO[-2].instruction.encode() and nothing == b''
    assert json.loads(second) == {'told': {}, 'error': 'RuntimeError: it broke'}


def test_what_is_needed_is_made_once() -> None:
    made = []

    def begin(factor: int) -> Callable[[Job], Told]:
        made.append(factor)
        return doubling(factor)

    crew._work(Sent(TODO), begin, 2, Job)
    assert made == [2]


def test_bytes_may_hold_line_ends() -> None:
    connection = Sent(TODO[:1])
    crew._work(connection, lambda _: lambda job: ({}, b'\n1\n2\n'), None, Job)
    assert connection.told[0].partition(b'\n')[2] == b'\n1\n2\n'


def test_a_process_has_one_thread_where_nobody_said_otherwise(
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv('LP_NUM_THREADS', raising=False)
    monkeypatch.setenv('OMP_NUM_THREADS', '3')
    with crew._environment(crew.ONE_THREAD):
        assert (os.environ['LP_NUM_THREADS'], os.environ['OMP_NUM_THREADS']) == ('1', '3')
    assert 'LP_NUM_THREADS' not in os.environ and os.environ['OMP_NUM_THREADS'] == '3'

# SPDX-License-Identifier: Apache-2.0
"""Fixtures for every package: a ROS domain per test, and the proof that no process survives one."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

MARKERS = {
    'node': 'a real ROS graph inside one process or few, in a domain of its own',
    'system': 'processes of their own, bags, faults: the whole graph',
}
SURVIVAL_MARK = 'INSPIRE_TEST_RUN'


def pytest_configure(config: pytest.Config) -> None:
    for name, meaning in MARKERS.items():
        config.addinivalue_line('markers', f'{name}: {meaning}')


@pytest.fixture
def ros_domain(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Put this test's nodes, and processes it starts, into a free ROS domain of their own."""
    from inspire_bringup.domain import claimed_domain

    with claimed_domain() as domain:
        monkeypatch.setenv('ROS_DOMAIN_ID', str(domain))
        yield domain


def processes_with(variable: str) -> dict[int, str]:
    """Return pid -> command line of each other living process started with `variable` (NAME=value)."""
    wanted, found = variable.encode(), {}
    for folder in Path('/proc').iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            if wanted in (folder / 'environ').read_bytes().split(b'\0'):
                command = (folder / 'cmdline').read_bytes().replace(b'\0', b' ').decode()
                found[int(folder.name)] = command.strip()
        except (OSError, UnicodeDecodeError):
            continue  # ended meanwhile, or not ours to read
    return found


@pytest.fixture
def no_survivors(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail a test that leaves a process behind, whatever became of its parent."""
    mark = uuid.uuid4().hex
    monkeypatch.setenv(SURVIVAL_MARK, mark)
    yield
    deadline = time.monotonic() + 2.0
    while survivors := processes_with(f'{SURVIVAL_MARK}={mark}'):
        if time.monotonic() > deadline:
            pytest.fail(f'processes left behind: {survivors}')
        time.sleep(0.05)

# SPDX-License-Identifier: Apache-2.0
"""Fixtures for every package: a ROS domain per test, and proof that no process survives one."""

from __future__ import annotations

import contextlib
import importlib
import os
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

# A package's folder has the package's name, and pytest (importmode=importlib) would make a module
# of the folder. What is imported already is left alone.
PACKAGES = ('inspire_bringup', 'inspire_labeler', 'inspire_policy', 'inspire_sim', 'piper_driver')
for package in PACKAGES:
    with contextlib.suppress(ImportError):
        importlib.import_module(package)

SURVIVAL_MARK = 'INSPIRE_TEST_RUN'


@pytest.fixture
def ros_domain(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Put this test's nodes, and processes it starts, into a free ROS domain of their own."""
    from inspire_bringup.domain import claimed_domain

    with claimed_domain() as domain:
        monkeypatch.setenv('ROS_DOMAIN_ID', str(domain))
        yield domain


def processes_with(variable: str) -> dict[int, str]:
    """Return pid -> command line of each other process started with `variable` (NAME=value)."""
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

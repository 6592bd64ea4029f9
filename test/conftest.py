# SPDX-License-Identifier: Apache-2.0
"""What the tests across packages look at: the repository's own packages and their modules."""

from __future__ import annotations

import ast
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PYTHON_PACKAGES = (
    'inspire_bringup',
    'inspire_labeler',
    'inspire_policy',
    'inspire_sim',
    'piper_driver',
)


@dataclass(frozen=True)
class Module:
    """One source file of a package, and the top-level names of what it imports anywhere in it."""

    package: str
    path: Path
    imports: frozenset[str]  # full dotted names

    @property
    def name(self) -> str:
        return str(self.path.relative_to(ROOT))

    @property
    def roots(self) -> frozenset[str]:
        return frozenset(name.partition('.')[0] for name in self.imports)


def imported(path: Path) -> frozenset[str]:
    """Return the dotted names of all absolute imports of a file, wherever they stand."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names |= {f'{node.module}.{alias.name}' for alias in node.names}
    return frozenset(names)


def read_modules() -> tuple[Module, ...]:
    return tuple(
        Module(package, path, imported(path))
        for package in PYTHON_PACKAGES
        for path in sorted((ROOT / package / package).rglob('*.py'))
    )


@pytest.fixture(scope='session')
def modules() -> tuple[Module, ...]:
    return read_modules()


@pytest.fixture(scope='session')
def root() -> Path:
    return ROOT

# Simulated seconds a second in the tests that run whole graphs: at half speed a machine that is
# busy with something else, too, still keeps up, and nothing but the duration depends on it.
REAL_TIME_FACTOR = '0.5'


def words(*arguments: str) -> list[str]:
    """Return `./inspire ARGUMENTS` without its set-up, which other tests look after."""
    return [sys.executable, '-P', '-m', 'inspire_bringup.command_line', *arguments]


def inspire(*arguments: str, timeout: float = 60.0) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        words(*arguments), capture_output=True, text=True, timeout=timeout, check=False
    )


@dataclass
class Running:
    """A command under way, in a ROS domain of its own."""

    process: subprocess.Popen[str]
    domain: int

    def finish(self, timeout: float) -> tuple[int, str, str]:
        """Return its status, stdout and stderr once it has ended."""
        output, errors = self.process.communicate(timeout=timeout)
        return self.process.returncode, output, errors


@contextlib.contextmanager
def running(domain: int, *arguments: str) -> Iterator[Running]:
    """Run a command in the background; whatever happens, it is gone in the end."""
    process = subprocess.Popen(
        words(*arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, 'ROS_DOMAIN_ID': str(domain)},
        start_new_session=True,
    )
    try:
        yield Running(process, domain)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.communicate(timeout=20.0)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()

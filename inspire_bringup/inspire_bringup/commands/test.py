# SPDX-License-Identifier: Apache-2.0
"""`./inspire test`: lint, types and all tests. With arguments: pytest alone, with these.

    ./inspire test                     everything
    ./inspire test -m "not system"     without the tests that start the whole graph
    ./inspire test inspire_labeler -k mirror
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from inspire_bringup import checkout

HELP = 'Run lint, type checks and all tests (with arguments: pytest alone, with these).'
PASSES_ON = True
PARTS = ('can', 'train', 'language', 'test')  # of the set-up
NO_TESTS = 5  # pytest's status when nothing was selected


@dataclass(frozen=True)
class Check:
    """One tool, run as `python -m`."""

    title: str
    words: tuple[str, ...]


LINT = Check('lint (ruff)', ('ruff', 'check'))
TYPES = Check('types (mypy)', ('mypy',))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--no-setup', action='store_true', help='take the test tools as they are')


def run(arguments: argparse.Namespace) -> int:
    root = checkout.root()
    if not arguments.no_setup:
        set_up(root)
    failed = []
    if not arguments.rest:
        failed = [check.title for check in (LINT, TYPES) if not passes(check, root)]
    status = pytest(root, arguments.rest, failed)
    return 1 if failed else status


def set_up(root: Path) -> None:
    """Install the parts that tests need, if they are not there.

    Raises:
        RuntimeError: it cannot be installed.

    """
    words = [sys.executable, '-E', '-s', '-S', str(root / 'setup' / 'bootstrap.py')]
    if subprocess.run([*words, 'ensure', *PARTS], check=False).returncode:
        raise RuntimeError('the test tools could not be installed (see above)')


def passes(check: Check, root: Path) -> bool:
    print(f'== {check.title}', flush=True)
    return module(check.words, root) == 0


def pytest(root: Path, words: Sequence[str], failed: Sequence[str]) -> int:
    """Run pytest; its closing line is the last thing printed, after what else has failed."""
    print('== tests (pytest)', flush=True)
    if failed:
        print(f'!! failed already: {", ".join(failed)}', flush=True)
    return module(('pytest', *words), root)


def module(words: Sequence[str], root: Path) -> int:
    """Run `python -m WORDS` in the repository and return its status.

    `-P`: a package's folder has the package's name, and must not be taken for it.
    """
    command = [sys.executable, '-P', '-m', *words]
    return subprocess.run(command, cwd=root, env=os.environ, check=False).returncode

# SPDX-License-Identifier: Apache-2.0
"""What the tests across packages look at: the repository's own packages and their modules."""

from __future__ import annotations

import ast
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

# SPDX-License-Identifier: Apache-2.0
"""Writes requirements/PART.txt, exact versions, from requirements/PART.in and this environment.

A part is one .in file, whose first line, a comment, is its title; a new file is a new part. Its
lock is the transitive closure of the wanted lines over what is installed here, so what was tested
is what is locked. A line that ends in `# alone` is installed without what it needs. Run it with
the workspace's Python after installing or upgrading: `.venv/bin/python setup/lock.py`.
The wheels carry phantom distributions (`rclpy`, `std_msgs`, ...) that no index serves; the closure
never reaches them, which is why this is not `pip freeze`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from pip._vendor.packaging.requirements import Requirement
from pip._vendor.packaging.utils import canonicalize_name

REQUIREMENTS = Path(__file__).resolve().parent / 'requirements'


def wanted(path: Path) -> tuple[list[Requirement], list[Requirement]]:
    """The requirement lines of an .in file: those to follow, and those marked `# alone`."""
    followed: list[Requirement] = []
    alone: list[Requirement] = []
    for line in path.read_text().splitlines():
        text, _, comment = line.partition('#')
        if text.strip():
            chosen = alone if comment.strip() == 'alone' else followed
            chosen.append(Requirement(text.strip()))
    return followed, alone


def closure(roots: list[Requirement], alone: Sequence[Requirement] = ()) -> dict[str, str]:
    """Name to installed version: of the roots with everything they need here, and of `alone`."""
    found: dict[str, str] = {canonicalize_name(one.name): distribution(one.name).version
                             for one in alone}
    stack = list(roots)
    seen: set[tuple[str, str]] = set()
    while stack:
        requirement = stack.pop()
        name = canonicalize_name(requirement.name)
        for extra in requirement.extras | {''}:
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            try:
                installed = distribution(name)
            except PackageNotFoundError:
                sys.exit(f'{name} is wanted but not installed here: install it, then lock again')
            # a local label (+cpu) says where it came from: indexes elsewhere do not serve it
            found[name] = installed.version.partition('+')[0]
            for line in installed.requires or ():
                needed = Requirement(line)
                if needed.marker is None or needed.marker.evaluate({'extra': extra}):
                    stack.append(needed)
    return found


def main() -> None:
    for source in sorted(REQUIREMENTS.glob('*.in')):
        pins = closure(*wanted(source))
        body = ''.join(f'{name}=={version}\n' for name, version in sorted(pins.items()))
        title = source.read_text().splitlines()[0]
        note = f'# Written by setup/lock.py from {source.name}: edit that file, not this one.'
        source.with_suffix('.txt').write_text(f'{title}\n{note}\n{body}')
        print(f'{source.stem}: {len(pins)} distributions')


if __name__ == '__main__':
    main()

# SPDX-License-Identifier: Apache-2.0
"""Writes requirements/PART.txt, exact versions, from requirements/PART.in and this environment.

A part is one .in file, whose first line, a comment, is its title; a new file is a new part. Its
lock is the transitive closure of the wanted lines over what is installed here, so what was tested
is what is locked. Run it with the workspace's Python after installing or upgrading:
`.venv/bin/python setup/lock.py`. The wheels carry phantom distributions (`rclpy`, `std_msgs`, ...)
that no index serves; the closure never reaches them, which is why this is not `pip freeze`.
"""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from pip._vendor.packaging.requirements import Requirement
from pip._vendor.packaging.utils import canonicalize_name

REQUIREMENTS = Path(__file__).resolve().parent / 'requirements'


def wanted(path: Path) -> list[Requirement]:
    """The requirement lines of an .in file, comments dropped."""
    lines = (line.split('#')[0].strip() for line in path.read_text().splitlines())
    return [Requirement(line) for line in lines if line]


def closure(roots: list[Requirement]) -> dict[str, str]:
    """Name to installed version, of the roots and of everything they need here."""
    found: dict[str, str] = {}
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
            found[name] = installed.version
            for line in installed.requires or ():
                needed = Requirement(line)
                if needed.marker is None or needed.marker.evaluate({'extra': extra}):
                    stack.append(needed)
    return found


def main() -> None:
    for source in sorted(REQUIREMENTS.glob('*.in')):
        pins = closure(wanted(source))
        body = ''.join(f'{name}=={version}\n' for name, version in sorted(pins.items()))
        title = source.read_text().splitlines()[0]
        note = f'# Written by setup/lock.py from {source.name}: edit that file, not this one.'
        source.with_suffix('.txt').write_text(f'{title}\n{note}\n{body}')
        print(f'{source.stem}: {len(pins)} distributions')


if __name__ == '__main__':
    main()

# SPDX-License-Identifier: Apache-2.0
"""Mends the ROS wheels after pip has unpacked them.

Their CMake files carry the Python and numpy folders of the machine that built them, so that every
message build would stop at "includes non-existent path". The files are replaced, never written in
place: an installer that hard-links from its cache would otherwise have its cache corrupted. And
an install that was killed can leave a distribution that pip believes is whole.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from machine import SetupError

FOREIGN = '/opt/python'
NUMPY = re.compile(
    r'/opt/python/[^/;"]+/lib/python3\.\d+t?/site-packages/numpy/(?:_core|core)/include'
)
PYTHON = re.compile(r'/opt/python/[^/;"]+/include/python3\.\d+t?')


def site_packages(venv: Path) -> Path:
    """The venv's folder of packages. Raises FileNotFoundError if there is none."""
    for folder in sorted(venv.glob('lib/python3.*/site-packages')):
        return folder
    raise FileNotFoundError(f'{venv} has no lib/python3.*/site-packages')


def unpatched(venv: Path) -> list[Path]:
    """CMake files that still name folders of the machine that built the wheels."""
    files = sorted(venv.glob('share/*/cmake/*.cmake'))
    return [file for file in files if FOREIGN in file.read_text()]


def patch(venv: Path, include: Path) -> int:
    """Writes this machine's folders into the CMake files; gives how many were changed."""
    numpy_include = site_packages(venv) / 'numpy' / '_core' / 'include'
    files = unpatched(venv)
    for file in files:
        text = NUMPY.sub(lambda _: str(numpy_include), file.read_text())
        text = PYTHON.sub(lambda _: str(include), text)
        if FOREIGN in text:
            raise SetupError(f'{file} names a folder under {FOREIGN} that no rule replaces')
        fresh = file.with_suffix('.new')
        fresh.write_text(text)
        os.replace(fresh, file)
    return len(files)


def remove_half_installed(venv: Path) -> list[str]:
    """Removes the metadata of installs that did not end, so that pip does them again.

    pip writes RECORD last; a distribution without one was cut off. Its files are overwritten.
    """
    folder = site_packages(venv)
    broken = [info for info in folder.glob('*.dist-info') if not (info / 'RECORD').is_file()]
    leftovers = [path for path in folder.glob('~*') if path.is_dir()]  # pip's own, while replacing
    for path in broken + leftovers:
        shutil.rmtree(path)
    return [path.name for path in broken]

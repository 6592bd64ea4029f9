# SPDX-License-Identifier: Apache-2.0
"""Files for machines are written when a long work is done: whether they can be is seen first."""

from __future__ import annotations

from pathlib import Path


def require_writable(path: Path) -> None:
    """Make the folder of a file that will be written later, and see that it can be.

    Raises:
        OSError: it cannot; names it and says why.

    """
    path.parent.mkdir(parents=True, exist_ok=True)
    there = path.exists()
    with open(path, 'ab'):
        pass
    if not there:
        path.unlink()

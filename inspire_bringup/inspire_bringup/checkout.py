# SPDX-License-Identifier: Apache-2.0
"""Where the repository is, for the few commands that work on its sources."""

from __future__ import annotations

import os
from pathlib import Path

MARK = Path('setup', 'bootstrap.py')


def root() -> Path:
    """Return the folder of the repository.

    Raises:
        RuntimeError: this is an installed package, and no repository is near.

    """
    near = [Path(__file__).resolve(), Path.cwd().resolve() / MARK]
    if environment := os.environ.get('VIRTUAL_ENV'):
        near.append(Path(environment).resolve())
    for start in near:
        for folder in start.parents:
            if (folder / MARK).exists():
                return folder
    raise RuntimeError(
        'this command works on the sources, and no repository is near: run it in the repository'
    )

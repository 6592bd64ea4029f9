# SPDX-License-Identifier: Apache-2.0
"""One hash for a file, or for all that lies in a folder."""

from __future__ import annotations

import hashlib
from pathlib import Path


def digest(path: Path) -> str:
    """SHA-256 of a file's content, or of a folder's files with their names; in hex.

    Raises FileNotFoundError for what is not there.
    """
    if not path.exists():
        raise FileNotFoundError(f'{path} is not there')
    if path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest()
    whole = hashlib.sha256()
    for file in sorted(one for one in path.rglob('*') if one.is_file()):
        whole.update(f'{file.relative_to(path)}\0{digest(file)}\n'.encode())
    return whole.hexdigest()

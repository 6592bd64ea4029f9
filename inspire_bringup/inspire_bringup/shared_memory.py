# SPDX-License-Identifier: Apache-2.0
"""What Fast DDS left in shared memory when its process was killed.

A process takes a segment of 8 MiB (setup/fastdds.xml), beside it a file that it keeps locked while
it lives; and a port for each participant. Who is killed leaves both: memory that nobody gives
back, and ports that the next one with the same number finds in whatever state they were left in.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

FOLDER = Path('/dev/shm')
LOCK = '_el'
NEWBORN = 10.0    # s in which a process may have made its lock's file and not locked it yet


def sweep(ports: range, folder: Path = FOLDER) -> int:
    """Remove the segments whose process is gone, and everything of the ports `ports`, of which
    no process may be using one; how many bytes that gives back.
    """
    leftover = [*_abandoned(folder)]
    for port in ports:
        name = f'fastrtps_port{port}'
        leftover += [folder / each for each in (name, f'{name}_el', f'{name}_sl',
                                                f'sem.{name}_mutex')]
    return sum(_removed(path) for path in leftover)


def _abandoned(folder: Path) -> list[Path]:
    """Segments with their locks' files, which nobody holds."""
    found = []
    for lock in folder.glob(f'fastrtps_[0-9a-f]*{LOCK}'):
        try:
            with open(lock, 'rb') as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                old = time.time() - os.fstat(file.fileno()).st_mtime > NEWBORN
        except OSError:    # held, gone by now, or another user's
            continue
        if old:
            found += [lock.with_name(lock.name.removesuffix(LOCK)), lock]
    return found


def _removed(path: Path) -> int:
    try:
        size = path.stat().st_size
        path.unlink()
    except OSError:
        return 0
    return size

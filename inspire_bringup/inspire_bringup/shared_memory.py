# SPDX-License-Identifier: Apache-2.0
"""What Fast DDS left in shared memory when its process was killed.

A process takes a segment of 8 MiB (setup/fastdds.xml), beside it a file that it keeps locked while
it lives; and a port for each participant. Who is killed leaves both: memory that nobody gives
back, and ports that the next one with the same number finds in whatever state they were left in.
A port that was being made when its process was killed is waited for by whoever opens it, for ever:
nobody finishes it. Ports from 7000 on are of all domains together.
"""

from __future__ import annotations

import fcntl
import time
from pathlib import Path

FOLDER = Path('/dev/shm')
LOCK = '_el'
LOCKS = (LOCK, '_sl')      # of a port; who listens there holds one of them
COMMON_PORTS = range(7000, 7400)
NEWBORN = 10.0    # s in which a process may have made its lock's file and not locked it yet


def sweep(ports: range, folder: Path = FOLDER) -> int:
    """Remove the segments whose process is gone, the ports of all domains to which nobody listens,
    and everything of the ports `ports`, of which no process may be using one; how many bytes that
    gives back.
    """
    leftover = [*_abandoned(folder)]
    for port in (*ports, *(each for each in COMMON_PORTS if _unheard(folder, each))):
        name = f'fastrtps_port{port}'
        leftover += [folder / each for each in (name, f'{name}_el', f'{name}_sl',
                                                f'sem.{name}_mutex')]
    return sum(_removed(path) for path in leftover)


def _abandoned(folder: Path) -> list[Path]:
    """Segments with their locks' files, which nobody holds."""
    return [path for lock in folder.glob(f'fastrtps_[0-9a-f]*{LOCK}')
            if _old(lock) and not _held(lock)
            for path in (lock.with_name(lock.name.removesuffix(LOCK)), lock)]


def _unheard(folder: Path, port: int) -> bool:
    """Whether there is such a port, and nobody listens there."""
    path = folder / f'fastrtps_port{port}'
    locks = [path.with_name(path.name + each) for each in LOCKS]
    return _old(path) and not any(_held(lock) for lock in locks if lock.exists())


def _old(path: Path) -> bool:
    """Whether a file is there for longer than it takes to make what it belongs to."""
    try:
        return time.time() - path.stat().st_mtime > NEWBORN
    except OSError:
        return False


def _held(lock: Path) -> bool:
    """Whether a process holds a lock's file; of one that is gone by now, or another user's, so it
    is taken to be."""
    try:
        with open(lock, 'rb') as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    return False


def _removed(path: Path) -> int:
    try:
        size = path.stat().st_size
        path.unlink()
    except OSError:
        return 0
    return size

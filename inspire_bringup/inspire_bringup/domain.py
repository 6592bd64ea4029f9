# SPDX-License-Identifier: Apache-2.0
"""A ROS domain of its own for a run, so that two runs on one machine do not hear each other.

DDS computes its ports from the domain id, so the kernel's table of bound UDP ports says which
domains are in use, by whatever program. Two runs that start in the same instant would both see
the same domain free; therefore a domain is also claimed with a file lock, which the kernel
drops when the claimant dies, however it dies. What killed processes left of it in shared memory is
removed first.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inspire_bringup.shared_memory import sweep

# From the RTPS specification (9.6.1.1): ports of domain d begin at 7400 + 250 d.
PORT_BASE = 7400
PORTS_PER_DOMAIN = 250

# Above 101 the ports reach the range that Linux hands out to clients (32768 and up).
DOMAINS = range(1, 102)


class NoFreeDomain(RuntimeError):
    """Every domain of `DOMAINS` is in use."""


UDP_TABLES = (Path('/proc/net/udp'), Path('/proc/net/udp6'))


def bound_ports(tables: tuple[Path, ...] = UDP_TABLES) -> set[int]:
    """Return the UDP ports bound on this machine, by any user."""
    ports = set()
    for table in tables:
        if table.exists():
            for line in table.read_text().splitlines()[1:]:
                ports.add(int(line.split()[1].rpartition(':')[2], 16))
    return ports


def domains_in_use(ports: set[int]) -> set[int]:
    """Return the domains to which any of these ports belongs."""
    return {(port - PORT_BASE) // PORTS_PER_DOMAIN for port in ports if port >= PORT_BASE}


def lock_directory() -> Path:
    return Path(tempfile.gettempdir()) / f'inspire-domains-{os.getuid()}'


@contextmanager
def claimed_domain() -> Iterator[int]:
    """Yield a free domain id that no other claimant gets until the block is left.

    Raises:
        NoFreeDomain: all domains are in use.

    """
    directory = lock_directory()
    directory.mkdir(mode=0o700, exist_ok=True)
    in_use = domains_in_use(bound_ports())
    for domain in DOMAINS:
        if domain in in_use:
            continue
        with open(directory / str(domain), 'w') as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            sweep(range(PORT_BASE + PORTS_PER_DOMAIN * domain,
                        PORT_BASE + PORTS_PER_DOMAIN * (domain + 1)))
            yield domain
            return
    raise NoFreeDomain(
        f'no free ROS domain among {DOMAINS.start}..{DOMAINS.stop - 1}: end other runs, '
        'or choose one yourself with ROS_DOMAIN_ID'
    )

# SPDX-License-Identifier: Apache-2.0
"""Which processes make up a running graph: by their ROS domain, which nobody else uses."""

from __future__ import annotations

from pathlib import Path


def environment(pid: int) -> dict[str, str]:
    """Return the environment that a process was started with; empty if it is not ours to read."""
    try:
        data = Path(f'/proc/{pid}/environ').read_bytes()
    except OSError:
        return {}
    pairs = (item.partition('=') for item in data.decode(errors='replace').split('\0') if item)
    return {name: value for name, _, value in pairs}


def stage_processes(domain: int) -> dict[str, int]:
    """Return executable -> process id of the installed executables that run in a ROS domain."""
    found = {}
    for folder in Path('/proc').iterdir():
        if not folder.name.isdigit():
            continue
        try:
            words = (folder / 'cmdline').read_bytes().decode(errors='replace').split('\0')
        except OSError:
            continue
        # .../lib/<package>/<executable>, behind the interpreter
        paths = [Path(word) for word in words[:3] if '/lib/inspire_' in word]
        if paths and environment(int(folder.name)).get('ROS_DOMAIN_ID') == str(domain):
            found[paths[0].name] = int(folder.name)
    return found

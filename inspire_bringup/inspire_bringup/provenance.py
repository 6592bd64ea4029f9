# SPDX-License-Identifier: Apache-2.0
"""With what an episode was made: versions of the software, and the machine."""

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

DISTRIBUTIONS = ('inspire_bringup', 'ros-rclpy', 'mcap', 'mujoco', 'numpy')


def versions(environment: dict[str, str] | None = None) -> dict[str, str]:
    """Collect versions of what runs here; what is not installed is left out."""
    environment = dict(os.environ) if environment is None else environment
    found = {
        'python': platform.python_version(),
        'ros_distro': environment.get('ROS_DISTRO', ''),
        'rmw': environment.get('RMW_IMPLEMENTATION', ''),
    }
    for name in DISTRIBUTIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    revision = git_revision(Path(__file__).resolve().parent)
    if revision:
        found['git'] = revision
    return found


def git_revision(folder: Path) -> str:
    """Return the sources' commit, with '+changes' where they differ, or '' without git."""
    try:
        run = subprocess.run(
            ['git', '-C', str(folder), 'describe', '--always', '--abbrev=12', '--dirty=+changes'],
            capture_output=True,
            text=True,
            timeout=5.0,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ''
    return run.stdout.strip() if run.returncode == 0 else ''


def machine() -> dict[str, str]:
    """Describe the machine in a few words."""
    return {
        'system': platform.platform(),
        'processor': _processor(),
        'cores': str(os.cpu_count() or 0),
        'memory': f'{os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30:.1f} GiB',
    }


def _processor() -> str:
    try:
        lines = Path('/proc/cpuinfo').read_text(encoding='utf-8').splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(':')[2].strip() for line in lines if line.startswith('model name')]
    return names[0] if names else platform.machine()

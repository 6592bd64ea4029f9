# SPDX-License-Identifier: Apache-2.0
"""The colcon workspace: which packages there are, which have changed, and their build.

colcon runs with --symlink-install, so that Python modules and data files are used where they lie
and an edit needs no build. What does need one is a change to what a package *is*: its manifest,
its setup.py, its interfaces, or which files it installs. That is a package's fingerprint.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

from machine import SetupError, child, tail

DEFINITIONS = {'package.xml', 'setup.py', 'setup.cfg', 'CMakeLists.txt'}
INTERFACES = {'.msg', '.srv', '.action', '.idl'}
PASSED_BY = {'test', '__pycache__', '.pytest_cache', '.mypy_cache', '.ruff_cache'}
NAME = re.compile(r'<name>\s*([a-z][a-z0-9_]*)\s*</name>')
FINISHED = re.compile(r'^Finished <<< (\S+)', re.MULTILINE)
FAILED = re.compile(r'^(?:Failed|Aborted)\s+<<< (\S+)', re.MULTILINE)

# What a distribution's package must be able to do in this venv's Python for ours to be left out.
# cv_bridge is tried for real: one that was compiled for numpy 1 imports and then fails.
PROBES = {
    'tf2_msgs': 'from tf2_msgs.msg import TFMessage; from tf2_msgs.srv import FrameGraph',
    'tf2_ros': 'from tf2_ros import Buffer, TransformListener; Buffer()',
    'cv_bridge': (
        'import numpy; from cv_bridge import CvBridge; bridge = CvBridge(); '
        "message = bridge.cv2_to_imgmsg(numpy.zeros((2, 2, 3), numpy.uint8), 'bgr8'); "
        "bridge.imgmsg_to_cv2(message, 'rgb8')"
    ),
}
SOURCED = 'source "$1/setup/env.sh" && shift && exec "$@"'
COLCON = 'import sys; from colcon_core.command import main; sys.exit(main())'


def discover(root: Path, underlay: Iterable[str] | None = None) -> dict[str, Path]:
    """Package name to folder: ours, and those of the underlay that are wanted (None: all)."""
    found: dict[str, Path] = {}
    for manifest in sorted([*root.glob('*/package.xml'), *root.glob('underlay/*/package.xml')]):
        folder = manifest.parent
        name = NAME.search(manifest.read_text(errors='replace'))
        if name is None or (folder / 'COLCON_IGNORE').exists():
            continue
        if folder.parent == root or underlay is None or name[1] in underlay:
            found[name[1]] = folder
    return found


def fingerprint(name: str, folder: Path) -> str:
    """Changes when the package has to be built again."""
    digest = hashlib.sha256()
    for path, folders, files in os.walk(folder):
        here = Path(path)
        module = folder / name  # the Python module: used in place
        folders[:] = sorted(
            each
            for each in folders
            if each not in PASSED_BY and not each.endswith('.egg-info') and here / each != module
        )
        for file in sorted(files):
            full = here / file
            digest.update(f'{full.relative_to(folder)}\0'.encode())
            if file in DEFINITIONS or full.suffix in INTERFACES:
                digest.update(full.read_bytes())
    return digest.hexdigest()[:16]


def fingerprints(packages: dict[str, Path]) -> dict[str, str]:
    return {name: fingerprint(name, folder) for name, folder in packages.items()}


def sourced(root: Path, *command: str) -> list[str]:
    """The command inside the workspace's environment."""
    return ['bash', '-c', SOURCED, 'bash', str(root), *command]


def building_environment() -> dict[str, str]:
    """For a command that must not see what this workspace has built so far."""
    # colcon's own default also waits while the load is above the number of cores: on a busy
    # machine the compiler then mostly stands still.
    jobs = {'MAKEFLAGS': f'-j{os.cpu_count() or 1}'} if 'MAKEFLAGS' not in os.environ else {}
    return os.environ | {'INSPIRE_WITHOUT_OVERLAY': '1'} | jobs


def lacking_in_distribution(root: Path, names: Iterable[str]) -> list[str]:
    """Those underlay packages that the sourced distribution cannot stand in for."""
    return [
        name
        for name in names
        if name not in PROBES
        or subprocess.run(
            sourced(root, 'python', '-c', PROBES[name]),
            env=building_environment(),
            capture_output=True,
            check=False,
        ).returncode
        != 0
    ]


def remove_absent(root: Path, present: Iterable[str], known: Iterable[str]) -> None:
    """Deletes what was built of packages that are gone, else they would still be found."""
    for name in set(known) - set(present):
        for base in ('build', 'install'):
            shutil.rmtree(root / base / name, ignore_errors=True)


def build(
    root: Path,
    packages: dict[str, Path],
    selected: list[str],
    log: Path,
    show: Callable[[float, str], None],
) -> list[str]:
    """Builds the selected packages; gives those that succeeded, raises BuildError if one did not.

    The caller records the successes even when this raises: they are in the error.
    """
    command = sourced(
        root, 'python', '-c', COLCON, 'build', '--symlink-install', '--continue-on-error',
        '--base-paths', *map(str, packages.values()),
        '--packages-select', *selected,
        '--event-handlers', 'desktop_notification-', 'console_stderr-',
        '--cmake-args', '-DBUILD_TESTING=OFF', '-DCMAKE_BUILD_TYPE=Release',
        '--no-warn-unused-cli',
    )  # fmt: skip
    done: list[str] = []
    with log.open('w') as output, child(command, building_environment(), root) as process:
        assert process.stdout is not None
        for line in process.stdout:
            output.write(line)
            done += FINISHED.findall(line)
            show(len(done) / len(selected), line.strip())
    if process.returncode != 0 or set(done) != set(selected):
        raise BuildError(failure(root, selected, done, log), done)
    return done


class BuildError(SetupError):
    """Some packages did not build; `built` are those that did."""

    def __init__(self, text: str, built: list[str]) -> None:
        super().__init__(text)
        self.built = built


def failure(root: Path, selected: list[str], done: list[str], log: Path) -> str:
    """What failed, with the end of each one's own log."""
    failed = FAILED.findall(log.read_text()) or sorted(set(selected) - set(done))
    parts = [f'colcon could not build {", ".join(failed)}']
    for name in failed:
        own = root / 'log' / 'latest_build' / name / 'stdout_stderr.log'
        if own.is_file():
            parts.append(f'{own}:\n{tail(own)}')
    if len(parts) == 1:
        parts.append(f'{log}:\n{tail(log)}')
    return '\n'.join(parts)

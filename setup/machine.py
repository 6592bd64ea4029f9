# SPDX-License-Identifier: Apache-2.0
"""What the machine itself must bring, how that is found out, and how it is installed.

A `Need` names one thing, how to see whether it is there, and the Debian packages that bring it.
As root on Debian or Ubuntu they are installed; anyone else gets one message with the command.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PYTHONS = ((3, 11), (3, 13))  # the oldest and the newest that the locked wheels exist for
GL_VENDORS = (Path('/usr/share/glvnd/egl_vendor.d'), Path('/etc/glvnd/egl_vendor.d'))


class SetupError(Exception):
    """The set-up cannot go on; the text says why and what mends it."""


@dataclass(frozen=True)
class Need:
    """Something the machine must have."""

    name: str
    present: Callable[[], bool]
    debian: tuple[str, ...]
    essential: bool = True  # without it nothing can be set up


def python_package(suffix: str) -> str:
    """This interpreter's Debian package: python3-venv; python3.12-venv if it is no default."""
    own = f'python{sys.version_info[0]}.{sys.version_info[1]}'
    default = os.path.realpath('/usr/bin/python3')
    return f'python3-{suffix}' if default.endswith(own) else f'{own}-{suffix}'


def is_debian_python() -> bool:
    return os.path.realpath(sys.executable).startswith('/usr/bin/')


def has_module(*names: str) -> bool:
    importlib.invalidate_caches()  # apt may just have brought it
    return all(importlib.util.find_spec(name) for name in names)


def has_headers() -> bool:
    return Path(sysconfig.get_paths()['include'], 'Python.h').is_file()


def has_programs(*names: str) -> bool:
    return all(shutil.which(name) for name in names)


def has_library(*names: str) -> bool:
    """Whether the dynamic linker finds each of them."""
    for name in names:
        try:
            ctypes.CDLL(name)
        except OSError:
            return False
    return True


def has_gl() -> bool:
    """A GL that renders without a display: EGL, a vendor behind it, and libOpenGL or libGL."""
    vendor = any(folder.glob('*.json') for folder in GL_VENDORS if folder.is_dir())
    dispatch = has_library('libOpenGL.so.0') or has_library('libGL.so.1')
    return has_library('libEGL.so.1') and dispatch and vendor


def needs() -> list[Need]:
    """Everything this interpreter's set-up asks of the machine."""
    return [
        Need('Python venv', lambda: has_module('venv', 'ensurepip'), (python_package('venv'),)),
        Need('Python headers', has_headers, (python_package('dev'),)),
        Need('C++ compiler', lambda: has_programs('g++', 'gcc', 'make'), ('build-essential',)),
        Need('CMake', lambda: has_programs('cmake'), ('cmake',)),
        Need(
            'OpenGL',
            has_gl,
            ('libegl1', 'libegl-mesa0', 'libgl1-mesa-dri', 'libopengl0'),
            essential=False,
        ),
    ]


def missing(wanted: Iterable[Need]) -> list[Need]:
    return [need for need in wanted if not need.present()]


def apt_command(lacking: Iterable[Need]) -> list[str]:
    """The command that brings what is lacking."""
    packages = [package for need in lacking for package in need.debian]
    return ['apt-get', 'install', '-y', '--no-install-recommends', *packages]


def mending(lacking: list[Need], *, has_apt: bool) -> str:
    """One message that names exactly what to do."""
    names = ', '.join(need.name for need in lacking)
    packages = ' '.join(package for need in lacking for package in need.debian)
    own = [need.name for need in lacking if need.name.startswith('Python')]
    if own and not is_debian_python():
        return (
            f'{sys.executable} lacks {" and ".join(own)}. Use another Python, 3.11 to 3.13, for '
            f'example:\n\n    INSPIRE_PYTHON=/usr/bin/python3 ./inspire setup\n'
        )
    if has_apt:
        return (
            f'This machine lacks: {names}. Install it, then run the same command again:\n\n'
            f'    sudo apt-get install {packages}\n'
        )
    return (
        f'This machine lacks: {names}. Install what your system calls the Debian packages\n\n'
        f'    {packages}\n\nthen run the same command again.'
    )


def install_missing(lacking: list[Need], log: Path) -> None:
    """Installs with apt-get, as root; raises SetupError with its last words if that fails."""
    environment = os.environ | {'DEBIAN_FRONTEND': 'noninteractive'}
    command = apt_command(lacking)
    with log.open('wb') as output:
        # An update that fails is no reason to stop: the lists may be good enough as they are.
        for arguments in (['apt-get', 'update'], command):
            result = subprocess.run(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                check=False,
            )
    if result.returncode != 0:
        raise SetupError(f'{" ".join(command)} failed:\n{tail(log)}\n(all of it: {log})')


@contextmanager
def child(command: list[str], env: dict[str, str], cwd: Path) -> Iterator[subprocess.Popen[str]]:
    """A process whose output is read; when we are stopped it is interrupted and waited for.

    On a terminal Ctrl-C reaches it too, but a signal sent to us alone would leave it running
    without the lock.
    """
    with subprocess.Popen(
        command,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors='replace',
    ) as process:
        try:
            yield process
        except BaseException:
            process.send_signal(signal.SIGINT)
            try:
                process.communicate(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
            raise


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log, for an error message."""
    text = log.read_text(errors='replace').splitlines()
    return '\n'.join(f'    {line}' for line in text[-lines:])

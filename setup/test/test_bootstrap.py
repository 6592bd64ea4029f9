# SPDX-License-Identifier: Apache-2.0
"""The steps of a set-up: what is done, what is left out, and what an interruption leaves."""

import fcntl
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import bootstrap
import machine
import pytest
import workspace
from bootstrap import Place, State
from machine import Need, SetupError

SETUP = Path(bootstrap.__file__).parent


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A repository with three parts and one package, whose pip and colcon only take notes."""
    root = tmp_path / 'repository'
    requirements = root / 'setup' / 'requirements'
    requirements.mkdir(parents=True)
    for part in ('colcon', 'ros', 'run', 'test'):
        (requirements / f'{part}.txt').write_text(f'# The {part}\nthing-{part}==1.0\n')
    (root / 'robot').mkdir()
    (root / 'robot' / 'package.xml').write_text('<name>robot</name>')
    place = Place(root)
    done = []

    def make(command, log):
        done.append('venv' if 'venv' in command else 'pip')
        place.python.parent.mkdir(parents=True, exist_ok=True)
        place.python.touch()
        (place.venv / 'lib/python3.11/site-packages').mkdir(parents=True, exist_ok=True)

    def build(root, packages, selected, log, show):
        done.append(f'build {" ".join(selected)}')
        for name in selected:
            (root / 'install' / name).mkdir(parents=True, exist_ok=True)
        return selected

    monkeypatch.delenv('ROS_DISTRO', raising=False)
    monkeypatch.setattr(machine, 'needs', list)
    monkeypatch.setattr(bootstrap, 'run', make)
    monkeypatch.setattr(bootstrap, 'pip_install', lambda _, path, __: done.append(path.stem))
    monkeypatch.setattr(bootstrap, 'install_tagger', lambda _: done.append('tagger'))
    monkeypatch.setattr(workspace, 'build', build)
    place.__dict__['done'] = done
    return place


def happened(place):
    """What was done since the last look."""
    done = list(place.done)
    place.done.clear()
    return done


FIRST = ['venv', 'pip', 'colcon', 'ros', 'run', 'tagger', 'build robot']


def test_the_first_set_up_does_everything_and_the_second_nothing(place):
    bootstrap.ensure(place, [])
    assert happened(place) == FIRST
    bootstrap.ensure(place, [])
    assert happened(place) == []


def test_a_part_is_added_when_it_is_first_asked_for(place):
    bootstrap.ensure(place, [])
    happened(place)
    bootstrap.ensure(place, ['test'])
    assert happened(place) == ['test']
    bootstrap.ensure(place, [])
    bootstrap.ensure(place, ['test'])
    assert happened(place) == []


def test_a_part_that_does_not_exist_is_named_with_those_that_do(place):
    with pytest.raises(SetupError, match="no part 'tests': the parts are colcon, ros, run, test"):
        bootstrap.ensure(place, ['tests'])


def test_a_changed_lock_installs_that_part_only(place):
    bootstrap.ensure(place, [])
    happened(place)
    place.requirements('run').write_text('# The run\nthing-run==2.0\n')
    bootstrap.ensure(place, [])
    assert happened(place) == ['run', 'tagger']


def test_a_changed_package_is_built_again(place):
    bootstrap.ensure(place, [])
    happened(place)
    (place.root / 'robot' / 'setup.py').write_text('setup()')
    bootstrap.ensure(place, [])
    assert happened(place) == ['build robot']


def test_an_interruption_leaves_what_was_done_and_the_next_run_goes_on(place, monkeypatch):
    def interrupted(_, path, current):
        place.done.append(path.stem)
        if path.stem == 'ros':
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(bootstrap, 'pip_install', interrupted)
        with pytest.raises(KeyboardInterrupt):
            bootstrap.ensure(place, [])
    half = place.venv / 'lib/python3.11/site-packages/ros_rclpy-7.dist-info'
    half.mkdir()
    happened(place)
    assert place.read().installing == 'ros'
    bootstrap.ensure(place, [])
    assert happened(place) == ['ros', 'run', 'tagger', 'build robot']
    assert not half.exists(), 'pip would have believed it to be whole'


def test_a_venv_whose_making_was_interrupted_is_made_anew(place):
    place.venv.mkdir()
    place.write(State(root=str(place.root), venv='making'))
    bootstrap.ensure(place, [])
    assert happened(place) == FIRST


def test_a_folder_that_was_moved_is_set_up_again(place):
    bootstrap.ensure(place, [])
    happened(place)
    state = place.read()
    state.root = '/elsewhere'
    place.write(state)
    assert bootstrap.venv_problem(place, state) == 'it was made in /elsewhere'
    bootstrap.ensure(place, [])
    assert happened(place) == FIRST


def test_a_venv_that_somebody_else_made_is_left_alone(place):
    place.venv.mkdir()
    (place.venv / 'precious').touch()
    with pytest.raises(SetupError, match='was not made by ./inspire: move it out of the way'):
        bootstrap.ensure(place, [])
    assert (place.venv / 'precious').exists()


def test_a_stamp_that_cannot_be_read_counts_as_none(place):
    place.venv.mkdir()
    for content in ('', '{"root": 1', '{"unknown": 1}', '[]'):
        place.stamp.write_text(content)
        assert place.read() == State()


def test_packages_that_did_build_are_kept_when_another_fails(place, monkeypatch):
    (place.root / 'broken').mkdir()
    (place.root / 'broken' / 'package.xml').write_text('<name>broken</name>')
    working = workspace.build

    def failing(root, packages, selected, log, show):
        working(root, packages, ['robot'], log, show)
        raise workspace.BuildError('colcon could not build broken', ['robot'])

    monkeypatch.setattr(workspace, 'build', failing)
    with pytest.raises(SetupError, match='could not build broken'):
        bootstrap.ensure(place, [])
    assert set(place.read().packages) == {'robot'}


def test_a_folder_that_cannot_be_written_says_so(place, monkeypatch):
    monkeypatch.setattr(os, 'access', lambda path, mode: False)
    with pytest.raises(SetupError, match='cannot be written: clone the repository into'):
        bootstrap.ensure(place, [])


def test_a_full_disk_says_how_much_is_needed(place, monkeypatch):
    usage = type('usage', (), {'free': 2**30})
    monkeypatch.setattr(bootstrap.shutil, 'disk_usage', lambda path: usage)
    with pytest.raises(SetupError, match=r'has 1\.0 GiB free, the set-up needs 3'):
        bootstrap.ensure(place, [])


def lacking(monkeypatch, **facts):
    compiler = Need('C++ compiler', lambda: False, ('build-essential',))
    headers = Need('Python headers', lambda: False, ('python3-dev',))
    monkeypatch.setattr(machine, 'needs', lambda: [headers, compiler])
    monkeypatch.setattr(machine, 'is_debian_python', lambda: facts.get('debian', True))
    monkeypatch.setattr(bootstrap.os, 'geteuid', lambda: facts.get('user', 1000))
    monkeypatch.setattr(
        bootstrap.shutil,
        'which',
        lambda name: f'/usr/bin/{name}' if facts.get('apt', True) else None,
    )


def test_who_is_not_root_gets_one_message_with_the_exact_command(place, monkeypatch):
    lacking(monkeypatch)
    with pytest.raises(SetupError) as error:
        bootstrap.ensure(place, [])
    assert 'lacks: Python headers, C++ compiler' in str(error.value)
    assert 'sudo apt-get install python3-dev build-essential\n' in str(error.value)
    assert happened(place) == []


def test_root_on_debian_installs_what_is_missing(place, monkeypatch):
    lacking(monkeypatch, user=0)
    asked = []

    def install(needs, log):
        asked.extend(machine.apt_command(needs))
        monkeypatch.setattr(machine, 'needs', list)

    monkeypatch.setattr(machine, 'install_missing', install)
    bootstrap.ensure(place, [])
    assert asked[-2:] == ['python3-dev', 'build-essential']
    assert happened(place) == FIRST


def test_another_python_is_not_mended_with_debian_packages(place, monkeypatch):
    lacking(monkeypatch, user=0, debian=False)
    with pytest.raises(SetupError, match=r'INSPIRE_PYTHON=/usr/bin/python3'):
        bootstrap.ensure(place, [])


def test_a_system_without_apt_is_told_what_the_packages_are(place, monkeypatch):
    lacking(monkeypatch, apt=False)
    with pytest.raises(SetupError, match='what your system calls the Debian packages'):
        bootstrap.ensure(place, [])


def test_a_second_set_up_waits_for_the_first_and_says_so(place, capsys):
    script = (
        'import fcntl, os, sys, time\n'
        f'handle = os.open({str(place.root)!r}, os.O_RDONLY)\n'
        'fcntl.flock(handle, fcntl.LOCK_EX)\n'
        'print("locked", flush=True)\n'
        'time.sleep(0.5)\n'
    )
    with subprocess.Popen([sys.executable, '-c', script], stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        started = time.monotonic()
        with bootstrap.locked(place):
            waited = time.monotonic() - started
    assert waited > 0.2
    assert 'Another ./inspire is setting up' in capsys.readouterr().err
    handle = os.open(place.root, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)  # it was given back
    os.close(handle)


def test_a_sourced_distribution_is_used_and_our_own_wheels_are_none(place, tmp_path, monkeypatch):
    prefix = tmp_path / 'opt' / 'jazzy'
    marker = prefix / 'share/ament_index/resource_index/packages/rclpy'
    marker.parent.mkdir(parents=True)
    marker.touch()
    assert bootstrap.distribution_in_sight(place) == ''
    monkeypatch.setenv('ROS_DISTRO', 'jazzy')
    monkeypatch.setenv('AMENT_PREFIX_PATH', f'{place.root}/install/robot:{prefix}')
    assert bootstrap.distribution_in_sight(place) == str(prefix)
    monkeypatch.setenv('AMENT_PREFIX_PATH', str(place.venv))
    assert bootstrap.distribution_in_sight(place) == ''
    monkeypatch.setenv('AMENT_PREFIX_PATH', str(prefix))
    monkeypatch.setattr(workspace, 'lacking_in_distribution', lambda root, names: [])
    bootstrap.ensure(place, [])
    assert happened(place) == ['venv', 'pip', 'colcon', 'run', 'tagger', 'build robot']
    assert (place.venv / 'uses_distribution').read_text() == str(prefix)
    monkeypatch.delenv('ROS_DISTRO')
    bootstrap.ensure(place, [])  # what it was set up with stays
    assert happened(place) == []


def test_every_locked_version_is_the_same_in_all_parts():
    locked = {}
    for path in sorted((SETUP / 'requirements').glob('*.txt')):
        for name, version in bootstrap.pins(path.read_text()).items():
            assert locked.setdefault(name, version) == version, f'{name} in {path.name}'
    assert len(locked) > 100


def test_each_lock_has_a_title_and_names_no_address():
    for path in sorted((SETUP / 'requirements').glob('*.*')):
        title, *lines = path.read_text().splitlines()
        assert title.startswith('# ') and len(title) < 28, path.name
        assert not any('://' in line or line.startswith('-') for line in lines), path.name


def test_pips_lines_become_progress(place):
    shown = []
    step = type('Step', (), {'show': lambda self, *args: shown.append(args)})()
    progress = bootstrap.PipProgress(2, place, step)
    for line in (
        'Collecting rclpy==7.1.6 (from -r x)',
        'Progress 1000000 of 5000000',
        'Requirement already satisfied: numpy==2.4.6 in ./x',
        'Progress odd line',
    ):
        progress.take(line)  # fmt: skip
    progress.end()
    assert shown[0] == (pytest.approx(0.35), 'rclpy==7.1.6')
    assert shown[1] == (pytest.approx(0.35), 'rclpy==7.1.6  1 of 5 MB')
    assert shown[2] == (pytest.approx(0.7), 'numpy==2.4.6')


def test_the_state_survives_the_way_to_the_file_and_back(place):
    place.venv.mkdir()
    state = State(root='/a', parts={'run': 'x'}, underlay=['tf2_ros'])
    place.write(state)
    assert place.read() == state
    assert json.loads(place.stamp.read_text())['parts'] == {'run': 'x'}


def test_a_torch_that_lacks_its_libraries_gets_them(place, monkeypatch):
    """Some indexes serve a GPU's build under the locked version."""
    path = place.requirements('run')
    path.write_text('# The run\nthing-run==1.0\ntorch==2.13.0\n')
    tried, ran = iter([False, True]), []
    monkeypatch.setattr(bootstrap, 'works', lambda place, module: next(tried))
    monkeypatch.setattr(bootstrap, 'run', lambda command, log: ran.append(command))
    with bootstrap.step('a step') as current:
        bootstrap.complete_torch(place, path, current)
    (command,) = ran
    assert command[-3:] == ['-c', str(path), 'torch==2.13.0'] and '--no-deps' not in command


def test_a_torch_that_works_is_left_alone_and_a_broken_one_is_named(place, monkeypatch):
    path = place.requirements('run')
    path.write_text('# The run\ntorch==2.13.0\n')
    monkeypatch.setattr(bootstrap, 'run', lambda command, log: None)
    with bootstrap.step('a step') as current:
        monkeypatch.setattr(bootstrap, 'works', lambda place, module: True)
        bootstrap.complete_torch(place, path, current)
        monkeypatch.setattr(bootstrap, 'works', lambda place, module: False)
        with pytest.raises(bootstrap.SetupError, match='torch is installed and cannot'):
            bootstrap.complete_torch(place, path, current)

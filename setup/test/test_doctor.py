# SPDX-License-Identifier: Apache-2.0
"""The doctor has to speak when nothing else does."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import bootstrap
import doctor
import pytest
from bootstrap import Place, State

REPOSITORY = Path(bootstrap.__file__).parent.parent


@pytest.fixture
def clone(tmp_path):
    """The files that the doctor has in a fresh clone, and an environment without anything."""
    shutil.copytree(REPOSITORY / 'setup', tmp_path / 'setup')
    shutil.copy(REPOSITORY / 'inspire', tmp_path)
    return Place(tmp_path)


def examine(clone, *options):
    environment = {'HOME': str(clone.root), 'PATH': '/usr/bin:/bin'}
    command = [sys.executable, '-E', '-s', '-S', str(clone.root / 'setup/bootstrap.py'), 'doctor']
    return subprocess.run(
        [*command, *options], env=environment, capture_output=True, text=True, timeout=60
    )


def rows(clone):
    return {row.name: row for row in doctor.examine(clone)}


def test_a_fresh_clone_is_told_to_set_itself_up(clone):
    result = examine(clone)
    assert result.returncode == 1
    assert 'venv         ' in result.stdout and 'there is none' in result.stdout
    assert '→ ./inspire setup' in result.stdout
    assert not result.stderr


def test_the_rows_are_there_for_machines_too(clone):
    result = examine(clone, '--json')
    content = json.loads(result.stdout)
    assert content['healthy'] is False and result.returncode == 1
    for row in content['rows']:
        assert set(row) == {'name', 'level', 'found', 'mend'}
        assert row['level'] in ('ok', 'warning', 'problem')
        assert row['mend'] or row['level'] == 'ok', f'{row["name"]}: how is it mended?'


def test_a_broken_venv_is_a_row_and_no_traceback(clone):
    clone.python.parent.mkdir(parents=True)
    clone.python.write_text('#!/nowhere/python\n')
    clone.python.chmod(0o755)
    state = State(root=str(clone.root), python=bootstrap.python_version(), venv='made')
    clone.write(state)
    found = rows(clone)
    assert found['venv'].level == 'problem' and 'does not start' in found['venv'].found
    clone.stamp.unlink()
    assert 'is not ours' in rows(clone)['venv'].found


def test_a_half_installed_part_is_named(clone):
    clone.python.parent.mkdir(parents=True)
    os.symlink(sys.executable, clone.python)
    clone.write(
        State(
            root=str(clone.root), python=bootstrap.python_version(), venv='made', installing='run'
        )
    )
    assert "the part 'run' is half installed" in rows(clone)['venv'].found


def test_versions_are_held_against_the_lock(clone):
    packages = clone.venv / 'lib/python3.11/site-packages'
    for name, version in (('Good_Thing', '1.0'), ('old', '0.9')):
        folder = packages / f'{name}-{version}.dist-info'
        folder.mkdir(parents=True)
        (folder / 'METADATA').write_text(f'Name: {name}\nVersion: {version}\n')
    for part in ('colcon', 'ros', 'run'):
        clone.requirements(part).write_text('# Part\ngood-thing==1.0\n')
    clone.requirements('run').write_text('# Part\ngood-thing==1.0\nold==1.0\ngone==2.0\n')
    parts = {part: bootstrap.part_hash(clone, part) for part in ('colcon', 'ros', 'run')}
    row = doctor.check_parts(clone, State(venv='made', parts=parts))
    assert row.level == 'problem'
    assert row.found == 'gone missing (locked: 2.0); old 0.9 (locked: 1.0)'


def test_a_check_that_fails_in_an_unforeseen_way_is_a_row(clone, monkeypatch):
    def check_moon(place, state):
        raise RuntimeError('eclipse')

    monkeypatch.setattr(doctor, 'CHECKS', (check_moon,))
    (row,) = doctor.examine(clone)
    assert (row.name, row.level, row.found) == ('moon', 'problem', 'RuntimeError: eclipse')


@pytest.mark.parametrize('value', ['-1', '233', 'robot'])
def test_a_domain_that_cannot_be_is_named(clone, monkeypatch, value):
    monkeypatch.setenv('ROS_DOMAIN_ID', value)
    row = doctor.check_domain(clone, State())
    assert (row.level, row.found) == ('problem', f'ROS_DOMAIN_ID={value}')


def test_other_ros_processes_in_the_domain_are_counted_from_their_ports():
    table = (
        '  sl  local_address rem_address   st\n'
        '   1: 00000000:1CF2 00000000:0000 07\n'  # 7410
        '   2: 0100007F:1CF3 00000000:0000 07\n'  # 7411: the same process
        '   3: 0100007F:0035 00000000:0000 07\n'
    )
    taken = doctor.udp_ports(table)
    assert taken == {7410, 7411, 53}
    assert doctor.used(0, taken) and not doctor.used(1, taken)


def test_variables_that_break_a_graph_are_named_with_their_cure(clone, monkeypatch):
    monkeypatch.setenv('RMW_IMPLEMENTATION', 'rmw_zenoh_cpp')
    monkeypatch.setenv('FASTRTPS_DEFAULT_PROFILES_FILE', '/nowhere.xml')
    row = doctor.check_variables(clone, State())
    assert row.level == 'warning'
    assert 'rmw_zenoh_cpp' in row.found and '/nowhere.xml (no such file)' in row.found
    assert row.mend == 'unset RMW_IMPLEMENTATION FASTRTPS_DEFAULT_PROFILES_FILE'


def test_a_folder_that_cannot_be_written_is_named(clone, monkeypatch):
    monkeypatch.setattr(doctor.os, 'access', lambda path, mode: False)
    row = doctor.check_folder(clone, State())
    assert row.level == 'problem' and str(clone.root) in row.found


def test_the_entry_names_a_python_that_will_not_do(clone):
    result = subprocess.run(
        [str(clone.root / 'inspire'), 'doctor'],
        env={'HOME': str(clone.root), 'PATH': '/usr/bin:/bin', 'INSPIRE_PYTHON': '/bin/false'},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 1
    assert 'INSPIRE_PYTHON is /bin/false: that is no Python 3.11 to 3.13' in result.stderr


def test_the_entry_sets_nothing_up_for_a_command_that_does_not_exist(clone):
    commands = Path('inspire_bringup/inspire_bringup')
    shutil.copytree(REPOSITORY / commands, clone.root / commands)
    result = subprocess.run(
        [str(clone.root / 'inspire'), 'dmeo'],
        env={'HOME': str(clone.root), 'PATH': '/usr/bin:/bin', 'INSPIRE_PYTHON': sys.executable},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 2
    assert result.stderr.count('\n') == 1
    assert "no command 'dmeo'; did you mean demo" in result.stderr
    assert not clone.venv.exists()

# SPDX-License-Identifier: Apache-2.0
"""Which edits need a build and which do not."""

from pathlib import Path

import pytest
import workspace


@pytest.fixture
def package(tmp_path):
    folder = tmp_path / 'robot'
    (folder / 'robot').mkdir(parents=True)
    (folder / 'launch').mkdir()
    (folder / 'test').mkdir()
    (folder / 'package.xml').write_text('<package><name>robot</name></package>')
    (folder / 'setup.py').write_text('setup()')
    (folder / 'robot' / 'arm.py').write_text('x = 1')
    (folder / 'launch' / 'robot.launch.py').write_text('x = 1')
    return folder


@pytest.mark.parametrize(
    'file', ['robot/arm.py', 'robot/new.py', 'robot/weights.npz', 'launch/robot.launch.py',
             'test/test_new.py', 'robot.egg-info/PKG-INFO', '__pycache__/setup.pyc']
)  # fmt: skip
def test_code_that_is_used_where_it_lies_needs_no_build(package, file):
    before = workspace.fingerprint('robot', package)
    (package / file).parent.mkdir(exist_ok=True)
    (package / file).write_text('y = 2')
    assert workspace.fingerprint('robot', package) == before


@pytest.mark.parametrize(
    'file', ['setup.py', 'package.xml', 'setup.cfg', 'msg/Label.msg', 'launch/new.launch.py']
)
def test_a_definition_or_a_new_data_file_needs_one(package, file):
    before = workspace.fingerprint('robot', package)
    (package / file).parent.mkdir(exist_ok=True)
    (package / file).write_text('y = 2')
    assert workspace.fingerprint('robot', package) != before


def test_the_underlay_is_found_only_as_far_as_it_is_wanted(package):
    root = package.parent
    for name in ('tf2_ros', 'cv_bridge'):
        (root / 'underlay' / name).mkdir(parents=True)
        (root / 'underlay' / name / 'package.xml').write_text(f'<name>{name}</name>')
    assert set(workspace.discover(root)) == {'robot', 'tf2_ros', 'cv_bridge'}
    assert set(workspace.discover(root, ['tf2_ros'])) == {'robot', 'tf2_ros'}
    assert set(workspace.discover(root, [])) == {'robot'}


def test_what_was_built_of_a_package_that_is_gone_is_removed(tmp_path):
    for base in ('build', 'install'):
        for name in ('robot', 'gone'):
            (tmp_path / base / name).mkdir(parents=True)
    workspace.remove_absent(tmp_path, ['robot'], ['robot', 'gone'])
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.glob('*/*')) == [
        'build/robot', 'install/robot'
    ]  # fmt: skip


def test_the_underlay_is_built_by_the_set_up_alone():
    """A plain `colcon build` on a distribution must not put ours over the distribution's."""
    root = Path(workspace.__file__).resolve().parents[1]
    assert (root / 'underlay' / 'COLCON_IGNORE').is_file()
    assert {'tf2_msgs', 'tf2_ros', 'cv_bridge'} <= set(workspace.discover(root))

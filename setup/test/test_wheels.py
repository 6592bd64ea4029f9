# SPDX-License-Identifier: Apache-2.0
"""The wheels are mended once, without touching what other folders share with them."""

import os

import pytest
import wheels
from machine import SetupError

GENERATED = (
    'set(dirs "/opt/python/cp311-cp311/include/python3.11;'
    '/opt/python/cp311-cp311/lib/python3.11/site-packages/numpy/_core/include")\n'
)


@pytest.fixture
def venv(tmp_path):
    (tmp_path / 'lib/python3.11/site-packages').mkdir(parents=True)
    folder = tmp_path / 'share/std_msgs/cmake'
    folder.mkdir(parents=True)
    (folder / 'export.cmake').write_text(GENERATED)
    return tmp_path


def test_paths_of_the_build_machine_become_paths_of_this_one(venv):
    file = venv / 'share/std_msgs/cmake/export.cmake'
    assert wheels.unpatched(venv) == [file]
    assert wheels.patch(venv, '/usr/include/python3.11') == 1
    numpy = venv / 'lib/python3.11/site-packages/numpy/_core/include'
    assert file.read_text() == f'set(dirs "/usr/include/python3.11;{numpy}")\n'
    assert wheels.patch(venv, '/usr/include/python3.11') == 0


def test_a_file_that_shares_its_content_with_a_cache_is_replaced_not_written(venv, tmp_path):
    cached = tmp_path / 'cached.cmake'
    os.link(venv / 'share/std_msgs/cmake/export.cmake', cached)
    wheels.patch(venv, '/usr/include/python3.11')
    assert cached.read_text() == GENERATED


def test_a_path_that_no_rule_covers_is_an_error_that_names_the_file(venv):
    (venv / 'share/std_msgs/cmake/export.cmake').write_text('set(dirs /opt/python/odd)')
    with pytest.raises(SetupError, match=r'export\.cmake names a folder under /opt/python'):
        wheels.patch(venv, '/usr/include/python3.11')


def test_a_distribution_that_was_cut_off_is_forgotten_so_that_pip_does_it_again(venv):
    packages = venv / 'lib/python3.11/site-packages'
    for name, whole in (('done-1.dist-info', True), ('cut_off-1.dist-info', False)):
        (packages / name).mkdir()
        (packages / name / 'METADATA').touch()
        if whole:
            (packages / name / 'RECORD').touch()
    (packages / '~ld').mkdir()
    assert wheels.remove_half_installed(venv) == ['cut_off-1.dist-info']
    assert [path.name for path in packages.iterdir()] == ['done-1.dist-info']

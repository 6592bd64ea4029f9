# SPDX-License-Identifier: Apache-2.0
"""A stage becomes a command line with its parameters in a file."""

from pathlib import Path

import pytest
import yaml

from inspire_bringup.processes import StageUnavailable, processes
from inspire_bringup.stages import ResolvedStage

AWKWARD = {'instruction': '', 'task': '7', 'seed': 3, 'rate': 1.0, 'text': 'the "left" bowl: yes'}


def stage(**changes):
    made = {
        'name': 'episode',
        'package': 'inspire_bringup',
        'executable': 'episode',
        'config': 'episode.yaml',
        'parameters': AWKWARD,
        'remappings': {'reasoning': 'other'},
        'files': {},
        'foreground': True,
        'stop_first': False,
    }
    return ResolvedStage(**{**made, **changes})


def test_parameters_come_back_from_the_file_as_they_were(tmp_path):
    (process,) = processes([stage()], tmp_path)
    written = tmp_path / 'episode.yaml'
    assert yaml.safe_load(written.read_text()) == {'/**': {'ros__parameters': AWKWARD}}
    assert process.command[-4:] == ('--params-file', str(written), '--remap', 'reasoning:=other')
    assert process.foreground


def test_the_executable_and_the_configuration_are_installed_ones(tmp_path):
    (process,) = processes([stage()], tmp_path)
    executable, ros_args, option, config, *_ = process.command
    assert Path(executable).name == 'episode'
    assert Path(executable).exists()
    assert (ros_args, option) == ('--ros-args', '--params-file')
    assert config.endswith('share/inspire_bringup/config/episode.yaml')
    assert Path(config).exists()


def test_files_are_found_in_our_share(tmp_path):
    (process,) = processes([stage(files={'-d': 'rviz/inspire.rviz'})], tmp_path)
    assert process.command[1] == '-d'
    assert Path(process.command[2]).exists()


def test_a_missing_package_is_named_with_its_stage(tmp_path):
    with pytest.raises(StageUnavailable, match='stage rviz needs the package rviz2'):
        processes([stage(name='rviz', package='rviz2', executable='rviz2')], tmp_path)


def test_a_missing_configuration_is_named_with_its_stage(tmp_path):
    with pytest.raises(StageUnavailable, match='inspire_bringup has no .*none.yaml'):
        processes([stage(config='none.yaml')], tmp_path)


def test_a_missing_executable_is_named_with_its_stage(tmp_path):
    with pytest.raises(StageUnavailable, match='inspire_bringup has no executable nothing'):
        processes([stage(executable='nothing')], tmp_path)

# SPDX-License-Identifier: Apache-2.0
"""The stage table is complete, consistent, and true of the packages it starts."""

import importlib
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from inspire_bringup.loops import ACT, COLLECT, LOOPS, PIPER
from inspire_bringup.stages import complete, resolve

ROOT = Path(__file__).resolve().parents[2]
OURS = [stage for stage in ACT.stages if stage.package.startswith('inspire_')]
GIVEN = {'task': 'pick_ball'}


def accepted_parameters(stage):
    """Return the names of the parameters that the stage's node declares."""
    module = importlib.import_module(f'{stage.package}.{stage.executable}_parameters')
    name = f'{stage.executable.capitalize()}Parameters'
    return {field.name for field in fields(getattr(module, name))} | {'use_sim_time'}


@pytest.mark.parametrize('loop', [ACT, COLLECT], ids=lambda loop: loop.name)
def test_one_stage_decides_the_end_and_one_is_stopped_first(loop):
    assert [stage.name for stage in loop.stages if stage.foreground] == ['episode']
    assert [stage.name for stage in loop.stages if stage.stop_first] == ['policy']


@pytest.mark.parametrize('loop', LOOPS.values(), ids=LOOPS)
def test_every_argument_is_described_and_used(loop):
    used = frozenset().union(*(stage.arguments() for stage in loop.stages))
    for argument in loop.arguments:
        assert argument.description.endswith(('.', ').', '[s].', '0: none.')), argument.name
        assert argument.name in used


def test_what_must_be_decided_has_no_default():
    assert [argument.name for argument in ACT.arguments if argument.required] == ['task']


def test_all_but_the_clock_s_source_live_in_simulated_time():
    for stage in resolve(ACT, complete(ACT, {**GIVEN, 'rviz': 'true'})):
        assert stage.parameters.get('use_sim_time', False) is (stage.name != 'sim')


def test_recording_and_windows_are_a_choice():
    def names(**given):
        return {stage.name for stage in resolve(ACT, complete(ACT, {**GIVEN, **given}))}

    assert 'recorder' in names()
    assert 'recorder' not in names(record='false')
    assert 'rviz' not in names()
    assert 'rviz' in names(rviz='true')


def test_collecting_keeps_many_successes():
    values = complete(COLLECT, GIVEN)
    assert (values['episodes'], values['keep']) == (20, 'successes')


@pytest.mark.parametrize('stage', OURS, ids=lambda stage: stage.name)
def test_every_parameter_of_the_table_is_one_that_the_node_declares(stage):
    assert set(stage.parameters) <= accepted_parameters(stage)


@pytest.mark.parametrize('stage', OURS, ids=lambda stage: stage.name)
def test_every_parameter_of_a_configuration_file_is_one_that_the_node_declares(stage):
    path = ROOT / stage.package / 'config' / stage.config
    for node in yaml.safe_load(path.read_text()).values():
        assert set(node['ros__parameters']) <= accepted_parameters(stage)


def test_the_arm_s_driver_is_told_what_the_user_says_and_nothing_simulated_runs_with_it():
    given = {'can_port': 'can1', 'gripper': 'false', 'agilex_names': 'true', 'record': 'true'}
    stages = {stage.name: stage for stage in resolve(PIPER, complete(PIPER, given))}
    assert [*stages] == ['driver', 'viewer', 'recorder']
    assert stages['driver'].parameters == {
        'can_interface': 'socketcan', 'can_channel': 'can1', 'gripper': False,
        'autostart': 'inactive', 'agilex_names': True}
    assert stages['viewer'].parameters == {'viewer': 'piper_real'}
    assert not any('use_sim_time' in stage.parameters for stage in stages.values())


def test_the_arm_s_driver_declares_every_parameter_of_the_table():
    from piper_driver.can_driver_parameters import CanDriverParameters
    declared = {field.name for field in fields(CanDriverParameters)}
    assert {*PIPER.stages[0].parameters} <= declared
    listed = {field.name: field for field in fields(CanDriverParameters)}
    for argument in PIPER.arguments:
        if argument.name in declared and argument.choices:
            assert {*argument.choices} <= {*listed[argument.name].metadata['choices']}

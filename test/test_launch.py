# SPDX-License-Identifier: Apache-2.0
"""The launch files, where launch is: their arguments, and a whole run by `ros2 launch`."""

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted((ROOT / 'inspire_bringup' / 'launch').glob('*.launch.py'))
HAVE_LAUNCH = importlib.util.find_spec('launch_ros') is not None
needs_launch = pytest.mark.skipif(
    not HAVE_LAUNCH, reason='launch_ros is not in the wheels: needs a ROS 2 distribution'
)


def test_there_is_a_file_for_each_loop_and_each_stage_of_ours():
    from inspire_bringup.loops import ACT, LOOPS

    stages = {stage.name for stage in ACT.stages if stage.package.startswith('inspire_')}
    assert {path.name.removesuffix('.launch.py') for path in FILES} == {*LOOPS, *stages}


@pytest.mark.parametrize('path', FILES, ids=lambda path: path.name)
def test_its_docstring_says_how_to_run_it(path):
    assert f'ros2 launch inspire_bringup {path.name}' in path.read_text()


@needs_launch
@pytest.mark.parametrize('path', FILES, ids=lambda path: path.name)
def test_every_argument_is_described(path):
    from launch.launch_description_sources import get_launch_description_from_python_launch_file

    description = get_launch_description_from_python_launch_file(str(path))
    for argument in description.get_launch_arguments():
        assert argument.description
        assert argument.description != 'no description given'


@needs_launch
def test_the_arguments_are_those_of_the_table():
    from launch.launch_description_sources import get_launch_description_from_python_launch_file

    from inspire_bringup.loops import LOOPS

    for name, loop in LOOPS.items():
        path = ROOT / 'inspire_bringup' / 'launch' / f'{name}.launch.py'
        declared = get_launch_description_from_python_launch_file(str(path)).get_launch_arguments()
        assert [one.name for one in declared] == [one.name for one in loop.arguments]


@needs_launch
@pytest.mark.system
@pytest.mark.timeout(240)
@pytest.mark.skipif(shutil.which('ros2') is None, reason='there is no ros2 command here')
def test_a_whole_run_by_ros2_launch(ros_domain, no_survivors, tmp_path):
    launched = subprocess.run(
        [shutil.which('ros2'), 'launch', 'inspire_bringup', 'act.launch.py', 'task:=pick_ball',
         f'directory:={tmp_path / "run"}'],
        capture_output=True, text=True, timeout=180, check=False,
        env={**os.environ, 'ROS_LOG_DIR': str(tmp_path / 'log')},
    )  # fmt: skip
    assert launched.returncode == 0, launched.stdout[-2000:] + launched.stderr[-2000:]
    assert re.search(r'the ball: \w+(, \w+)*, grasped', launched.stdout)
    assert (tmp_path / 'run' / 'manifest.json').exists()

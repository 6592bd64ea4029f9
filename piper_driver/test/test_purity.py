# SPDX-License-Identifier: Apache-2.0
"""The logic runs where there is no ROS."""

import ast
import subprocess
import sys

PURE = ('pose', 'limits', 'kinematics', 'gate', 'reference', 'limiter', 'controller', 'arm',
        'arm_contract', 'urdf', 'parameters', 'driver_parameters', 'can_frames', 'emulator',
        'model_arm', 'timebase', 'control_loop', 'oracle', 'hostile', 'goal')


def test_the_logic_imports_neither_ros_nor_anything_of_inspire():
    code = ('import importlib, sys\n'
            f'for name in {PURE!r}: importlib.import_module("piper_driver." + name)\n'
            'print(sorted({name.split(".")[0] for name in sys.modules}))')
    result = subprocess.run([sys.executable, '-c', code], text=True, capture_output=True,
                            check=True)
    loaded = set(ast.literal_eval(result.stdout))
    assert 'numpy' in loaded
    assert not {name for name in loaded if name.startswith(('rcl', 'inspire', 'tf2', 'mujoco'))}

# SPDX-License-Identifier: Apache-2.0
"""The loop that collects: the scripted expert solves a task again and again, recorded.

    ros2 launch inspire_bringup collect.launch.py task:=stack_cubes episodes:=50

The stages and their arguments are in inspire_bringup/loops.py, for this and for
`./inspire run collect`.
"""

from launch import LaunchDescription

from inspire_bringup.launching import loop_description
from inspire_bringup.loops import COLLECT


def generate_launch_description() -> LaunchDescription:
    return loop_description(COLLECT)

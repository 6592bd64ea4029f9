# SPDX-License-Identifier: Apache-2.0
"""The loop that acts: a policy reasons about where things are, and moves.

    ros2 launch inspire_bringup act.launch.py task:=ball_on_book seed:=3 window:=true

The stages and their arguments are in inspire_bringup/loops.py, for this and for
`./inspire run act`.
"""

from launch import LaunchDescription

from inspire_bringup.launching import loop_description
from inspire_bringup.loops import ACT


def generate_launch_description() -> LaunchDescription:
    return loop_description(ACT)

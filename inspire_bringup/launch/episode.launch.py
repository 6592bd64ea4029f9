# SPDX-License-Identifier: Apache-2.0
"""The conductor alone, for stages that run already.

    ros2 launch inspire_bringup episode.launch.py task:=pick_ball
"""

from launch import LaunchDescription

from inspire_bringup.launching import stage_description
from inspire_bringup.loops import ACT, EPISODE


def generate_launch_description() -> LaunchDescription:
    return stage_description(EPISODE, ACT)

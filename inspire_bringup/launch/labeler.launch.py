# SPDX-License-Identifier: Apache-2.0
"""The labeler alone: the truth about where things are, from /tf.

    ros2 launch inspire_bringup labeler.launch.py
"""

from launch import LaunchDescription

from inspire_bringup.launching import stage_description
from inspire_bringup.loops import ACT, LABELER


def generate_launch_description() -> LaunchDescription:
    return stage_description(LABELER, ACT)

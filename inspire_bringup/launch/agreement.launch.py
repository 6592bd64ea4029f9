# SPDX-License-Identifier: Apache-2.0
"""The comparison of answers with labels alone.

    ros2 launch inspire_bringup agreement.launch.py
"""

from launch import LaunchDescription

from inspire_bringup.launching import stage_description
from inspire_bringup.loops import ACT, AGREEMENT


def generate_launch_description() -> LaunchDescription:
    return stage_description(AGREEMENT, ACT)

# SPDX-License-Identifier: Apache-2.0
"""The static transform base_link -> viewer alone.

    ros2 launch inspire_bringup viewer.launch.py viewer:=piper_real
"""

from launch import LaunchDescription

from inspire_bringup.launching import stage_description
from inspire_bringup.loops import ACT, VIEWER_STAGE


def generate_launch_description() -> LaunchDescription:
    return stage_description(VIEWER_STAGE, ACT)

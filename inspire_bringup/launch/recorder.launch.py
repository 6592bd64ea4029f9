# SPDX-License-Identifier: Apache-2.0
"""The recorder alone: it waits for the service `start_episode`.

    ros2 launch inspire_bringup recorder.launch.py
"""

from launch import LaunchDescription

from inspire_bringup.launching import stage_description
from inspire_bringup.loops import ACT, RECORDER


def generate_launch_description() -> LaunchDescription:
    return stage_description(RECORDER, ACT)

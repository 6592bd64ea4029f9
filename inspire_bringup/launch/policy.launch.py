# SPDX-License-Identifier: Apache-2.0
"""The policy alone: it waits for the action `follow_instruction`.

    ros2 launch inspire_bringup policy.launch.py
"""

from launch import LaunchDescription

from inspire_bringup.launching import stage_description
from inspire_bringup.loops import ACT, POLICY_STAGE


def generate_launch_description() -> LaunchDescription:
    return stage_description(POLICY_STAGE, ACT)

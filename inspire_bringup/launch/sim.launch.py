# SPDX-License-Identifier: Apache-2.0
"""The simulated world alone, with its arm, driver, cameras and object frames.

    ros2 launch inspire_bringup sim.launch.py task:=pick_ball window:=true
"""

from launch import LaunchDescription

from inspire_bringup.launching import stage_description
from inspire_bringup.loops import ACT, SIM


def generate_launch_description() -> LaunchDescription:
    return stage_description(SIM, ACT)

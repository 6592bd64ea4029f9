# SPDX-License-Identifier: Apache-2.0
"""The PiPER on CAN: its driver, the frame of the viewer, and a recorder if wanted.

    ros2 launch inspire_bringup piper.launch.py can_port:=can0 autostart:=active

The stages and their arguments are in inspire_bringup/loops.py, for this and for
`./inspire run piper`.
"""

from launch import LaunchDescription

from inspire_bringup.launching import loop_description
from inspire_bringup.loops import PIPER


def generate_launch_description() -> LaunchDescription:
    return loop_description(PIPER)

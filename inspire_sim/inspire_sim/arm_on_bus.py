# SPDX-License-Identifier: Apache-2.0
"""The world's arm as one on a CAN bus: the emulator, a process of its own, in the driver's place.

Who drives it is another process, which cannot tell it from a real one: `piper_driver`'s driver
for hardware, with the vendor's SDK. The arm moves when the physics does; on the bus it answers at
its own pace, as a real one would, also while the world is set up anew. A real one waits for no
processor, so the emulator asks for a real-time priority.
"""

from __future__ import annotations

import subprocess
import sys

from piper_driver.arm import Arm
from piper_driver.far_arm import NearEnd, pipe

ENDING = 5.0    # how long the emulator may take to end [s]


class ArmOnBus:
    """Has the calls of `DriverNode` that the simulation uses."""

    def __init__(self, arm: Arm, taught: bool = False) -> None:
        """Start the emulator on the bus of this ROS domain; `taught`: it follows nobody there."""
        near, far = pipe()
        with far:
            self._process = subprocess.Popen(
                [sys.executable, '-P', '-m', 'piper_driver.emulator_bus', '--realtime',
                 '--pipe', str(far.fileno()), *(['--taught'] if taught else [])],
                pass_fds=[far.fileno()])
        self._end = NearEnd(arm, near)

    def tick(self, _now: float) -> None:
        """Do what the emulator asks of the arm, and tell it the arm's state."""
        self._end.serve()

    def restart(self) -> None:
        """Note that the arm was put elsewhere."""
        self._end.moved()

    def destroy_node(self) -> None:
        """End the emulator."""
        self._end.close()
        try:
            self._process.wait(ENDING)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

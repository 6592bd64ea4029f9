# SPDX-License-Identifier: Apache-2.0
"""A person who moves the arm past its driver, for demonstrations by hand."""

from __future__ import annotations

from inspire_sim.arm_on_bus import ArmOnBus
from piper_driver.arm import Arm
from piper_driver.controller import Setpoint
from piper_driver.driver_node import DriverNode


class HandNode(DriverNode):
    """A person's hand on the arm, or on its leader: it does what is commanded in `hand`.

    It moves the arm past the driver on the bus, and so has none of that driver's names.
    """

    def __init__(self, arm: Arm, bus: ArmOnBus) -> None:
        """Move `arm`; who drives the arm on `bus` can only watch."""
        super().__init__(arm, 'hand', namespace='hand', cli_args=[
            '--ros-args', '-r', '/tf:=/hand/tf', '-r', '/diagnostics:=/hand/diagnostics'])
        self.bus = bus

    def tick(self, now: float) -> Setpoint | None:
        """Move, and tell the bus."""
        setpoint = super().tick(now)
        self.bus.tick(now)
        return setpoint

    def restart(self) -> None:
        """Take hold of the arm where it was put."""
        super().restart()
        self.bus.restart()

    def destroy_node(self) -> None:
        """Let go, and end the emulator."""
        self.close()
        self.bus.destroy_node()
        super().destroy_node()

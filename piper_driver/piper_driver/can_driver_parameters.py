# SPDX-License-Identifier: Apache-2.0
"""Parameters of the driver node on CAN, beyond those of every driver."""

from dataclasses import dataclass, field

from piper_driver.can_bus import INTERFACES
from piper_driver.parameters import described


@dataclass(frozen=True)
class CanDriverParameters:
    """Which arm is driven, and how far the node goes by itself when it starts."""

    can_interface: str = field(default='socketcan', metadata=described(
        'kind of bus: socketcan for an arm, the others for the emulator', choices=INTERFACES))
    can_channel: str = field(default='', metadata=described(
        'which bus; empty: can0, or the default of the emulator'))
    connect_timeout: float = field(default=2.0, metadata=described(
        'how long to wait until every joint was heard at first [s]', 0.5, 300.0))
    gripper: bool = field(default=True, metadata=described('a gripper is mounted'))
    autostart: str = field(default='inactive', metadata=described(
        'lifecycle state to go to at the start: inactive reads, active powers and holds, too',
        choices=('unconfigured', 'inactive', 'active')))
    realtime: bool = field(default=True, metadata=described(
        'ask for a real-time priority, and go on without where it is refused'))
    agilex_names: bool = field(default=False, metadata=described(
        "offer the names of AgileX' own ROS drivers, too, for tools that were made for those"))

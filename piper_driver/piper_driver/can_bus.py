# SPDX-License-Identifier: Apache-2.0
"""Opening a CAN bus, and keeping a second driver off it.

SocketCAN on a robot; `virtual` (within one process) and `udp_multicast` (between processes of one
machine) where there is none. An emulated bus between processes belongs to a ROS domain, as topics
do, so that two graphs on one machine do not hear each other's arms.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path

import can

from piper_driver.arm import ArmError

INTERFACES = ('socketcan', 'udp_multicast', 'virtual')
ECHOING = ('udp_multicast',)    # who sends hears itself, which python-can cannot turn off
BITRATE = 1_000_000
# IPv6 with interface-local scope: the frames cannot leave the machine.
_GROUP = 'ff11:7079:7468:6f6e:6465:6d6f:6d63:6173'
_CHANNELS = {'socketcan': 'can0', 'udp_multicast': _GROUP, 'virtual': 'piper'}
_PORT = 43113           # of python-can's udp_multicast; buses are told apart by it alone
_NETWORK = Path('/sys/class/net')


def default_channel(interface: str) -> str:
    """Return the channel that an interface has unless told otherwise."""
    return _CHANNELS[interface]


def open_bus(interface: str, channel: str = '') -> can.BusABC:
    """Return a bus; an empty channel is the default. Raises ArmError that says what to do."""
    channel = channel or default_channel(interface)
    try:
        if interface == 'socketcan':
            _check_interface(channel)
            return can.Bus(interface=interface, channel=channel, local_loopback=False)
        if interface == 'udp_multicast':
            return can.Bus(interface=interface, channel=channel, port=_port())
        return can.Bus(interface=interface, channel=channel)
    except (OSError, AttributeError, can.CanError) as error:
        raise ArmError(f'the bus {interface} {channel} cannot be opened: {error}') from error


def claim(interface: str, channel: str = '') -> socket.socket:
    """Claim a bus for this process until the socket is closed or the process ends, however.

    The name lives in the network namespace, as CAN interfaces do. Raises ArmError when somebody
    else has it: two drivers on one arm pull it to and fro.
    """
    channel = channel or default_channel(interface)
    # a virtual bus lives in one process
    number = _port() if interface == 'udp_multicast' else os.getpid() * (interface == 'virtual')
    claimed = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        claimed.bind(f'\0piper_driver/{interface}/{channel}/{number}')
    except OSError as error:
        claimed.close()
        raise ArmError(f'another driver has the bus {interface} {channel} already; '
                       'an arm has one driver: end the other one first') from error
    return claimed


def _port() -> int:
    domain = os.environ.get('ROS_DOMAIN_ID', '')
    return _PORT + (int(domain) if domain.isdigit() else 0)


def _check_interface(channel: str) -> None:
    up = f'sudo ip link set {channel} up type can bitrate {BITRATE}'
    if not (_NETWORK / channel).exists():
        found = sorted(path.name for path in _NETWORK.glob('*can*')) or ['none']
        raise ArmError(f'there is no CAN interface {channel}; interfaces: {", ".join(found)}. '
                       f'Plug the adapter in, then: {up}')
    if (_NETWORK / channel / 'operstate').read_text().strip() == 'down':
        raise ArmError(f'the CAN interface {channel} is down: {up}')

# SPDX-License-Identifier: Apache-2.0
"""The emulated arm on a bus of python-can, paced by the wall clock.

    ros2 run piper_driver emulator          # or: python -m piper_driver.emulator_bus

On `udp_multicast` a sender hears itself; what the arm itself sends means nothing to it.
"""

from __future__ import annotations

import argparse
import signal
import socket
import time
from collections.abc import Callable, Sequence
from threading import Event, Thread

import can

from piper_driver.arm import Arm, ArmState, check_command
from piper_driver.can_bus import INTERFACES, open_bus
from piper_driver.can_frames import CYCLE, Frame, leading
from piper_driver.emulator import Emulator
from piper_driver.far_arm import FarArm
from piper_driver.model_arm import ModelArm
from piper_driver.realtime import go_first


class EmulatorOnBus:
    """Hears the bus and tells it the arm's state, 200 times a second, in a thread of its own.

    `advance(dt)` lets the arm's time pass. `rate` slows the arm and its bus down together.
    """

    def __init__(self, arm: Arm, interface: str, channel: str = '',
                 advance: Callable[[float], None] = lambda _: None, rate: float = 1.0,
                 moves: Callable[[], int] = lambda: 0) -> None:
        """Open the bus and begin. Raises ArmError when there is no such bus.

        `moves` tells how often the arm was put elsewhere.
        """
        self._bus = open_bus(interface, channel)
        self.emulator = Emulator(arm, self._send)
        self._advance = advance
        self._moves = moves
        self._period = CYCLE / rate
        self._ended = Event()
        self._thread = Thread(target=self._run, name='emulator', daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End, and leave the bus."""
        self._ended.set()
        self._thread.join()
        self._bus.shutdown()

    def _run(self) -> None:
        due, moves = time.monotonic(), self._moves()
        while not self._ended.is_set():
            due = max(due + self._period, time.monotonic() - self._period)  # not caught up with
            while (left := due - time.monotonic()) > 0:
                self._hear(left)
            self._advance(CYCLE)
            if self._moves() != moves:
                moves = self._moves()
                self.emulator.moved()
            self.emulator.cycle(time.monotonic())

    def _hear(self, timeout: float) -> None:
        message = self._bus.recv(timeout)
        if message is not None:
            self.emulator.receive(Frame(message.arbitration_id, bytes(message.data)))

    def _send(self, frame: Frame) -> None:
        _send(self._bus, frame)


class LeaderOnBus:
    """The leader of the arm on a bus, as an `Arm`: what it is set to goes out as its frames.

    It has no joints of its own: a person has it where the follower is, and leads from there.
    """

    def __init__(self, follower: Arm, interface: str, channel: str = '') -> None:
        """Open the bus. Raises ArmError when there is no such bus."""
        self._follower = follower
        self._bus = open_bus(interface, channel)

    def command(self, position: Sequence[float], gripper_width: float) -> None:
        """Lead the follower to joints [rad] and total opening [m]."""
        check_command(position, gripper_width)
        for frame in leading(position, gripper_width):
            _send(self._bus, frame)

    def read(self) -> ArmState:
        """Return the follower's state."""
        return self._follower.read()

    def connect(self) -> None:
        """Nothing, as for all that a leader does not do to its follower."""

    enable = disable = stop = reset = connect

    def close(self) -> None:
        """Leave the bus; the follower holds."""
        self._bus.shutdown()


def _send(bus: can.BusABC, frame: Frame) -> None:
    try:
        bus.send(can.Message(arbitration_id=frame.id, data=frame.data, is_extended_id=False))
    except can.CanError:
        pass        # an arm does not notice that nobody hears it


def emulate(interface: str, channel: str = '', arm: ModelArm | None = None,
            rate: float = 1.0) -> EmulatorOnBus:
    """Put a model of the arm on a bus, whose time goes `rate` times as fast as ours."""
    model = arm or ModelArm()
    model.connect()
    return EmulatorOnBus(model, interface, channel, model.advance, rate)


def main() -> None:
    """Emulate an arm until Ctrl-C, or until the process that has the arm ends."""
    parser = argparse.ArgumentParser(description='Emulates a PiPER on a CAN bus.')
    parser.add_argument('--interface', default='udp_multicast', choices=INTERFACES)
    parser.add_argument('--channel', default='', help='default: that of the interface')
    parser.add_argument('--pipe', type=int, default=None, metavar='FD',
                        help='file descriptor of a pipe to the process that has the arm')
    parser.add_argument('--taught', action='store_true',
                        help='its button was pressed: it is guided by hand, and follows nobody')
    parser.add_argument('--realtime', action='store_true',
                        help='ask for a real-time priority: an arm does not wait for a processor')
    arguments = parser.parse_args()
    far = None if arguments.pipe is None else FarArm(socket.socket(fileno=arguments.pipe))
    if far is None:
        emulated = emulate(arguments.interface, arguments.channel)
        print('emulating; Ctrl-C ends it', flush=True)
    else:
        signal.signal(signal.SIGINT, signal.SIG_IGN)    # the other process decides
        emulated = EmulatorOnBus(far, arguments.interface, arguments.channel,
                                 moves=lambda: far.moves)
    emulated.emulator.taught = arguments.taught
    if arguments.realtime:
        go_first()
    try:
        while far is None or not far.ended:
            time.sleep(0.2)
    except KeyboardInterrupt:
        pass
    emulated.close()


if __name__ == '__main__':
    main()

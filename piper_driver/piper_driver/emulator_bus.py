# SPDX-License-Identifier: Apache-2.0
"""The emulated arm on a bus of python-can, paced by the wall clock or by a simulation.

    python -m piper_driver.emulator_bus --interface udp_multicast

`EmulatorHost` is stepped by its owner (a simulation); `EmulatorThread` steps itself. On
`udp_multicast` a sender hears itself; what the arm itself sends means nothing to it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from threading import Event, Thread

import can

from piper_driver.arm import Arm
from piper_driver.can_bus import INTERFACES, open_bus
from piper_driver.can_frames import CYCLE, Frame
from piper_driver.emulator import Emulator
from piper_driver.model_arm import ModelArm


class EmulatorHost:
    """An emulator and its bus. `step` every `CYCLE`, with the time of whoever owns the arm."""

    def __init__(self, arm: Arm, interface: str, channel: str = '') -> None:
        """Open the bus; an empty channel is the interface's default."""
        self._bus = open_bus(interface, channel)
        self.emulator = Emulator(arm, self._send)

    def step(self, now: float) -> None:
        """Hear what has come, move the arm's aim and send the feedback of this cycle."""
        while self.hear(0.0):
            pass
        self.emulator.cycle(now)

    def hear(self, timeout: float) -> bool:
        """Take one frame, waiting for it for up to `timeout` [s]; say whether one came."""
        message = self._bus.recv(timeout)
        if message is not None:
            self.emulator.receive(Frame(message.arbitration_id, bytes(message.data)))
        return message is not None

    def close(self) -> None:
        """Leave the bus. May be called twice."""
        self._bus.shutdown()

    def _send(self, frame: Frame) -> None:
        try:
            self._bus.send(can.Message(arbitration_id=frame.id, data=frame.data,
                                       is_extended_id=False))
        except can.CanError:
            pass        # an arm does not notice that nobody hears it


class EmulatorThread:
    """A host that steps itself; `advance(dt)` lets the arm's time pass, `rate` times as fast."""

    def __init__(self, host: EmulatorHost, advance: Callable[[float], None],
                 rate: float = 1.0) -> None:
        """Begin."""
        self.host = host
        self._period = CYCLE / rate
        self._advance = advance
        self._ended = Event()
        self._thread = Thread(target=self._run, name='emulator', daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End, and leave the bus."""
        self._ended.set()
        self._thread.join()
        self.host.close()

    def _run(self) -> None:
        due = time.monotonic()
        while not self._ended.is_set():
            due = max(due + self._period, time.monotonic() - self._period)  # not caught up with
            while (left := due - time.monotonic()) > 0:
                self.host.hear(left)
            self._advance(CYCLE)
            self.host.emulator.cycle(time.monotonic())


def emulate(interface: str, channel: str = '', arm: ModelArm | None = None,
            rate: float = 1.0) -> EmulatorThread:
    """Put a model of the arm on a bus, whose time goes `rate` times as fast as ours."""
    model = arm or ModelArm()
    model.connect()
    return EmulatorThread(EmulatorHost(model, interface, channel), model.advance, rate)


def main() -> None:
    """Emulate an arm until Ctrl-C."""
    parser = argparse.ArgumentParser(description='Emulates a PiPER on a CAN bus.')
    parser.add_argument('--interface', default='udp_multicast', choices=INTERFACES)
    parser.add_argument('--channel', default='', help='default: that of the interface')
    arguments = parser.parse_args()
    thread = emulate(arguments.interface, arguments.channel)
    print('emulating; Ctrl-C ends it', flush=True)
    try:
        while True:
            time.sleep(1.0)
    except KeyboardInterrupt:
        thread.close()


if __name__ == '__main__':
    main()

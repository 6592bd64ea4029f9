# SPDX-License-Identifier: Apache-2.0
"""An arm in another process of this machine: its states come, set-points go, by a pipe of packets.

For an arm that somebody emulates on a bus: forty frames in 10 ms, each of which gives up Python's
lock and waits for it again, slow a simulation in the same process down to a crawl. `NearEnd` is
beside the arm and acts when its owner says so; `FarArm` is an `Arm` for the other process, as good
as the last state that came. Packets have fixed layouts. When one process ends, the other notices.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Sequence

from piper_driver.arm import Arm, ArmError, ArmState, check_command
from piper_driver.limits import Joints

# moves, stamp, position, velocity, effort, gripper (width, speed, effort), enabled, fault
_STATE = struct.Struct('=I22d?64s')
# moves, kind, position, width
_REQUEST = struct.Struct('=IB7d')
_COMMAND, _ENABLE, _DISABLE, _STOP, _RESET = range(5)
_REST = (0.0,) * 7


def pipe() -> tuple[socket.socket, socket.socket]:
    """Return both ends; the second one's file descriptor is for the other process."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


class NearEnd:
    """Where the arm is. `serve` at each of its instants."""

    def __init__(self, arm: Arm, end: socket.socket) -> None:
        """Serve `arm` at this end of a pipe."""
        self._arm = arm
        self._end = end
        self._end.setblocking(False)
        self._moves = 0
        self._calls = {_ENABLE: arm.enable, _DISABLE: arm.disable, _STOP: arm.stop,
                       _RESET: arm.reset}

    def serve(self) -> None:
        """Do what was asked for, and tell the arm's state."""
        for request in self._requests():
            moves, kind, *numbers = _REQUEST.unpack(request)
            if moves != self._moves:
                continue        # of the arm as it stood before it was put elsewhere
            try:
                if kind == _COMMAND:
                    self._arm.command(numbers[:6], numbers[6])
                else:
                    self._calls[kind]()
            except ArmError:
                pass            # the state says so
        state = self._arm.read()
        try:
            self._end.send(_STATE.pack(
                self._moves, state.stamp, *state.position, *state.velocity, *state.effort,
                state.gripper_width, state.gripper_velocity, state.gripper_effort, state.enabled,
                state.fault.encode()[:64]))
        except BlockingIOError:
            pass                # the other process is busy; the next state will do
        except OSError as error:
            raise ArmError(f'the process that emulates the arm has ended: {error}') from error

    def moved(self) -> None:
        """Note that the arm was put elsewhere: what was asked for before that is void."""
        self._moves += 1

    def close(self) -> None:
        """Close this end; the other process ends, too."""
        self._end.close()

    def _requests(self) -> list[bytes]:
        found = []
        try:
            while packet := self._end.recv(_REQUEST.size):
                found.append(packet)
        except BlockingIOError:
            pass
        except OSError as error:
            raise ArmError(f'the process that emulates the arm has ended: {error}') from error
        return found


class FarArm:
    """An `Arm` whose `read` never waits; `moves` counts how often it was put elsewhere."""

    def __init__(self, end: socket.socket) -> None:
        """Wait for the first state at this end of a pipe. Raises ArmError when none can come."""
        self.moves = 0
        self.ended = False
        self._end = end
        end.setblocking(True)
        packet = end.recv(_STATE.size)
        if not packet:
            raise ArmError('the process that has the arm has ended')
        self._state = self._read(packet)
        end.setblocking(False)

    def connect(self) -> None:
        """Nothing: the pipe is open."""

    def read(self) -> ArmState:
        """Return the newest state that has come."""
        newest = b''
        try:
            while packet := self._end.recv(_STATE.size):
                newest = packet
            self.ended = True
        except BlockingIOError:
            pass
        except OSError:
            self.ended = True
        if newest:
            self._state = self._read(newest)
        return self._state

    def enable(self) -> None:
        """Ask for power."""
        self._ask(_ENABLE)

    def disable(self) -> None:
        """Ask for it to be taken."""
        self._ask(_DISABLE)

    def command(self, position: Sequence[float], gripper_width: float) -> None:
        """Send a set-point."""
        check_command(position, gripper_width)
        self._ask(_COMMAND, (*position, gripper_width))

    def stop(self) -> None:
        """Ask for an emergency stop."""
        self._ask(_STOP)

    def reset(self) -> None:
        """Ask for a reset."""
        self._ask(_RESET)

    def close(self) -> None:
        """Close this end."""
        self._end.close()

    def _ask(self, kind: int, numbers: Sequence[float] = _REST) -> None:
        try:
            self._end.send(_REQUEST.pack(self.moves, kind, *numbers))
        except BlockingIOError:
            pass        # the arm's time stands still
        except OSError:
            self.ended = True

    def _read(self, packet: bytes) -> ArmState:
        self.moves, stamp, *numbers, enabled, fault = _STATE.unpack(packet)
        width, speed, effort = numbers[18:]
        return ArmState(stamp, _joints(numbers[:6]), _joints(numbers[6:12]),
                        _joints(numbers[12:18]), width, speed, effort, enabled,
                        fault.rstrip(b'\0').decode(errors='replace'))


def _joints(numbers: Sequence[float]) -> Joints:
    a, b, c, d, e, f = numbers
    return a, b, c, d, e, f

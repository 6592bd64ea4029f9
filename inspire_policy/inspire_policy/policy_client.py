# SPDX-License-Identifier: Apache-2.0
"""A connection to a policy server of openpi's protocol that never waits without end.

Connecting has a deadline, and so has each answer, sending included. After anything that went wrong
the connection is dropped, so that a late answer cannot be taken for that to the next question; the
next question connects anew, as it does when the server was started anew meanwhile. Every failure
is a PolicyError that names the server: PolicyUnavailable where it lies with it.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from websockets.exceptions import ConnectionClosed, InvalidURI, WebSocketException
from websockets.frames import CloseCode
from websockets.protocol import State
from websockets.sync.client import ClientConnection, connect
from websockets.uri import parse_uri

from inspire_policy import wire
from inspire_policy.policy import (
    BadInstruction,
    PolicyError,
    PolicyUnavailable,
    UndecodableAction,
    UnknownObject,
)

LARGEST_ANSWER = 2**20     # bytes
PARTING = 0.5              # s for saying goodbye
LONGEST_REASON = 300       # characters of what a server says is wrong
LEAVING = (CloseCode.NORMAL_CLOSURE, CloseCode.GOING_AWAY, CloseCode.SERVICE_RESTART)
KINDS = {kind.__name__: kind
         for kind in (PolicyError, PolicyUnavailable, BadInstruction, UndecodableAction,
                      UnknownObject)}

Message = dict[str, Any]


def parsed_address(text: str) -> str:
    """A server's address with its scheme: ws://host:port. Raises ValueError."""
    address = text if '://' in text else f'ws://{text}'
    try:
        parse_uri(address)
    except (InvalidURI, ValueError):
        raise ValueError(f'the address of a policy server is {text!r}; valid: host:port, '
                         'ws://host:port, wss://host:port') from None
    return address


class PolicyClient:
    """Asks one server, one question at a time.

    greet: is given what the server says of itself at each connection; raises PolicyError where it
    will not do. connect_within, answer_within: deadlines [s].
    """

    def __init__(self, address: str, connect_within: float, answer_within: float,
                 greet: Callable[[Message], None]) -> None:
        self._address = parsed_address(address)
        self._connect_within, self._answer_within = connect_within, answer_within
        self._greet = greet
        self._stack = ExitStack()
        self._connection: ClientConnection | None = None

    def connect(self) -> None:
        """Connect, if that is not so. Raises PolicyError."""
        if self._connection is not None and self._connection.state is State.OPEN:
            return
        self.close()
        deadline = time.monotonic() + self._connect_within
        try:
            connection = self._stack.enter_context(connect(
                self._address, open_timeout=self._connect_within, close_timeout=PARTING,
                max_size=LARGEST_ANSWER, compression=None, proxy=None))
            with self._deadline(connection, max(deadline - time.monotonic(), 0.001)):
                greeting = connection.recv()
            self._greet(self._read(greeting))
        except (OSError, WebSocketException) as error:
            self.close()
            why = reason(error) or 'it does not speak this protocol'
            raise PolicyUnavailable(f'no connection to {self._address}: {why}') from None
        except PolicyError:
            self.close()
            raise
        self._connection = connection

    def ask(self, message: Mapping[str, Any]) -> Message:
        """Send a message and give the answer. Raises PolicyError."""
        try:
            data = wire.pack(message)
        except ValueError as error:
            raise PolicyError(f'nothing was sent to {self._address}: {error}') from None
        while True:
            before = self._connection
            self.connect()
            reused = self._connection is before
            try:
                return self._read(self._exchange(data))
            except ConnectionClosed as error:
                self.close()
                if not (reused and went_away(error)):    # another would not do better
                    raise PolicyUnavailable(f'{self._address} hung up without an answer: '
                                            f'{reason(error)}') from None

    def close(self) -> None:
        """Drop the connection; harmless without one."""
        self._connection = None
        with suppress(OSError, WebSocketException):
            self._stack.close()

    def _exchange(self, data: bytes) -> str | bytes:
        """Send, and wait for what comes back. Raises ConnectionClosed, PolicyError."""
        connection = self._connection
        assert connection is not None
        with self._deadline(connection, self._answer_within):
            connection.send(data)
            return connection.recv()

    @contextmanager
    def _deadline(self, connection: ClientConnection, seconds: float) -> Iterator[None]:
        """Cut the connection after so many seconds: the library has no deadline for sending.

        Raises PolicyError when that had to be done.
        """
        over = threading.Event()

        def cut() -> None:
            over.set()
            with suppress(OSError):
                connection.socket.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(seconds, cut)
        timer.daemon = True
        limit = time.monotonic() + seconds
        timer.start()
        try:
            yield
            if time.monotonic() <= limit:    # on a busy machine the timer may be late itself
                return
        except ConnectionClosed:
            if not over.is_set():
                raise
        finally:
            timer.cancel()
        self.close()
        raise PolicyUnavailable(f'no answer from {self._address} within {seconds:.3g} s')

    def _read(self, answer: str | bytes) -> Message:
        """What was answered. Raises PolicyError where that is why there is none."""
        if isinstance(answer, str):
            raise self._refusal(answer)
        try:
            return wire.unpack(answer)
        except wire.Garbled as error:
            self.close()
            raise PolicyUnavailable(f'{self._address} sent garbage: {error}') from None

    def _refusal(self, text: str) -> PolicyError:
        """A text is an error: ours in a line, of its kind, or openpi's traceback, whose last line
        says what is wrong."""
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        said = lines[-1][:LONGEST_REASON] if lines else 'an error without a word'
        kind, _, rest = said.partition(': ')
        if kind in KINDS and rest:
            return KINDS[kind](rest)
        return PolicyUnavailable(f'{self._address} says: {said}')


def went_away(error: ConnectionClosed) -> bool:
    """Whether a server has left, or died, rather than refused what it was sent or sent what we
    refused."""
    if error.rcvd is None:
        return error.sent is None
    return bool(error.rcvd_then_sent) and error.rcvd.code in LEAVING


def reason(error: Exception) -> str:
    """An error in one line."""
    return ' '.join(str(error).split())[:LONGEST_REASON]

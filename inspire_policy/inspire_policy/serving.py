# SPDX-License-Identifier: Apache-2.0
"""A policy on a socket, for openpi's clients and for the family `remote`.

It speaks openpi's protocol: a websocket; the server first says what it is; then each message of
the client is an observation, and each of the server's the decision, or, as text, why there is
none. One policy serves one client at a time, since it remembers what it said last; who comes
meanwhile waits a moment and is then refused. A browser's pages are refused, messages are limited
in size, and nothing that comes from outside is run.

An error of the policy leaves the connection open: the next observation may be a better one. Bytes
that are no message end it.
"""

from __future__ import annotations

import asyncio
import http
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode
from websockets.http11 import Request, Response

from inspire_labeler.formulation import Formulation
from inspire_labeler.instruction import InstructionError
from inspire_labeler.question import questions
from inspire_policy import wire
from inspire_policy.policy import BadInstruction, Decision, Policy, PolicyError
from inspire_policy.remote_messages import (
    OURS,
    SERVER,
    Asked,
    Message,
    decision_message,
    image_key,
    observation_from,
)

HEALTH = '/healthz'
TURN = 5.0    # s that a client waits for the one before it to be gone


class PolicyServer:
    """Serves one policy. say: is told in a line what happens."""

    def __init__(self, policy: Policy, description: Mapping[str, str], form: Formulation,
                 say: Callable[[str], None]) -> None:
        """description: what is said of the policy at the start of a connection. form: how is
        asked, where the client leaves it to us. Raises ValueError for a policy that needs the
        truth."""
        if policy.needs_truth:
            raise ValueError("a policy that needs the simulation's truth cannot be served: a "
                             'client sends what is seen and nothing else')
        self._policy, self._form, self._say = policy, form, say
        self.greeting: Message = {OURS: {
            **description, 'cameras': list(policy.cameras),
            'images': [image_key(camera) for camera in policy.cameras]}}
        self._turn = asyncio.Lock()
        self._asked: Asked | None = None

    @asynccontextmanager
    async def listening(self, host: str, port: int) -> AsyncIterator[Server]:
        """Serve while the context lasts. port 0: any that is free. Raises OSError."""
        async with serve(self._serve, host, port, max_size=wire.LARGEST, compression=None,
                         origins=[None], process_request=_health, server_header=None) as server:
            yield server

    async def _serve(self, client: ServerConnection) -> None:
        """One connection, when it is its turn."""
        try:
            await asyncio.wait_for(self._turn.acquire(), TURN)
        except TimeoutError:
            await client.send('this policy is busy with another client')
            await client.close(CloseCode.TRY_AGAIN_LATER)
            return
        who = ':'.join(map(str, client.remote_address[:2]))
        self._say(f'{who} connected')
        try:
            self._asked = None
            await client.send(wire.pack(self.greeting))
            await self._answer_all(client)
        except ConnectionClosed:
            pass
        finally:
            self._turn.release()
            self._say(f'{who} is gone')

    async def _answer_all(self, client: ServerConnection) -> None:
        last = 0.0
        async for data in client:
            begin = time.perf_counter()
            try:
                if isinstance(data, str):
                    raise wire.Garbled('a text; valid: msgpack')
                message = await asyncio.to_thread(self._decide, data)
            except wire.Garbled as error:
                self._say(f'refused: {error}')
                await client.send(f'{type(error).__name__}: {error}')
                await client.close(CloseCode.INVALID_DATA)
                return
            except PolicyError as error:
                self._say(f'no decision: {error}')
                await client.send(f'{type(error).__name__}: {error}')
                continue
            if last:
                message[SERVER]['prev_total_ms'] = 1000 * last
            await client.send(wire.pack(message))
            last = time.perf_counter() - begin

    def _decide(self, data: bytes) -> Message:
        """The answer to a message. Raises Garbled, PolicyError."""
        seen, asked = observation_from(wire.unpack(data), self._policy.cameras, time.monotonic())
        begin = time.perf_counter()
        if asked != self._asked:
            self._asked = None
            self._policy.reset(asked.instruction, self._questions(asked))
            self._asked = asked
        decision: Decision = self._policy.decide(seen)
        return decision_message(decision, time.perf_counter() - begin)

    def _questions(self, asked: Asked) -> Any:
        if asked.questions is not None:
            return asked.questions
        try:
            return questions(asked.instruction, self._form)
        except InstructionError as error:
            raise BadInstruction(str(error)) from error


def _health(connection: ServerConnection, request: Request) -> Response | None:
    """Say that we are there to who asks by plain HTTP."""
    return connection.respond(http.HTTPStatus.OK, 'OK\n') if request.path == HEALTH else None

# SPDX-License-Identifier: Apache-2.0
"""Policy servers of a few lines, good and bad, on a free port of this machine. Imported by tests
that put this folder on the path: tests are no package.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from websockets.sync.server import ServerConnection, serve

from inspire_labeler.formulation import Formulation
from inspire_labeler.question import Question
from inspire_policy.policy import Answer, Decision, Policy, PolicyObservation, Source
from inspire_policy.serving import PolicyServer
from inspire_policy.wire import pack
from piper_driver.pose import Pose

DESCRIPTION = {'family': 'sure', 'viewer': 'libero'}


class SurePolicy:
    """Says the same word to everything and is sure of it; moves by what it sees."""

    needs_truth = False
    cameras = ('camera',)

    def __init__(self, word: str = 'left') -> None:
        self.word = word
        self.resets: list[tuple[str, tuple[Question, ...]]] = []
        self.seen: list[PolicyObservation] = []

    def reset(self, instruction: str, questions: Sequence[Question]) -> None:
        self.resets.append((instruction, tuple(questions)))

    def decide(self, observation: PolicyObservation) -> Decision:
        self.seen.append(observation)
        answers = tuple(
            Answer(one, self.word, tuple(float(option == self.word) for option in one.options),
                   None, Source.POLICY)
            for one in self.resets[-1][1])
        step = [0.001, 0.0, 0.0, 0.0, 0.0, 0.0, observation.gripper_width]
        return Decision(answers, f'{len(self.seen)} decisions', np.tile(step, (4, 1)),
                        step_duration=0.1, timings={'answers': 0.002, 'actions': 0.001},
                        done=len(self.seen) >= 10)


def observation(**changes: object) -> PolicyObservation:
    """What a robot sees at its first instant."""
    picture = np.random.default_rng(0).integers(0, 256, (12, 16, 3)).astype(np.uint8)
    pose = Pose(np.array([0.3, 0.0, 0.2]), np.array([1.0, 0.0, 0.0, 0.0]))
    values = {'stamp': 12.5, 'images': {'camera': picture, 'wrist_camera': picture[::-1]},
              'joint_positions': np.array([0.0, 1.5, -1.2, 0.0, 0.9, 0.0]),
              'joint_velocities': np.full(6, 0.01), 'gripper_width': 0.05,
              'gripper_velocity': -0.03, 'tcp': pose,
              'instruction': 'pick up the ball',
              'commanded': Pose(pose.position + 0.001, pose.quaternion)}
    return PolicyObservation(**{**values, **changes})


@contextmanager
def served(policy: Policy, port: int = 0, said: list[str] | None = None,
           form: Formulation = Formulation.DIRECTION) -> Iterator[str]:
    """Our own server; its address."""
    server = PolicyServer(policy, DESCRIPTION, form, (said if said is not None else []).append)
    ready, addresses = threading.Event(), []
    loop = asyncio.new_event_loop()
    ended = asyncio.Event()

    async def run() -> None:
        async with server.listening('127.0.0.1', port) as listening:
            addresses.append(listening.sockets[0].getsockname()[1])
            ready.set()
            await ended.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),))
    thread.start()
    try:
        assert ready.wait(10.0)
        yield f'ws://127.0.0.1:{addresses[0]}'
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
        loop.close()


@contextmanager
def bad_server(serves: Callable[[ServerConnection], None], port: int = 0) -> Iterator[str]:
    """A server that does `serves` with each connection; its address."""
    with serve(serves, '127.0.0.1', port, close_timeout=0.1, compression=None) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f'ws://127.0.0.1:{server.socket.getsockname()[1]}'
        finally:
            server.shutdown()
            thread.join()


def answering(*answers: object, greeting: object = None) -> Callable[[ServerConnection], None]:
    """One that gives these answers in turn, whatever it is asked; maps are packed."""
    left = list(answers)

    def serves(client: ServerConnection) -> None:
        client.send(packed({} if greeting is None else greeting))
        for _ in client:
            if not left:
                return
            client.send(packed(left.pop(0)))

    return serves


def packed(message: object) -> str | bytes:
    return pack(message) if isinstance(message, dict) else message


@contextmanager
def silent_port(accepts: bool) -> Iterator[str]:
    """An address where a listener takes connections and says nothing, or where there is nobody."""
    with socket.socket() as listener:
        listener.bind(('127.0.0.1', 0))
        if accepts:
            listener.listen()
        yield f'127.0.0.1:{listener.getsockname()[1]}'

# SPDX-License-Identifier: Apache-2.0
"""A policy on another machine, or in another program: what is seen is sent there, what it decides
comes back.

It speaks openpi's protocol. `./inspire serve` answers with everything that a decision has; an
openpi server of a policy trained on this project's actions gives the actions only. What comes back
is checked like any policy's: answers are of their sets, actions can be executed. A server that is
away, slow or sends garbage is PolicyUnavailable, and the arm holds.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence

from inspire_labeler.question import Question
from inspire_policy import wire_fields as fields
from inspire_policy.policy import Decision, PolicyError, PolicyObservation, PolicyUnavailable
from inspire_policy.policy_client import Message, PolicyClient
from inspire_policy.remote_messages import OURS, Asked, decision_from, observation_message
from inspire_policy.wire import Garbled

CONNECT_WITHIN, ANSWER_WITHIN = 3.0, 5.0    # s


def create(viewer: str = 'libero', address: str = '', cameras: str = 'camera,wrist_camera',
           connect_within: float | str = CONNECT_WITHIN,
           answer_within: float | str = ANSWER_WITHIN) -> RemotePolicy:
    """Make the policy; it connects when it is first needed.

    address: of the server, host:port or ws://host:port. cameras: whose images are sent, with
    commas between. connect_within, answer_within: deadlines [s]. Raises ValueError.
    """
    if not address:
        raise ValueError('the policy remote needs the address of its server: host:port')
    within = [float(seconds) for seconds in (connect_within, answer_within)]
    if not all(0.0 < seconds <= 600.0 for seconds in within):
        raise ValueError(f'the deadlines of the policy remote are {within} s; valid: up to 600')
    names = tuple(name.strip() for name in cameras.split(',') if name.strip())
    return RemotePolicy(viewer, address, names, *within)


class RemotePolicy:
    """See the module's docstring."""

    needs_truth = False

    def __init__(self, viewer: str, address: str, cameras: tuple[str, ...],
                 connect_within: float, answer_within: float) -> None:
        self.cameras = cameras
        self._viewer, self._address = viewer, address
        self._client = PolicyClient(address, connect_within, answer_within, self._greet)
        self._asked = Asked('', ())

    def reset(self, instruction: str, questions: Sequence[Question]) -> None:
        self._asked = Asked(instruction, tuple(questions), uuid.uuid4().hex)
        self._client.connect()

    def decide(self, observation: PolicyObservation) -> Decision:
        try:
            message = observation_message(observation, self.cameras, self._asked)
        except KeyError as name:
            raise PolicyError(f'no image of {name} to send to {self._address}') from None
        begin = time.perf_counter()
        answer = self._client.ask(message)
        try:
            return decision_from(answer, self._asked, time.perf_counter() - begin)
        except Garbled as error:
            self.close()
            raise PolicyUnavailable(f'{self._address} sent garbage: {error}') from None

    def close(self) -> None:
        """Leave the server; the next decision connects anew."""
        self._client.close()

    def _greet(self, greeting: Message) -> None:
        """Refuse a server that says left for somebody else, or wants images that are not sent."""
        if OURS not in greeting:
            return
        try:
            ours = fields.mapping(greeting, OURS)
            viewer = fields.text(ours, 'viewer', 64)
            cameras = fields.items(ours, 'cameras', 16)
        except Garbled as error:
            raise PolicyUnavailable(f'{self._address} sent garbage: {error}') from None
        if viewer != self._viewer:
            raise PolicyError(f'{self._address} says left for the viewer {viewer!r}, not '
                              f'{self._viewer!r}')
        if lacking := [str(name) for name in cameras if name not in self.cameras]:
            raise PolicyError(f'{self._address} looks through {", ".join(lacking)}, too; the '
                              f'images sent are of {", ".join(self.cameras) or "no camera"}')

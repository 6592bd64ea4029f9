# SPDX-License-Identifier: Apache-2.0
"""Topics that their owner takes from when it has a use for them, instead of being called.

An executor that is woken by each message of a 100 Hz topic spends far more on waking than the
message is worth (measured: 5 to 8 % of a core for one topic), and what it hands over comes when
its thread gets Python's lock. What waits here wakes nobody; the middleware keeps the newest
messages, as many as the profile's depth.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from rclpy.callback_groups import CallbackGroup
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.subscription import Subscription

# Their handlers would need the executor; the other end of a mismatch warns.
_NO_EVENTS = SubscriptionEventCallbacks(use_default_callbacks=False)


class Inbox:
    """Subscriptions of a node that no executor waits for. Any thread may take."""

    def __init__(self, node: Node) -> None:
        """Begin without a topic."""
        self._node = node
        self._group = Unspun()
        self._taking = threading.RLock()
        self._inputs: list[tuple[Subscription, bool, Callable[[Any], None]]] = []

    def subscribe(self, kind: type, topic: str, read: Callable[[Any], None], profile: QoSProfile,
                  raw: bool = False) -> Subscription:
        """Add a topic. `read` gets each message, or its bytes (`raw`), on the taking thread."""
        subscription = self._node.create_subscription(
            kind, topic, read, profile, callback_group=self._group, event_callbacks=_NO_EVENTS,
            raw=raw)
        self._inputs.append((subscription, raw, read))
        return subscription

    def take(self) -> None:
        """Read every message that has come: topic by topic, in the order of subscribing."""
        with self._taking:
            for subscription, raw, read in self._inputs:
                handle = subscription.handle
                with handle:
                    while (taken := handle.take_message(subscription.msg_type, raw)) is not None:
                        read(taken[0])


class Unspun(CallbackGroup):
    """Keeps its members out of every executor's wait set."""

    def can_execute(self, entity: Any) -> bool:
        return False

    def beginning_execution(self, entity: Any) -> bool:
        return False

    def ending_execution(self, entity: Any) -> None:
        raise AssertionError('an entity that is never executed has ended')

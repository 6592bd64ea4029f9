# SPDX-License-Identifier: Apache-2.0
"""Topics as the recorder takes them: serialized, unspun, at the quality that is offered."""

import importlib
import time
from collections.abc import Iterator
from typing import Any

from rclpy.event_handler import (
    EventHandler,
    QoSSubscriptionEventType,
    SubscriptionEventCallbacks,
)
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.topic_endpoint_info import TopicEndpointInfo
from rclpy.utilities import get_rmw_implementation_identifier

from inspire_bringup.log_clock import Received
from piper_driver.ros_inbox import Unspun

# Middlewares that number each publisher's messages: a jump is a loss, whatever the cause. Of
# others the message-lost events are counted, although an event in the executor's wait set costs a
# wake-up for every message (measured: 69 % of a core instead of 14 %).
NUMBERING = frozenset({'rmw_fastrtps_cpp', 'rmw_fastrtps_dynamic_cpp', 'rmw_zenoh_cpp'})
# What the others report as the number.
NO_SEQUENCE = (1 << 64) - 1
INFINITE = (1 << 63) - 1  # ns


class Tap:
    """A subscription to one topic, and the losses that the middleware tells of."""

    def __init__(
        self, node: Node, topic: str, message_type: type, profile: QoSProfile, group: Unspun
    ) -> None:
        self.topic = topic
        self.profile = profile
        self.lost = 0
        self._node = node
        self._subscription = node.create_subscription(
            message_type,
            topic,
            _never_called,
            profile,
            callback_group=group,
            event_callbacks=SubscriptionEventCallbacks(use_default_callbacks=False),
            raw=True,
        )
        self._lost_event: EventHandler | None = None
        if get_rmw_implementation_identifier() not in NUMBERING:
            self._lost_event = EventHandler(
                callback_group=node.default_callback_group,
                callback=self._count_lost,
                event_type=QoSSubscriptionEventType.RCL_SUBSCRIPTION_MESSAGE_LOST,
                parent_impl=self._subscription.handle,
            )
            node.add_waitable(self._lost_event)

    def _count_lost(self, event: Any) -> None:
        self.lost = event.total_count

    @property
    def matched(self) -> int:
        return self._subscription.get_publisher_count()

    def take(self) -> Iterator[Received]:
        """Yield every message that has come in."""
        handle, kind = self._subscription.handle, self._subscription.msg_type
        with handle:
            while taken := handle.take_message(kind, True):
                data, info = taken
                sequence = info['publication_sequence_number']
                yield Received(
                    self.topic,
                    info['received_timestamp'] or time.time_ns(),
                    info['source_timestamp'],
                    None if sequence in (None, NO_SEQUENCE) else sequence,
                    data,
                )

    def close(self) -> None:
        if self._lost_event is not None:
            self._node.remove_waitable(self._lost_event)
            self._lost_event.destroy()
        self._node.destroy_subscription(self._subscription)


def adapted(publishers: list[TopicEndpointInfo], depth: int) -> QoSProfile:
    """Choose the profile that asks for the most and that all of the publishers can meet."""
    offered = [publisher.qos_profile for publisher in publishers]
    reliable = all(one.reliability == ReliabilityPolicy.RELIABLE for one in offered)
    latched = all(one.durability == DurabilityPolicy.TRANSIENT_LOCAL for one in offered)
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=depth,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )


def qos_words(profile: QoSProfile) -> dict[str, Any]:
    """Write a profile in the words of rosbag2's metadata."""

    def time_parts(duration: Any) -> dict[str, int]:
        nanoseconds = min(duration.nanoseconds, INFINITE)
        return {'sec': nanoseconds // 1_000_000_000, 'nsec': nanoseconds % 1_000_000_000}

    return {
        'history': profile.history.name.lower(),
        'depth': profile.depth,
        'reliability': profile.reliability.name.lower(),
        'durability': profile.durability.name.lower(),
        'deadline': time_parts(profile.deadline),
        'lifespan': time_parts(profile.lifespan),
        'liveliness': profile.liveliness.name.lower(),
        'liveliness_lease_duration': time_parts(profile.liveliness_lease_duration),
        'avoid_ros_namespace_conventions': profile.avoid_ros_namespace_conventions,
    }


def message_type_of(type_name: str) -> type:
    """Import the class of 'package/msg/Type'; LookupError where it is not installed."""
    package, interface, name = type_name.split('/')
    try:
        return getattr(importlib.import_module(f'{package}.{interface}'), name)
    except (ImportError, AttributeError) as error:
        raise LookupError(f'{type_name} is not installed here: {error}') from error


def _never_called(message: bytes) -> None:
    raise AssertionError('subscriptions of the recorder are taken from, not called')

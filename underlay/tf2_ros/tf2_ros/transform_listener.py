# SPDX-License-Identifier: Apache-2.0
"""`TransformListener`: feeds a Buffer from /tf and /tf_static."""

from __future__ import annotations

from contextlib import suppress
from threading import Thread

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile

from tf2_msgs.msg import TFMessage
from tf2_ros.buffer import Buffer

AUTHORITY = 'default_authority'  # ROS 2 does not say who published


class TransformListener:
    """Subscribes with the node given; with spin_thread it also spins that node.

    Call `unregister()` before the node is destroyed. It ends the thread too: a thread that still
    spins when the interpreter exits aborts the process.
    """

    def __init__(
        self,
        buffer: Buffer,
        node: Node,
        *,
        spin_thread: bool = False,
        qos: QoSProfile | int | None = None,
        static_qos: QoSProfile | int | None = None,
        tf_topic: str = '/tf',
        tf_static_topic: str = '/tf_static',
    ) -> None:
        self.buffer = buffer
        self.node = node
        # Reentrant: a callback of the node that waits for a transform must not keep it out.
        self.group = ReentrantCallbackGroup()
        self.tf_sub = node.create_subscription(
            TFMessage, tf_topic, self.callback, qos or moving_qos(), callback_group=self.group
        )
        self.tf_static_sub = node.create_subscription(
            TFMessage,
            tf_static_topic,
            self.static_callback,
            static_qos or latched_qos(),
            callback_group=self.group,
        )
        self.executor: SingleThreadedExecutor | None = None
        if spin_thread:
            self.executor = SingleThreadedExecutor(context=node.context)
            self.executor.add_node(node)
            self.dedicated_listener_thread = Thread(target=self._spin, daemon=True)
            self.dedicated_listener_thread.start()

    def callback(self, data: TFMessage) -> None:
        for transform in data.transforms:
            self.buffer.set_transform(transform, AUTHORITY)

    def static_callback(self, data: TFMessage) -> None:
        for transform in data.transforms:
            self.buffer.set_transform_static(transform, AUTHORITY)

    def unregister(self) -> None:
        """Ends the thread, if there is one, and the subscriptions. May be called twice."""
        if self.executor is not None:
            self.executor.shutdown()
            self.dedicated_listener_thread.join()
            self.executor = None
        for subscription in (self.tf_sub, self.tf_static_sub):
            self.node.destroy_subscription(subscription)

    def _spin(self) -> None:
        assert self.executor is not None
        with suppress(ExternalShutdownException):  # rclpy.shutdown() elsewhere
            self.executor.spin()


def moving_qos() -> QoSProfile:
    """tf2's: a hundred messages, from now on."""
    return QoSProfile(
        depth=100, durability=DurabilityPolicy.VOLATILE, history=HistoryPolicy.KEEP_LAST
    )


def latched_qos() -> QoSProfile:
    """tf2's: whatever was broadcast before we came, too."""
    return QoSProfile(
        depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL, history=HistoryPolicy.KEEP_LAST
    )

# SPDX-License-Identifier: Apache-2.0
"""`TransformBroadcaster`: publishes moving transforms on /tf."""

from __future__ import annotations

from collections.abc import Iterable

from geometry_msgs.msg import TransformStamped
from rclpy.node import Node
from rclpy.qos import QoSProfile

from tf2_msgs.msg import TFMessage


def as_list(transform: TransformStamped | Iterable[TransformStamped]) -> list[TransformStamped]:
    """One transform or several, as tf2's broadcasters take them."""
    return [transform] if isinstance(transform, TransformStamped) else list(transform)


class TransformBroadcaster:
    """Each call of sendTransform is one message."""

    def __init__(self, node: Node, qos: QoSProfile | int | None = None) -> None:
        self.pub_tf = node.create_publisher(TFMessage, '/tf', qos or QoSProfile(depth=100))

    def sendTransform(  # noqa: N802 (tf2's name)
        self, transform: TransformStamped | Iterable[TransformStamped]
    ) -> None:
        self.pub_tf.publish(TFMessage(transforms=as_list(transform)))

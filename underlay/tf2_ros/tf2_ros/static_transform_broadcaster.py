# SPDX-License-Identifier: Apache-2.0
"""`StaticTransformBroadcaster`: publishes fixed transforms, latched, on /tf_static."""

from __future__ import annotations

from collections.abc import Iterable

from geometry_msgs.msg import TransformStamped
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile

from tf2_msgs.msg import TFMessage
from tf2_ros.transform_broadcaster import as_list


class StaticTransformBroadcaster:
    """Only the last message is latched, so each one repeats every transform sent so far.

    A child frame sent again replaces what was sent for it before.
    """

    def __init__(self, node: Node, qos: QoSProfile | int | None = None) -> None:
        latched = QoSProfile(
            depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL, history=HistoryPolicy.KEEP_LAST
        )
        self.pub_tf = node.create_publisher(TFMessage, '/tf_static', qos or latched)
        self._by_child: dict[str, TransformStamped] = {}

    def sendTransform(  # noqa: N802 (tf2's name)
        self, transform: TransformStamped | Iterable[TransformStamped]
    ) -> None:
        self._by_child.update({each.child_frame_id: each for each in as_list(transform)})
        self.pub_tf.publish(TFMessage(transforms=list(self._by_child.values())))

# SPDX-License-Identifier: Apache-2.0
"""Both ends of a topic understand each other, and the profiles have room for what comes."""

import time

import pytest
import rclpy
from geometry_msgs.msg import TransformStamped
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

from piper_driver import qos
from tf2_msgs.msg import TFMessage

pytestmark = pytest.mark.node


def test_a_late_comer_gets_the_static_transforms_of_every_publisher(ros_domain):
    frames = {f'frame_{index}' for index in range(12)}
    rclpy.init()
    try:
        sender, late = Node('sender'), Node('late')
        publishers = []
        for frame in frames:
            publishers.append(sender.create_publisher(TFMessage, '/tf_static', qos.TF_STATIC))
            publishers[-1].publish(TFMessage(transforms=[TransformStamped(child_frame_id=frame)]))
        heard = set()
        late.create_subscription(
            TFMessage, '/tf_static',
            lambda message: heard.add(message.transforms[0].child_frame_id), qos.TF_STATIC_OF_ALL)
        deadline = time.monotonic() + 10.0
        while not all(publisher.get_subscription_count() for publisher in publishers):
            assert time.monotonic() < deadline, 'they did not meet'
            time.sleep(0.01)        # not spun: what comes has to wait in the subscription
        executor = SingleThreadedExecutor()
        executor.add_node(late)
        while heard != frames:
            assert time.monotonic() < deadline, f'never heard: {sorted(frames - heard)}'
            executor.spin_once(0.1)
        executor.shutdown()
        sender.destroy_node()
        late.destroy_node()
    finally:
        rclpy.shutdown()

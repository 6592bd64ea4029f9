# SPDX-License-Identifier: Apache-2.0
"""The viewer's frame is on /tf_static, for late-comers too, and is where the preset says."""

import numpy as np
import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from scipy.spatial.transform import Rotation

from inspire_bringup.viewer_node import ViewerNode
from inspire_labeler.viewer import VIEWERS
from piper_driver.qos import LATCHED
from tf2_msgs.msg import TFMessage

pytestmark = pytest.mark.node


@pytest.mark.parametrize('preset', VIEWERS.values(), ids=VIEWERS)
def test_it_is_broadcast_as_the_preset_says(ros_domain, preset):
    rclpy.init(args=['--ros-args', '-p', f'viewer:={preset.name}'])
    executor = SingleThreadedExecutor()
    node, late = ViewerNode(), Node('late')
    heard = []
    late.create_subscription(TFMessage, '/tf_static', heard.append, LATCHED)
    for one in (node, late):
        executor.add_node(one)
    deadline = late.get_clock().now().nanoseconds + 10e9
    while not heard and late.get_clock().now().nanoseconds < deadline:
        executor.spin_once(timeout_sec=0.1)
    executor.shutdown()
    for one in (node, late):
        one.destroy_node()
    rclpy.shutdown()
    (transform,) = heard[0].transforms
    assert (transform.header.frame_id, transform.child_frame_id) == ('base_link', 'viewer')
    q = transform.transform.rotation
    turned = Rotation.from_quat([q.x, q.y, q.z, q.w]).as_matrix()
    # a frame's pose turns its own axes into its parent's: the inverse of base -> viewer
    np.testing.assert_allclose(turned.T, preset.rotation_base_to_viewer, atol=1e-12)


def test_an_unknown_preset_is_refused_with_those_there_are(ros_domain):
    rclpy.init(args=['--ros-args', '-p', 'viewer:=me'])
    try:
        with pytest.raises(ValueError, match="viewer is 'me'; valid is libero, piper_real"):
            ViewerNode()
    finally:
        rclpy.shutdown()



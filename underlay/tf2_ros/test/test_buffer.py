# SPDX-License-Identifier: Apache-2.0
"""The ROS side: a real graph, broadcasters on one side and a listener on the other."""

import time

import pytest
import rclpy
from builtin_interfaces.msg import Time as TimeMessage
from geometry_msgs.msg import TransformStamped
from rclpy.context import Context
from rclpy.duration import Duration
from rclpy.executors import SingleThreadedExecutor
from rclpy.time import Time

from tf2_msgs.srv import FrameGraph
from tf2_ros import (
    Buffer,
    ExtrapolationException,
    LookupException,
    StaticTransformBroadcaster,
    TransformBroadcaster,
    TransformListener,
)

pytestmark = [pytest.mark.node, pytest.mark.usefixtures('ros_domain')]


def stamped(parent, child, seconds, x=0.0):
    message = TransformStamped()
    message.header.frame_id, message.child_frame_id = parent, child
    message.header.stamp = Time(nanoseconds=int(seconds * 1e9)).to_msg()
    message.transform.translation.x = x
    return message


@pytest.fixture
def node():
    context = Context()
    rclpy.init(context=context)
    node = rclpy.create_node('tf2_test', context=context, namespace='tf2_test')
    yield node
    node.destroy_node()
    rclpy.shutdown(context=context)


def wait_for(condition, node, seconds=15.0):
    executor = SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        executor.spin_once(timeout_sec=0.05)
    executor.remove_node(node)
    assert condition(), 'the condition was not met in time'


def test_a_transform_goes_in_and_out_with_its_stamp_and_frames():
    buffer = Buffer(cache_time=Duration(seconds=5))
    buffer.set_transform(stamped('world', 'ball', 1.0, x=0.0), 'test')
    buffer.set_transform(stamped('world', 'ball', 2.0, x=1.0), 'test')
    got = buffer.lookup_transform('world', 'ball', Time(seconds=1, nanoseconds=500_000_000))
    assert (got.header.frame_id, got.child_frame_id) == ('world', 'ball')
    assert (got.header.stamp.sec, got.header.stamp.nanosec) == (1, 500_000_000)
    assert got.transform.translation.x == pytest.approx(0.5)
    assert buffer.lookup_transform('world', 'ball', TimeMessage()).header.stamp.sec == 2
    assert buffer.get_latest_common_time('world', 'ball') == Time(seconds=2)


def test_can_transform_says_why_not():
    buffer = Buffer()
    buffer.set_transform(stamped('world', 'ball', 1.0), 'test')
    assert buffer.can_transform('world', 'ball', Time(seconds=1))
    possible, why = buffer.can_transform(
        'world', 'ball', Time(seconds=3), Duration(nanoseconds=1), return_debug_tuple=True
    )
    assert not possible and 'known is of 1.000000' in why
    with pytest.raises(LookupException):
        buffer.lookup_transform('world', 'cup', Time(), timeout=Duration(nanoseconds=1000))


def test_a_full_lookup_needs_data_at_both_times():
    buffer = Buffer()
    buffer.set_transform(stamped('world', 'car', 1.0, x=1.0), 'test')
    buffer.set_transform(stamped('world', 'car', 2.0, x=4.0), 'test')
    got = buffer.lookup_transform_full('car', Time(seconds=2), 'car', Time(seconds=1), 'world')
    assert got.transform.translation.x == -3.0
    with pytest.raises(ExtrapolationException):
        buffer.lookup_transform_full('car', Time(seconds=2), 'car', Time(seconds=5), 'world')


def test_a_future_is_settled_by_the_data_it_waits_for():
    buffer = Buffer()
    future = buffer.wait_for_transform_async('world', 'ball', Time(seconds=1))
    assert not future.done()
    buffer.set_transform(stamped('world', 'ball', 1.0, x=2.0), 'test')
    assert future.result().transform.translation.x == 2.0


def test_broadcasts_reach_a_listener_and_static_ones_reach_a_late_one(node):
    static = StaticTransformBroadcaster(node)
    static.sendTransform(stamped('world', 'viewer', 0.0, x=1.0))
    static.sendTransform([stamped('world', 'base', 0.0, x=2.0)])
    static.sendTransform(stamped('world', 'viewer', 0.0, x=3.0))
    moving = TransformBroadcaster(node)
    buffer = Buffer(node=node)
    listener = TransformListener(buffer, node)
    wait_for(lambda: moving.pub_tf.get_subscription_count() > 0, node)
    moving.sendTransform([stamped('world', 'ball', 1.0), stamped('world', 'ball', 2.0, x=1.0)])
    wait_for(lambda: buffer.can_transform('viewer', 'ball', Time(seconds=2)), node)
    wait_for(lambda: buffer.can_transform('base', 'viewer', Time()), node)
    got = buffer.lookup_transform('viewer', 'ball', Time(seconds=2))
    assert got.transform.translation.x == -2.0
    listener.unregister()


def test_a_listener_with_its_own_thread_lets_a_lookup_wait(node):
    buffer = Buffer()
    listener = TransformListener(buffer, node, spin_thread=True)
    static = StaticTransformBroadcaster(node)
    static.sendTransform(stamped('world', 'viewer', 0.0, x=1.0))
    got = buffer.lookup_transform('world', 'viewer', Time(), timeout=Duration(seconds=15))
    assert got.transform.translation.x == 1.0
    listener.unregister()
    listener.unregister()


def test_the_frames_are_served(node):
    buffer = Buffer(node=node)
    buffer.set_transform(stamped('world', 'ball', 1.0), 'test')
    client = node.create_client(FrameGraph, 'tf2_frames')
    wait_for(client.service_is_ready, node)
    future = client.call_async(FrameGraph.Request())
    wait_for(future.done, node)
    assert "parent: 'world'" in future.result().frame_yaml

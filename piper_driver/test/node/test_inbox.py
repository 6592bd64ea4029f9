# SPDX-License-Identifier: Apache-2.0
"""What is taken instead of called: nothing comes before it is asked for, then all of it does."""

import time

import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.serialization import serialize_message
from std_msgs.msg import String

from piper_driver.qos import COMMAND, EVENT
from piper_driver.ros_inbox import Inbox

pytestmark = pytest.mark.node


@pytest.fixture
def nodes(ros_domain):
    rclpy.init()
    made = [Node('giver'), Node('taker')]
    yield made
    for node in made:
        node.destroy_node()
    rclpy.shutdown()


def take_until(inbox, condition):
    deadline = time.monotonic() + 10.0
    while not condition():
        assert time.monotonic() < deadline, 'it did not come'
        inbox.take()


def test_messages_wait_in_order_until_they_are_taken_whoever_spins(nodes):
    giver, taker = nodes
    inbox, said, heard, raw = Inbox(taker), [str(n) for n in range(5)], [], []
    inbox.subscribe(String, 'words', lambda message: heard.append(message.data), EVENT)
    inbox.subscribe(String, 'words', raw.append, EVENT, raw=True)
    publisher = giver.create_publisher(String, 'words', EVENT)
    executor = SingleThreadedExecutor()
    executor.add_node(taker)
    while publisher.get_subscription_count() < 2:
        executor.spin_once(timeout_sec=0.05)
    for word in said:
        publisher.publish(String(data=word))
    executor.spin_once(timeout_sec=0.2)
    assert heard == []
    take_until(inbox, lambda: len(raw) == len(said))
    assert heard == said
    assert raw == [serialize_message(String(data=word)) for word in said]
    executor.shutdown()


def test_of_what_is_not_taken_the_newest_stay(nodes):
    giver, taker = nodes
    inbox, heard = Inbox(taker), []
    inbox.subscribe(String, 'words', lambda message: heard.append(message.data), COMMAND)
    publisher = giver.create_publisher(String, 'words', COMMAND)
    while not publisher.get_subscription_count():
        time.sleep(0.01)
    for word in 'abc':
        publisher.publish(String(data=word))
    publisher.wait_for_all_acked(rclpy.duration.Duration(seconds=5.0))
    take_until(inbox, lambda: heard)
    assert heard == ['c']

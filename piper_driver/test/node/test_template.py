# SPDX-License-Identifier: Apache-2.0
"""What is written into a template's bytes is what rclpy would have serialised."""

import random

import pytest
from builtin_interfaces.msg import Time
from geometry_msgs.msg import PoseStamped
from rclpy.serialization import deserialize_message, serialize_message
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import JointState

from piper_driver.ros_template import Template, transforms_template
from tf2_msgs.msg import TFMessage

pytestmark = pytest.mark.node


def joints(stamp, numbers):
    message = JointState(name=['one', 'two'], position=numbers[:2], effort=numbers[2:])
    message.header.stamp = stamp
    return message


@pytest.mark.parametrize(('make', 'count'), [
    (joints, 4), (lambda stamp, _: Clock(clock=stamp), 0)])
def test_it_serialises_as_rclpy_does_each_time(make, count):
    template, chance = Template(make, count), random.Random(1)
    for stamp, time in ((12.345, Time(sec=12, nanosec=345_000_000)), (0.0, Time()),
                        (0.9999999999, Time(sec=1)), (2.0, Time(sec=2))):
        numbers = [chance.uniform(-1e3, 1e3) for _ in range(count)]
        filled = template.fill(stamp, numbers)
        expected = make(time, numbers)
        assert deserialize_message(filled, type(expected)) == expected
        assert filled == serialize_message(expected)


def test_transforms_are_those_of_their_frames():
    frames = [('world', 'a'), ('a', 'of eight'), ('world', '')]
    filled = transforms_template(frames).fill(1.5, range(21))
    message = deserialize_message(filled, TFMessage)
    assert filled == serialize_message(message)
    assert [(each.header.frame_id, each.child_frame_id) for each in message.transforms] == frames
    assert all(each.header.stamp == Time(sec=1, nanosec=500_000_000)
               for each in message.transforms)
    place, turn = message.transforms[1].transform.translation, message.transforms[
        1].transform.rotation
    assert [place.x, place.y, place.z, turn.x, turn.y, turn.z, turn.w] == [*range(7, 14)]


def test_a_message_without_one_of_the_numbers_is_refused():
    with pytest.raises(ValueError, match='number 0 of 1 is 0 times'):
        Template(lambda stamp, numbers: PoseStamped(), 1)


def test_numbers_too_few_are_refused():
    with pytest.raises(ValueError, match='3 numbers; the message has 4'):
        Template(joints, 4).fill(0.0, [1.0, 2.0, 3.0])

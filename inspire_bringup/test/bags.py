# SPDX-License-Identifier: Apache-2.0
"""Bags for tests, made without ROS: serialized messages whose content one can tell at sight."""

import struct
from pathlib import Path

from inspire_bringup.bag import BagWriter, Topic
from inspire_bringup.manifest import Bag, Manifest
from inspire_bringup.recording import Message

QOS = {
    'history': 'keep_last',
    'depth': 10,
    'reliability': 'reliable',
    'durability': 'volatile',
    'deadline': {'sec': 9223372036, 'nsec': 854775807},
    'lifespan': {'sec': 9223372036, 'nsec': 854775807},
    'liveliness': 'automatic',
    'liveliness_lease_duration': {'sec': 9223372036, 'nsec': 854775807},
    'avoid_ros_namespace_conventions': False,
}
HASH = 'RIHS01_df668c740482bbd48fb39d76a70dfd4bd59db1288021743503259e948f6b1a18'


def text_topic(name: str = '/chatter') -> Topic:
    return Topic(name, 'std_msgs/msg/String', 'string data\n', HASH, (QOS,))


def text_bytes(text: str) -> bytes:
    data = text.encode() + b'\0'
    return b'\0\1\0\0' + struct.pack('<I', len(data)) + data


def text_message(index: int, topic: str = '/chatter', size: int = 0) -> Message:
    """Message number `index` of a topic at 100 Hz: its text is its number, padded to `size`."""
    time = 1_000_000_000 + index * 10_000_000
    return Message(topic, time, time - 1, index + 1, text_bytes(f'{index:<{size}}'))


def manifest() -> Manifest:
    return Manifest('pick up the ball', 'pick_ball', 1, '2026-01-02T03:04:05.678Z', Bag(''))


def write_bag(folder: Path, messages: int, chunk: int = 10, compression: str = 'lz4') -> Path:
    """Write a bag of two topics in turn, `chunk` messages a chunk, and return its file."""
    writer = BagWriter(folder / 'episode', 'episode_0.mcap', compression)
    for name in ('/chatter', '/other'):
        writer.add_topic(text_topic(name))
    for index in range(messages):
        message = text_message(index, ('/chatter', '/other')[index % 2], size=50)
        writer.write(*message)
        if index % chunk == chunk - 1:
            writer.commit()
    writer.close()
    return writer.path

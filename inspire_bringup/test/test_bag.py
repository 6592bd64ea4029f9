# SPDX-License-Identifier: Apache-2.0
"""Bags are read by a reader that shares no code with us, and commits are whole or nothing."""

import errno
import os

import bags
import pytest
import yaml
from rosbags.rosbag2 import Reader
from rosbags.typesys import Stores, get_typestore

from inspire_bringup.bag import BagFile, BagWriter, write_atomically


@pytest.mark.parametrize('compression', ['none', 'lz4', 'zstd'])
def test_an_independent_reader_reads_every_message(tmp_path, compression):
    path = bags.write_bag(tmp_path, 25, compression=compression)
    store = get_typestore(Stores.ROS2_JAZZY)
    with Reader(path.parent) as reader:
        read = [
            (connection.topic, time, store.deserialize_cdr(data, connection.msgtype).data.strip())
            for connection, time, data in reader.messages()
        ]
        connections = {connection.topic: connection for connection in reader.connections}
    assert read == [
        (('/chatter', '/other')[index % 2], 1_000_000_000 + index * 10_000_000, str(index))
        for index in range(25)
    ]
    assert connections['/chatter'].digest == bags.HASH
    assert connections['/chatter'].msgcount == 13
    (qos,) = connections['/chatter'].ext.offered_qos_profiles
    assert (qos.reliability.name, qos.durability.name, qos.depth) == ('RELIABLE', 'VOLATILE', 10)


def test_metadata_is_that_of_rosbag2_version_9(tmp_path):
    path = bags.write_bag(tmp_path, 10)
    content = yaml.safe_load((path.parent / 'metadata.yaml').read_text())
    information = content['rosbag2_bagfile_information']
    assert information['version'] == 9
    assert information['storage_identifier'] == 'mcap'
    assert information['message_count'] == 10
    assert information['starting_time'] == {'nanoseconds_since_epoch': 1_000_000_000}
    assert information['duration'] == {'nanoseconds': 90_000_000}
    assert information['relative_file_paths'] == ['episode_0.mcap']
    first = information['topics_with_message_count'][0]
    assert first['topic_metadata']['offered_qos_profiles'] == [bags.QOS]
    assert first['message_count'] == 5


def test_an_empty_bag_is_a_bag(tmp_path):
    path = bags.write_bag(tmp_path, 0)
    with Reader(path.parent) as reader:
        assert list(reader.messages()) == []


def test_the_digest_is_that_of_the_file(tmp_path):
    import hashlib

    writer = BagWriter(tmp_path / 'bag', 'a.mcap')
    writer.add_topic(bags.text_topic())
    writer.write(*bags.text_message(0))
    writer.close()
    assert writer.sha256 == hashlib.sha256(writer.path.read_bytes()).hexdigest()
    assert writer.bytes == writer.path.stat().st_size


def test_a_folder_that_is_there_is_not_written_into(tmp_path):
    (tmp_path / 'bag').mkdir()
    with pytest.raises(FileExistsError):
        BagWriter(tmp_path / 'bag', 'a.mcap')


def test_a_commit_that_fails_leaves_the_file_as_it_was_and_can_be_repeated(tmp_path, monkeypatch):
    file = BagFile(tmp_path / 'file')
    file.write(b'first')
    file.commit()
    file.write(b'second')
    write = os.write
    with monkeypatch.context() as context:

        def half(descriptor, data):
            context.setattr(os, 'write', full)
            return write(descriptor, bytes(data)[:3])

        def full(descriptor, data):
            raise OSError(errno.ENOSPC, 'No space left on device')

        context.setattr(os, 'write', half)
        with pytest.raises(OSError, match='No space left'):
            file.commit()
    assert (tmp_path / 'file').read_bytes() == b'first'
    file.commit()
    file.close()
    assert (tmp_path / 'file').read_bytes() == b'firstsecond'


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / 'file'
    write_atomically(path, 'old')

    def fail(source, target):
        raise OSError('power is lost')

    monkeypatch.setattr(os, 'replace', fail)
    with pytest.raises(OSError, match='power is lost'):
        write_atomically(path, 'new')
    assert path.read_text() == 'old'

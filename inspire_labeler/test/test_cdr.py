# SPDX-License-Identifier: Apache-2.0
"""The readers of bytes against rclpy's own serialisation, and against broken bytes."""

import math
import random

import pytest

from inspire_labeler import cdr

serialize_message = pytest.importorskip('rclpy.serialization').serialize_message
msgs = pytest.importorskip('inspire_msgs.msg')


def header(nanoseconds, frame='viewer'):
    from builtin_interfaces.msg import Time
    from std_msgs.msg import Header

    return Header(stamp=Time(sec=nanoseconds // 10**9, nanosec=nanoseconds % 10**9),
                  frame_id=frame)


def transforms_message(count, seed=0):
    from geometry_msgs.msg import Quaternion, Transform, TransformStamped, Vector3

    from tf2_msgs.msg import TFMessage

    generator = random.Random(seed)
    return TFMessage(transforms=[
        TransformStamped(
            header=header(generator.randrange(2**31 * 10**9), 'w' * generator.randrange(9)),
            child_frame_id='é' * generator.randrange(1, 9),
            transform=Transform(
                translation=Vector3(x=generator.random(), y=math.nan, z=-0.0),
                rotation=Quaternion(x=0.1, y=0.2, z=generator.random(), w=math.inf)))
        for _ in range(count)])


@pytest.mark.parametrize('count', [0, 1, 2, 25])
def test_transforms_read_as_rclpy_wrote_them(count):
    for seed in range(20):
        message = transforms_message(count, seed)
        samples = cdr.read_transforms(serialize_message(message))
        assert len(samples) == count
        for sample, each in zip(samples, message.transforms, strict=True):
            t, r = each.transform.translation, each.transform.rotation
            assert (sample.parent, sample.child) == (each.header.frame_id, each.child_frame_id)
            assert sample.stamp == each.header.stamp.sec * 10**9 + each.header.stamp.nanosec
            assert repr(sample.transform) == repr((t.x, t.y, t.z, r.x, r.y, r.z, r.w))


def test_leading_slashes_of_frames_are_dropped_as_in_tf2():
    message = transforms_message(1)
    message.transforms[0].header.frame_id, message.transforms[0].child_frame_id = '/a', '/b'
    sample, = cdr.read_transforms(serialize_message(message))
    assert (sample.parent, sample.child) == ('a', 'b')


def test_contacts_strings_and_stamps_read_as_rclpy_wrote_them():
    from sensor_msgs.msg import CameraInfo
    from std_msgs.msg import String

    contacts = msgs.GraspContacts(header=header(12_345_678_901, 'tcp'),
                                  objects=['ball', 'blue_cup'])
    assert cdr.read_contacts(serialize_message(contacts)) == (
        12_345_678_901, frozenset({'ball', 'blue_cup'}))
    empty = msgs.GraspContacts(header=header(5))
    assert cdr.read_contacts(serialize_message(empty)) == (5, frozenset())
    assert cdr.read_string(serialize_message(String(data='crème'))) == 'crème'
    assert cdr.read_string(serialize_message(String())) == ''
    info = CameraInfo(header=header(7_000_000_001, 'camera_optical_frame'))
    assert cdr.read_header_stamp(serialize_message(info)) == 7_000_000_001


@pytest.mark.parametrize('names', [[], ['gripper'], ['joint1', 'joint2', 'gripper']])
def test_joints_read_as_rclpy_wrote_them(names):
    from sensor_msgs.msg import JointState

    state = JointState(header=header(99, 'base'), name=names, effort=[1.0],
                       position=[0.01 * i for i in range(len(names))])
    joints = cdr.read_joints(serialize_message(state))
    assert joints.stamp == 99
    assert joints.positions == dict(zip(names, state.position, strict=True))


def test_joints_with_names_but_no_positions_are_refused():
    from sensor_msgs.msg import JointState

    with pytest.raises(cdr.MalformedMessage, match='1 joint names, 0 positions'):
        cdr.read_joints(serialize_message(JointState(name=['gripper'])))


@pytest.mark.parametrize('probabilities', [[], [0.25], [0.1, 0.9, 0.0]])
def test_reasonings_read_as_rclpy_wrote_them(probabilities):
    from geometry_msgs.msg import Vector3

    answers = [
        msgs.SpatialAnswer(
            question=msgs.SpatialQuestion(
                formulation='direction', object=f'the {name}', object_frame=name, text='where?',
                options=['up', 'down']),
            text=text, probabilities=probabilities, offset=Vector3(x=0.1, y=-0.2, z=0.3),
            source=4, reason=reason)
        for name, text, reason in (('ball', 'up', ''), ('cup', '', 'no transform'))]
    read = cdr.read_reasoning(serialize_message(msgs.SpatialReasoning(
        header=header(3_000_000_004), instruction='pick up the ball', answers=answers,
        transcript='...', chunk_id=7)))
    assert (read.stamp, read.frame, read.instruction) == (
        3_000_000_004, 'viewer', 'pick up the ball')
    assert read.answers == (
        cdr.RecordedAnswer('direction', 'the ball', 'ball', 'up', (0.1, -0.2, 0.3), 4, ''),
        cdr.RecordedAnswer('direction', 'the cup', 'cup', '', (0.1, -0.2, 0.3), 4, 'no transform'))


def test_big_endian_is_read_too():
    data = b'\x00\x00\x00\x00' + b'\x00\x00\x00\x02' + b'a\x00'
    assert cdr.read_string(data) == 'a'


@pytest.mark.parametrize('data', [b'', b'\x00', b'\x00\x01\x00', b'\x07\x01\x00\x00', b'{"a": 1}'])
def test_bytes_without_a_header_are_refused(data):
    with pytest.raises(cdr.MalformedMessage, match='do not begin with a CDR header'):
        cdr.read_string(data)


def test_every_truncation_is_refused_and_no_garbage_crashes():
    data = serialize_message(transforms_message(2))
    for length in range(len(data)):
        with pytest.raises(cdr.MalformedMessage):
            cdr.read_transforms(data[:length])
    generator = random.Random(3)
    for _ in range(2000):
        broken = bytearray(data)
        broken[generator.randrange(4, len(data))] = generator.randrange(256)
        try:
            cdr.read_transforms(bytes(broken))
            cdr.read_reasoning(bytes(broken))
        except cdr.MalformedMessage:
            pass

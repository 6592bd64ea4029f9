# SPDX-License-Identifier: Apache-2.0
"""The generated URDF is the arm of the kinematics."""

from xml.etree import ElementTree

import numpy as np
import pytest

from piper_driver.kinematics import frames
from piper_driver.limits import JOINT_NAMES, PIPER
from piper_driver.urdf import robot_description


@pytest.fixture(scope='module')
def robot():
    return ElementTree.fromstring(robot_description().split('\n', 1)[1])


def _numbers(text):
    return np.array([float(number) for number in text.split()])


def _rotation(axis, angle):
    x, y, z = axis
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def _matrix(rotation=None, place=None):
    matrix = np.eye(4)
    matrix[:3, :3] = np.eye(3) if rotation is None else rotation
    matrix[:3, 3] = 0 if place is None else place
    return matrix


def _forward(robot, values):
    """Compute every link's pose the way a URDF says, knowing nothing of the kinematics."""
    poses = {'base_link': np.eye(4)}
    for joint in robot.findall('joint'):
        origin = joint.find('origin')
        roll, pitch, yaw = _numbers(origin.get('rpy'))
        turn = (_rotation((0, 0, 1), yaw) @ _rotation((0, 1, 0), pitch)
                @ _rotation((1, 0, 0), roll))
        pose = poses[joint.find('parent').get('link')] @ _matrix(
            turn, _numbers(origin.get('xyz')))
        if joint.get('type') != 'fixed':
            axis, value = _numbers(joint.find('axis').get('xyz')), values[joint.get('name')]
            pose = pose @ (_matrix(_rotation(axis, value)) if joint.get('type') == 'revolute'
                           else _matrix(place=axis * value))
        poses[joint.find('child').get('link')] = pose
    return poses


def test_its_forward_kinematics_are_ours(robot):
    rng = np.random.default_rng(0)
    for _ in range(50):
        q = rng.uniform(PIPER.lower, PIPER.upper)
        width = rng.uniform(0, 0.07)
        values = dict(zip(JOINT_NAMES, q, strict=True), joint7=width / 2, joint8=width / 2)
        poses = _forward(robot, values)
        for name, expected in frames(q, width).items():
            assert np.allclose(poses[name], expected, atol=1e-6), name


def test_its_limits_are_the_tables(robot):
    for index, name in enumerate(JOINT_NAMES):
        limit = robot.find(f"joint[@name='{name}']/limit")
        assert float(limit.get('lower')) == pytest.approx(PIPER.lower[index])
        assert float(limit.get('upper')) == pytest.approx(PIPER.upper[index])
        assert float(limit.get('velocity')) == PIPER.velocity[index]


def test_every_link_has_a_joint_and_only_the_tcp_has_no_shape(robot):
    links = {link.get('name') for link in robot.findall('link')}
    children = {joint.find('child').get('link') for joint in robot.findall('joint')}
    assert links - children == {'base_link'}
    bare = {link.get('name') for link in robot.findall('link') if link.find('visual') is None}
    assert bare == {'tcp'}

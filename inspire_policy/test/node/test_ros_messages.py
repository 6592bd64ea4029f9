# SPDX-License-Identifier: Apache-2.0
"""What comes in as a message is checked where it is read: nothing of it may end the node."""

from collections import deque
from math import nan

import numpy as np
import pytest
from rclpy.serialization import serialize_message
from sensor_msgs.msg import Image, JointState

from inspire_policy.following import StaleObservation
from inspire_policy.ros_messages import image_array, joint_sample
from inspire_policy.ros_scene import RosScene

NAMES = ['gripper', *(f'joint{index}' for index in range(1, 7))]
pytestmark = pytest.mark.node


def test_joint_states_are_read_by_name() -> None:
    message = JointState(name=NAMES, position=[0.02, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
                         velocity=[-0.1, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    sample = joint_sample(serialize_message(message))
    assert (sample.width, sample.width_velocity) == (0.02, -0.1)
    np.testing.assert_array_equal(sample.positions, np.arange(1.0, 7.0))
    np.testing.assert_allclose(sample.velocities, np.arange(1.0, 7.0) / 10)


@pytest.mark.parametrize(
    ('message', 'complaint'),
    [
        (JointState(name=NAMES[1:], position=[0.0] * 6), 'lacks gripper'),
        (JointState(name=NAMES, position=[0.0] * 6), '6 values for 7 names'),
        (JointState(name=NAMES), '0 values for 7 names'),
        (JointState(name=NAMES, position=[0.0] * 7, velocity=[0.0]), '1 values for 7 names'),
        (JointState(name=NAMES, position=[0.0] * 7), '0 values for 7 names'),
        (JointState(name=NAMES, position=[0.0] * 6 + [nan]), 'nan.*valid: numbers'),
        (JointState(name=NAMES, position=[0.0] * 7, velocity=[nan] + [0.0] * 6), 'nan.*valid'),
    ],
)
def test_joint_states_that_cannot_be_used_are_refused(
    message: JointState, complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        joint_sample(serialize_message(message))


def test_an_image_is_read_as_rgb_without_the_padding_of_its_rows() -> None:
    message = Image(height=1, width=1, step=4, encoding='bgr8', data=bytes((3, 2, 1, 0)))
    assert image_array(message).tolist() == [[[1, 2, 3]]]


@pytest.mark.parametrize(
    ('message', 'complaint'),
    [
        (Image(height=1, width=1, step=3, encoding='mono8', data=bytes(3)), "'mono8'; valid"),
        (Image(height=2, width=1, step=3, encoding='rgb8', data=bytes(5)), 'has 5 bytes'),
        (Image(height=0, width=0, encoding='rgb8'), 'image of 0 x 0 pixels'),
        (Image(height=1, width=2, step=3, encoding='rgb8', data=bytes(3)), 'rows of 3; valid: 6'),
    ],
)
def test_an_image_that_cannot_be_read_is_refused(message: Image, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        image_array(message)


class Nothing:
    """An inbox to which nothing comes."""

    def take(self) -> None:
        pass


def test_a_paused_simulation_does_not_keep_an_observation_waiting_for_ever() -> None:
    class StandingClock:
        def now(self) -> float:
            return 5.0

        def wait_until(self, time: float, /) -> bool:
            return False

    scene = RosScene.__new__(RosScene)
    scene._clock, scene._contacts, scene._world = StandingClock(), deque(), Nothing()
    with pytest.raises(StaleObservation, match='grasp_contacts'):
        scene._grasped(5_000_000_000)

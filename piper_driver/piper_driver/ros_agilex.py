# SPDX-License-Identifier: Apache-2.0
"""The names of AgileX' own ROS drivers, beside ours, so that tools made for those keep working.

Of `piper_ros` and of its successor `agx_arm_ros`: what has a standard type. The limits, the
watchdog and what is refused stay ours. Joints come as goals (`goal`), poses are the flange's.
"""

from __future__ import annotations

from collections.abc import Callable

from geometry_msgs.msg import Pose, PoseStamped
from rclpy.callback_groups import CallbackGroup
from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool
from std_srvs.srv import Empty, SetBool, Trigger

from piper_driver import qos
from piper_driver.arm import ArmState
from piper_driver.gate import BASE_FRAME
from piper_driver.kinematics import forward
from piper_driver.pose import Pose as Placed
from piper_driver.ros_inbox import Inbox
from piper_driver.ros_template import Template

Command = Callable[[JointState], None]
Answer = Callable[[SetBool.Request, SetBool.Response], SetBool.Response]
Park = Callable[[Trigger.Request, Trigger.Response], Trigger.Response]


class AgilexNames:
    """Publishes what `node` measures under AgileX' names, and passes on what comes under them."""

    def __init__(self, node: Node, inbox: Inbox, command: Command, enable: Answer, park: Park,
                 slow: CallbackGroup) -> None:
        """Offer everything. `command` takes joints, on the thread that takes from `inbox`."""
        create = node.create_publisher
        self._joints = [
            create(JointState, 'joint_states_single', qos.STATE),
            create(JointState, 'joint_states_feedback', qos.STATE),
            create(JointState, 'feedback/joint_states', qos.STATE)]
        self._poses = [create(PoseStamped, 'end_pose_stamped', qos.STATE),
                       create(PoseStamped, 'feedback/tcp_pose', qos.STATE)]
        self._pose = create(Pose, 'end_pose', qos.STATE)
        self._pose_message = Template(_pose_stamped, 7)
        self._bare_message = Template(lambda _, numbers: _pose_stamped(_, numbers).pose, 7)
        inbox.subscribe(JointState, 'joint_ctrl_single', command, qos.COMMAND)
        inbox.subscribe(JointState, 'control/joint_states', command, qos.COMMAND)
        inbox.subscribe(JointState, 'control/move_j', command, qos.COMMAND)

        def flag(message: Bool) -> None:
            enable(SetBool.Request(data=message.data), SetBool.Response())

        def go_home(_: Empty.Request, response: Empty.Response) -> Empty.Response:
            park(Trigger.Request(), Trigger.Response())
            return response
        node.create_subscription(Bool, 'enable_flag', flag, qos.EVENT, callback_group=slow)
        node.create_service(SetBool, 'enable_agx_arm', enable, callback_group=slow)
        node.create_service(Empty, 'move_home', go_home, callback_group=slow)

    def publish(self, state: ArmState, joints: bytes) -> None:
        """Publish a state; `joints` is its serialised JointState."""
        for topic in self._joints:
            topic.publish(joints)
        flange = Placed.from_matrix(forward(state.position))
        numbers = (*flange.position.tolist(), *flange.xyzw)
        stamped = self._pose_message.fill(state.stamp, numbers)
        for topic in self._poses:
            topic.publish(stamped)
        self._pose.publish(self._bare_message.fill(state.stamp, numbers))


def _pose_stamped(stamp: object, numbers: list[float]) -> PoseStamped:
    message = PoseStamped()
    message.header.stamp, message.header.frame_id = stamp, BASE_FRAME
    place, turn = message.pose.position, message.pose.orientation
    place.x, place.y, place.z, turn.x, turn.y, turn.z, turn.w = numbers
    return message

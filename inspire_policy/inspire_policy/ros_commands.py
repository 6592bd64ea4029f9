# SPDX-License-Identifier: Apache-2.0
"""Set-points as messages: a pose and a width, or joint angles by the driver's own kinematics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from geometry_msgs.msg import PoseStamped
from rclpy._rclpy_pybind11 import RCLError
from rclpy.event_handler import PublisherEventCallbacks
from rclpy.node import Node
from trajectory_msgs.msg import JointTrajectory

from inspire_policy.ros_messages import joint_message, pose_message
from inspire_policy.trajectory import SetPoint
from piper_driver.kinematics import solve
from piper_driver.limits import GRIPPER_NAME, JOINT_NAMES
from piper_driver.qos import COMMAND
from piper_driver.ros_template import Template

# Each event handler (two an endpoint unless told) costs the executor time at every wake-up. The
# other end of a mismatch still warns.
NO_EVENTS = PublisherEventCallbacks(use_default_callbacks=False)


class PoseCommands:
    """Publishes `pose_command` and `gripper_command`."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._pose = Template(pose_message, 7)
        self._width = Template(partial(joint_message, (GRIPPER_NAME,)), 1)
        self._poses = node.create_publisher(
            PoseStamped, 'pose_command', COMMAND, event_callbacks=NO_EVENTS
        )
        self._widths = node.create_publisher(
            JointTrajectory, 'gripper_command', COMMAND, event_callbacks=NO_EVENTS
        )

    def send(self, point: SetPoint, time: float) -> None:
        """Publish the set-point of `time` [s], which is its stamp."""
        pose = point.pose
        try:
            self._poses.publish(self._pose.fill(time, (*pose.position.tolist(), *pose.xyzw)))
            self._widths.publish(self._width.fill(time, (point.width,)))
        except RCLError:
            if self._node.context.ok():  # else the context went down meanwhile, and so do we
                raise


class JointCommands:
    """Publishes `joint_command`: of several solutions the one nearest to the measured joints."""

    def __init__(self, node: Node, measured: Callable[[], Sequence[float] | None]) -> None:
        """`measured` gives joint1..joint6 [rad]; without them nothing can be sent."""
        self._node = node
        self._measured = measured
        names = (*JOINT_NAMES, GRIPPER_NAME)
        self._message = Template(partial(joint_message, names), len(names))
        self._joints = node.create_publisher(
            JointTrajectory, 'joint_command', COMMAND, event_callbacks=NO_EVENTS
        )

    def send(self, point: SetPoint, time: float) -> None:
        """Publish the set-point of `time` [s], which is its stamp."""
        measured = self._measured()
        if measured is None:
            return
        solution = solve(point.pose, measured)
        if not solution.converged:  # then q is the nearest that the arm can reach
            self._node.get_logger().warning(
                f'the commanded pose is out of reach: {solution.reason}',
                throttle_duration_sec=2.0,
            )
        try:
            self._joints.publish(self._message.fill(time, (*solution.q.tolist(), point.width)))
        except RCLError:
            if self._node.context.ok():
                raise

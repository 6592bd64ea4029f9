# SPDX-License-Identifier: Apache-2.0
"""Set-points as messages: a pose and a width, or joint angles by the driver's own kinematics."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from builtin_interfaces.msg import Time as Stamp
from geometry_msgs.msg import PoseStamped
from rclpy._rclpy_pybind11 import RCLError
from rclpy.event_handler import PublisherEventCallbacks
from rclpy.node import Node
from rclpy.time import Time
from trajectory_msgs.msg import JointTrajectory

from inspire_policy.ros_messages import BASE, fill_pose, joint_trajectory
from inspire_policy.trajectory import SetPoint
from piper_driver.kinematics import solve
from piper_driver.limits import GRIPPER_NAME, JOINT_NAMES
from piper_driver.qos import COMMAND

NO_EVENTS = PublisherEventCallbacks(use_default_callbacks=False)  # why: see ros_scene


class PoseCommands:
    """Publishes `pose_command` and `gripper_command`."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._pose = PoseStamped()
        self._pose.header.frame_id = BASE
        self._width = joint_trajectory((GRIPPER_NAME,))
        self._poses = node.create_publisher(
            PoseStamped, 'pose_command', COMMAND, event_callbacks=NO_EVENTS
        )
        self._widths = node.create_publisher(
            JointTrajectory, 'gripper_command', COMMAND, event_callbacks=NO_EVENTS
        )

    def send(self, point: SetPoint, time: float) -> None:
        """Publish the set-point of `time` [s], which is its stamp."""
        self._pose.header.stamp = self._width.header.stamp = stamp_of(time)
        fill_pose(self._pose, point.pose)
        self._width.points[0].positions = [point.width]
        try:
            self._poses.publish(self._pose)
            self._widths.publish(self._width)
        except RCLError:
            if self._node.context.ok():  # else the context went down meanwhile, and so do we
                raise


class JointCommands:
    """Publishes `joint_command`: of several solutions the one nearest to the measured joints."""

    def __init__(self, node: Node, measured: Callable[[], Sequence[float] | None]) -> None:
        """`measured` gives joint1..joint6 [rad]; without them nothing can be sent."""
        self._node = node
        self._measured = measured
        self._message = joint_trajectory((*JOINT_NAMES, GRIPPER_NAME))
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
        self._message.header.stamp = stamp_of(time)
        self._message.points[0].positions = [*solution.q.tolist(), point.width]
        try:
            self._joints.publish(self._message)
        except RCLError:
            if self._node.context.ok():
                raise


def stamp_of(time: float) -> Stamp:
    """Return seconds as a stamp."""
    return Time(nanoseconds=round(time * 1e9)).to_msg()

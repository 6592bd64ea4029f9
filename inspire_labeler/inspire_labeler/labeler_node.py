# SPDX-License-Identifier: Apache-2.0
"""Publishes where the instruction's objects are, in words, for each camera image.

The thinking is in `labelling`. This node subscribes raw and reads the bytes itself (`cdr`): the
same bytes lie in a bag, and rclpy's conversion would cost more than all the rest. Transforms and
grasps come some hundred times a second, each of which would wake the executor (measured: 15 % of a
core for nothing but that), yet labels are needed at the rate of images: so what has come is taken
50 times a second. (rclpy's EventsExecutor was as cheap, but failed at a shutdown.)
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ament_index_python.packages import get_package_share_directory
from builtin_interfaces.msg import Duration, Time
from geometry_msgs.msg import Vector3
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile
from rclpy.subscription import Subscription
from sensor_msgs.msg import CameraInfo, JointState
from std_msgs.msg import Header, String

from inspire_labeler import cdr
from inspire_labeler.catalogue import Catalogue
from inspire_labeler.instruction import InstructionError, warm_up
from inspire_labeler.labeler_parameters import LabelerParameters
from inspire_labeler.labelling import Label, Labelling, Labels, Task
from inspire_labeler.transform_history import SECOND
from inspire_msgs.msg import GraspContacts, SpatialAnswer, SpatialQuestion, SpatialReasoning
from piper_driver import qos
from piper_driver.parameters import declare
from piper_driver.ros_inbox import Unspun
from piper_driver.spinning import run
from tf2_msgs.msg import TFMessage

# Every sample counts: one that a busy machine drops would change an interpolated offset, and the
# label would differ from the one computed from the bag.
_EVERY = QoSProfile(depth=1000)
_LONGEST_REASON = 512
_PERIOD = 0.02


class LabelerNode(Node):
    """Feeds topics to `Labelling` and publishes what comes out."""

    def __init__(self, **options: Any) -> None:
        # Everything here is counted in stamps. Following /clock would double the node's load.
        overrides = [*options.pop('parameter_overrides', ()),
                     Parameter('use_sim_time', value=False)]
        super().__init__('labeler', parameter_overrides=overrides, **options)
        parameters = declare(self, LabelerParameters)
        share = Path(get_package_share_directory('inspire_labeler'))
        catalogue = Catalogue.load(parameters.catalogue or share / 'config' / 'objects.yaml')
        warm_up()
        self._viewer_frame = parameters.viewer_frame
        self._gripper_joint = parameters.gripper_joint
        self._labelling = Labelling(catalogue, parameters.settings)
        self._task: Task | None = None
        self._arrivals: dict[int, float] = {}
        self._line = ''
        self._reasons: dict[str, str] = {}
        self._labels = self.create_publisher(SpatialReasoning, 'spatial_labels', qos.SENSOR)
        self._text = self.create_publisher(String, 'spatial_labels/text', qos.LATCHED)
        self._group = Unspun()
        # In this order they are taken: images last, when what they wait for is there.
        self._inputs: list[tuple[Subscription, Callable[[bytes], None]]] = []
        self._subscribe(TFMessage, '/tf_static', qos.TF_STATIC_OF_ALL, self._on_static_transforms)
        self._subscribe(TFMessage, '/tf', _EVERY, self._on_transforms)
        if parameters.grasp_source == 'contacts':
            self._subscribe(GraspContacts, 'grasp_contacts', _EVERY, self._on_contacts)
        else:
            self._subscribe(JointState, 'joint_states', _EVERY, self._on_joints)
        self._subscribe(CameraInfo, 'camera/camera_info', _EVERY, self._on_camera)
        self.create_subscription(String, 'instruction', self._on_instruction, qos.LATCHED)
        self.create_timer(_PERIOD, self._take, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def _subscribe(self, kind: type, topic: str, profile: QoSProfile,
                   read: Callable[[bytes], None]) -> None:
        subscription = self.create_subscription(kind, topic, read, profile, raw=True,
                                                callback_group=self._group)
        self._inputs.append((subscription, read))

    def _take(self) -> None:
        """Takes in what has come, and publishes the labels that have become known."""
        for subscription, read in self._inputs:
            handle = subscription.handle
            with handle:
                while (taken := handle.take_message(subscription.msg_type, True)) is not None:
                    try:
                        read(taken[0])
                    except cdr.MalformedMessage as error:
                        self.get_logger().error(
                            f'{subscription.topic_name}: a message was left out: {error}',
                            throttle_duration_sec=5.0)
        for labels in self._labelling.take():
            self._publish(labels)

    def _on_transforms(self, data: bytes) -> None:
        self._labelling.add_transforms(cdr.read_transforms(data))

    def _on_static_transforms(self, data: bytes) -> None:
        self._labelling.add_static_transforms(cdr.read_transforms(data))

    def _on_contacts(self, data: bytes) -> None:
        self._labelling.add_contacts(*cdr.read_contacts(data))

    def _on_joints(self, data: bytes) -> None:
        joints = cdr.read_joints(data)
        width = joints.positions.get(self._gripper_joint)
        if width is None:
            self.get_logger().error(
                f"joint_states has no joint '{self._gripper_joint}', it has: "
                f"{', '.join(joints.positions)}", throttle_duration_sec=5.0)
        else:
            self._labelling.add_gripper(joints.stamp, width)

    def _on_camera(self, data: bytes) -> None:
        stamp = cdr.read_header_stamp(data)
        if self._task is not None:
            self._arrivals[stamp] = time.monotonic()
        self._labelling.observe(stamp, [self._task] if self._task else [])

    def _on_instruction(self, message: String) -> None:
        instruction = message.data
        self._take()  # images that came before it are not asked about it
        last = self._labelling.last_observation
        is_new = self._task is None or self._task.instruction != instruction
        try:
            # A policy decides its first actions on the last image before the instruction.
            backlog = [last] if is_new and last is not None else []
            self._task = self._labelling.give(instruction, backlog)
        except InstructionError as error:
            self._task = None
            self.get_logger().error(f'no labels: {error}')
            self._say(f'no labels: {error}')
            return
        self._reasons.clear()
        self.get_logger().info('asked about: ' + ', '.join(
            question.object for question in self._task.questions))

    def _publish(self, labels: Labels) -> None:
        arrival = self._arrivals.pop(labels.stamp, None)
        took = time.monotonic() - arrival if arrival is not None else 0.0
        while len(self._arrivals) > 1000:  # of observations that were given up at a time jump
            self._arrivals.pop(next(iter(self._arrivals)))
        self._labels.publish(SpatialReasoning(
            header=Header(stamp=_time(labels.stamp), frame_id=self._viewer_frame),
            instruction=labels.instruction,
            answers=[_answer(label) for label in labels.labels],
            duration=Duration(sec=int(took), nanosec=int(took % 1 * SECOND))))
        self._say(labels.line)
        for label in labels.labels:
            self._report(label)

    def _say(self, line: str) -> None:
        """For people: once each time it changes, kept for late-comers."""
        if line != self._line:
            self._line = line
            self._text.publish(String(data=line))

    def _report(self, label: Label) -> None:
        """Logs why an object has no label, once until it has one again."""
        name = label.question.object
        if label.text:
            if self._reasons.pop(name, None):
                self.get_logger().info(f'{name}: labelled ({label.frame})')
        elif name not in self._reasons:
            self._reasons[name] = label.reason
            self.get_logger().warning(f'{name}: withheld: {label.reason}')


def _answer(label: Label) -> SpatialAnswer:
    question = label.question
    x, y, z = label.offset
    return SpatialAnswer(
        question=SpatialQuestion(
            formulation=question.formulation.value, object=question.object,
            object_frame=label.frame, text=question.text, options=list(question.options)),
        text=label.text, offset=Vector3(x=x, y=y, z=z), source=SpatialAnswer.SOURCE_TF,
        reason=label.reason[:_LONGEST_REASON])


def _time(stamp: int) -> Time:
    return Time(sec=stamp // SECOND, nanosec=stamp % SECOND)


def main() -> int:
    """The executable `labeler`."""
    return run(LabelerNode)

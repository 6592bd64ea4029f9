# SPDX-License-Identifier: Apache-2.0
"""Between this package's values and ROS messages. Only conversions: no decision is taken here."""

from __future__ import annotations

import array
import math

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Point, PoseStamped, Vector3
from numpy.typing import NDArray
from rclpy.duration import Duration
from sensor_msgs.msg import Image
from std_msgs.msg import ColorRGBA, Header
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint
from visualization_msgs.msg import Marker, MarkerArray

from inspire_labeler.cdr import read_joint_states
from inspire_labeler.transform_history import SECOND
from inspire_msgs.msg import (
    ActionChunk,
    ActionStep,
    SpatialAnswer,
    SpatialQuestion,
    SpatialReasoning,
)
from inspire_policy.following import Progress
from inspire_policy.joint_history import JointSample
from inspire_policy.overlay import colour_of
from inspire_policy.policy import Answer
from piper_driver.limits import GRIPPER_NAME, JOINT_NAMES

BASE = 'base_link'
VIEWER = 'viewer'
UNKNOWN_OFFSET = Vector3(x=math.nan, y=math.nan, z=math.nan)
CHANNELS = {'rgb8': (0, 1, 2), 'bgr8': (2, 1, 0)}


def stamp_of(nanoseconds: int) -> Time:
    return Time(sec=nanoseconds // SECOND, nanosec=nanoseconds % SECOND)


def image_array(message: Image) -> NDArray[np.uint8]:
    """Return the image as (H, W, 3) RGB. Raises ValueError for an encoding other than rgb8 or
    bgr8, and for data of another size.
    """
    if message.encoding not in CHANNELS:
        raise ValueError(f'image encoding is {message.encoding!r}; valid: {", ".join(CHANNELS)}')
    size = message.height * message.step
    if not 0 < 3 * message.width <= message.step or not 0 < len(message.data) == size:
        raise ValueError(
            f'image of {message.width} x {message.height} pixels has {len(message.data)} bytes in '
            f'rows of {message.step}; valid: {3 * message.width * message.height} in rows of '
            f'{3 * message.width}'
        )
    rows = np.frombuffer(message.data, np.uint8).reshape(message.height, message.step)
    pixels = rows[:, : 3 * message.width].reshape(message.height, message.width, 3)
    return pixels if message.encoding == 'rgb8' else pixels[:, :, CHANNELS[message.encoding]]


def image_message(pixels: NDArray[np.uint8], header: Header) -> Image:
    """Return (H, W, 3) RGB as a message."""
    height, width, _ = pixels.shape
    data = array.array('B')  # rclpy checks any other sequence element by element
    data.frombytes(pixels.tobytes())
    return Image(
        header=header, height=height, width=width, encoding='rgb8', step=3 * width, data=data
    )


def joint_sample(data: bytes) -> JointSample:
    """Return a serialized joint_states message by name.

    Raises ValueError when a joint or a value is missing, or is no number.
    """
    joints = read_joint_states(data)
    names, positions, velocities = joints.names, joints.positions, joints.velocities
    index = {name: place for place, name in enumerate(names)}
    missing = [name for name in (*JOINT_NAMES, GRIPPER_NAME) if name not in index]
    if missing:
        raise ValueError(f'joint_states lacks {", ".join(missing)}; it has {list(names)}')
    for values in (positions, velocities):
        if len(values) != len(names):
            raise ValueError(f'joint_states has {len(values)} values for {len(names)} names')
        if not all(map(math.isfinite, values)):
            raise ValueError(f'joint_states has {list(values)}; valid: numbers')
    order = [index[name] for name in JOINT_NAMES]
    return JointSample(
        joints.stamp,
        np.array([positions[place] for place in order]),
        np.array([velocities[place] for place in order]),
        positions[index[GRIPPER_NAME]],
        velocities[index[GRIPPER_NAME]],
    )


def pose_message(stamp: Time, numbers: list[float]) -> PoseStamped:
    """Return a pose in base_link: x y z, qx qy qz qw."""
    message = PoseStamped(header=Header(stamp=stamp, frame_id=BASE))
    place, turn = message.pose.position, message.pose.orientation
    place.x, place.y, place.z, turn.x, turn.y, turn.z, turn.w = numbers
    return message


def joint_message(names: tuple[str, ...], stamp: Time, positions: list[float]) -> JointTrajectory:
    """Return one set-point for the joints of these names."""
    return JointTrajectory(
        header=Header(stamp=stamp),
        joint_names=list(names),
        points=[JointTrajectoryPoint(positions=positions)],
    )


def reasoning_message(progress: Progress, stamp: Time) -> SpatialReasoning:
    """Return what `reasoning` carries of a decision."""
    return SpatialReasoning(
        header=Header(stamp=stamp, frame_id=VIEWER),
        instruction=progress.observation.instruction,
        answers=[answer_message(answer) for answer in progress.decision.answers],
        transcript=progress.decision.transcript,
        chunk_id=progress.chunk_id,
        duration=Duration(seconds=progress.duration).to_msg(),
    )


def answer_message(answer: Answer) -> SpatialAnswer:
    question = SpatialQuestion(
        formulation=answer.question.formulation.value,
        object=answer.question.object,
        object_frame=answer.frame,
        text=answer.question.text,
        options=list(answer.question.options),
    )
    return SpatialAnswer(
        question=question,
        text=answer.text,
        probabilities=array.array('f', answer.probabilities),
        offset=UNKNOWN_OFFSET if answer.offset is None else vector(answer.offset),
        source=int(answer.source),
    )


def vector(values: NDArray[np.float64]) -> Vector3:
    x, y, z = (float(value) for value in values)
    return Vector3(x=x, y=y, z=z)


def chunk_message(progress: Progress, stamp: Time) -> ActionChunk:
    """Return what `action_chunk` carries of a decision."""
    decision = progress.decision
    return ActionChunk(
        header=Header(stamp=stamp, frame_id=BASE),
        chunk_id=progress.chunk_id,
        step_duration=Duration(seconds=decision.step_duration).to_msg(),
        steps=[
            ActionStep(
                translation=vector(action[:3]),
                rotation=vector(action[3:6]),
                gripper_width=float(action[6]),
            )
            for action in decision.actions
        ],
    )


def text_of(answers: tuple[Answer, ...]) -> str:
    """Return the answers in one line: "the ball: left, the book: front"."""
    return ', '.join(f'{answer.question.object}: {answer.text}' for answer in answers)


def marker_array(
    progress: Progress, stamp: Time, rotation_base_to_viewer: NDArray[np.float64]
) -> MarkerArray:
    """Return an arrow from the tcp to each object whose offset is known, with the answer at its
    middle.
    """
    tcp = progress.observation.tcp.position
    markers = []
    for index, answer in enumerate(progress.decision.answers):
        if answer.offset is None or not np.isfinite(answer.offset).all():
            continue
        tip = tcp + rotation_base_to_viewer.T @ answer.offset
        red, green, blue = (value / 255 for value in colour_of(answer.text))
        colour = ColorRGBA(r=red, g=green, b=blue, a=0.9)
        arrow = _marker(stamp, 'arrow', index, Marker.ARROW, colour)
        arrow.points = [_point(tcp), _point(tip)]
        arrow.scale = Vector3(x=0.008, y=0.018, z=0.03)
        text = _marker(stamp, 'text', index, Marker.TEXT_VIEW_FACING, colour)
        text.text = f'{answer.question.object}: {answer.text}'
        text.pose.position = _point((tcp + tip) / 2 + np.array([0.0, 0.0, 0.03]))
        text.scale.z = 0.025
        markers += [arrow, text]
    return MarkerArray(markers=markers)


def _marker(stamp: Time, namespace: str, index: int, kind: int, colour: ColorRGBA) -> Marker:
    marker = Marker(ns=namespace, id=index, type=kind, action=Marker.ADD, color=colour)
    marker.header = Header(stamp=stamp, frame_id=BASE)
    marker.pose.orientation.w = 1.0
    marker.lifetime = Duration(seconds=2.0).to_msg()
    return marker


def _point(position: NDArray[np.float64]) -> Point:
    x, y, z = (float(value) for value in position)
    return Point(x=x, y=y, z=z)

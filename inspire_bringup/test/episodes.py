# SPDX-License-Identifier: Apache-2.0
"""An episode for tests, made of real messages: two seconds in which a robot speaks of a ball."""

from array import array
from dataclasses import replace
from pathlib import Path

import bags
import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import TransformStamped
from rclpy.serialization import serialize_message
from sensor_msgs.msg import Image, JointState

from inspire_bringup import definitions
from inspire_bringup.bag import Topic
from inspire_bringup.manifest import Viewer
from inspire_bringup.recording import Message, Recording, Settings
from inspire_msgs.msg import (
    ActionChunk,
    SpatialAnswer,
    SpatialQuestion,
    SpatialReasoning,
    TaskState,
)
from tf2_msgs.msg import TFMessage

START = 5.0  # s, on the simulation's clock
OPTIONS = ['left', 'right', 'up', 'down', 'front', 'back', 'grasped']
NAMES = [*(f'joint{number}' for number in range(1, 7)), 'gripper']


def stamp(seconds: float) -> Time:
    nanoseconds = round((START + seconds) * 1e9)
    return Time(sec=nanoseconds // 10**9, nanosec=nanoseconds % 10**9)


def reasoning(time: float, word: str, reason: str = '', chunk: int = 0) -> SpatialReasoning:
    question = SpatialQuestion(
        formulation='direction',
        object='the ball',
        object_frame='ball',
        text='In which direction is the ball relative to the robot?',
        options=OPTIONS,
    )
    answer = SpatialAnswer(question=question, text=word, reason=reason, source=4 if chunk else 1)
    if chunk and word:
        answer.probabilities = [float(option == word) for option in OPTIONS]
    message = SpatialReasoning(answers=[answer], chunk_id=chunk)
    message.instruction = 'pick up the ball'
    message.header.stamp = stamp(time)
    message.duration.nanosec = 4_000_000
    return message


def joints(time: float, lag: float = 0.0) -> JointState:
    bend = 0.3 * max(0.0, time - lag)
    message = JointState(name=NAMES, position=[0.0, 1.0 + bend, -1.0, 0.0, 1.0, 0.0, 0.05])
    message.header.stamp = stamp(time)
    return message


def transforms(time: float) -> TFMessage:
    one = TransformStamped(child_frame_id='ball')
    one.header.frame_id = 'world'
    one.header.stamp = stamp(time)
    one.transform.translation.x = 0.3
    one.transform.rotation.w = 1.0
    return TFMessage(transforms=[one])


def picture(time: float) -> Image:
    image = Image(height=24, width=24, encoding='rgb8', step=72)
    image.data = array('B', np.full((24, 24, 3), round(100 + 50 * time), np.uint8).tobytes())
    image.header.stamp = stamp(time)
    return image


def task_state(time: float, world: str) -> TaskState:
    message = TaskState(task='pick_ball', instruction=world, seed=3, success=time > 1.5)
    message.detail = '' if message.success else 'ball is too low'
    message.header.stamp = stamp(time)
    return message


def messages(world: str) -> list[tuple[str, float, object]]:
    """List (topic, log time, message); the second of four answers is not the truth."""
    every: list[tuple[str, float, object]] = []
    for tick in range(41):
        time = tick / 20
        every += [
            ('/joint_states', time, joints(time, lag=0.05)),
            ('/executed_command', time, joints(time)),
            ('/tf', time, transforms(time)),
            ('/camera/image_raw', time, picture(time)),
            ('/task_state', time, task_state(time, world)),
        ]
        truth = '' if tick < 2 else 'right' if tick < 24 else 'grasped'
        every.append(('/spatial_labels', time, reasoning(time, truth, '' if truth else 'no TF')))
    for number, (time, word) in enumerate(
        [(0.2, 'right'), (0.6, 'left'), (1.0, 'right'), (1.4, 'grasped')], 1
    ):
        every.append(('/reasoning', time + 0.03, reasoning(time, word, chunk=number)))
        chunk = ActionChunk(chunk_id=number)
        every.append(('/action_chunk', time + 0.04, chunk))
    return sorted(every, key=lambda one: one[1])


def write_episode(
    folder: Path, world: str = 'pick up the ball', without: tuple[str, ...] = ()
) -> Path:
    """Record the messages into a run's folder and return it."""
    manifest = replace(bags.manifest(), seed=3, simulated_time=True)
    recording = Recording(folder, manifest, Settings(free_bytes=0))
    for topic, time, message in messages(world):
        if topic in without:
            continue
        if topic not in recording.ledgers:
            package, name = type(message).__module__.split('.')[0], type(message).__name__
            kind = f'{package}/msg/{name}'
            text = definitions.definition(kind, definitions.installed)
            recording.add_topic(Topic(topic, kind, text, bags.HASH, (bags.QOS,)))
        nanoseconds = round((START + time) * 1e9)
        data = serialize_message(message)
        recording.put([Message(topic, nanoseconds, nanoseconds, None, data)])
    recording.stop('success', 'well done', Viewer('viewer', 'base_link', 0.0))
    return folder

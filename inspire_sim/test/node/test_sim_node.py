# SPDX-License-Identifier: Apache-2.0
"""The sim node as a process of its own, seen from another node."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import rclpy
from geometry_msgs.msg import PoseStamped
from rclpy.executors import SingleThreadedExecutor
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image, JointState
from std_srvs.srv import SetBool

from inspire_msgs.msg import GraspContacts, TaskState
from inspire_msgs.srv import ResetWorld, StepWorld
from piper_driver.kinematics import HOME, tcp
from piper_driver.qos import CLOCK, COMMAND, SENSOR, STATE, TF, TF_STATIC
from tf2_msgs.msg import TFMessage

pytestmark = pytest.mark.node

TOPICS = {
    '/clock': (Clock, CLOCK), '/tf': (TFMessage, TF), '/tf_static': (TFMessage, TF_STATIC),
    'joint_states': (JointState, STATE), 'executed_command': (JointState, STATE),
    'grasp_contacts': (GraspContacts, STATE), 'task_state': (TaskState, SENSOR),
    'camera/image_raw': (Image, SENSOR), 'camera/camera_info': (CameraInfo, SENSOR),
    'wrist_camera/image_raw': (Image, SENSOR), 'wrist_camera/camera_info': (CameraInfo, SENSOR),
}


def seconds(stamp: Any) -> float:
    return stamp.sec + stamp.nanosec * 1e-9


def start(*parameters: str, environment: dict[str, str] | None = None) -> subprocess.Popen[str]:
    arguments = ['--ros-args', *(part for value in parameters for part in ('-p', value))]
    return subprocess.Popen(
        [sys.executable, '-m', 'inspire_sim.sim_node', *arguments], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **(environment or {})})


class Listener:
    """A node that keeps every message, and calls services."""

    def __init__(self) -> None:
        self.context = rclpy.Context()
        rclpy.init(context=self.context)
        self.node = rclpy.create_node('listener', context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.heard: dict[str, list[Any]] = {name: [] for name in TOPICS}
        for name, (kind, profile) in TOPICS.items():
            self.node.create_subscription(kind, name, self.heard[name].append, profile)

    def until(self, condition: Callable[[], object], limit: float = 30.0) -> None:
        deadline = time.monotonic() + limit
        while not condition():
            assert time.monotonic() < deadline, 'condition not met in time'
            self.executor.spin_once(timeout_sec=0.05)

    def call(self, kind: Any, name: str, **fields: object) -> Any:
        client = self.node.create_client(kind, name)
        self.until(client.service_is_ready)
        future = client.call_async(kind.Request(**fields))
        self.until(future.done)
        self.node.destroy_client(client)
        return future.result()

    def clock(self) -> list[float]:
        return [seconds(message.clock) for message in self.heard['/clock']]

    def stamps(self, topic: str) -> np.ndarray:
        return np.array([seconds(message.header.stamp) for message in self.heard[topic]])

    def object_stamps(self) -> np.ndarray:
        return np.array([seconds(message.transforms[0].header.stamp) for message
                         in self.heard['/tf'] if message.transforms[0].header.frame_id == 'world'])

    def forget(self) -> None:
        for messages in self.heard.values():
            messages.clear()

    def close(self) -> None:
        self.executor.shutdown()
        self.node.destroy_node()
        rclpy.try_shutdown(context=self.context)


@pytest.fixture
def listener(ros_domain: int, no_survivors: None) -> Iterator[Listener]:
    made = Listener()
    yield made
    made.close()


@pytest.fixture
def sim(listener: Listener) -> Iterator[subprocess.Popen[str]]:
    # Slower than real time: one Python node that hears 1000 messages a second falls behind.
    process = start('task:=stack_cubes', 'seed:=2', 'image_width:=64', 'image_height:=48',
                    'real_time_factor:=0.3')
    try:
        listener.until(lambda: all(listener.heard.values()))
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 0, errors
    assert 'Traceback' not in errors


def test_every_topic_has_its_rate_and_its_stamps(listener: Listener,
                                                 sim: subprocess.Popen[str]) -> None:
    listener.forget()
    listener.until(lambda: len(listener.heard['task_state']) >= 10)
    for topic, period in (('joint_states', 0.005), ('executed_command', 0.005),
                          ('grasp_contacts', 0.01), ('task_state', 0.1)):
        assert np.allclose(np.diff(listener.stamps(topic)), period, atol=1e-6), topic
    assert np.allclose(np.diff(listener.object_stamps()), 0.01, atol=1e-6)
    assert np.all(np.diff(listener.clock()) > 0.0)
    pictures = listener.stamps('camera/image_raw')
    assert np.diff(pictures).mean() == pytest.approx(1 / 30, abs=0.01)
    both = set(pictures) & set(listener.stamps('wrist_camera/image_raw'))
    assert len(both) >= len(pictures) - 1
    assert set(listener.stamps('camera/camera_info')) >= set(pictures[:-1])


def test_messages_say_what_the_interfaces_promise(listener: Listener,
                                                  sim: subprocess.Popen[str]) -> None:
    image = listener.heard['camera/image_raw'][-1]
    assert (image.width, image.height, image.encoding, image.step) == (64, 48, 'rgb8', 192)
    assert len(image.data) == 64 * 48 * 3 and max(image.data) > 0
    assert image.header.frame_id == 'camera_optical_frame'
    info = listener.heard['wrist_camera/camera_info'][-1]
    assert info.header.frame_id == 'wrist_camera_optical_frame'
    assert info.k[0] == info.k[4] > 0 and info.k[2] == 31.5 and info.p[0] == info.k[0]
    state = listener.heard['task_state'][-1]
    assert (state.task, state.seed, state.split) == ('stack_cubes', 2, 'seen')
    assert state.instruction == 'stack the green cube on the blue cube'
    assert not state.success and state.detail
    children = {(item.header.frame_id, item.child_frame_id)
                for message in listener.heard['/tf_static'] for item in message.transforms}
    assert {('world', 'base_link'), ('world', 'camera_optical_frame'),
            ('link6', 'wrist_camera_optical_frame')} <= children
    frames = {item.child_frame_id for message in listener.heard['/tf']
              for item in message.transforms}
    assert {'green_cube', 'blue_cube', 'link6', 'tcp'} <= frames


def test_a_reset_goes_forward_in_time_over_a_gap(listener: Listener,
                                                 sim: subprocess.Popen[str]) -> None:
    answer = listener.call(ResetWorld, 'reset_world', task='pick_bal', seed=1)
    assert not answer.success and 'pick_ball' in answer.message
    assert answer.task == 'stack_cubes'
    answer = listener.call(ResetWorld, 'reset_world', task='put the ball on the book', seed=4)
    assert answer.success and answer.task == 'ball_on_book'
    assert answer.instruction == 'put the ball on the book'
    listener.until(lambda: listener.heard['task_state']
                   and listener.heard['task_state'][-1].task == 'ball_on_book'
                   and listener.heard['task_state'][-1].elapsed > 0.3)
    assert np.all(np.diff(listener.clock()) > 0.0)
    gaps = np.sort(np.diff(listener.object_stamps()))
    assert gaps[0] > 0.0 and gaps[-1] > 0.4 and gaps[-2] < 0.02
    frames = {item.child_frame_id for item in listener.heard['/tf'][-1].transforms}
    frames |= {item.child_frame_id for item in listener.heard['/tf'][-2].transforms}
    assert {'ball', 'book'} <= frames
    measured = listener.heard['joint_states'][-1].position[:6]
    assert np.allclose(measured, HOME, atol=5e-3)     # the driver holds the new pose, not the old


def test_a_paused_world_is_stepped_by_service(listener: Listener,
                                              sim: subprocess.Popen[str]) -> None:
    refused = listener.call(StepWorld, 'step', steps=2)
    assert not refused.success and 'set_pause' in refused.message
    assert listener.call(SetBool, 'set_pause', data=True).success
    first = listener.call(StepWorld, 'step', steps=2)
    second = listener.call(StepWorld, 'step', steps=5)
    assert second.success and second.time - first.time == pytest.approx(0.0125, abs=1e-9)
    refused = listener.call(StepWorld, 'step', steps=0)
    assert not refused.success and 'valid: 1' in refused.message
    listener.forget()
    listener.until(lambda: len(listener.heard['/clock']) > 3)     # the time is still told
    assert listener.clock()[-1] == pytest.approx(second.time, abs=1e-6)
    assert listener.call(SetBool, 'set_pause', data=False).success
    listener.until(lambda: listener.clock()[-1] > second.time + 0.2)


def test_a_stream_of_poses_moves_the_arm(listener: Listener,
                                         sim: subprocess.Popen[str]) -> None:
    publisher = listener.node.create_publisher(PoseStamped, 'pose_command', COMMAND)
    listener.until(lambda: publisher.get_subscription_count() > 0)
    home = tcp(HOME)
    begin, sent = listener.clock()[-1], 0.0
    while sent < 1.0:
        now = listener.clock()[-1] - begin
        if now > sent:
            sent = now
            message = PoseStamped()
            message.header.frame_id, message.header.stamp = 'base_link', \
                listener.heard['/clock'][-1].clock
            x, y, z = home.position
            place, turn = message.pose.position, message.pose.orientation
            place.x, place.y, place.z = x, y + 0.1 * min(sent, 0.8), z
            turn.x, turn.y, turn.z, turn.w = home.quaternion.tolist()
            publisher.publish(message)
        listener.executor.spin_once(timeout_sec=0.01)
    moved = tcp(listener.heard['joint_states'][-1].position[:6])
    assert moved.position[1] == pytest.approx(0.08, abs=0.01)
    executed = listener.heard['executed_command'][-1]
    assert executed.name[-1] == 'gripper' and executed.position[6] == pytest.approx(0.07)


@pytest.mark.parametrize(('parameter', 'said'), [
    ('task:=pick_bal', 'pick_ball'),
    ('real_time_factor:=-1.0', 'real_time_factor is -1.0; valid is 0.0..100.0'),
    ('image_width:=100000', 'image_width is 100000; valid is 16..640'),
])
def test_a_bad_parameter_is_refused_at_the_start(ros_domain: int, no_survivors: None,
                                                 parameter: str, said: str) -> None:
    process = start(parameter)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 1 and said in errors and 'Traceback' not in errors


def test_a_window_without_a_display_is_refused(ros_domain: int, no_survivors: None) -> None:
    process = start('viewer_window:=true', environment={'DISPLAY': '', 'WAYLAND_DISPLAY': ''})
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 1 and 'neither DISPLAY nor WAYLAND_DISPLAY' in errors


def test_a_machine_that_cannot_render_is_told_at_the_start(ros_domain: int,
                                                           no_survivors: None) -> None:
    process = start(environment={'MUJOCO_GL': 'egl', 'MUJOCO_EGL_DEVICE_ID': '99'})
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1, errors
    assert 'no offscreen OpenGL through MUJOCO_GL=egl' in errors and 'Traceback' not in errors


def test_the_node_ends_at_any_moment_of_its_start(ros_domain: int, no_survivors: None) -> None:
    for delay in (0.3, 0.8, 1.3, 1.8, 2.3):
        process = start('image_width:=64', 'image_height:=48')
        deadline = time.monotonic() + delay
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)    # hanging is the failure
        assert process.returncode is not None

# SPDX-License-Identifier: Apache-2.0
"""The expert drives the simulated arm over a real graph, and the arm outlives it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import rclpy
from rclpy.action import ActionClient
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import JointState

from inspire_msgs.action import FollowInstruction
from inspire_msgs.msg import SpatialAnswer, SpatialReasoning, TaskState
from inspire_msgs.srv import ResetWorld
from piper_driver.qos import EVENT, SENSOR

pytestmark = pytest.mark.node
DEADLINE = 60.0  # s; a loaded machine simulates slower than real time
HOLD = 0.1  # s of simulated time in which the arm has to hold when its commander is gone


class Conductor(Node):
    """Sets the world up, sends goals, and listens to what the arm is sent."""

    def __init__(self) -> None:
        super().__init__('conductor')
        self.task: TaskState | None = None
        self.said: list[SpatialReasoning] = []
        self.executed: list[tuple[float, np.ndarray]] = []
        self.reset = self.create_client(ResetWorld, 'reset_world')
        self.follow = ActionClient(self, FollowInstruction, 'follow_instruction')
        self.create_subscription(TaskState, 'task_state', self._on_task, EVENT)
        self.create_subscription(
            SpatialReasoning, 'reasoning', lambda m: self.said.append(m), EVENT
        )
        self.create_subscription(JointState, 'executed_command', self._on_executed, SENSOR)

    def _on_task(self, message: TaskState) -> None:
        self.task = message

    def _on_executed(self, message: JointState) -> None:
        stamp = message.header.stamp
        at = stamp.sec + stamp.nanosec * 1e-9
        self.executed.append((at, np.array(message.position[:6])))


def wait_for(condition: Callable, what: str = '') -> object:
    limit = time.monotonic() + DEADLINE
    while not (value := condition()):
        assert time.monotonic() < limit, f'in {DEADLINE} s never: {what or condition}'
        time.sleep(0.01)
    return value


def result_of(future: rclpy.task.Future) -> object:
    return wait_for(lambda: future.done() and future.result())


def on_executor(node: Node, call: Callable) -> object:
    """Return what `call` returns on the executor's thread: on another one an action client of
    Jazzy may miss an answer that comes before it has noted its question.
    """
    task = node.executor.create_task(call)
    wait_for(task.done)
    return task.result()


@pytest.fixture
def policy(ros_domain: int, no_survivors: None) -> Iterator[subprocess.Popen]:
    """A simulation and a policy in processes of their own; gives the policy's."""
    sim = subprocess.Popen([sys.executable, '-m', 'inspire_sim.sim_node'])
    policy = subprocess.Popen(
        [sys.executable, '-m', 'inspire_policy.policy_node', '--ros-args', '-p']
        + ['use_sim_time:=true']
    )
    yield policy
    for process in (policy, sim):
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
    for process in (policy, sim):
        try:
            assert process.wait(20) in (0, -signal.SIGKILL)
        finally:
            process.kill()


@pytest.fixture
def conductor(policy: subprocess.Popen) -> Iterator[Conductor]:
    rclpy.init()
    node, executor, closing = Conductor(), SingleThreadedExecutor(), threading.Event()
    executor.add_node(node)

    def spin() -> None:
        while not closing.is_set():
            executor.spin_once(timeout_sec=0.1)

    thread = threading.Thread(target=spin)
    thread.start()
    yield node
    closing.set()
    thread.join()
    executor.shutdown()
    node.destroy_node()
    rclpy.shutdown()


def begin(conductor: Conductor, task: str, seed: int) -> rclpy.task.Future:
    """Set the world up and send its instruction; gives the future of the result."""
    assert conductor.reset.wait_for_service(DEADLINE)
    assert conductor.follow.wait_for_server(DEADLINE)
    done = result_of(conductor.reset.call_async(ResetWorld.Request(task=task, seed=seed)))
    assert done.success, done.message
    goal = FollowInstruction.Goal(instruction=done.instruction)
    sent = on_executor(conductor, lambda: conductor.follow.send_goal_async(goal))
    return on_executor(conductor, result_of(sent).get_result_async)


def test_it_solves_a_task_and_says_where_the_ball_is(conductor: Conductor) -> None:
    response = result_of(begin(conductor, 'pick_ball', 1))
    assert response.result.code == FollowInstruction.Result.NONE, response.result.message
    wait_for(lambda: conductor.task and conductor.task.success, 'the ball is picked up')
    answers = [message.answers[0] for message in conductor.said]
    assert {answer.question.object_frame for answer in answers} == {'ball'}
    assert {answer.source for answer in answers} == {SpatialAnswer.SOURCE_EXPERT}
    assert answers[0].text != 'grasped'
    assert answers[-1].text == 'grasped'


@pytest.mark.parametrize('number', [signal.SIGKILL, signal.SIGSTOP])
def test_when_the_policy_falls_silent_in_motion_the_arm_holds(
    conductor: Conductor, policy: subprocess.Popen, number: signal.Signals
) -> None:
    begin(conductor, 'pick_ball', 1)
    wait_for(lambda: len(conductor.said) >= 2, 'it moves')
    os.kill(policy.pid, number)
    silent = conductor.executed[-1][0]
    wait_for(lambda: conductor.executed[-1][0] > silent + 0.5)
    moving = np.array([joints for at, joints in conductor.executed if silent - 0.1 < at < silent])
    assert np.ptp(moving, axis=0).max() > 1e-3, 'it was in motion'
    after = [joints for at, joints in conductor.executed if at > silent + HOLD]
    np.testing.assert_allclose(after, [after[-1]] * len(after), atol=1e-6)
    if number is signal.SIGSTOP:
        os.kill(policy.pid, signal.SIGCONT)

# SPDX-License-Identifier: Apache-2.0
"""Looks at a running graph from outside: when the arm is told to move, and when it holds.

For benchmarks and tests. What counts is `executed_command`: what was sent to the arm, by the
driver, 200 times a second, with simulated stamps.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import PoseStamped
from rclpy.action import ActionClient
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.time import Time
from sensor_msgs.msg import JointState

from inspire_msgs.action import FollowInstruction
from inspire_msgs.msg import SpatialReasoning, TaskState
from piper_driver.qos import EVENT, SENSOR, STATE

Listener = TypeVar('Listener', bound=Node)

STILL = 1e-6  # rad or m: a set-point that changed by less has not changed
MOVED = 1e-3  # rad: further from its first place than this, the arm has been moved


@dataclass(frozen=True)
class Executed:
    """One command as sent to the arm."""

    stamp: float  # s, of the graph's clock
    wall: float  # s, monotonic, when it came here
    position: tuple[float, ...]  # rad, and the gripper's width [m]


class Probe(Node):
    """Collects commands as executed, and what else tells how far a graph is."""

    def __init__(self, context: Context) -> None:
        super().__init__('probe', context=context)
        self.executed: list[Executed] = []
        self.commanded: list[float] = []  # stamps of pose_command [s]
        self.decisions = 0
        self.task_state: TaskState | None = None
        self.follow = ActionClient(self, FollowInstruction, 'follow_instruction')
        # with room for a second: on a busy machine what this node misses would count as silence
        self.create_subscription(JointState, 'executed_command', self._on_executed, STATE)
        self.create_subscription(PoseStamped, 'pose_command', self._on_commanded, STATE)
        self.create_subscription(SpatialReasoning, 'reasoning', self._on_reasoning, EVENT)
        self.create_subscription(TaskState, 'task_state', self._on_task_state, SENSOR)

    def _on_executed(self, message: JointState) -> None:
        stamp = seconds(message.header.stamp)
        self.executed.append(Executed(stamp, time.monotonic(), tuple(message.position)))

    def _on_commanded(self, message: PoseStamped) -> None:
        self.commanded.append(seconds(message.header.stamp))

    def _on_reasoning(self, message: SpatialReasoning) -> None:
        self.decisions += 1

    def _on_task_state(self, message: TaskState) -> None:
        self.task_state = message


class Probing:
    """A probe and the spinning of it."""

    def __init__(self, probe: Probe, executor: SingleThreadedExecutor) -> None:
        self.probe = probe
        self.executor = executor

    def until(self, condition: Callable[[], object], within: float, what: str) -> None:
        """Spin until the condition holds.

        Raises:
            TimeoutError: it did not `within` seconds.

        """
        deadline = time.monotonic() + within
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError(f'{what} did not come within {within:g} s')
            self.executor.spin_once(timeout_sec=0.05)

    def spin(self, duration: float) -> None:
        """Listen for this long [s]."""
        deadline = time.monotonic() + duration
        while time.monotonic() < deadline:
            self.executor.spin_once(timeout_sec=0.01)

    def has_moved(self) -> bool:
        """Tell whether the arm has been told to leave the first place that was seen."""
        executed = self.probe.executed
        if len(executed) < 2:
            return False
        away = np.subtract(executed[-1].position, executed[0].position)
        return bool(np.abs(away[:6]).max() > MOVED)

    def instruct(self, instruction: str, within: float = 30.0) -> None:
        """Give an instruction; return when it was accepted."""
        follow = self.probe.follow
        self.until(follow.server_is_ready, within, 'the action follow_instruction')
        sent = follow.send_goal_async(FollowInstruction.Goal(instruction=instruction))
        self.until(sent.done, within, 'the answer to follow_instruction')
        if not sent.result().accepted:
            raise RuntimeError(f'{instruction!r} was refused')


class TripCounter(Node):
    """Hears nothing but `arm_status`: a probe that hears everything would disturb what it counts.
    """

    def __init__(self, context: Context) -> None:
        super().__init__('trip_counter', context=context)
        self.first: int | None = None
        self.last = 0
        self.create_subscription(DiagnosticStatus, 'arm_status', self._on_status, SENSOR)

    @property
    def trips(self) -> int:
        """How often the watchdog has tripped since the first status that was heard."""
        return self.last - (self.first or 0)

    def _on_status(self, message: DiagnosticStatus) -> None:
        values = {pair.key: pair.value for pair in message.values}
        self.last = int(values['watchdog_trips'])
        if self.first is None:
            self.first = self.last


@contextmanager
def probing(domain: int) -> Iterator[Probing]:
    """Yield a probe of the graph in this ROS domain; its context is its own."""
    with in_context(domain, Probe) as (probe, executor):
        yield Probing(probe, executor)


@contextmanager
def in_context(
    domain: int, make: Callable[[Context], Listener]
) -> Iterator[tuple[Listener, SingleThreadedExecutor]]:
    """Yield a node in a context and on an executor of its own."""
    context = Context()
    rclpy.init(context=context, domain_id=domain)
    node = make(context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    try:
        yield node, executor
    finally:
        executor.shutdown()
        node.destroy_node()
        context.try_shutdown()


def last_change(executed: list[Executed]) -> Executed:
    """Return the last command that differs from the one before it."""
    for previous, current in zip(executed[-2::-1], executed[:0:-1], strict=True):
        if np.abs(np.subtract(current.position, previous.position)).max() > STILL:
            return current
    return executed[0]


def seconds(stamp: object) -> float:
    return float(Time.from_msg(stamp).nanoseconds) * 1e-9

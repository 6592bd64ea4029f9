# SPDX-License-Identifier: Apache-2.0
"""Listens to a running graph and keeps a `View` of it up to date."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.time import Time

from inspire_bringup.view import Observation, Said, View
from inspire_msgs.msg import Agreement, SpatialAnswer, SpatialReasoning, TaskState
from piper_driver.qos import EVENT, SENSOR


class Listener(Node):
    """Subscribes to what a person wants to see. `observations` counts the reasonings heard."""

    def __init__(self) -> None:
        super().__init__('echo')
        self.view = View()
        self.observations = 0
        self.create_subscription(SpatialReasoning, 'reasoning', self._on_reasoning, EVENT)
        self.create_subscription(SpatialReasoning, 'spatial_labels', self._on_labels, SENSOR)
        self.create_subscription(Agreement, 'agreement', self._on_agreement, EVENT)
        self.create_subscription(TaskState, 'task_state', self._on_task_state, SENSOR)

    def _on_reasoning(self, message: SpatialReasoning) -> None:
        self.view.note('reasoning')
        self.view.reasoning = observation(message)
        self.observations += 1

    def _on_labels(self, message: SpatialReasoning) -> None:
        self.view.note('spatial_labels')
        self.view.labels = observation(message)

    def _on_agreement(self, message: Agreement) -> None:
        self.view.agreed, self.view.compared = message.agreed, message.compared

    def _on_task_state(self, message: TaskState) -> None:
        view = self.view
        view.note('task_state')
        view.task, view.success, view.elapsed = message.task, message.success, message.elapsed
        view.missing = message.detail


@contextmanager
def listening() -> Iterator[tuple[Listener, SingleThreadedExecutor]]:
    """Yield a listener and the executor to spin it with."""
    rclpy.init()
    listener, executor = Listener(), SingleThreadedExecutor()
    executor.add_node(listener)
    try:
        yield listener, executor
    except ExternalShutdownException:
        raise KeyboardInterrupt from None
    finally:
        executor.shutdown()
        listener.destroy_node()
        rclpy.try_shutdown()


def observation(message: SpatialReasoning) -> Observation:
    return Observation(
        Time.from_msg(message.header.stamp).nanoseconds * 1e-9,
        message.instruction,
        tuple(said(answer) for answer in message.answers),
        message.chunk_id,
    )


def said(answer: SpatialAnswer) -> Said:
    question: Any = answer.question
    probabilities = zip(question.options, answer.probabilities, strict=False)
    return Said(
        question.object,
        question.text,
        answer.text,
        answer.reason,
        tuple((option, float(probability)) for option, probability in probabilities),
    )

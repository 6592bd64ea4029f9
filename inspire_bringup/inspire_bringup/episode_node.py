# SPDX-License-Identifier: Apache-2.0
"""The episode node: conducts episodes on a running graph, and ends with their outcome.

For each episode: set the world up, start the recording, give the instruction, listen to the
reasoning until the task's success has held, take the instruction back, stop the recording. It is a
client of the other nodes: it moves nothing itself, and knows success, and what time it is, from
`task_state` only.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import rclpy
from rclpy.action import ActionClient
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

from inspire_bringup.episode_parameters import EpisodeParameters
from inspire_bringup.narration import ERROR, Tally
from inspire_bringup.ros_conductor import Conductor, EpisodeError, Interrupted
from inspire_msgs.action import FollowInstruction
from inspire_msgs.msg import Agreement, SpatialReasoning, TaskState
from inspire_msgs.srv import ResetWorld, StartEpisode, StopEpisode
from piper_driver.parameters import declare
from piper_driver.qos import EVENT, SENSOR
from piper_driver.ros_time import leave_clock

INTERRUPTED = 130  # as shells count a program ended by Ctrl-C


class EpisodeNode(Node):
    """Clients and subscriptions, and the latest message of each."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__('episode', **arguments)
        leave_clock(self)
        self.parameters = declare(self, EpisodeParameters)
        self.reset = self.create_client(ResetWorld, 'reset_world')
        self.start = self.create_client(StartEpisode, 'start_episode')
        self.stop = self.create_client(StopEpisode, 'stop_episode')
        self.follow = ActionClient(self, FollowInstruction, 'follow_instruction')
        self.task_state: TaskState | None = None
        self.tally = Tally()
        self.heard: list[SpatialReasoning] = []
        self.alive = time.monotonic()  # when the latest task state came
        self.create_subscription(TaskState, 'task_state', self._on_task_state, SENSOR)
        self.create_subscription(Agreement, 'agreement', self._on_agreement, EVENT)
        self.create_subscription(SpatialReasoning, 'reasoning', self._on_reasoning, EVENT)

    def _on_task_state(self, message: TaskState) -> None:
        self.task_state, self.alive = message, time.monotonic()

    def _on_agreement(self, message: Agreement) -> None:
        self.tally = Tally(message.compared, message.agreed)

    def _on_reasoning(self, message: SpatialReasoning) -> None:
        self.heard.append(message)


def main() -> int:
    """Run the episodes of the parameters; 0 success, 1 failure or error, 130 interrupted."""
    try:
        rclpy.init()
        node = EpisodeNode()
    except ValueError as error:
        print(f'{ERROR}{error}', file=sys.stderr)
        return 1
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    try:
        return Conductor(node, executor).run()
    except EpisodeError as error:
        print(f'{ERROR}{error}', file=sys.stderr)
        return 1
    except (Interrupted, KeyboardInterrupt):
        return INTERRUPTED
    finally:
        executor.shutdown()
        node.destroy_node()
        rclpy.try_shutdown()


if __name__ == '__main__':
    sys.exit(main())

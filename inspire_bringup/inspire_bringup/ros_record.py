# SPDX-License-Identifier: Apache-2.0
"""A recorder in this process, for `./inspire record`: the same node, started and stopped here."""

import time
from collections.abc import Callable
from dataclasses import replace

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.parameter import Parameter

from inspire_bringup.log_clock import CLOCK_TOPIC
from inspire_bringup.recorder_node import RecorderNode
from inspire_bringup.recording import Status

SHOW_PERIOD = 0.5


def record(
    directory: str,
    instruction: str,
    task: str,
    seed: int,
    seconds: float,
    show: Callable[[Status], None],
) -> Status:
    """Record until Ctrl-C (or for `seconds`, where not 0) and return the last status."""
    rclpy.init()
    node = RecorderNode()
    try:
        _meet(node)
        if node.count_publishers(CLOCK_TOPIC):
            node.set_parameters([Parameter('use_sim_time', value=True)])
        node.start(directory, instruction, task, seed)
        try:
            _spin(node, seconds, show)
        except (KeyboardInterrupt, ExternalShutdownException):
            pass  # Ctrl-C: the episode is closed below
        folder, status = node.stop()
        return replace(status, folder=folder or status.folder)
    finally:
        node.destroy_node()
        rclpy.try_shutdown()


def _meet(node: RecorderNode) -> None:
    """Give the other nodes the time to be known, so that /clock is seen if there is one."""
    deadline = time.monotonic() + node.parameters.meeting_time
    while time.monotonic() < deadline and not node.count_publishers(CLOCK_TOPIC):
        time.sleep(0.05)


def _spin(node: RecorderNode, seconds: float, show: Callable[[Status], None]) -> None:
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    end = time.monotonic() + (seconds or float('inf'))
    next_show = time.monotonic()
    while rclpy.ok() and (now := time.monotonic()) < end:
        executor.spin_once(timeout_sec=0.1)
        if now >= next_show and (status := node.status()) is not None:
            show(status)
            next_show = now + SHOW_PERIOD

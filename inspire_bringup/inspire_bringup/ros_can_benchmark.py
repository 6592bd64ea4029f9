# SPDX-License-Identifier: Apache-2.0
"""Measures the driver for hardware from both ends: its topics, and the frames on the bus.

Run by `./inspire bench can`, for ten minutes by `--with listening=600`. Four processes: the
emulator, the driver, a witness that notes the kernel's time of each frame, and this one, which
commands. Times of commands and frames are those of the system's clock, so they can be compared.
All ask for real-time priorities: on a busy machine the driver is to be measured, not how long an
emulator waits for a processor.
"""

from __future__ import annotations

import math
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import JointState
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from inspire_bringup.domain import claimed_domain
from inspire_bringup.figures import Measured
from inspire_bringup.graph_benchmark import process
from inspire_bringup.ros_probe import in_context
from piper_driver.qos import COMMAND, SENSOR, STATE
from piper_driver.realtime import go_first

PYTHON = (sys.executable, '-P', '-m')
STREAM = 40.0       # s of a 200 Hz stream, for the latency of commands
STOPS = 40          # streams that are ended while the arm moves
PATIENCE = 60.0     # s for everything to come up
SETTLING = 0.4      # s after the last command of a stream
TARGETS, WIDTH, STATES = 0x155, 0x159, 0x2A7
WIDTHS = (0.030, 0.034)     # m

Seen = tuple[float, int, int]   # when [s], frame, value: joint1 [mdeg], width [um], of others 0


class Commander(Node):
    """Commands the driver and hears its states."""

    def __init__(self, context: Context) -> None:
        super().__init__('commander', context=context)
        self.stamps: list[float] = []
        self.status = ''
        self.trips = 0
        self.joints = self.create_publisher(JointTrajectory, 'joint_command', COMMAND)
        self.gripper = self.create_publisher(JointTrajectory, 'gripper_command', COMMAND)
        self.create_subscription(DiagnosticStatus, 'arm_status', self._on_status, SENSOR)

    def listen(self) -> None:
        self.create_subscription(JointState, 'joint_states', self._on_states, STATE)

    def _on_status(self, message: DiagnosticStatus) -> None:
        self.status = message.message
        self.trips = next(int(one.value) for one in message.values
                          if one.key == 'watchdog_trips')

    def _on_states(self, message: JointState) -> None:
        self.stamps.append(message.header.stamp.sec + message.header.stamp.nanosec * 1e-9)

    def send(self, joint1: float, width: float) -> float:
        """Send both commands; return when that began [s]."""
        now = time.time()
        stamp = Time(sec=int(now), nanosec=int(now % 1 * 1e9))
        for topic, names, values in ((self.gripper, ['gripper'], [width]),
                                     (self.joints, ['joint1'], [joint1])):
            message = JointTrajectory(
                joint_names=names, points=[JointTrajectoryPoint(positions=values)])
            message.header.stamp = stamp
            topic.publish(message)
        return now


def benchmark(listening: str = '30') -> list[Measured]:
    """Measure latency, holding and feedback of the driver on an emulated bus.

    listening: for so long commands are streamed and states listened to [s].
    """
    with claimed_domain() as domain, in_domain(domain), in_context(domain, Commander) as (
        node, executor
    ):
        driver = [*PYTHON, 'piper_driver.can_driver_node', '--ros-args']
        for pair in ('can_interface:=udp_multicast', 'autostart:=active', 'connect_timeout:=60.0'):
            driver += ['-p', pair]
        emulator = [*PYTHON, 'piper_driver.emulator_bus', '--realtime']
        with process(emulator, domain), process(driver, domain):
            go_first()
            deadline = time.monotonic() + PATIENCE
            while not (node.status.startswith('holding: waiting')
                       and node.joints.get_subscription_count()):
                if time.monotonic() > deadline:
                    raise TimeoutError(f'no driver that waits for commands; it says {node.status}')
                executor.spin_once(timeout_sec=0.1)
            return [*latency(node), *holding(node),
                    *feedback(node, executor, float(listening))]


def latency(node: Commander) -> list[Measured]:
    """Return how soon a change of the commanded width is on the bus [ms], in a 200 Hz stream."""
    chance, changes, width, next_change = random.Random(0), [], WIDTHS[0], 1.0
    with witness() as seen:
        begin = due = time.monotonic()
        while (elapsed := due - begin) < STREAM:
            changed = elapsed >= next_change
            if changed:
                width = WIDTHS[1 - WIDTHS.index(width)]
                next_change = elapsed + chance.uniform(0.1, 0.2)
            sent = node.send(0.0, width)
            if changed:
                changes.append(sent)
            due += 0.005
            time.sleep(max(due - time.monotonic(), 0.0))
    frames = [(when, value) for when, frame, value in seen if frame == WIDTH]
    samples = [1000 * (first - sent) for sent in changes
               if (first := first_change(frames, sent)) is not None]
    return [('command_to_frame', samples, 'ms'), ('command_to_frame_p99', [p99(samples)], 'ms')]


def holding(node: Commander) -> list[Measured]:
    """Return when the set-point rests after the first command that did not come [ms]."""
    samples = []
    for number in range(STOPS):
        ends = 1.0 + 0.037 * number     # at another speed of the motion each time
        with witness() as seen:
            begin = due = time.monotonic()
            while due - begin < ends:
                last = node.send(0.3 * math.sin(1.5 * (due - begin)), WIDTHS[0])
                due += 0.01
                time.sleep(max(due - time.monotonic(), 0.0))
            time.sleep(SETTLING)
        frames = [(when, value) for when, frame, value in seen if frame == TARGETS]
        changed = [when for (_, old), (when, new) in pairwise(frames)
                   if new != old]
        samples.append(1000 * (changed[-1] - last - 0.01))
    return [('hold_after_missed_command', samples, 'ms'),
            ('hold_after_missed_command_p99', [p99(samples)], 'ms')]


def feedback(node: Commander, executor: SingleThreadedExecutor, seconds: float
             ) -> list[Measured]:
    """Return the rate of states [1/s] while commands are streamed at 100 Hz, how many that were
    on the bus were not published, and how often the watchdog tripped.
    """
    node.listen()
    with witness() as seen:
        begin = due = time.monotonic()
        while due - begin < seconds:
            if due - begin < 1.0:
                before = node.trips     # of streams that were ended on purpose
            node.send(0.3 * math.sin(1.5 * (due - begin)), WIDTHS[0])
            due += 0.01
            while (left := due - time.monotonic()) > 0:
                executor.spin_once(timeout_sec=left)
        trips = node.trips - before
    # From one frame to another, well inside: a state is stamped soon after its frame.
    whens = [when for when, frame, _ in seen
             if frame == STATES and node.stamps[0] + 1.0 <= when < node.stamps[-1] - 1.0]
    first, last, sent = whens[0], whens[-1], len(whens) - 1
    told = sum(first <= stamp < last for stamp in node.stamps)
    return [('states_per_second', [told / (last - first)], '1/s'),
            ('states_on_the_bus', [sent], ''), ('states_not_published', [sent - told], ''),
            ('watchdog_trips', [trips], '')]


def first_change(frames: list[tuple[float, int]], after: float) -> float | None:
    """Return when the value on the bus changed first after an instant."""
    before = [value for when, value in frames if when <= after]
    if not before:
        return None
    return next((when for when, value in frames if when > after and value != before[-1]), None)


def p99(samples: list[float]) -> float:
    return sorted(samples)[min(int(len(samples) * 0.99), len(samples) - 1)]


@contextmanager
def in_domain(domain: int) -> Iterator[None]:
    """Live in a ROS domain, which emulated buses belong to as well."""
    before = os.environ.get('ROS_DOMAIN_ID')
    os.environ['ROS_DOMAIN_ID'] = str(domain)
    try:
        yield
    finally:
        del os.environ['ROS_DOMAIN_ID']
        if before is not None:
            os.environ['ROS_DOMAIN_ID'] = before


@contextmanager
def witness() -> Iterator[list[Seen]]:
    """Note the frames that pass while the block runs; the list is filled when it ends."""
    seen: list[Seen] = []
    with subprocess.Popen([*PYTHON, __spec__.name], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as other:
        assert other.stdout is not None
        other.stdout.readline()     # it listens
        yield seen
        output, _ = other.communicate('')
    for line in output.splitlines():
        when, frame, value = line.split()
        seen.append((float(when), int(frame), int(value)))


def main() -> None:
    """Be the witness, until the standard input is closed."""
    import select

    from piper_driver.can_bus import open_bus
    go_first()
    bus = open_bus('udp_multicast')
    print('listening', flush=True)
    seen = []
    while not select.select([sys.stdin], [], [], 0)[0]:
        message = bus.recv(0.05)
        if message is not None and message.arbitration_id in (TARGETS, WIDTH, STATES):
            value = int.from_bytes(message.data[:4], 'big', signed=True)
            told = 0 if message.arbitration_id == STATES else value
            seen.append((message.timestamp, message.arbitration_id, told))
    bus.shutdown()
    for one in seen:
        print(*one)


if __name__ == '__main__':
    main()

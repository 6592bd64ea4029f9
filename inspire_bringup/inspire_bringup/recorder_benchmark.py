# SPDX-License-Identifier: Apache-2.0
"""Measure the recorder on a full graph: what it loses (nothing) and what it costs.

A process of its own publishes what the robot publishes: two cameras of 224 x 224 at 30 Hz, joint
states and executed commands at 200 Hz, transforms of the robot and of the objects at 100 Hz,
clock, contacts and commands at 100 Hz, states at 10 Hz. It counts what it sent; the bag is read
back and compared with that, topic by topic. Run by `./inspire bench recorder`.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from array import array
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from inspire_bringup.episode_reader import EpisodeReader
from inspire_bringup.figures import Measured, summarise

WIDTH = HEIGHT = 224


@dataclass(frozen=True)
class Stream:
    """A topic that the load publishes: Hz and a function that makes the message."""

    topic: str
    rate: int
    message: Any


@dataclass(frozen=True)
class Result:
    """What one run of the benchmark gave."""

    seconds: float
    sent: dict[str, int]
    written: dict[str, int]
    counted_lost: int
    bytes: int
    processor_share: float  # of one core, of the recorder's process

    @property
    def missing(self) -> int:
        return sum(count - self.written.get(topic, 0) for topic, count in self.sent.items())


def streams() -> list[Stream]:
    """List the topics of the simulated robot with messages of their true sizes."""
    from geometry_msgs.msg import PoseStamped, TransformStamped
    from rosgraph_msgs.msg import Clock
    from sensor_msgs.msg import CameraInfo, Image, JointState
    from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

    from inspire_msgs.msg import GraspContacts, SpatialReasoning, TaskState
    from tf2_msgs.msg import TFMessage

    image = Image(height=HEIGHT, width=WIDTH, encoding='rgb8', step=3 * WIDTH)
    image.data = array('B', os.urandom(WIDTH * HEIGHT * 3))  # nothing to compress
    names = [*(f'joint{number}' for number in range(1, 7)), 'gripper']
    joints = JointState(name=names, position=[0.1] * 7, velocity=[0.1] * 7, effort=[0.1] * 7)
    transforms = [TransformStamped(child_frame_id=f'frame_{number}') for number in range(12)]
    gripper = JointTrajectory(joint_names=['gripper'])
    gripper.points = [JointTrajectoryPoint(positions=[0.05])]
    listed = [
        ('clock', 100, Clock()),
        ('joint_states', 200, joints),
        ('executed_command', 200, joints),
        ('tf', 100, TFMessage(transforms=transforms)),
        ('tf', 100, TFMessage(transforms=transforms)),
        ('pose_command', 100, PoseStamped()),
        ('gripper_command', 100, gripper),
        ('grasp_contacts', 100, GraspContacts(objects=['ball'])),
        ('task_state', 10, TaskState()),
        ('reasoning', 10, SpatialReasoning(transcript='left ' * 40)),
        ('spatial_labels', 30, SpatialReasoning()),
    ]
    for camera in ('camera', 'wrist_camera'):
        listed += [(f'{camera}/image_raw', 30, image), (f'{camera}/camera_info', 30, CameraInfo())]
    return [Stream(*one) for one in listed]


def publish_load(seconds: float) -> dict[str, int]:
    """Publish every stream at its rate until the time is over; return how many were sent."""
    import rclpy
    from rclpy.qos import QoSProfile

    rclpy.init()
    node = rclpy.create_node('load')
    loads = [
        (one, node.create_publisher(type(one.message), one.topic, QoSProfile(depth=10)))
        for one in streams()
    ]
    print('ready', flush=True)
    sys.stdin.readline()
    sent: Counter[str] = Counter()
    start = time.monotonic()
    for tick in range(int(seconds * 600)):  # a common multiple of all rates
        time.sleep(max(0.0, start + tick / 600 - time.monotonic()))
        for one, publisher in loads:
            if tick % (600 // one.rate) == 0:
                _set_stamp(one.message, tick * (1_000_000_000 // 600))
                publisher.publish(one.message)
                sent[publisher.topic_name] += 1
    node.destroy_node()
    rclpy.shutdown()
    return dict(sent)


def _set_stamp(message: Any, nanoseconds: int) -> None:
    """Write a stamp where a message has one, as its publisher would."""
    if hasattr(message, 'header'):
        stamp = message.header.stamp
    elif hasattr(message, 'clock'):
        stamp = message.clock
    else:
        stamp = message.transforms[0].header.stamp
    stamp.sec, stamp.nanosec = divmod(nanoseconds, 1_000_000_000)


@contextmanager
def _process(*command: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def measure(seconds: float, folder: Path) -> Result:
    """Record the load for so long into `folder`; compare what was written with what was sent."""
    module = [sys.executable, '-m', 'inspire_bringup.recorder_benchmark']
    with _process(*module, '--load', str(seconds)) as load:
        load.stdout.readline()  # type: ignore[union-attr]  # it has its publishers
        with _process(*module, '--record', str(folder)) as recorder:
            recorder.stdout.readline()  # type: ignore[union-attr]  # every publisher knows it
            sent_text, _ = load.communicate('start\n')
            status_text, _ = recorder.communicate('stop\n')
    sent = json.loads(sent_text.splitlines()[-1])
    status = json.loads(status_text.splitlines()[-1])
    written = Counter(record.topic for record in EpisodeReader(folder).records())
    return Result(
        seconds, sent, dict(written), status['lost'], status['bytes'], status['processor_share']
    )


def record(folder: str) -> dict[str, Any]:
    """Record into `folder` until a line comes in; return losses, size and share of a core."""
    import rclpy
    from rclpy.executors import SingleThreadedExecutor

    from inspire_bringup.recorder_node import RecorderNode

    rclpy.init()
    node = RecorderNode()
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    node.start(folder)
    print('recording', flush=True)
    began, used = time.monotonic(), time.process_time()
    while not _line_waits():
        executor.spin_once(timeout_sec=0.2)
    share = (time.process_time() - used) / (time.monotonic() - began)
    _, status = node.stop()
    node.destroy_node()
    rclpy.shutdown()
    return {'lost': status.lost, 'bytes': status.bytes, 'processor_share': share}


def _line_waits() -> bool:
    import select

    return bool(select.select([sys.stdin], [], [], 0.0)[0])


def benchmark(seconds: float = 60.0) -> list[Measured]:
    """Run the benchmark once; return its figures."""
    with tempfile.TemporaryDirectory() as folder:
        result = measure(seconds, Path(folder) / 'run')
    values = [
        ('recorder: messages sent', sum(result.sent.values()), 'messages'),
        ('recorder: messages missing in the bag', result.missing, 'messages'),
        ('recorder: messages it counted as lost', result.counted_lost, 'messages'),
        ('recorder: written', result.bytes / 1e6 / result.seconds, 'MB/s'),
        ('recorder: processor', result.processor_share * 100, '% of a core'),
    ]
    return [(name, [value], unit) for name, value, unit in values]


def main() -> int:
    """Run as one of the benchmark's processes, or all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--load', type=float, help=argparse.SUPPRESS)
    parser.add_argument('--record', help=argparse.SUPPRESS)
    parser.add_argument('--seconds', type=float, default=60.0)
    arguments = parser.parse_args()
    if arguments.load:
        print(json.dumps(publish_load(arguments.load)))
    elif arguments.record:
        print(json.dumps(record(arguments.record)))
    else:
        found = [asdict(summarise(*one)) for one in benchmark(arguments.seconds)]
        print(json.dumps(found, indent=2))
    return 0


if __name__ == '__main__':
    sys.exit(main())

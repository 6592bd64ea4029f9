# SPDX-License-Identifier: Apache-2.0
"""Measures how images travel between two processes: latency and loss, small and large.

Large images are what breaks first: without the profile in setup/fastdds.xml most 640 x 480 images
are lost. Run by `./inspire bench transport`.
"""

from __future__ import annotations

import subprocess
import sys
import time
from array import array

import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import Image

from inspire_bringup.domain import claimed_domain
from inspire_bringup.figures import Measured
from piper_driver.qos import SENSOR

SIZES = {'224x224': (224, 224), '640x480': (640, 480)}
RATE = 30.0  # Hz
COUNT = 150
TOPIC = 'bench/image'
PATIENCE = 20.0  # s until the two processes have found each other


def benchmark() -> list[Measured]:
    """Return the median latency [ms] and the lost images of each size."""
    figures: list[Measured] = []
    for name, (width, height) in SIZES.items():
        latencies = receive(width, height)
        figures.append((f'transport_{name}', [1e3 * one for one in latencies], 'ms'))
        lost = float(COUNT - len(latencies))
        figures.append((f'transport_{name}_lost', [lost], 'images'))
    return figures


def receive(width: int, height: int) -> list[float]:
    """Have another process publish images; return the latency of each that came [s]."""
    latencies: list[float] = []

    def on_image(message: Image) -> None:
        stamp = message.header.stamp
        latencies.append(time.time() - (stamp.sec + stamp.nanosec * 1e-9))

    with claimed_domain() as domain:
        context = Context()
        rclpy.init(context=context, domain_id=domain)
        node = Node('receiver', context=context)
        node.create_subscription(Image, TOPIC, on_image, SENSOR)
        executor = SingleThreadedExecutor(context=context)
        executor.add_node(node)
        words = [sys.executable, '-P', '-m', __name__, str(domain), str(width), str(height)]
        sender = subprocess.Popen(words)
        try:
            deadline = time.monotonic() + PATIENCE + COUNT / RATE
            while len(latencies) < COUNT and time.monotonic() < deadline:
                executor.spin_once(timeout_sec=0.1)
                if sender.poll() is not None and len(latencies) < COUNT:
                    deadline = min(deadline, time.monotonic() + 0.5)  # what is still on its way
        finally:
            sender.terminate()
            sender.wait()
            executor.shutdown()
            node.destroy_node()
            context.try_shutdown()
    return latencies


def send(domain: int, width: int, height: int) -> None:
    """Publish the images, once somebody listens."""
    rclpy.init(domain_id=domain)
    node = Node('sender')
    publisher = node.create_publisher(Image, TOPIC, SENSOR)
    image = Image(width=width, height=height, encoding='rgb8', step=3 * width)
    image.data = array('B', bytes(3 * width * height))
    while not publisher.get_subscription_count():
        time.sleep(0.01)
    begin = time.monotonic()
    for index in range(COUNT):
        time.sleep(max(0.0, begin + index / RATE - time.monotonic()))
        now = time.time_ns()
        image.header.stamp.sec, image.header.stamp.nanosec = divmod(now, 1_000_000_000)
        publisher.publish(image)
    time.sleep(1.0)  # a reliable publisher that leaves takes what is unread with it
    node.destroy_node()
    rclpy.try_shutdown()


if __name__ == '__main__':
    send(*map(int, sys.argv[1:4]))

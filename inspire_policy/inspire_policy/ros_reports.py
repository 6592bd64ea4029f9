# SPDX-License-Identifier: Apache-2.0
"""What the policy says, as messages: reasoning, its text, markers and picture, and the chunk."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

import numpy as np
from builtin_interfaces.msg import Time
from numpy.typing import NDArray
from rclpy._rclpy_pybind11 import RCLError
from rclpy.node import Node
from sensor_msgs.msg import Image
from std_msgs.msg import String
from visualization_msgs.msg import MarkerArray

from inspire_msgs.msg import ActionChunk, SpatialReasoning
from inspire_policy.clock import Clock
from inspire_policy.following import Progress
from inspire_policy.overlay import Line, draw
from inspire_policy.policy import Answer
from inspire_policy.ros_commands import NO_EVENTS
from inspire_policy.ros_messages import (
    chunk_message,
    image_array,
    image_message,
    marker_array,
    reasoning_message,
    text_of,
)
from piper_driver.pinhole import Spot
from piper_driver.qos import EVENT, SENSOR


class Reports:
    """Publishes decisions, on the thread that made them.

    `latest`: the instruction of the last one, and its answers as they are drawn.
    """

    def __init__(
        self,
        node: Node,
        rotation_base_to_viewer: NDArray[np.float64],
        spot: Callable[[NDArray[np.float64]], Spot | None],
    ) -> None:
        """`spot`: where in the image that is drawn on a place in base_link [m] is."""
        self._spot = spot
        publish = partial(node.create_publisher, event_callbacks=NO_EVENTS)
        self._rotation = rotation_base_to_viewer
        self._reasoning = publish(SpatialReasoning, 'reasoning', EVENT)
        self._text = publish(String, 'reasoning/text', EVENT)
        self._markers = publish(MarkerArray, 'reasoning/markers', EVENT)
        self._chunk = publish(ActionChunk, 'action_chunk', EVENT)
        self.latest: tuple[str, list[Line]] | None = None

    def publish(self, progress: Progress, stamp: Time) -> None:
        """Publish a decision; `stamp` is its observation's."""
        lines = [self._line(answer, progress) for answer in progress.decision.answers]
        self.latest = progress.observation.instruction, lines
        self._reasoning.publish(reasoning_message(progress, stamp))
        self._text.publish(String(data=text_of(progress.decision.answers)))
        self._markers.publish(marker_array(progress, stamp, self._rotation))
        if progress.chunk_id:
            self._chunk.publish(chunk_message(progress, stamp))

    def _line(self, answer: Answer, progress: Progress) -> Line:
        """Return an answer as it is drawn."""
        options, probabilities = answer.question.options, answer.probabilities
        known = answer.text in options and len(probabilities) == len(options)
        probability = probabilities[options.index(answer.text)] if known else None
        place = None
        if answer.offset is not None:
            tcp = progress.observation.tcp.position
            place = self._spot(tcp + self._rotation.T @ answer.offset)
        return Line(answer.question.object, answer.text, probability, spot=place)


class Painter:
    """Publishes `reasoning/image`, the camera's image with the latest answers, on its own thread.

    Only newer images, only while somebody subscribes, and never more than `rate` a second.
    """

    def __init__(
        self,
        node: Node,
        clock: Clock,
        rate: float,
        latest_image: Callable[[], Image | None],
        latest: Callable[[], tuple[str, list[Line]] | None],
    ) -> None:
        self._node = node
        self._clock = clock
        self._period = 1.0 / rate
        self._latest_image = latest_image
        self._latest = latest
        self._publisher = node.create_publisher(
            Image, 'reasoning/image', SENSOR, event_callbacks=NO_EVENTS
        )
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name='paint')

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        due, painted = self._clock.now(), None
        while not self._closing.is_set():
            if not self._clock.wait_until(due):
                continue
            due = self._clock.now() + self._period
            try:
                image = self._latest_image()
                if image is not painted and self._publisher.get_subscription_count():
                    self._publisher.publish(self._picture(image))
                    painted = image
            except ValueError as error:  # of an image that cannot be drawn on
                painted = image
                self._node.get_logger().warning(str(error), throttle_duration_sec=5.0)
            except RCLError:
                if self._node.context.ok():
                    raise
                return

    def _picture(self, image: Image) -> Image:
        """Return the camera's image with the latest answers on it."""
        latest = self._latest()
        if latest is None:
            return image
        title, lines = latest
        return image_message(draw(image_array(image), lines, title=title), image.header)

# SPDX-License-Identifier: Apache-2.0
"""`Buffer`: the tree of frames with ROS types at its boundary."""

from __future__ import annotations

from typing import Protocol

from geometry_msgs.msg import TransformStamped
from rclpy.duration import Duration
from rclpy.logging import get_logger
from rclpy.node import Node
from rclpy.task import Future
from rclpy.time import Time

from tf2_msgs.srv import FrameGraph
from tf2_ros.buffer_core import DEFAULT_CACHE_NS, BufferCore
from tf2_ros.exceptions import TransformException
from tf2_ros.geometry import Transform


class Stamp(Protocol):
    """A builtin_interfaces/Time, which is taken wherever an rclpy Time is."""

    sec: int
    nanosec: int


def nanoseconds(time: Time | Stamp) -> int:
    """Of an rclpy Time or of a message's stamp."""
    if isinstance(time, Time):
        return int(time.nanoseconds)
    return time.sec * 1_000_000_000 + time.nanosec


def to_message(target: str, source: str, result: tuple[Transform, int]) -> TransformStamped:
    (x, y, z, qx, qy, qz, qw), time = result
    message = TransformStamped()
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(time, 1_000_000_000)
    message.header.frame_id = target
    message.child_frame_id = source
    translation, rotation = message.transform.translation, message.transform.rotation
    translation.x, translation.y, translation.z = x, y, z
    rotation.x, rotation.y, rotation.z, rotation.w = qx, qy, qz, qw
    return message


class Buffer:
    """Transforms of the last `cache_time` (10 s unless given); any thread may call any method.

    With a node it also answers the service `tf2_frames`. A time of zero asks for the latest
    common time. A lookup with a timeout waits for the data to come, so another thread (a
    TransformListener with spin_thread, or a multi-threaded executor) has to take it in.
    """

    def __init__(self, cache_time: Duration | None = None, node: Node | None = None) -> None:
        cache_ns = DEFAULT_CACHE_NS if cache_time is None else cache_time.nanoseconds
        self._core = BufferCore(cache_ns)
        self._logger = get_logger('tf2_buffer')
        self._pending: list[tuple[str, str, int, Future]] = []
        if node is not None:
            self.srv = node.create_service(FrameGraph, 'tf2_frames', self._answer_frames)

    def set_transform(self, transform: TransformStamped, authority: str) -> None:
        """Takes a moving transform. A wrong one is logged and ignored."""
        self._insert(transform, authority, static=False)

    def set_transform_static(self, transform: TransformStamped, authority: str) -> None:
        """Takes a transform that holds at every time."""
        self._insert(transform, authority, static=True)

    def lookup_transform(
        self,
        target_frame: str,
        source_frame: str,
        time: Time | Stamp,
        timeout: Duration = Duration(),
    ) -> TransformStamped:
        """The transform that takes points of source_frame into target_frame.

        Raises LookupException, ConnectivityException, ExtrapolationException or
        InvalidArgumentException, after waiting for `timeout` at most.
        """
        stamp = nanoseconds(time)
        if timeout.nanoseconds > 0:
            self._core.wait(target_frame, source_frame, stamp, timeout.nanoseconds / 1e9)
        result = self._core.lookup(target_frame, source_frame, stamp)
        return to_message(target_frame, source_frame, result)

    def lookup_transform_full(
        self,
        target_frame: str,
        target_time: Time | Stamp,
        source_frame: str,
        source_time: Time | Stamp,
        fixed_frame: str,
        timeout: Duration = Duration(),
    ) -> TransformStamped:
        """source_frame at source_time, in target_frame at target_time, by way of fixed_frame."""
        first, second = nanoseconds(target_time), nanoseconds(source_time)
        if timeout.nanoseconds > 0:
            self._core.wait(fixed_frame, source_frame, second, timeout.nanoseconds / 1e9)
            self._core.wait(target_frame, fixed_frame, first, timeout.nanoseconds / 1e9)
        result = self._core.lookup_full(target_frame, first, source_frame, second, fixed_frame)
        return to_message(target_frame, source_frame, result)

    def can_transform(
        self,
        target_frame: str,
        source_frame: str,
        time: Time | Stamp,
        timeout: Duration = Duration(),
        return_debug_tuple: bool = False,
    ) -> bool | tuple[bool, str]:
        """Whether the lookup would succeed within `timeout`; with the reason if asked for it."""
        result = self._core.wait(
            target_frame, source_frame, nanoseconds(time), timeout.nanoseconds / 1e9
        )
        return result if return_debug_tuple else result[0]

    def wait_for_transform_async(
        self, target_frame: str, source_frame: str, time: Time | Stamp
    ) -> Future:
        """A future that holds the transform once it is known."""
        future = Future()
        self._pending.append((target_frame, source_frame, nanoseconds(time), future))
        self._settle_pending()
        return future

    async def lookup_transform_async(
        self, target_frame: str, source_frame: str, time: Time | Stamp
    ) -> TransformStamped:
        return await self.wait_for_transform_async(target_frame, source_frame, time)

    def get_latest_common_time(self, target_frame: str, source_frame: str) -> Time:
        """The latest time at which the transform is known; zero where it is static."""
        latest = self._core.latest_common_time(target_frame, source_frame)
        return Time(nanoseconds=latest)

    def clear(self) -> None:
        """Forgets every moving transform, as after a jump in time."""
        self._core.clear()

    def all_frames_as_yaml(self) -> str:
        return self._core.all_frames_as_yaml()

    def all_frames_as_string(self) -> str:
        return self._core.all_frames_as_string()

    def _insert(self, message: TransformStamped, authority: str, *, static: bool) -> None:
        header, transform = message.header, message.transform
        stamp, position, rotation = header.stamp, transform.translation, transform.rotation
        refused = self._core.insert(
            header.frame_id,
            message.child_frame_id,
            stamp.sec * 1_000_000_000 + stamp.nanosec,
            (position.x, position.y, position.z, rotation.x, rotation.y, rotation.z, rotation.w),
            authority=authority,
            static=static,
        )
        if refused is not None:
            self._logger.warning(refused, throttle_duration_sec=1.0)
        elif self._pending:
            self._settle_pending()

    def _settle_pending(self) -> None:
        for entry in list(self._pending):
            target, source, time, future = entry
            try:
                result = self._core.lookup(target, source, time)
            except TransformException:
                continue
            try:
                self._pending.remove(entry)
            except ValueError:  # another thread settled it
                continue
            future.set_result(to_message(target, source, result))

    def _answer_frames(
        self, request: FrameGraph.Request, response: FrameGraph.Response
    ) -> FrameGraph.Response:
        response.frame_yaml = self.all_frames_as_yaml()
        return response

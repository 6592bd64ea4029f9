# SPDX-License-Identifier: Apache-2.0
"""What the policy can see and know, taken from topics: images, arm state, transforms, and the
truth if allowed.

Every part of an observation is of one instant, the image's stamp: joint states are interpolated
there, and so is TF, never "latest". Object frames are looked up only for a policy that needs the
truth.

Some 700 messages a second come in, of which a decision uses a few: so they wake nobody, are taken
when somebody asks, and are read from their bytes (`cdr`), transforms by the class that makes the
labels.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticStatus
from numpy.typing import NDArray
from rclpy.node import Node
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import CameraInfo, Image, JointState

from inspire_labeler.cdr import read_contacts, read_header_stamp, read_transforms
from inspire_labeler.transform_history import MissingTransform, TransformHistory
from inspire_msgs.msg import GraspContacts
from inspire_policy.clock import Clock
from inspire_policy.following import StaleObservation
from inspire_policy.joint_history import JointHistory
from inspire_policy.policy import PolicyObservation
from inspire_policy.ros_messages import BASE, image_array, joint_sample, stamp_of
from piper_driver.pinhole import Spot, spot
from piper_driver.pose import Pose
from piper_driver.qos import EVENT, SENSOR, STATE, TF, TF_STATIC_OF_ALL
from piper_driver.ros_inbox import Inbox
from tf2_msgs.msg import TFMessage

if TYPE_CHECKING:
    from inspire_sim.world import Truth

TCP = 'tcp'
TRANSFORM_PATIENCE = 0.1  # s; transforms of an image's instant come up to 10 ms after it
# s of a person's time for that. The clock stands still in a pause, and once nobody spins the node.
LONGEST_WAIT = 1.0
LOOK = 0.005  # s between looks whether it has come
TOGETHER = 20_000_000  # ns; images within half a frame are of one instant
GONE = 200_000_000  # ns; an object whose transforms ended this long before the image is not there


class SeenImage:
    """An image as it came; what is never looked at is never converted."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.stamp = read_header_stamp(data)  # ns

    @cached_property
    def message(self) -> Image:
        return deserialize_message(self._data, Image)


class RosScene:
    """The scene of a policy node. `latest_image` and `joint_positions` may be called on any
    thread, everything else on the one that follows.
    """

    def __init__(
        self,
        node: Node,
        clock: Clock,
        cameras: Iterable[str],
        object_frames: Iterable[str],
        stale_after: float,
        arm_silence: float,
    ) -> None:
        """`object_frames` are the frames that may exist; empty for a policy that may not know any.
        """
        self._clock = clock
        self._stale_after = stale_after
        self._arm_silence = arm_silence
        self._object_frames = tuple(object_frames)
        self._warn = node.get_logger().warning
        self._frames = TransformHistory()
        self._images: dict[str, deque[SeenImage]] = {}
        self._joints = JointHistory()
        self._status: tuple[float, DiagnosticStatus] | None = None
        self._contacts: deque[tuple[int, frozenset[str]]] = deque(maxlen=100)
        self._begin = 0.0
        self.stamp = Time()  # of the latest observation, exact
        self._seen = 0  # the same [ns]
        self._view: bytes | None = None  # the first camera's CameraInfo
        self._body = Inbox(node)  # taken from by any thread
        self._world = Inbox(node)  # taken from by the thread that follows
        for camera in cameras:
            queue = self._images[camera] = deque(maxlen=3)
            self._body.subscribe(Image, f'{camera}/image_raw', _into(queue), SENSOR, raw=True)
        self._body.subscribe(JointState, 'joint_states', self._on_joints, STATE, raw=True)
        first = next(iter(self._images))
        self._world.subscribe(CameraInfo, f'{first}/camera_info', self._on_view, SENSOR, raw=True)
        self._world.subscribe(DiagnosticStatus, 'arm_status', self._on_status, EVENT)
        self._world.subscribe(
            TFMessage, '/tf_static', self._on_static_transforms, TF_STATIC_OF_ALL, raw=True
        )
        self._world.subscribe(TFMessage, '/tf', self._on_transforms, TF, raw=True)
        if self._object_frames:
            self._world.subscribe(
                GraspContacts, 'grasp_contacts', self._on_contacts, TF, raw=True
            )

    def observe(self, cameras: tuple[str, ...], needs_truth: bool) -> PolicyObservation:
        """Return the latest observation of which every part is there. Raises StaleObservation."""
        self._take()
        images = self._newest_images()
        stamp = images[next(iter(images))].stamp
        joints = self._joints.at(stamp, tolerance=int(self._stale_after * 1e9))
        if joints is None:
            raise StaleObservation('joint_states has nothing at the stamp of the image')
        tcp = self._tcp(stamp)
        truth = self._truth_at(stamp, tcp, joints.width) if needs_truth else None
        try:
            pictures = {camera: image_array(images[camera].message) for camera in cameras}
        except ValueError as error:
            raise StaleObservation(str(error)) from None
        self.stamp, self._seen = stamp_of(stamp), stamp
        return PolicyObservation(
            stamp=stamp * 1e-9,
            images=pictures,
            joint_positions=joints.positions,
            joint_velocities=joints.velocities,
            gripper_width=joints.width,
            gripper_velocity=joints.width_velocity,
            tcp=tcp,
            instruction='',
            truth=truth,
        )

    def arm_fault(self) -> str:
        """Return why the arm cannot be moved; empty when it can."""
        self._take()
        now = self._clock.now()
        if not self._begin:  # not at construction: simulated time may not have reached here then
            self._begin = now
        heard, status = self._status or (0.0, None)
        silence = now - max(heard, self._begin)
        if silence > self._arm_silence:
            return f'no arm_status for {silence:.1f} s; valid: up to {self._arm_silence:g} s'
        if status is not None and status.level >= DiagnosticStatus.ERROR:
            return f'the arm says: {status.message}'
        return ''

    def latest_image(self) -> Image | None:
        """Return the newest image of the first camera."""
        self._body.take()
        queue = next(iter(self._images.values()))
        return queue[-1].message if queue else None

    def spot(self, place: NDArray[np.float64]) -> Spot | None:
        """Return where in the first camera's image of the latest observation a place (3,) [m] in
        base_link is; None: not in it, or the camera says not where it is and what it sees.
        """
        if self._view is None:
            return None
        view = deserialize_message(self._view, CameraInfo)
        try:
            camera = self._pose_in_base(view.header.frame_id, self._seen)
        except MissingTransform:
            return None
        return spot(place, camera, view.k.reshape(3, 3), view.width, view.height)

    def joint_positions(self) -> list[float] | None:
        """Return joint1..joint6 as last measured [rad]; None: not known."""
        self._body.take()
        joints = self._joints.latest
        return None if joints is None else joints.positions.tolist()

    def measured(self) -> tuple[Pose, float] | None:
        """Return the tcp's latest pose and the gripper's width [m] then; None: not known yet.

        The width is never older than the pose: both have to be of the same side of a reset.
        """
        self._take()
        stamp, joints = self._frames.newest(TCP), self._joints.latest
        if stamp is None or joints is None or joints.stamp < stamp:
            return None
        try:
            return self._pose_in_base(TCP, stamp), joints.width
        except MissingTransform:
            return None

    def _take(self) -> None:
        """Take in what has come."""
        self._world.take()
        self._body.take()  # last, so that an image finds what belongs to it

    def _newest_images(self) -> dict[str, SeenImage]:
        """Return the newest images of all cameras that are of one instant, keyed by camera."""
        first, *others = self._images
        for camera, queue in self._images.items():
            if not queue:
                raise StaleObservation(f'{camera}/image_raw has sent nothing yet')
        for image in reversed(list(self._images[first])):
            chosen = {first: image}
            for camera in others:
                nearest = min(list(self._images[camera]), key=lambda other: _apart(other, image))
                if _apart(nearest, image) <= TOGETHER:
                    chosen[camera] = nearest
            if len(chosen) == len(self._images):
                self._check_age(f'{first}/image_raw', image.stamp)
                return chosen
        raise StaleObservation(f'{", ".join(self._images)}: no images within 20 ms of each other')

    def _check_age(self, topic: str, stamp: int) -> None:
        """Raise StaleObservation when `stamp` [ns] is too old."""
        age = self._clock.now() - stamp * 1e-9
        if age > self._stale_after:
            raise StaleObservation(
                f'{topic} is {age:.2f} s old; valid: up to {self._stale_after:g} s'
            )

    def _wait_for(self, come: Callable[[], bool], missing: str) -> None:
        """Wait a little for what belongs to an image that has come before it.

        Raises StaleObservation, which says that `missing` is.
        """
        limit, person = self._clock.now() + TRANSFORM_PATIENCE, time.monotonic() + LONGEST_WAIT
        while not come():
            now = self._clock.now()
            if now >= limit or time.monotonic() >= person:
                raise StaleObservation(missing)
            self._clock.wait_until(now + LOOK)
            self._world.take()

    def _tcp(self, stamp: int) -> Pose:
        """Return the tcp's pose in base_link at `stamp` [ns]."""
        self._wait_for(lambda: self._reaches(TCP, stamp), f'/tf has no {TCP} up to the image')
        try:
            return self._pose_in_base(TCP, stamp)
        except MissingTransform as error:
            raise StaleObservation(f'no transform of {TCP} in {BASE}: {error}') from None

    def _truth_at(self, stamp: int, tcp: Pose, width: float) -> Truth:
        """Return the simulation's truth at `stamp` [ns]: every object on TF at that time."""
        from inspire_sim.world import Truth  # brings a physics engine: not for learned policies

        objects = {}
        for frame in self._object_frames:
            latest = self._frames.newest(frame)
            if latest is None or latest <= stamp - GONE:
                continue  # not on the table; the policy says so if it needed it
            try:
                self._wait_for(lambda frame=frame: self._reaches(frame, stamp), frame)
                objects[frame] = self._pose_in_base(frame, stamp)
            except (StaleObservation, MissingTransform):
                continue
        if not objects:  # all come in one message: none of them means that it has not come yet
            raise StaleObservation('no object of the catalogue is on /tf')
        return Truth(stamp * 1e-9, tcp, objects, self._grasped(stamp), width)

    def _grasped(self, stamp: int) -> frozenset[str]:
        """Return the frames that both fingers touched at `stamp` [ns]: as last reported until
        then.
        """
        self._wait_for(
            lambda: bool(self._contacts) and self._contacts[-1][0] >= stamp,
            'grasp_contacts has nothing up to the stamp of the image',
        )
        for reported, frames in reversed(self._contacts):
            if reported <= stamp:
                return frames
        return frozenset()

    def _reaches(self, frame: str, stamp: int) -> bool:
        """Tell whether the frame's transforms are known up to `stamp` [ns]."""
        newest = self._frames.newest(frame)
        return newest is not None and newest >= stamp

    def _pose_in_base(self, frame: str, stamp: int) -> Pose:
        """Return the frame's pose in base_link at `stamp` [ns]. Raises MissingTransform."""
        root, pose = self._pose_in_root(frame, stamp)
        if root == BASE:
            return pose
        base_root, base = self._pose_in_root(BASE, stamp)
        if base_root != root:
            raise MissingTransform(f'{frame} is in {root}, but {BASE} is in {base_root}')
        return base.inverse() @ pose

    def _pose_in_root(self, frame: str, stamp: int) -> tuple[str, Pose]:
        """Return the frame at the top of the frame's tree, and the pose in it."""
        root, position = self._frames.position(frame, stamp)
        try:
            return root, Pose(position, self._frames.rotation(frame, stamp)[1])
        except ValueError as error:
            raise MissingTransform(f'{frame} in {root}: {error}') from None

    def _on_joints(self, data: bytes) -> None:
        try:
            self._joints.add(joint_sample(data))
        except ValueError as error:
            self._warn(str(error), throttle_duration_sec=5.0)

    def _on_status(self, message: DiagnosticStatus) -> None:
        self._status = self._clock.now(), message

    def _on_transforms(self, data: bytes) -> None:
        for sample in read_transforms(data):
            self._frames.add(sample)

    def _on_static_transforms(self, data: bytes) -> None:
        for sample in read_transforms(data):
            self._frames.add_static(sample)

    def _on_view(self, data: bytes) -> None:
        self._view = data

    def _on_contacts(self, data: bytes) -> None:
        self._contacts.append(read_contacts(data))


def _into(queue: deque[SeenImage]) -> Callable[[bytes], None]:
    """Return a callback that keeps images."""
    return lambda data: queue.append(SeenImage(data))


def _apart(one: SeenImage, other: SeenImage) -> int:
    """Return how far two images are from each other [ns]."""
    return abs(one.stamp - other.stamp)

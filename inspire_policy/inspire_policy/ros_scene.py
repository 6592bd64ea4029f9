# SPDX-License-Identifier: Apache-2.0
"""What the policy can see and know, taken from topics: images, arm state, transforms, and the
truth if allowed.

Every part of an observation is of one instant, the image's stamp: joint states are interpolated
there, and so is TF, never "latest". Object frames are looked up only for a policy that needs the
truth.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.duration import Duration
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.time import Time as RosTime
from sensor_msgs.msg import Image, JointState

from inspire_msgs.msg import GraspContacts
from inspire_policy.clock import Clock
from inspire_policy.following import StaleObservation
from inspire_policy.joint_history import JointHistory
from inspire_policy.policy import PolicyObservation
from inspire_policy.ros_messages import BASE, image_array, joint_sample, nanoseconds, pose_of
from piper_driver.pose import Pose
from piper_driver.qos import EVENT, SENSOR
from tf2_ros import Buffer, TransformException, TransformListener

if TYPE_CHECKING:
    from inspire_sim.world import Truth

# Each event handler (two an endpoint unless told) costs the executor time at every message: with
# them this node needs a quarter more. The other end of a mismatch still warns.
NO_EVENTS = SubscriptionEventCallbacks(use_default_callbacks=False)
TCP = 'tcp'
TRANSFORM_PATIENCE = 0.1  # s; transforms of an image's instant come up to 10 ms after it
# s of a person's time for that. The clock stands still in a pause, and once nobody spins the node.
LONGEST_WAIT = 1.0
TOGETHER = 20_000_000  # ns; images within half a frame are of one instant
GONE = 200_000_000  # ns; an object whose transforms ended this long before the image is not there


class RosScene:
    """The scene of a policy node. `observe` is called on one thread, everything else on the
    executor's.
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
        subscribe = partial(node.create_subscription, event_callbacks=NO_EVENTS)
        self._buffer = Buffer()
        self._listener = TransformListener(self._buffer, node)
        self._images: dict[str, deque[Image]] = {}
        for camera in cameras:
            queue = self._images[camera] = deque(maxlen=3)
            subscribe(Image, f'{camera}/image_raw', _into(queue), SENSOR)
        self._joints = JointHistory()
        subscribe(JointState, 'joint_states', self._on_joints, SENSOR)
        self._status: tuple[float, DiagnosticStatus] | None = None
        self._begin = 0.0
        subscribe(DiagnosticStatus, 'arm_status', self._on_status, EVENT)
        self._contacts: deque[GraspContacts] = deque(maxlen=50)
        if self._object_frames:
            subscribe(GraspContacts, 'grasp_contacts', _into(self._contacts), SENSOR)
        self._warn = node.get_logger().warning
        self.stamp = Time()  # of the latest observation, exact

    def observe(self, cameras: tuple[str, ...], needs_truth: bool) -> PolicyObservation:
        """Return the latest observation of which every part is there. Raises StaleObservation."""
        images = self._newest_images()
        stamp = images[next(iter(images))].header.stamp
        joints = self._joints.at(nanoseconds(stamp), tolerance=int(self._stale_after * 1e9))
        if joints is None:
            raise StaleObservation('joint_states has nothing at the stamp of the image')
        tcp = self._tcp(stamp)
        truth = self._truth_at(stamp, tcp, joints.width) if needs_truth else None
        try:
            pictures = {camera: image_array(images[camera]) for camera in cameras}
        except ValueError as error:
            raise StaleObservation(str(error)) from None
        self.stamp = stamp
        return PolicyObservation(
            stamp=nanoseconds(stamp) * 1e-9,
            images=pictures,
            joint_positions=joints.positions,
            joint_velocities=joints.velocities,
            gripper_width=joints.width,
            tcp=tcp,
            instruction='',
            truth=truth,
        )

    def arm_fault(self) -> str:
        """Return why the arm cannot be moved; empty when it can."""
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
        queue = next(iter(self._images.values()))
        return queue[-1] if queue else None

    def joint_positions(self) -> list[float] | None:
        """Return joint1..joint6 as last measured [rad]; None: not known."""
        joints = self._joints.latest
        return None if joints is None else joints.positions.tolist()

    def measured(self) -> tuple[Pose, float] | None:
        """Return the tcp's latest pose and the gripper's width [m] then; None: not known yet.

        The width is never older than the pose: both have to be of the same side of a reset.
        """
        try:
            found = self._buffer.lookup_transform(BASE, TCP, RosTime())
        except TransformException:
            return None
        joints, stamp = self._joints.latest, nanoseconds(found.header.stamp)
        if joints is None or joints.stamp < stamp:
            return None
        return pose_of(found), joints.width

    def _newest_images(self) -> dict[str, Image]:
        """Return the newest images of all cameras that are of one instant, keyed by camera."""
        first, *others = self._images
        for camera, queue in self._images.items():
            if not queue:
                raise StaleObservation(f'{camera}/image_raw has sent nothing yet')
        for image in reversed(list(self._images[first])):
            stamp = nanoseconds(image.header.stamp)
            chosen = {first: image}
            for camera in others:
                nearest = min(list(self._images[camera]), key=lambda other: _apart(other, stamp))
                if _apart(nearest, stamp) <= TOGETHER:
                    chosen[camera] = nearest
            if len(chosen) == len(self._images):
                self._check_age(f'{first}/image_raw', stamp)
                return chosen
        raise StaleObservation(f'{", ".join(self._images)}: no images within 20 ms of each other')

    def _check_age(self, topic: str, stamp: int) -> None:
        """Raise StaleObservation when `stamp` [ns] is too old."""
        age = self._clock.now() - stamp * 1e-9
        if age > self._stale_after:
            raise StaleObservation(
                f'{topic} is {age:.2f} s old; valid: up to {self._stale_after:g} s'
            )

    def _tcp(self, stamp: Time) -> Pose:
        """Return the tcp's pose in base_link at `stamp`."""
        patience = Duration(seconds=TRANSFORM_PATIENCE)
        try:
            return pose_of(
                self._buffer.lookup_transform(BASE, TCP, RosTime.from_msg(stamp), patience)
            )
        except TransformException as error:
            raise StaleObservation(f'no transform of {TCP} in {BASE}: {error}') from None

    def _truth_at(self, stamp: Time, tcp: Pose, width: float) -> Truth:
        """Return the simulation's truth at `stamp`: every object that is on TF at that time."""
        from inspire_sim.world import Truth  # brings a physics engine: not for learned policies

        instant, at = RosTime.from_msg(stamp), nanoseconds(stamp)
        patience = Duration(seconds=TRANSFORM_PATIENCE)
        objects = {}
        for frame in self._object_frames:
            try:
                latest = self._buffer.get_latest_common_time(BASE, frame).nanoseconds
                if latest > at - GONE:
                    found = self._buffer.lookup_transform(BASE, frame, instant, patience)
                    objects[frame] = pose_of(found)
            except TransformException:
                continue  # not on the table; the policy says so if it needed it
        if not objects:  # all come in one message: none of them means that it has not come yet
            raise StaleObservation('no object of the catalogue is on /tf')
        return Truth(at * 1e-9, tcp, objects, self._grasped(at), width)

    def _grasped(self, at: int) -> frozenset[str]:
        """Return the frames that both fingers touched at `at` [ns]: as last reported until then.
        """
        limit, person = self._clock.now() + TRANSFORM_PATIENCE, time.monotonic() + LONGEST_WAIT
        while not self._contacts or nanoseconds(self._contacts[-1].header.stamp) < at:
            now = self._clock.now()
            if now >= limit or time.monotonic() >= person:
                raise StaleObservation('grasp_contacts has nothing up to the stamp of the image')
            self._clock.wait_until(now + 0.005)
        for contacts in reversed(list(self._contacts)):
            if nanoseconds(contacts.header.stamp) <= at:
                return frozenset(contacts.objects)
        return frozenset()

    def _on_joints(self, message: JointState) -> None:
        try:
            self._joints.add(joint_sample(message))
        except ValueError as error:
            self._warn(str(error), throttle_duration_sec=5.0)

    def _on_status(self, message: DiagnosticStatus) -> None:
        self._status = self._clock.now(), message


def _into(queue: deque[Any]) -> Callable[[Any], None]:
    """Return a callback that keeps messages; rclpy looks at a callback's signature."""
    return lambda message: queue.append(message)


def _apart(image: Image, stamp: int) -> int:
    """Return how far an image is from `stamp` [ns]."""
    return abs(nanoseconds(image.header.stamp) - stamp)

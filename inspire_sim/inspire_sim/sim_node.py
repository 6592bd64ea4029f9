# SPDX-License-Identifier: Apache-2.0
"""The simulated world on the graph, with the driver of its arm in the same process.

Three threads, all joined at the end: the main one spins both nodes, `physics` ticks the world and
the driver and publishes what is true at each instant, `photographer` renders and publishes images.
"""

from __future__ import annotations

import sys
from array import array
from functools import lru_cache
from typing import TYPE_CHECKING

from builtin_interfaces.msg import Time
from geometry_msgs.msg import TransformStamped
from rclpy.clock import Clock, ClockType
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rosgraph_msgs.msg import Clock as ClockMessage
from sensor_msgs.msg import CameraInfo, Image
from std_srvs.srv import SetBool

from inspire_msgs.msg import GraspContacts, TaskState
from inspire_msgs.srv import ResetWorld, StepWorld
from inspire_sim.cameras import (
    CAMERA,
    CAMERAS,
    OPTICAL_FRAMES,
    Intrinsics,
    intrinsics,
    optical_pose_in_body,
)
from inspire_sim.loop import SimulationLoop, StepRefused
from inspire_sim.pacing import Pace
from inspire_sim.patience import Patience
from inspire_sim.photographer import Photographer
from inspire_sim.robot import WRIST_CAMERA
from inspire_sim.sights import Picture
from inspire_sim.sim_parameters import CAN_EMULATOR, LEADER, SIMULATED, SimParameters
from inspire_sim.tasks import UnknownTask
from inspire_sim.window import Window
from inspire_sim.world import CONTROL_STEP, TableWorld
from piper_driver.driver_node import DriverNode
from piper_driver.parameters import declare
from piper_driver.pose import Pose
from piper_driver.qos import CLOCK, SENSOR, TF, TF_STATIC
from piper_driver.ros_template import Template, transforms_template
from piper_driver.spinning import run
from tf2_msgs.msg import TFMessage

if TYPE_CHECKING:
    from inspire_sim.arm_on_bus import ArmOnBus

FAST_EVERY = 2      # control instants between messages of clock, objects and contacts: 100 Hz
SLOW_EVERY = 20     # of the task's state and the window: 10 Hz
WATCH_PERIOD = 0.2  # wall [s] between looks at the threads
SLOWNESS_TOLD = 2.0  # wall [s] lost to slowness between two warnings


class SimNode(Node):
    """Publishes the world and serves reset, pause and step."""

    def __init__(self) -> None:
        """Set up the world and begin. Raises ValueError or RuntimeError with what is wrong."""
        super().__init__('sim')
        self.parameters = declare(self, SimParameters)
        parameters = self.parameters
        size = (parameters.image_width, parameters.image_height)
        self.window = Window() if parameters.viewer_window else None
        self.world = TableWorld(CAMERAS, parameters.viewer_yaw, size)
        self.world.reset(parameters.task, parameters.seed)
        self.driver = self._make_driver()
        own_driver = self.parameters.arm == SIMULATED       # else it is hardware: nobody waits
        self.patience = Patience(self.driver.overdue) if own_driver else None
        self.dropped_told = 0.0
        self._begin_episode()
        self._make_publishers()
        self.photographer = Photographer(CAMERAS, size, self.publish_pictures)
        self.loop = SimulationLoop(self.world, Pace(parameters.real_time_factor, CONTROL_STEP),
                                   self.at_control, self.at_idle)
        try:
            self._start()
        except BaseException:   # a thread left running would keep the process alive
            self.close()
            raise

    def _make_driver(self) -> DriverNode | ArmOnBus:
        if self.parameters.arm == SIMULATED:
            return DriverNode(self.world.arm)
        # these need the part `can` of the set-up
        from inspire_sim.arm_on_bus import ArmOnBus
        if self.parameters.arm == CAN_EMULATOR:
            return ArmOnBus(self.world.arm)
        from inspire_sim.hand import HandNode
        from piper_driver.emulator_bus import LeaderOnBus
        led = self.parameters.arm == LEADER
        arm = LeaderOnBus(self.world.arm, 'udp_multicast') if led else self.world.arm
        return HandNode(arm, ArmOnBus(self.world.arm, taught=not led))

    def close(self) -> None:
        """Join the threads and end what they used."""
        self.loop.close()
        self.photographer.close()
        if self.window is not None:
            self.window.close()
        self.driver.destroy_node()

    # ---- called by the physics thread ----------------------------------------------------------

    def at_control(self, now: float) -> None:
        """Publish what is true at `now` [s] and let the driver command the arm."""
        if self.instant % FAST_EVERY == 0:
            self.clock_publisher.publish(CLOCK_MESSAGE.fill(now))
            self._publish_truth(now)
        if self.patience is not None:
            self.patience.wait(now)
        self.driver.tick(now)
        if self.instant % SLOW_EVERY == 0:
            self._publish_task_state(now)
            if self.window is not None:
                self.window.show(self.world.model, self.world.data)
        self._take_picture(now)
        self.instant += 1

    def at_idle(self) -> None:
        """Repeat the time for who joins during a pause."""
        self.clock_publisher.publish(CLOCK_MESSAGE.fill(self.world.time))

    def _take_picture(self, now: float) -> None:
        rate = self.parameters.camera_rate
        if not rate or now < self.next_picture - CONTROL_STEP / 2:
            return
        if not self.photographer.idle:
            if self.parameters.real_time_factor:
                return   # the picture is made at the first instant after the one before is done
            self.photographer.wait()
        self.photographer.take(self.world.model, self.world.data, now)
        self.next_picture = max(self.next_picture + 1.0 / rate, now)

    def _publish_truth(self, now: float) -> None:
        truth = self.world.truth()
        numbers: list[float] = []
        for pose in truth.objects.values():
            numbers += (*pose.position.tolist(), *pose.xyzw)
        self.tf_publisher.publish(objects_message(*truth.objects).fill(now, numbers))
        self.contacts_publisher.publish(contacts_message(truth.grasped).fill(now))

    def _publish_task_state(self, now: float) -> None:
        world, success = self.world, self.world.success()
        if not success.achieved:
            self.success_since = None
        elif self.success_since is None:
            self.success_since = now
        message = TaskState(
            task=world.task, instruction=world.instruction, split=world.split, seed=world.seed,
            success=success.achieved, detail='' if success.achieved else success.detail,
            success_duration=0.0 if self.success_since is None else now - self.success_since,
            elapsed=now - self.reset_at)
        message.header.stamp, message.header.frame_id = to_time(now), 'base_link'
        self.state_publisher.publish(message)

    # ---- called by the photographer's thread ---------------------------------------------------

    def publish_pictures(self, stamp: float, pictures: dict[str, Picture]) -> None:
        """Publish the images of one instant with the model of their cameras."""
        time = to_time(stamp)
        for name, picture in pictures.items():
            image = Image(height=picture.shape[0], width=picture.shape[1], encoding='rgb8',
                          step=3 * picture.shape[1], data=array('B', picture.tobytes()))
            image.header.stamp, image.header.frame_id = time, OPTICAL_FRAMES[name]
            info = self.camera_infos[name]
            info.header.stamp = time
            self.image_publishers[name].publish(image)
            self.info_publishers[name].publish(info)

    # ---- called by the executor's thread -------------------------------------------------------

    def watch(self) -> None:
        """End the process when a thread failed; say when the physics diverged."""
        failure = self.loop.failure or self.photographer.failure
        if failure is not None:
            raise failure
        if self.loop.diverged:
            self.get_logger().error(self.loop.diverged, throttle_duration_sec=5.0)
        dropped = self.loop.pace.dropped
        if dropped > self.dropped_told + SLOWNESS_TOLD:
            self.get_logger().warning(
                f'this machine is too slow for real_time_factor '
                f'{self.parameters.real_time_factor}: {dropped:.1f} s of wall time lost so far')
            self.dropped_told = dropped

    def reset_world(self, request: ResetWorld.Request,
                    response: ResetWorld.Response) -> ResetWorld.Response:
        """Set up a task, at a later time; a task that does not exist changes nothing."""
        try:
            with self.loop.visit():
                self.loop.reset(request.task, request.seed)
                self.driver.restart()
                self._begin_episode()
        except UnknownTask as error:
            response.message = str(error)
        else:
            response.success = True
            response.message = f'{self.world.task}, seed {request.seed}'
        response.task, response.instruction = self.world.task, self.world.instruction
        return response

    def set_pause(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        """Stop or go on."""
        self.loop.set_pause(request.data)
        response.success = True
        response.message = 'paused' if request.data else 'running'
        return response

    def step(self, request: StepWorld.Request, response: StepWorld.Response) -> StepWorld.Response:
        """Advance the paused world."""
        try:
            response.time = self.loop.step(request.steps)
        except StepRefused as error:
            response.message, response.time = str(error), self.world.time
        else:
            response.success = True
        return response

    # ---- set-up --------------------------------------------------------------------------------

    def _make_publishers(self) -> None:
        self.clock_publisher = self.create_publisher(ClockMessage, '/clock', CLOCK)
        self.tf_publisher = self.create_publisher(TFMessage, '/tf', TF)
        self.static_publisher = self.create_publisher(TFMessage, '/tf_static', TF_STATIC)
        self.contacts_publisher = self.create_publisher(GraspContacts, 'grasp_contacts', SENSOR)
        self.state_publisher = self.create_publisher(TaskState, 'task_state', SENSOR)
        self.image_publishers = {name: self.create_publisher(Image, f'{name}/image_raw', SENSOR)
                                 for name in CAMERAS}
        self.info_publishers = {name: self.create_publisher(CameraInfo, f'{name}/camera_info',
                                                            SENSOR) for name in CAMERAS}
        model, size = self.world.model, self.world.image_size
        self.camera_infos = {name: to_camera_info(intrinsics(model, name, *size),
                                                  OPTICAL_FRAMES[name]) for name in CAMERAS}
        stamp = to_time(0.0)
        self.static_publisher.publish(TFMessage(transforms=[
            to_transform(Pose.identity(), 'world', 'base_link', stamp),
            to_transform(optical_pose_in_body(model, CAMERA), 'world',
                         OPTICAL_FRAMES[CAMERA], stamp),
            to_transform(optical_pose_in_body(model, WRIST_CAMERA), 'link6',
                         OPTICAL_FRAMES[WRIST_CAMERA], stamp)]))

    def _start(self) -> None:
        self.create_service(ResetWorld, 'reset_world', self.reset_world)
        self.create_service(SetBool, 'set_pause', self.set_pause)
        self.create_service(StepWorld, 'step', self.step)
        self.create_timer(WATCH_PERIOD, self.watch, clock=Clock(clock_type=ClockType.STEADY_TIME))
        if self.parameters.camera_rate:   # a machine that cannot render says so now
            self.photographer.take(self.world.model, self.world.data, self.world.time)
            self.photographer.wait()
            self.next_picture += 1.0 / self.parameters.camera_rate
        self.get_logger().info(f'simulating {self.world.task} ("{self.world.instruction}"), '
                               f'seed {self.world.seed}')
        self.loop.start()

    def _begin_episode(self) -> None:
        self.success_since: float | None = None
        self.reset_at = self.next_picture = self.world.time
        self.instant = 0


CLOCK_MESSAGE = Template(lambda stamp, _: ClockMessage(clock=stamp))


@lru_cache(maxsize=64)
def objects_message(*frames: str) -> Template:
    """The transforms of these frames in the world."""
    return transforms_template([('world', frame) for frame in frames])


@lru_cache(maxsize=64)
def contacts_message(grasped: frozenset[str]) -> Template:
    """That both fingers touch these."""
    def make(stamp: Time, _: list[float]) -> GraspContacts:
        message = GraspContacts(objects=sorted(grasped))
        message.header.stamp, message.header.frame_id = stamp, 'tcp'
        return message
    return Template(make)


class BothNodes(SingleThreadedExecutor):
    """Spins the sim node and the driver inside it."""

    def add_node(self, node: Node) -> bool:
        """Add a node, and the driver that it carries."""
        driver = getattr(node, 'driver', None)
        alone = not isinstance(driver, Node)
        return super().add_node(node) and (alone or super().add_node(driver))


def to_time(seconds: float) -> Time:
    """A stamp, to the microsecond: simulated instants are multiples of 2.5 ms."""
    whole, micros = divmod(round(seconds * 1e6), 1_000_000)
    return Time(sec=whole, nanosec=micros * 1000)


def to_transform(pose: Pose, parent: str, child: str, stamp: Time) -> TransformStamped:
    """The pose of `child` in `parent` as a message."""
    message = TransformStamped(child_frame_id=child)
    message.header.stamp, message.header.frame_id = stamp, parent
    place, turn = message.transform.translation, message.transform.rotation
    place.x, place.y, place.z = pose.position.tolist()
    turn.x, turn.y, turn.z, turn.w = pose.quaternion.tolist()
    return message


def to_camera_info(view: Intrinsics, frame: str) -> CameraInfo:
    """A pinhole without distortion as a message."""
    matrix = view.matrix
    message = CameraInfo(width=view.width, height=view.height, distortion_model='plumb_bob',
                         d=[0.0] * 5, k=matrix.ravel().tolist(),
                         r=[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0])
    message.p = [*matrix[0], 0.0, *matrix[1], 0.0, *matrix[2], 0.0]
    message.header.frame_id = frame
    return message


def main() -> int:
    """Run the simulation until it is told to stop."""
    return run(SimNode, BothNodes)


if __name__ == '__main__':
    sys.exit(main())

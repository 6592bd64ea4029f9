# SPDX-License-Identifier: Apache-2.0
"""A world that writes down, as a graph would, what happens in it: the same states for both ways
from an episode to a dataset.

Messages carry the world's time as their stamps; commands, as those of the stream, say where the
arm is to be at their stamp.
"""

from __future__ import annotations

from array import array
from dataclasses import replace
from pathlib import Path

import bags
import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import PoseStamped, TransformStamped
from rclpy.serialization import serialize_message
from sensor_msgs.msg import Image, JointState
from std_msgs.msg import String
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from inspire_bringup import definitions
from inspire_bringup.bag import Topic
from inspire_bringup.manifest import Viewer
from inspire_bringup.recording import Message, Recording, Settings
from inspire_msgs.msg import GraspContacts
from inspire_sim.sights import Observation
from inspire_sim.world import TableWorld
from piper_driver.limits import GRIPPER_NAME, JOINT_NAMES
from piper_driver.pose import Pose
from tf2_msgs.msg import TFMessage

NAMES = [*JOINT_NAMES, GRIPPER_NAME]


class LoggedWorld(TableWorld):
    """A world with a log: (topic, time [ns], message)."""

    def reset(self, task: str, seed: int, start_time: float = 0.0) -> None:
        super().reset(task, seed, start_time)
        self.log: list[tuple[str, int, object]] = []
        self.width = self.arm.read().gripper_width
        self.put('/instruction', String(data=self.instruction))
        fixed = [transform('world', 'base_link', Pose.identity(), 0),
                 transform('base_link', 'viewer', Pose.identity(), 0)]
        self.put('/tf_static', TFMessage(transforms=fixed))
        self.write_down()

    def step(self, action: np.ndarray) -> None:
        super().step(action)
        self.width = float(action[6])
        self.write_down()

    def observe(self) -> Observation:
        seen = super().observe()
        for name, picture in seen.images.items():
            height, width, _ = picture.shape
            image = Image(height=height, width=width, encoding='rgb8', step=3 * width)
            image.data = array('B', picture.tobytes())
            self.put(f'/{name}/image_raw', image)
        return seen

    @property
    def nanoseconds(self) -> int:
        return round(self.time * 1e9)

    def put(self, topic: str, message: object) -> None:
        if hasattr(message, 'header'):
            message.header.stamp = stamp(self.nanoseconds)
        self.log.append((topic, self.nanoseconds, message))

    def write_down(self) -> None:
        """What the driver, the simulation and the policy say at an instant."""
        state, truth = self.arm.read(), self.truth()
        measured = JointState(name=NAMES, position=[*state.position, state.gripper_width],
                              velocity=[*state.velocity, state.gripper_velocity])
        executed = JointState(name=NAMES, position=[
            *self.data.ctrl[self.arm._servos].tolist(),
            float(self.data.ctrl[self.arm._gripper])])
        told = JointTrajectory(joint_names=['gripper'],
                               points=[JointTrajectoryPoint(positions=[self.width])])
        pose = PoseStamped()
        fill(pose.pose.position, self.commanded.position, 'xyz')
        fill(pose.pose.orientation, self.commanded.quaternion, 'xyzw')
        moving = [transform('base_link', 'tcp', truth.tcp, self.nanoseconds),
                  *(transform('world', frame, where, self.nanoseconds)
                    for frame, where in truth.objects.items())]
        for topic, message in (
                ('/joint_states', measured), ('/executed_command', executed),
                ('/gripper_command', told), ('/pose_command', pose),
                ('/tf', TFMessage(transforms=moving)),
                ('/grasp_contacts', GraspContacts(objects=sorted(truth.grasped)))):
            self.put(topic, message)

    def record(self, folder: Path, outcome: str = 'success', without: tuple[str, ...] = (),
               instruction: str = '') -> Path:
        """Write the log as a run's folder."""
        manifest = replace(bags.manifest(), instruction=instruction or self.instruction,
                           task=self.task, seed=self.seed, simulated_time=True)
        recording = Recording(folder, manifest, Settings(free_bytes=0))
        for topic, time, message in self.log:
            if topic in without:
                continue
            if topic not in recording.ledgers:
                kind = f'{type(message).__module__.split(".")[0]}/msg/{type(message).__name__}'
                text = definitions.definition(kind, definitions.installed)
                recording.add_topic(Topic(topic, kind, text, bags.HASH, (bags.QOS,)))
            recording.put([Message(topic, time, time, None, serialize_message(message))])
        recording.stop(outcome, '', Viewer('viewer', 'base_link', 0.0))
        return folder


def stamp(nanoseconds: int) -> Time:
    return Time(sec=nanoseconds // 10**9, nanosec=nanoseconds % 10**9)


def fill(target: object, values: np.ndarray, names: str) -> None:
    for name, value in zip(names, values.tolist(), strict=True):
        setattr(target, name, value)


def transform(parent: str, child: str, pose: Pose, nanoseconds: int) -> TransformStamped:
    message = TransformStamped(child_frame_id=child)
    message.header.frame_id, message.header.stamp = parent, stamp(nanoseconds)
    fill(message.transform.translation, pose.position, 'xyz')
    fill(message.transform.rotation, pose.quaternion, 'xyzw')
    return message

# SPDX-License-Identifier: Apache-2.0
"""The two cameras: where they are, what their pixels mean.

The third-person camera stands where the viewer is: the viewer's right is the image's right.
Optical frames follow REP 103: z forward, x right, y down. A pixel's centre has whole coordinates,
(0, 0) being the upper left one.
"""

from dataclasses import dataclass

import mujoco
import numpy as np
from numpy.typing import NDArray

from inspire_sim.robot import WRIST_CAMERA, quaternion_wxyz
from piper_driver.pose import Pose

CAMERA = 'camera'
CAMERAS = (CAMERA, WRIST_CAMERA)
OPTICAL_FRAMES = {name: f'{name}_optical_frame' for name in CAMERAS}


@dataclass(frozen=True)
class Viewpoint:
    """Where a third-person camera stands.

    look_at: point in base_link [m]; distance from it [m]; elevation above the table and turn about
    the vertical against the viewer's x axis [rad]; fovy: vertical field of view [degrees].
    """

    look_at: tuple[float, float, float]
    distance: float
    elevation: float
    turn: float
    fovy: float

    def place(self, viewer_yaw: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Position (3,) and MuJoCo quaternion (4,) of the camera in base_link."""
        yaw = viewer_yaw + self.turn
        back = np.array([np.cos(yaw) * np.cos(self.elevation),
                         np.sin(yaw) * np.cos(self.elevation), np.sin(self.elevation)])
        right = np.array([-np.sin(yaw), np.cos(yaw), 0.0])
        axes = np.stack([right, np.cross(back, right), back], axis=1)
        return np.array(self.look_at) + self.distance * back, quaternion_wxyz(axes)


# What policies see: exactly the viewer's directions, objects as large as may be.
VIEWER = Viewpoint((0.25, 0.0, 0.10), 1.15, float(np.radians(36.0)), 0.0, 38.0)
# What people see in a video: the whole arm, a little from the side. Left stays left.
AUDIENCE = Viewpoint((0.22, 0.0, 0.14), 1.32, float(np.radians(28.0)), 0.32, 36.0)

# How far the camera is moved [m] and turned [rad] in trials with a moved camera: what a knock or a
# camera that was put up again would do.
SHIFT = (0.02, 0.05)
TURN = (float(np.radians(1.5)), float(np.radians(4.0)))

# MuJoCo's cameras look along -z with y up, optical frames along z with y down.
_OPTICAL_IN_MUJOCO = np.diag([1.0, -1.0, -1.0])


@dataclass(frozen=True)
class Intrinsics:
    """A pinhole without distortion: size [pixels], focal length and principal point [pixels]."""

    width: int
    height: int
    focal: float

    @property
    def centre(self) -> tuple[float, float]:
        """The principal point (x, y): the middle of the image."""
        return (self.width - 1) / 2.0, (self.height - 1) / 2.0

    @property
    def matrix(self) -> NDArray[np.float64]:
        """K, (3, 3): optical coordinates to homogeneous pixels."""
        x, y = self.centre
        return np.array([[self.focal, 0.0, x], [0.0, self.focal, y], [0.0, 0.0, 1.0]])


def add_viewer_camera(spec: mujoco.MjSpec, viewer_yaw: float) -> None:
    """Add the third-person camera at the viewer, whose frame is base_link turned by yaw [rad]."""
    position, quaternion = VIEWER.place(viewer_yaw)
    spec.worldbody.add_camera(name=CAMERA, pos=position, quat=quaternion, fovy=VIEWER.fovy)


def move_viewer_camera(spec: mujoco.MjSpec, random: np.random.Generator) -> None:
    """Shift the third-person camera and turn it about itself, both in any direction."""
    camera = spec.camera(CAMERA)
    camera.pos = camera.pos + random.uniform(*SHIFT) * _direction(random)
    turn, turned = np.zeros(4), np.zeros(4)
    mujoco.mju_axisAngle2Quat(turn, _direction(random), random.uniform(*TURN))
    mujoco.mju_mulQuat(turned, turn, np.array(camera.quat))
    camera.quat = turned


def _direction(random: np.random.Generator) -> NDArray[np.float64]:
    """A unit vector (3,), any direction as likely as any other."""
    vector = random.normal(size=3)
    return vector / np.linalg.norm(vector)


def intrinsics(model: mujoco.MjModel, camera: str, width: int, height: int) -> Intrinsics:
    """What `camera` sees through an image of width x height pixels."""
    fovy = np.radians(model.camera(camera).fovy[0])
    return Intrinsics(width, height, float(0.5 * height / np.tan(0.5 * fovy)))


def optical_pose_in_body(model: mujoco.MjModel, camera: str) -> Pose:
    """The camera's optical frame in the body that carries it (world or link6)."""
    rotation = np.zeros(9)
    mujoco.mju_quat2Mat(rotation, model.camera(camera).quat)
    return _pose(model.camera(camera).pos, rotation.reshape(3, 3) @ _OPTICAL_IN_MUJOCO)


def optical_pose(data: mujoco.MjData, camera: str) -> Pose:
    """The camera's optical frame in base_link, now."""
    view = data.camera(camera)
    return _pose(view.xpos, view.xmat.reshape(3, 3) @ _OPTICAL_IN_MUJOCO)


def _pose(position: NDArray[np.float64], rotation: NDArray[np.float64]) -> Pose:
    matrix = np.eye(4)
    matrix[:3, :3] = rotation
    matrix[:3, 3] = position
    return Pose.from_matrix(matrix)

# SPDX-License-Identifier: Apache-2.0
"""Pictures: cheap ones for policies, beautiful ones for people.

A policy sees 30 pictures a second from each camera, so its pictures have no shadows and no
multisampling (2 ms each on a processor instead of 50). Videos are made afterwards, from recorded
states on the same scene, with both. A renderer belongs to the thread that made it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from types import TracebackType

import mujoco
import numpy as np
from numpy.typing import NDArray

from inspire_sim.assembly import FULL, Quality, SceneBuilder, assemble
from inspire_sim.cameras import AUDIENCE, CAMERA, Viewpoint
from inspire_sim.robot import place_robot
from inspire_sim.sights import Picture
from inspire_sim.tasks import find
from piper_driver.pose import Pose


class RenderError(RuntimeError):
    """No picture could be made; the message says what to install or set."""


class Renderer:
    """Renders cameras of one model, at one size, in the thread that makes it."""

    def __init__(self, model: mujoco.MjModel, width: int, height: int,
                 shadows: bool = False) -> None:
        """Open an offscreen context. Raises RenderError where OpenGL is not to be had."""
        try:
            self._renderer = mujoco.Renderer(model, height, width)
        except Exception as error:  # each OpenGL backend raises its own
            raise RenderError(
                f'no offscreen OpenGL through MUJOCO_GL={os.environ.get("MUJOCO_GL")}: {error}; '
                'install libegl1 libegl-mesa0 libgl1-mesa-dri, or libosmesa6 with '
                'MUJOCO_GL=osmesa') from error
        flags = self._renderer.scene.flags
        flags[mujoco.mjtRndFlag.mjRND_SHADOW] = shadows
        flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = shadows
        self._proven = False

    def render(self, data: mujoco.MjData, camera: str | mujoco.MjvCamera) -> Picture:
        """One picture of the present state; raises RenderError rather than return a black one."""
        try:
            self._renderer.update_scene(data, camera)
            picture = self._renderer.render()
        except (mujoco.FatalError, RuntimeError) as error:
            raise RenderError(f'camera {camera}: {error}') from error
        if not self._proven:
            if not picture.any():
                raise RenderError(f'camera {camera}: OpenGL gave a black picture; is '
                                  f'MUJOCO_GL={os.environ.get("MUJOCO_GL")} in working order?')
            self._proven = True
        return picture

    def segment(self, data: mujoco.MjData, camera: str) -> NDArray[np.int32]:
        """Geom id of every pixel (height, width), -1 where there is none."""
        self._renderer.enable_segmentation_rendering()
        self._renderer.update_scene(data, camera)
        ids, kinds = np.moveaxis(self._renderer.render(), -1, 0)
        self._renderer.disable_segmentation_rendering()
        return np.where(kinds == int(mujoco.mjtObj.mjOBJ_GEOM), ids, -1).astype(np.int32)

    def close(self) -> None:
        """Free the context."""
        self._renderer.close()

    def __enter__(self) -> Renderer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()


class VideoRenderer:
    """The scene of (task, seed, viewer) again, in full quality, posed from recorded states.

    From where an audience sees it, or (viewpoint None) through the policy's own camera.
    """

    def __init__(self, task: str, seed: int, viewer_yaw: float = 0.0,
                 size: tuple[int, int] = (960, 720),
                 builder: SceneBuilder | None = None, quality: Quality = FULL,
                 viewpoint: Viewpoint | None = AUDIENCE) -> None:
        """Rebuild the scene; size is (width, height). Raises UnknownTask and RenderError."""
        _, variant = find(task, seed)
        self._model, self._scene = assemble(variant, seed, viewer_yaw, builder, quality)
        self._data = mujoco.MjData(self._model)
        self._scene.place(self._model, self._data)
        mujoco.mj_forward(self._model, self._data)
        self._renderer = Renderer(self._model, *size, shadows=quality.shadows > 0)
        if viewpoint is not None:
            camera = self._model.camera(CAMERA)
            camera.pos[:], camera.quat[:] = viewpoint.place(viewer_yaw)
            camera.fovy[:] = viewpoint.fovy

    def render(self, position: Sequence[float], gripper_width: float,
               objects: Mapping[str, Pose], camera: str = CAMERA) -> Picture:
        """One picture: joints (6,) [rad], total width [m], frame -> grasp frame in base_link.

        Objects that are not in `objects` stay where they were.
        """
        place_robot(self._model, self._data, np.asarray(position, dtype=float), gripper_width)
        for item in self._scene.objects:
            if item.frame in objects:
                self._place(item.body, objects[item.frame] @ item.grasp.inverse())
        mujoco.mj_forward(self._model, self._data)
        return self._renderer.render(self._data, camera)

    def close(self) -> None:
        """Free the renderer's context."""
        self._renderer.close()

    def _place(self, body: str, pose: Pose) -> None:
        joint = self._model.body(body).jntadr[0]
        if joint < 0:
            return
        start = self._model.jnt_qposadr[joint]
        if self._model.jnt_type[joint] == mujoco.mjtJoint.mjJNT_FREE:
            x, y, z, w = pose.quaternion
            self._data.qpos[start:start + 7] = [*pose.position, w, x, y, z]
        else:
            self._data.qpos[start] = self._slide(body, joint, pose)

    def _slide(self, body: str, joint: int, pose: Pose) -> float:
        """How far a sliding body (a cabinet's plate) is out [m], from where its origin is."""
        carrier = self._model.body_parentid[self._model.body(body).id]
        rotation = self._data.xmat[carrier].reshape(3, 3)
        home = self._data.xpos[carrier] + rotation @ self._model.body(body).pos
        axis = np.zeros(3)
        mujoco.mju_rotVecQuat(axis, self._model.jnt_axis[joint], self._model.body(body).quat)
        return float((pose.position - home) @ (rotation @ axis))

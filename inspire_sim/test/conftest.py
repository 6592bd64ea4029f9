# SPDX-License-Identifier: Apache-2.0
"""A scene small enough to check by hand: one cube on a bare table."""

from dataclasses import dataclass
from types import SimpleNamespace

import mujoco
import pytest

from inspire_sim.scene import Scene
from piper_driver.pose import Pose

CUBE_AT = (0.30, 0.05, 0.02)


@dataclass(frozen=True)
class CubeScene:
    objects: tuple[SimpleNamespace, ...]
    object = Scene.object

    def place(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        address = model.joint('cube').qposadr[0]
        data.qpos[address:address + 7] = [*CUBE_AT, 1, 0, 0, 0]


def build_cube_scene(spec: mujoco.MjSpec, variant: object, seed: int,
                     viewer_yaw: float) -> CubeScene:
    box = mujoco.mjtGeom.mjGEOM_BOX
    spec.worldbody.add_geom(name='table', type=box, pos=[0.3, 0, -0.02], size=[0.5, 0.6, 0.02],
                            rgba=[0.7, 0.6, 0.5, 1])
    spec.worldbody.add_light(pos=[0.5, 0.5, 1.5], dir=[-0.2, -0.4, -1])
    cube = spec.worldbody.add_body(name='cube')
    cube.add_freejoint(name='cube')
    cube.add_geom(name='cube', type=box, size=[0.02, 0.02, 0.02], mass=0.08,
                  rgba=[0.1, 0.6, 0.2, 1])
    item = SimpleNamespace(frame='green_cube', body='cube', grasp=Pose.identity(), geoms=('cube',))
    return CubeScene((item,))


@pytest.fixture(scope='session')
def cube_scene() -> object:
    """A builder of the scene with one cube, its frame in its centre."""
    return build_cube_scene

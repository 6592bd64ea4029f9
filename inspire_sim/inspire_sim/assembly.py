# SPDX-License-Identifier: Apache-2.0
"""One model out of the robot, the cameras and a task's scene, for the physics and for pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import mujoco

from inspire_sim.cameras import add_viewer_camera
from inspire_sim.robot import add_robot

if TYPE_CHECKING:
    from inspire_sim.scene import Scene
    from inspire_sim.tasks import Variant

PHYSICS_STEP = 0.0025   # [s]

SceneBuilder = Callable[[mujoco.MjSpec, 'Variant', int, float], 'Scene']


@dataclass(frozen=True)
class Quality:
    """What a picture may cost.

    shadows: size of the shadow map; samples: per pixel, against jagged edges; around: corners
    that stand for a circle; width, height: of the largest picture [pixels].
    """

    shadows: int = 0
    samples: int = 0
    around: int = 12
    width: int = 640
    height: int = 480


CHEAP = Quality()                                  # what policies see: 20 to 30 times faster
FULL = Quality(3072, 4, 32, 1920, 1440)            # what people see


def assemble(variant: Variant, seed: int, viewer_yaw: float,
             builder: SceneBuilder | None = None, quality: Quality = CHEAP
             ) -> tuple[mujoco.MjModel, Scene]:
    """Compile the world of `variant` with everything random drawn from `seed`.

    `builder` adds the scene: the task's own (`scene.build_scene`) unless a test brings another.
    Two calls with equal arguments give equal physics, whatever the quality of their pictures.
    """
    spec = mujoco.MjSpec()
    spec.modelname = 'inspire'
    set_physics(spec)
    add_robot(spec, quality.around)
    add_viewer_camera(spec, viewer_yaw)
    if builder is None:
        from inspire_sim.scene import build_scene
        builder = build_scene
    scene = builder(spec, variant, seed, viewer_yaw)
    _set_quality(spec, quality)
    return spec.compile(), scene


def set_physics(spec: mujoco.MjSpec) -> None:
    """Set step, integrator and contact model."""
    option = spec.option
    option.timestep = PHYSICS_STEP
    option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    # Elliptic cones whose friction is a hundred times as stiff as their normals: an object between
    # the fingers creeps by 0.03 mm in ten seconds. (With MuJoCo's pass against slip and a ratio of
    # ten it is half of that, but the physics of a scene with bowls takes 1.6 times as long.)
    option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    option.impratio = 100.0
    # A state that diverged is an error to report, not one to paper over with a reset.
    option.disableflags |= int(mujoco.mjtDisableBit.mjDSBL_AUTORESET)


def _set_quality(spec: mujoco.MjSpec, quality: Quality) -> None:
    spec.visual.quality.shadowsize = quality.shadows
    spec.visual.quality.numslices = quality.around
    # No sphere is seen (they are meshes), and a cylinder needs no rings along its side.
    spec.visual.quality.numstacks = quality.around // 6
    spec.visual.quality.offsamples = quality.samples
    spec.visual.global_.offwidth = quality.width
    spec.visual.global_.offheight = quality.height
    # Shadows and depth are spread over what matters, the table, not over the room.
    spec.stat.extent, spec.stat.center = 1.6, [0.25, 0.0, 0.1]
    spec.visual.map.znear, spec.visual.map.zfar = 0.006, 8.0
    if not quality.shadows:
        for light in spec.lights:
            light.castshadow = False

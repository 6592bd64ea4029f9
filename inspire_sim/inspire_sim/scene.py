# SPDX-License-Identifier: Apache-2.0
"""A task's table: what lies where, in which colours, under which light.

Everything random comes from (instruction, seed), through streams that do not know of each other:
leaving out the distractors, say, moves nothing else.
"""

from dataclasses import dataclass
from functools import partial
from zlib import crc32

import mujoco
import numpy as np
from numpy.typing import NDArray

from inspire_sim import colours, layout
from inspire_sim.assembly import SceneBuilder
from inspire_sim.cameras import move_viewer_camera
from inspire_sim.objects import add_materials, add_object
from inspire_sim.room import add_room
from inspire_sim.shapes import SHAPES
from inspire_sim.tasks import Variant
from inspire_sim.variation import Variation
from piper_driver.pose import Pose

Array = NDArray[np.float64]


@dataclass(frozen=True)
class SceneObject:
    """frame: on TF; body: in MuJoCo; grasp: the frame in the body; position (3,) [m] and yaw [rad]
    are the body's at the start of the episode."""

    frame: str
    body: str
    grasp: Pose
    position: Array
    yaw: float

    @property
    def start(self) -> Pose:
        """The grasp frame in base_link at the start."""
        return Pose(self.position, _about_z(self.yaw)) @ self.grasp


@dataclass(frozen=True)
class Scene:
    """What `build_scene` put on the table; moved and target: the frames in the variant's roles."""

    variant: Variant
    objects: tuple[SceneObject, ...]
    moved: str
    target: str | None

    def object(self, frame: str) -> SceneObject:
        """The object of a frame. Raises KeyError naming those that exist."""
        for candidate in self.objects:
            if candidate.frame == frame:
                return candidate
        raise KeyError(f'no {frame} here; there are {", ".join(o.frame for o in self.objects)}')

    def place(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """Put every object where it starts, at rest."""
        for item in self.objects:
            joint = model.body(item.body).jntadr[0]
            if joint < 0:
                continue
            at, velocity = model.jnt_qposadr[joint], model.jnt_dofadr[joint]
            x, y, z, w = _about_z(item.yaw)
            data.qpos[at:at + 7] = [*item.position, w, x, y, z]
            data.qvel[velocity:velocity + 6] = 0.0


def build_scene(spec: mujoco.MjSpec, variant: Variant, seed: int, viewer_yaw: float,
                distractors: bool = True, variation: Variation = Variation.NONE) -> Scene:
    """Add table, objects, light and background to the spec; all follows from variant and seed.

    A variation changes what it names and leaves the rest as it is.
    """
    if seed < 0:
        raise ValueError(f'seed is {seed}; valid: 0 and above')
    spots = layout.laid_out(variant, _stream(variant, seed, 'layout'), viewer_yaw)
    if distractors:
        spots |= layout.others(variant, spots, _stream(variant, seed, 'distractors'))
    if variation is Variation.DISTRACTORS:
        spots |= layout.more(variant, spots, _stream(variant, seed, 'more distractors'))
    if variation is Variation.CAMERA:
        move_viewer_camera(spec, _stream(variant, seed, 'moved camera'))
    other = _stream(variant, seed, 'other room') if variation is Variation.BACKGROUND else None
    add_room(spec, _stream(variant, seed, 'room'), other)
    add_materials(spec)
    objects = []
    for frame, spot in spots.items():
        random = _stream(variant, seed, f'colour of {colours.lot(frame)}')
        colour = colours.drawn(frame, random)
        if variation is Variation.RECOLOURED:
            colour = colours.recoloured(
                frame, _stream(variant, seed, f'other colour of {colours.lot(frame)}'))
        body = add_object(spec, frame, colour, random, spot.position, spot.yaw)
        objects.append(SceneObject(frame, body, SHAPES[frame].grasp(spot.turn), spot.position,
                                   spot.yaw))
    starts = {item.frame: item.start.position for item in objects}
    return Scene(variant, tuple(objects), variant.moved.resolve(starts, viewer_yaw),
                 variant.target.resolve(starts, viewer_yaw) if variant.target else None)


def builder_of(variation: Variation) -> SceneBuilder:
    """What adds the scene of a variation."""
    return partial(build_scene, variation=variation)


def _stream(variant: Variant, seed: int, purpose: str) -> np.random.Generator:
    words = (variant.instruction, purpose)
    return np.random.default_rng([seed, *(crc32(word.encode()) for word in words)])


def _about_z(yaw: float) -> Array:
    return np.array([0.0, 0.0, np.sin(yaw / 2.0), np.cos(yaw / 2.0)])

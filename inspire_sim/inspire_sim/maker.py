# SPDX-License-Identifier: Apache-2.0
"""What builders of objects work with: surfaces for the eye, primitives that collide."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np

from inspire_sim import paint, surfaces
from inspire_sim.paint import Colour

SEEN, COLLIDES = 1, 3            # geom groups, as the robot's
RING = 16                        # boxes in the wall of something hollow

SLIDING = (0.8, 0.005, 0.0005)   # friction: sliding, torsional [m], rolling [m]
ROLLING = (0.8, 0.005, 0.0012)   # the last, times the weight, stops a ball from rolling for ever
ON_RAILS = (0.22, 0.003, 0.0001)


@dataclass(frozen=True)
class Maker:
    """What a builder needs: spec, body, the object's frame (which begins the names of its assets),
    its colour, and randomness for its picture."""

    spec: mujoco.MjSpec
    body: mujoco.MjsBody
    frame: str
    colour: Colour
    random: np.random.Generator

    def surface(self, name: str, surface: surfaces.Surface, colour: Colour | None = None,
                material: str = 'plain', pos: tuple[float, ...] = (0, 0, 0),
                quat: tuple[float, ...] = (1, 0, 0, 0)) -> None:
        """Show a mesh, painted with a colour or with the picture that its material holds."""
        mesh = surfaces.add_surface(self.spec, f'{self.frame}_{name}', surface)
        self._seen(type=mujoco.mjtGeom.mjGEOM_MESH, meshname=mesh, material=material, pos=pos,
                   quat=quat, **_rgba(colour))

    def block(self, name: str, half: tuple[float, float, float], pos: tuple[float, ...],
              colour: Colour | None = None, edge: float = 0.002, material: str = 'plain') -> None:
        """Show a box with chamfered edges."""
        mesh = surfaces.add_hull(self.spec, f'{self.frame}_{name}', surfaces.chamfered(half, edge))
        self._seen(type=mujoco.mjtGeom.mjGEOM_MESH, meshname=mesh, material=material, pos=pos,
                   **_rgba(colour or self.colour))

    def rod(self, start: tuple[float, ...], end: tuple[float, ...], radius: float, colour: Colour,
            material: str = 'plain') -> None:
        """Show a cylinder."""
        self._seen(type=mujoco.mjtGeom.mjGEOM_CYLINDER, fromto=[*start, *end],
                   size=[radius, 0, 0], material=material, **_rgba(colour))

    def picture(self, name: str, picture: paint.Picture, specular: float = 0.25,
                shininess: float = 0.35) -> str:
        """Add a picture; returns the material's name."""
        return paint.add_picture(self.spec, f'{self.frame}_{name}', picture, specular, shininess)

    def solid(self, kind: mujoco.mjtGeom, mass: float, size: tuple[float, ...],
              friction: tuple[float, ...] = SLIDING, **geom: object) -> None:
        """Add a primitive that collides."""
        condim = 6 if friction is ROLLING else 4
        self.body.add_geom(type=kind, size=[*size, *[0.0] * (3 - len(size))], mass=mass,
                           group=COLLIDES, friction=friction, condim=condim,
                           solref=[0.008, 1.0], solimp=[0.95, 0.99, 0.001, 0.5, 2.0], **geom)

    def wall(self, low: tuple[float, float], high: tuple[float, float], thick: float,
             mass: float) -> None:
        """Add a ring of boxes that collide: outer (radius, z) [m] below and above."""
        rise, run = high[1] - low[1], high[0] - low[0]
        lean, slant = np.arctan2(run, rise), np.hypot(rise, run)
        middle = (low[0] + high[0]) / 2.0 - thick / 2.0 / np.cos(lean)
        broad = max(low[0], high[0]) * np.tan(np.pi / RING)
        for turn in 2.0 * np.pi * np.arange(RING) / RING:
            quat = product((np.cos(turn / 2), 0, 0, np.sin(turn / 2)),
                            (np.cos(lean / 2), 0, np.sin(lean / 2), 0))
            self.solid(mujoco.mjtGeom.mjGEOM_BOX, mass / RING, (thick / 2.0, broad, slant / 2.0),
                       pos=[middle * np.cos(turn), middle * np.sin(turn), (low[1] + high[1]) / 2],
                       quat=quat)

    def _seen(self, **geom: object) -> None:
        self.body.add_geom(contype=0, conaffinity=0, group=SEEN, mass=0.0, **geom)


def product(a: tuple[float, ...], b: tuple[float, ...]) -> tuple[float, ...]:
    result = np.zeros(4)
    mujoco.mju_mulQuat(result, np.array(a, dtype=float), np.array(b, dtype=float))
    return tuple(result.tolist())


def _rgba(colour: Colour | None) -> dict[str, object]:
    return {} if colour is None else {'rgba': [*colour, 1.0]}

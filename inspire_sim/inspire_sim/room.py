# SPDX-License-Identifier: Apache-2.0
"""The table, the room around it and its light, drawn from a seed."""

import mujoco
import numpy as np

from inspire_sim import paint, surfaces, surroundings
from inspire_sim.paint import Colour, shade
from inspire_sim.surroundings import Surroundings

TABLE_LOWER = np.array([-0.36, -0.86, -0.035])   # corners of the table's board [m]
TABLE_UPPER = np.array([0.98, 0.86, 0.0])
FLOOR = -0.74                                    # height of the floor [m]

_WOODS: tuple[Colour, ...] = ((0.72, 0.55, 0.37), (0.55, 0.38, 0.25), (0.80, 0.68, 0.50),
                              (0.63, 0.50, 0.40), (0.42, 0.30, 0.23))
_PLAINS: tuple[Colour, ...] = ((0.86, 0.86, 0.84), (0.70, 0.73, 0.75), (0.45, 0.48, 0.50),
                               (0.80, 0.76, 0.68), (0.58, 0.66, 0.66))
_WALLS: tuple[Colour, ...] = ((0.82, 0.84, 0.86), (0.76, 0.80, 0.78), (0.86, 0.82, 0.76),
                              (0.66, 0.72, 0.78), (0.72, 0.70, 0.74), (0.60, 0.66, 0.64))
# Of each wall: where its middle is, x and y, and half its size [m].
WALLS = ((-1.5, 0.0, (0.02, 3.2, 1.3)), (0.3, 2.2, (3.2, 0.02, 1.3)),
         (0.3, -2.2, (3.2, 0.02, 1.3)))


def add_room(spec: mujoco.MjSpec, random: np.random.Generator,
             other: np.random.Generator | None = None) -> None:
    """Add table, floor, walls and light to the spec.

    other: draws a table, a floor and walls of another kind, under the same light.
    """
    # What pictures are sharp for: shadows, above all, are drawn for this much of the world.
    spec.stat.center, spec.stat.extent = [0.3, 0.0, 0.1], 0.8
    chosen = _surroundings(random)   # drawn in any case: the light follows in the same stream
    if other is not None:
        chosen = surroundings.unusual(other)
    _table(spec, chosen)
    _walls(spec, chosen)
    _light(spec, random)


def _surroundings(random: np.random.Generator) -> Surroundings:
    """A table of wood or painted, a floor, and walls in a quiet colour."""
    colour = (_WOODS if random.random() < 0.6 else _PLAINS)[random.integers(5)]
    wooden = colour in _WOODS
    red, green, blue = np.clip(np.array(colour) * random.uniform(0.94, 1.06, 3), 0, 1).tolist()
    tint = (red, green, blue)
    table = paint.wood(random, tint, planks=int(random.integers(4, 8))) if wooden else \
        paint.plain(random, tint)
    wall = _WALLS[random.integers(len(_WALLS))]
    base = (_WOODS + _PLAINS)[random.integers(10)]
    floor = paint.wood(random, shade(base, 0.8), 256, 8) if base in _WOODS else \
        paint.plain(random, shade(base, 0.7))
    return Surroundings(table, shade(tint, 0.55), floor, wall)


def _table(spec: mujoco.MjSpec, chosen: Surroundings) -> None:
    board = paint.add_picture(spec, 'table_top', chosen.table, 0.12, 0.25)
    middle, half = (TABLE_LOWER + TABLE_UPPER) / 2, (TABLE_UPPER - TABLE_LOWER) / 2
    sheet = surfaces.sheet((2 * half[1], 2 * half[0]), 2 * half[2])
    surfaces.add_surface(spec, 'table_top', sheet)
    world = spec.worldbody
    quarter = (np.sqrt(0.5), 0, 0, np.sqrt(0.5))
    world.add_geom(type=mujoco.mjtGeom.mjGEOM_MESH, meshname='table_top', material=board,
                   pos=middle, quat=quarter, contype=0, conaffinity=0, group=1)
    world.add_geom(name='table', type=mujoco.mjtGeom.mjGEOM_BOX, pos=middle, size=half, group=3,
                   friction=[0.8, 0.005, 0.0005], solref=[0.008, 1.0],
                   solimp=[0.95, 0.99, 0.001, 0.5, 2.0])
    for x in (TABLE_LOWER[0] + 0.06, TABLE_UPPER[0] - 0.06):
        for y in (TABLE_LOWER[1] + 0.06, TABLE_UPPER[1] - 0.06):
            _seen(world, mujoco.mjtGeom.mjGEOM_BOX, (x, y, (FLOOR - 0.035) / 2),
                  (0.028, 0.028, (-0.035 - FLOOR) / 2), chosen.legs)


def _walls(spec: mujoco.MjSpec, chosen: Surroundings) -> None:
    wall = chosen.wall
    material = paint.add_picture(spec, 'floor', chosen.floor, 0.05, 0.1)
    spec.material('floor').texrepeat = [4.0, 4.0]
    world = spec.worldbody
    world.add_geom(type=mujoco.mjtGeom.mjGEOM_PLANE, pos=(0.3, 0.0, FLOOR), size=(3.2, 3.2, 0.1),
                   material=material, contype=0, conaffinity=0, group=1)
    spec.add_texture(name='sky', type=mujoco.mjtTexture.mjTEXTURE_SKYBOX, width=64, height=64,
                     builtin=mujoco.mjtBuiltin.mjBUILTIN_GRADIENT, rgb1=shade(wall, 1.2),
                     rgb2=shade(wall, 0.8))
    skirting = shade(wall, 1.5)
    spec.add_material(name='wall', emission=0.4, specular=0.0)   # as if by a window behind us
    for x, y, half in WALLS:
        _seen(world, mujoco.mjtGeom.mjGEOM_BOX, (x, y, FLOOR + 1.3), half, wall, 'wall')
        flat = tuple(size + 0.008 if size < 0.1 else size for size in half[:2])
        _seen(world, mujoco.mjtGeom.mjGEOM_BOX, (x, y, FLOOR + 0.05), (*flat, 0.05), skirting,
              'wall')
    for poster in chosen.posters:
        x, y, half = WALLS[poster.wall]
        thick = [size + 0.004 if size < 0.1 else poster.half_width for size in half[:2]]
        along = [0.0 if size < 0.1 else poster.along for size in half[:2]]
        _seen(world, mujoco.mjtGeom.mjGEOM_BOX,
              (x + along[0], y + along[1], FLOOR + poster.height), (*thick, poster.half_height),
              poster.colour, 'wall')


def _light(spec: mujoco.MjSpec, random: np.random.Generator) -> None:
    bearing, height = random.uniform(-np.pi, np.pi), np.radians(random.uniform(48.0, 75.0))
    strength, warmth = random.uniform(0.46, 0.60), random.uniform(-0.06, 0.06)
    from_above = np.array([np.cos(bearing) * np.cos(height), np.sin(bearing) * np.cos(height),
                           np.sin(height)])
    colour = strength * np.array([1.0 + warmth, 1.0, 1.0 - warmth])
    world = spec.worldbody
    world.add_light(name='key', type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL,
                    pos=np.array([0.3, 0.0, 0.0]) + 2.0 * from_above, dir=-from_above,
                    diffuse=colour, specular=0.35 * colour, ambient=[0.0, 0.0, 0.0],
                    castshadow=True)
    fill = random.uniform(0.12, 0.20)
    world.add_light(name='fill', type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL,
                    pos=np.array([0.3, 0.0, 1.5]) - from_above * np.array([1.0, 1.0, 0.0]),
                    dir=[from_above[0], from_above[1], -0.8], diffuse=[fill] * 3,
                    specular=[0.05] * 3, castshadow=False)
    ambient = random.uniform(0.25, 0.33)
    spec.visual.headlight.ambient = [ambient] * 3
    spec.visual.headlight.diffuse = [0.08] * 3
    spec.visual.headlight.specular = [0.0] * 3


def _seen(world: mujoco.MjsBody, kind: mujoco.mjtGeom, pos: tuple[float, ...],
          half: tuple[float, ...], colour: Colour, material: str = '') -> None:
    world.add_geom(type=kind, pos=pos, size=half, material=material, rgba=[*colour, 1.0],
                   contype=0, conaffinity=0, group=1)

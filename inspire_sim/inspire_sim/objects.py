# SPDX-License-Identifier: Apache-2.0
"""The paper's objects as MuJoCo bodies.

Every object is two things: smooth surfaces for the eye, and primitives that collide. Hollow things
are hollow: the wall of a cup or a bowl is a ring of boxes. Nothing is welded; what is held is held
by friction. A body's origin is the middle of its underside, z up; measures are those of `shapes`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import mujoco
import numpy as np
from numpy.typing import NDArray

from inspire_sim import paint, shapes, surfaces
from inspire_sim.paint import Colour, shade

SEEN, COLLIDES = 1, 3            # geom groups, as the robot's
RING = 16                        # boxes in the wall of something hollow

_SLIDING = (0.8, 0.005, 0.0005)
_ROLLING = (0.8, 0.005, 0.0012)  # the last, times the weight, stops a ball from rolling for ever
_ON_RAILS = (0.22, 0.003, 0.0001)


@dataclass(frozen=True)
class Maker:
    """What a builder needs: the spec, the body, the object's frame (which prefixes the names of its
    assets), its colour, and randomness for its picture."""

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
              friction: tuple[float, ...] = _SLIDING, **geom: object) -> None:
        """Add a primitive that collides."""
        condim = 6 if friction is _ROLLING else 4
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
            quat = _product((np.cos(turn / 2), 0, 0, np.sin(turn / 2)),
                            (np.cos(lean / 2), 0, np.sin(lean / 2), 0))
            self.solid(mujoco.mjtGeom.mjGEOM_BOX, mass / RING, (thick / 2.0, broad, slant / 2.0),
                       pos=[middle * np.cos(turn), middle * np.sin(turn), (low[1] + high[1]) / 2],
                       quat=quat)

    def _seen(self, **geom: object) -> None:
        self.body.add_geom(contype=0, conaffinity=0, group=SEEN, mass=0.0, **geom)


def add_materials(spec: mujoco.MjSpec) -> None:
    """Add the materials that objects share; colours are given by each geom."""
    for name, specular, shininess in (('plain', 0.15, 0.25), ('plastic', 0.45, 0.6),
                                      ('glazed', 0.7, 0.85), ('metal', 0.9, 0.8),
                                      ('glass', 1.0, 0.95)):
        spec.add_material(name=name, specular=specular, shininess=shininess)


def add_object(spec: mujoco.MjSpec, frame: str, colour: Colour, random: np.random.Generator,
               position: NDArray[np.float64], yaw: float) -> str:
    """Add the object of a frame, its underside's middle at position (3,) [m]; returns its body's name.

    The cabinet stands fast; everything else is free to move.
    """
    body = spec.worldbody.add_body(name=frame, pos=position,
                                   quat=[np.cos(yaw / 2), 0, 0, np.sin(yaw / 2)])
    if frame != 'cabinet':
        body.add_freejoint(name=f'{frame}_free')
    BUILDERS[_kind(frame)](Maker(spec, body, frame, colour, random))
    return frame


def _kind(frame: str) -> str:
    """The builder's name: 'cup' for 'blue_cup', 'tray' for 'plate_1', 'bowl' for 'bowl_2'."""
    if frame.startswith('plate_'):
        return 'tray'
    return frame.split('_')[0] if frame[-1].isdigit() else frame.split('_')[-1]


def _ball(make: Maker) -> None:
    radius = shapes.BALL_RADIUS
    skin = make.picture('skin', paint.panels(make.colour, shade(make.colour, 1.75)), 0.4, 0.6)
    make.surface('skin', surfaces.ball((radius, radius, radius)), material=skin,
                 pos=(0, 0, radius), quat=(0.924, 0.271, 0.271, 0))
    make.solid(mujoco.mjtGeom.mjGEOM_SPHERE, shapes.SHAPES['ball'].mass, (radius,), _ROLLING,
               pos=[0, 0, radius])


def _orange(make: Maker) -> None:
    radius = shapes.ORANGE_RADIUS
    peel = make.picture('peel', paint.speckled(make.random, make.colour, shade(make.colour, 0.7),
                                               0.25), 0.35, 0.4)
    make.surface('peel', surfaces.ball((radius, radius, radius * 0.985)), material=peel,
                 pos=(0, 0, radius))
    make.rod((0, 0, radius * 1.97), (0, 0, radius * 2.02), 0.0032, (0.30, 0.42, 0.16))
    make.solid(mujoco.mjtGeom.mjGEOM_SPHERE, shapes.SHAPES['orange'].mass, (radius,), _ROLLING,
               pos=[0, 0, radius])


def _apple(make: Maker) -> None:
    radius = shapes.APPLE_RADIUS
    angle = np.linspace(-np.pi / 2, np.pi / 2, 24)
    dimple = 0.30 * np.exp(-((np.pi / 2 - np.abs(angle)) / 0.30) ** 2)
    profile = radius * np.stack([np.cos(angle) * (1.0 + 0.06 * np.sin(angle)),
                                 np.sin(angle) * (1.0 - dimple)], axis=1)
    profile[[0, -1], 0] = 0.0
    skin = make.picture('skin', paint.speckled(make.random, make.colour, (0.86, 0.62, 0.25), 0.12),
                        0.55, 0.7)
    make.surface('skin', surfaces.lathe(profile), material=skin, pos=(0, 0, radius))
    top = radius * 1.68
    stem = np.array([(0, 0, 0), (0.001, 0, 0), (0.003, 0, 0), (0.007, 0, 0), (0.014, 0, 0)])
    make.surface('stem', surfaces.tube(stem, np.full(5, 0.0016)), (0.35, 0.24, 0.13),
                 pos=(0, 0, top), quat=(0.766, 0, -0.643, 0))
    make.surface('leaf', surfaces.ball((0.013, 0.006, 0.0012), 9), (0.26, 0.50, 0.16),
                 pos=(0.012, 0.002, top + 0.009), quat=(0.96, 0, -0.2, 0.15))
    make.solid(mujoco.mjtGeom.mjGEOM_SPHERE, shapes.SHAPES['apple'].mass, (radius * 0.98,),
               _ROLLING, pos=[0, 0, radius * 0.98])


def _watermelon(make: Maker) -> None:
    axes = shapes.MELON_AXES
    rind = make.picture('rind', paint.rind(make.random, shade(make.colour, 1.35),
                                           shade(make.colour, 0.5)), 0.4, 0.5)
    long = (axes[1], axes[2], axes[0])  # the poles of a surface are on z: lay them along x
    make.surface('rind', surfaces.ball(long), material=rind, pos=(0, 0, axes[2]),
                 quat=(np.sqrt(0.5), 0, np.sqrt(0.5), 0))
    make.rod((axes[0] - 0.002, 0, axes[2]), (axes[0] + 0.009, 0, axes[2] + 0.003), 0.0026,
             (0.36, 0.33, 0.14))
    make.solid(mujoco.mjtGeom.mjGEOM_ELLIPSOID, shapes.SHAPES['watermelon'].mass, axes, _ROLLING,
               pos=[0, 0, axes[2]])


def _banana(make: Maker) -> None:
    count, thick, bend = 15, shapes.BANANA_THICK, shapes.BANANA_BEND
    angle = np.linspace(-0.5, 0.5, count) * shapes.BANANA_ARC / bend
    # The curve's middle is over the grasp, so that a pinch there holds it in balance.
    path = np.stack([bend * np.sin(angle), bend * (1 - np.cos(angle)), np.zeros(count)], axis=1)
    share = np.abs(np.linspace(-1.0, 1.0, count))
    radius = thick * np.sqrt(np.clip(1.0 - 0.82 * share ** 3.2, 0.06, 1.0))
    make.surface('flesh', surfaces.tube(path, radius), make.colour, 'plain', (0, 0, thick))
    for end, direction in ((0, -1.0), (-1, 1.0)):
        along = direction * np.array([np.cos(angle[end]), np.sin(angle[end]), 0.0])
        start = path[end] + np.array([0, 0, thick])
        size, tip = (0.0052, 0.007) if end else (0.0042, 0.014)
        make.rod(tuple(start - 0.003 * along), tuple(start + tip * along), size,
                 (0.24, 0.17, 0.08) if end else (0.46, 0.42, 0.12))
    for i in range(0, count - 2, 2):
        wide = float(np.mean(radius[i:i + 3]))
        make.solid(mujoco.mjtGeom.mjGEOM_CAPSULE, shapes.SHAPES['banana'].mass / 7.0, (wide,),
                   fromto=[*(path[i] + (0, 0, thick)), *(path[i + 2] + (0, 0, thick))])


def _can(make: Maker) -> None:
    radius, height = shapes.CAN_RADIUS, shapes.CAN_HEIGHT
    printed = make.picture('print', paint.label(make.colour, shade(make.colour, 0.55),
                                                (0.98, 0.80, 0.22)), 0.7, 0.8)
    neck, metal = radius * 0.86, (0.78, 0.79, 0.81)
    make.surface('side', surfaces.lathe(np.array([
        (0, 0.006), (neck, 0.006), (radius, 0.011), (radius, height - 0.011),
        (neck, height - 0.003), (0, height - 0.003)])), material=printed)
    for at in (0.003, height - 0.0025):
        make.surface(f'seam_{at > 0.05}', surfaces.lathe(surfaces.ring_profile(neck, at, 0.0026)),
                     metal, 'metal')
    make.surface('lid', surfaces.lathe(np.array([
        (0, height - 0.004), (neck, height - 0.004), (neck, height - 0.0022),
        (0, height - 0.0022)])), metal, 'metal')
    make.block('pull', (0.0085, 0.0050, 0.0007), (0.003, 0, height - 0.0008), (0.62, 0.63, 0.66),
               0.0004, 'metal')
    make.solid(mujoco.mjtGeom.mjGEOM_CYLINDER, shapes.SHAPES['can'].mass, (radius, height / 2),
               pos=[0, 0, height / 2])


def _plug(make: Maker) -> None:
    long, wide, high = shapes.PLUG
    dark, metal = shade(make.colour, 0.72), (0.80, 0.78, 0.70)
    make.block('body', (long / 2, wide / 2, high / 2), (0, 0, high / 2), make.colour, 0.005,
               'plastic')
    make.block('face', (0.003, wide / 2 * 0.86, high / 2 * 0.86), (long / 2 + 0.002, 0, high / 2),
               dark, 0.002, 'plastic')
    for ridge in (-0.010, -0.004, 0.002):
        make.block(f'grip{int(ridge * 1000)}', (0.0014, wide / 2 + 0.0006, high / 2 * 0.72),
                   (ridge, 0, high / 2), dark, 0.0005, 'plastic')
    for side in (-1.0, 1.0):
        y, start = side * 0.0075, long / 2 + 0.004
        make.rod((start, y, high / 2), (start + 0.019, y, high / 2), 0.0024, metal, 'metal')
        make.solid(mujoco.mjtGeom.mjGEOM_CAPSULE, 0.002, (0.0024,),
                   fromto=[start, y, high / 2, start + 0.017, y, high / 2])
    cable = np.array([(-long / 2, 0, 0), (-long / 2 - 0.008, 0, 0), (-long / 2 - 0.018, 0.002, 0),
                      (-long / 2 - 0.030, 0.007, 0), (-long / 2 - 0.040, 0.015, 0)])
    make.surface('cable', surfaces.tube(cable, np.array([0.006, 0.0048, 0.0036, 0.0034, 0.0034])),
                 dark, 'plastic', (0, 0, high / 2))
    make.solid(mujoco.mjtGeom.mjGEOM_BOX, shapes.SHAPES['plug'].mass,
               (long / 2, wide / 2, high / 2), pos=[0, 0, high / 2])


def _plate(make: Maker) -> None:
    rim, well, top = shapes.PLATE_RADIUS, shapes.PLATE_WELL, shapes.PLATE_HEIGHT
    floor = shapes.PLATE_FLOOR
    make.surface('dish', surfaces.lathe(np.array([
        (0, 0), (well * 0.86, 0), (well, 0.003), (rim, top - 0.003), (rim + 0.0008, top - 0.001),
        (rim - 0.0015, top), (well + 0.002, floor + 0.002), (well * 0.9, floor), (0, floor)])),
                 make.colour, 'glazed')
    band = make.random.choice(3)
    trim = ((0.16, 0.33, 0.62), (0.72, 0.28, 0.20), (0.25, 0.50, 0.36))[band]
    low, high = 0.80, 0.90
    edge = well + (rim - well) * np.array([low, high])
    rise = floor + 0.002 + (top - floor - 0.002) * np.array([low, high]) + 0.0004
    make.surface('trim', surfaces.lathe(np.array([
        (edge[0], rise[0] - 0.001), (edge[1], rise[1] - 0.001), (edge[1], rise[1]),
        (edge[0], rise[0]), (edge[0], rise[0] - 0.001)])), trim, 'glazed')
    mass = shapes.SHAPES['plate'].mass
    make.solid(mujoco.mjtGeom.mjGEOM_CYLINDER, mass * 0.6, (well, floor / 2),
               pos=[0, 0, floor / 2])
    make.wall((well + 0.002, 0.0065), (rim, top), 0.004, mass * 0.4)


def _cup(make: Maker) -> None:
    top, foot, height = shapes.CUP_TOP, shapes.CUP_FOOT, shapes.CUP_HEIGHT
    thick = shapes.CUP_WALL
    make.surface('outside', surfaces.lathe(np.array([
        (0, 0.0015), (foot - 0.006, 0.0015), (foot - 0.004, 0), (foot - 0.0015, 0),
        (foot, 0.002), (top, height - 0.001), (top - thick / 2, height),
        (top - thick, height - 0.001), (top - thick - 0.0013, height - 0.010)])),
                 make.colour, 'glazed')
    inner = foot - thick + (top - foot) * 0.10
    make.surface('inside', surfaces.lathe(np.array([
        (top - thick - 0.0013, height - 0.010), (inner, 0.008), (inner - 0.005, 0.005),
        (0, 0.005)])), shade(make.colour, 1.72), 'glazed')
    mass = shapes.SHAPES['blue_cup'].mass
    make.solid(mujoco.mjtGeom.mjGEOM_CYLINDER, mass * 0.4, (foot, 0.0025), pos=[0, 0, 0.0025])
    make.wall((foot + 0.0003, 0.003), (top, height), thick, mass * 0.6)


def _bowl(make: Maker) -> None:
    top, bend, foot = shapes.BOWL_TOP, shapes.BOWL_BEND, shapes.BOWL_FOOT
    height, knee, thick = shapes.BOWL_HEIGHT, shapes.BOWL_BEND_HEIGHT, shapes.BOWL_WALL
    outside = [(foot - 0.004, 0.0), (foot - 0.0005, 0.0), (foot, 0.0025)]
    outside += [(foot + (bend - foot) * s + 0.0035 * np.sin(np.pi * s),
                 0.0025 + (knee - 0.0025) * s - 0.0015 * np.sin(np.pi * s))
                for s in (0.25, 0.5, 0.75)]
    outside += [(bend, knee), (top, height - 0.001), (top - thick / 2, height)]
    make.surface('outside', surfaces.lathe(np.array([(0, 0.002), (foot - 0.006, 0.002), *outside,
                                                     (top - thick, height - 0.001)])),
                 make.colour, 'glazed')
    inside = [(top - thick, height - 0.001), (bend - thick, knee + 0.001)]
    inside += [(foot + (bend - thick - foot) * s + 0.003 * np.sin(np.pi * s),
                0.005 + (knee - 0.004) * s - 0.001 * np.sin(np.pi * s)) for s in (0.75, 0.5, 0.25)]
    make.surface('inside', surfaces.lathe(np.array([*inside, (foot * 0.8, 0.0045), (0, 0.0045)])),
                 shade(make.colour, 1.7), 'glazed')
    mass = shapes.SHAPES['bowl_1'].mass
    make.solid(mujoco.mjtGeom.mjGEOM_CYLINDER, mass * 0.25, (foot, 0.002), pos=[0, 0, 0.002])
    make.wall((foot + 0.002, 0.003), (bend, knee), thick, mass * 0.25)
    make.wall((bend, knee), (top, height), thick, mass * 0.5)


def _cookies(make: Maker) -> None:
    half = (shapes.COOKIES[0] / 2, shapes.COOKIES[1] / 2, shapes.COOKIES[2] / 2)
    front = make.picture('front', paint.biscuits(make.random, (0.97, 0.90, 0.74), make.colour))
    make.block('packet', half, (0, 0, half[2]), make.colour, 0.003, 'plastic')
    make.surface('front', surfaces.sheet((2 * half[0] - 0.007, 2 * half[1] - 0.007)),
                 material=front, pos=(0, 0, 2 * half[2] + 0.0001))
    for side, turn in ((-1.0, 0.0), (1.0, np.pi)):
        tilt = _product((np.cos(turn / 2), 0, 0, np.sin(turn / 2)),
                        (np.sqrt(0.5), np.sqrt(0.5), 0, 0))
        make.surface(f'side_{side > 0}', surfaces.sheet((2 * half[0] - 0.007, 2 * half[2] - 0.007)),
                     material=front, pos=(0, side * (half[1] + 0.0001), half[2]), quat=tilt)
    make.solid(mujoco.mjtGeom.mjGEOM_BOX, shapes.SHAPES['cookies'].mass, half,
               pos=[0, 0, half[2]])


def _towel(make: Maker) -> None:
    long, wide, thick = shapes.TOWEL
    pale = (0.95, 0.94, 0.90)
    weave = make.picture('weave', paint.striped(
        pale, make.colour, ((0.08, 0.13), (0.16, 0.30), (0.33, 0.38),
                            (0.62, 0.67), (0.70, 0.84), (0.87, 0.92))), 0.02, 0.05)
    make.block('cloth', (long / 2, wide / 2, thick / 2), (0, 0, thick / 2), pale, 0.0018)
    make.surface('weave', surfaces.sheet((wide - 0.002, long - 0.004)), material=weave,
                 pos=(0, 0, thick), quat=(np.sqrt(0.5), 0, 0, np.sqrt(0.5)))
    for x in (-1.0, 1.0):
        for y in np.linspace(-0.47, 0.47, 16) * wide:
            make.rod((x * long / 2, y, 0.002), (x * (long / 2 + 0.007), y, 0.0015), 0.0012, pale)
    make.solid(mujoco.mjtGeom.mjGEOM_BOX, shapes.SHAPES['towel'].mass,
               (long / 2, wide / 2, thick / 2), (1.0, 0.02, 0.001), pos=[0, 0, thick / 2])


def _book(make: Maker) -> None:
    long, wide, high = shapes.BOOK
    cover, page, gold = 0.0025, (0.95, 0.93, 0.86), (0.90, 0.76, 0.36)
    for name, z in (('back', cover / 2), ('front', high - cover / 2)):
        make.block(name, (long / 2, wide / 2, cover / 2), (0, 0, z), make.colour, 0.0008)
    make.block('spine', (long / 2, 0.0022, high / 2), (0, wide / 2 - 0.001, high / 2),
               shade(make.colour, 0.85), 0.001)
    make.block('pages', (long / 2 - 0.004, wide / 2 - 0.004, high / 2 - cover),
               (0, 0, high / 2), page, 0.0005)
    for z in np.linspace(0.2, 0.8, 6) * high:
        make.block(f'leaf{int(z * 1e5)}', (long / 2 - 0.0037, wide / 2 - 0.0037, 0.00025),
                   (0, 0, float(z)), shade(page, 0.86), 0.0001)
    make.block('title', (long * 0.26, wide * 0.05, 0.0004), (0, wide * 0.18, high), gold, 0.0002)
    make.block('author', (long * 0.14, wide * 0.025, 0.0004), (0, -wide * 0.28, high), gold, 0.0002)
    make.surface('seal', surfaces.lathe(np.array([(0, 0), (0.013, 0), (0.013, 0.0006),
                                                  (0, 0.0006)]), 28), gold,
                 pos=(0, -wide * 0.06, high - 0.0002))
    make.solid(mujoco.mjtGeom.mjGEOM_BOX, shapes.SHAPES['book'].mass,
               (long / 2, wide / 2, high / 2), pos=[0, 0, high / 2])


def _cube(make: Maker) -> None:
    half = shapes.CUBE / 2
    make.block('cube', (half, half, half), (0, 0, half), make.colour, 0.003)
    make.solid(mujoco.mjtGeom.mjGEOM_BOX, shapes.SHAPES['blue_cube'].mass, (half, half, half),
               pos=[0, 0, half])


def _lego(make: Maker) -> None:
    half = (shapes.LEGO[0] / 2, shapes.LEGO[1] / 2, shapes.LEGO[2] / 2)
    radius, rise = shapes.STUD
    make.block('brick', half, (0, 0, half[2]), make.colour, 0.0008, 'plastic')
    # The studs are for the eye: a brick's hollow underside takes them, as in the real ones.
    for x in np.array([-0.375, -0.125, 0.125, 0.375]) * shapes.LEGO[0]:
        for y in np.array([-0.25, 0.25]) * shapes.LEGO[1]:
            make.rod((x, y, 2 * half[2] - 0.001), (x, y, 2 * half[2] + rise), radius, make.colour,
                     'plastic')
    make.solid(mujoco.mjtGeom.mjGEOM_BOX, shapes.SHAPES['blue_lego'].mass, half,
               pos=[0, 0, half[2]])


def _tray(make: Maker) -> None:
    long, wide, thick = shapes.TRAY[0] / 2, shapes.TRAY[1] / 2, shapes.TRAY[2] / 2
    out, across, up = shapes.TAB
    wood = (0.80, 0.63, 0.43)
    make.block('board', (long, wide, thick), (0, 0, thick), wood, 0.002)
    radius = wide * 0.90
    make.surface('dish', surfaces.lathe(np.array([
        (0, 0), (radius * 0.66, 0), (radius, 0.011), (radius, 0.0125), (radius - 0.002, 0.013),
        (radius * 0.68, 0.004), (0, 0.003)])), make.colour, 'glazed', (0, 0, 2 * thick - 0.001))
    make.block('neck', (out / 2, across / 2, 0.006), (-long - out / 2 + 0.004, 0, 0.008), wood,
               0.002)
    handle = (out * 0.36, across / 2, up / 2)
    at = (shapes.SHAPES['plate_1'].frame[0], 0.0, 0.004 + up / 2)
    make.block('handle', handle, at, (0.22, 0.20, 0.19), 0.003, 'plastic')
    mass = shapes.SHAPES['plate_1'].mass
    box = mujoco.mjtGeom.mjGEOM_BOX
    make.solid(box, mass * 0.9, (long, wide, thick), _ON_RAILS, pos=[0, 0, thick])
    make.solid(box, mass * 0.06, handle, _ON_RAILS, pos=at)
    make.solid(box, mass * 0.04, (out / 2, across / 2, 0.006), _ON_RAILS,
               pos=[-long - out / 2 + 0.004, 0, 0.008])


def _cabinet(make: Maker) -> None:
    """A glass cabinet without a back: posts, glass sides and roof, rails on which the plates slide."""
    deep, wide, high = shapes.CABINET[0] / 2, shapes.CABINET[1] / 2, shapes.CABINET[2]
    board, dark, post = 0.006, shade(make.colour, 0.72), 0.0075
    box = mujoco.mjtGeom.mjGEOM_BOX

    def plank(name: str, half: tuple[float, float, float], pos: tuple[float, float, float],
              colour: Colour | None = None) -> None:
        make.block(name, half, pos, colour or make.colour, min(0.0015, min(half) * 0.5))
        make.solid(box, 0.3, half, _ON_RAILS, pos=pos)

    def glass(half: tuple[float, float, float], pos: tuple[float, float, float]) -> None:
        make.body.add_geom(type=box, size=half, pos=pos, contype=0, conaffinity=0, mass=0.0,
                           group=SEEN, material='glass', rgba=[0.80, 0.92, 0.95, 0.16])

    inner = wide - 2 * board
    for side in (-1.0, 1.0):
        middle = (0.0, side * (wide - board), high / 2)
        make.solid(box, 0.3, (deep, board, high / 2), _ON_RAILS, pos=middle)
        glass((deep - 2 * post, 0.0015, high / 2 - 0.02), middle)
        for end in (-1.0, 1.0):
            make.block(f'post{side:+.0f}{end:+.0f}', (post, board, high / 2),
                       (end * (deep - post), side * (wide - board), high / 2), edge=0.0015)
        make.block(f'top{side:+.0f}', (deep, board, 0.007),
                   (0, side * (wide - board), high - 0.007), edge=0.0015)
        for number, shelf in enumerate(shapes.SHELVES):
            plank(f'ledge{side:+.0f}{number}', (deep - 0.001, 0.008, 0.004),
                  (0, side * (inner - 0.008), shelf - 0.004), dark)
            # Keeps a plate from tipping when it is drawn far out.
            plank(f'guide{side:+.0f}{number}', (deep - 0.001, 0.004, 0.002),
                  (0, side * (inner - 0.004), shelf + shapes.TRAY[2] + 0.0045), dark)
    plank('base', (deep, wide, 0.010), (0, 0, 0.010))
    make.solid(box, 0.3, (deep, wide, 0.003), _ON_RAILS, pos=[0, 0, high - 0.004])
    glass((deep - 2 * post, wide - 2 * board, 0.0015), (0, 0, high - 0.004))
    for end in (-1.0, 1.0):
        make.block(f'lintel{end:+.0f}', (post, wide, 0.007), (end * (deep - post), 0, high - 0.007),
                   edge=0.0015)
    for number, shelf in enumerate(shapes.SHELVES):
        plank(f'stop{number}', (0.0035, inner, 0.004), (deep - 0.0040, 0, shelf + 0.004), dark)


def _product(a: tuple[float, ...], b: tuple[float, ...]) -> tuple[float, ...]:
    result = np.zeros(4)
    mujoco.mju_mulQuat(result, np.array(a, dtype=float), np.array(b, dtype=float))
    return tuple(result.tolist())


def _rgba(colour: Colour | None) -> dict[str, object]:
    return {} if colour is None else {'rgba': [*colour, 1.0]}


BUILDERS: dict[str, Callable[[Maker], None]] = {
    'ball': _ball, 'orange': _orange, 'apple': _apple, 'watermelon': _watermelon,
    'banana': _banana, 'can': _can, 'plug': _plug, 'plate': _plate, 'cup': _cup, 'bowl': _bowl,
    'cookies': _cookies, 'towel': _towel, 'book': _book, 'cube': _cube, 'lego': _lego,
    'tray': _tray, 'cabinet': _cabinet,
}

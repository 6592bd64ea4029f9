# SPDX-License-Identifier: Apache-2.0
"""Fruit, a can and a packet of cookies."""

import mujoco
import numpy as np

from inspire_sim import paint, shapes, surfaces
from inspire_sim.maker import ROLLING, Maker, product
from inspire_sim.paint import shade


def orange(make: Maker) -> None:
    radius = shapes.ORANGE_RADIUS
    peel = make.picture('peel', paint.speckled(make.random, make.colour, shade(make.colour, 0.7),
                                               0.25), 0.35, 0.4)
    make.surface('peel', surfaces.ball((radius, radius, radius * 0.985)), material=peel,
                 pos=(0, 0, radius))
    make.rod((0, 0, radius * 1.97), (0, 0, radius * 2.02), 0.0032, (0.30, 0.42, 0.16))
    make.solid(mujoco.mjtGeom.mjGEOM_SPHERE, shapes.SHAPES['orange'].mass, (radius,), ROLLING,
               pos=[0, 0, radius])


def apple(make: Maker) -> None:
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
               ROLLING, pos=[0, 0, radius * 0.98])


def watermelon(make: Maker) -> None:
    axes = shapes.MELON_AXES
    rind = make.picture('rind', paint.rind(make.random, shade(make.colour, 1.35),
                                           shade(make.colour, 0.5)), 0.4, 0.5)
    long = (axes[1], axes[2], axes[0])  # the poles of a surface are on z: lay them along x
    make.surface('rind', surfaces.ball(long), material=rind, pos=(0, 0, axes[2]),
                 quat=(np.sqrt(0.5), 0, np.sqrt(0.5), 0))
    make.rod((axes[0] - 0.002, 0, axes[2]), (axes[0] + 0.009, 0, axes[2] + 0.003), 0.0026,
             (0.36, 0.33, 0.14))
    make.solid(mujoco.mjtGeom.mjGEOM_ELLIPSOID, shapes.SHAPES['watermelon'].mass, axes, ROLLING,
               pos=[0, 0, axes[2]])


def banana(make: Maker) -> None:
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


def can(make: Maker) -> None:
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


def cookies(make: Maker) -> None:
    half = (shapes.COOKIES[0] / 2, shapes.COOKIES[1] / 2, shapes.COOKIES[2] / 2)
    front = make.picture('front', paint.biscuits(make.random, (0.97, 0.90, 0.74), make.colour))
    make.block('packet', half, (0, 0, half[2]), make.colour, 0.003, 'plastic')
    make.surface('front', surfaces.sheet((2 * half[0] - 0.007, 2 * half[1] - 0.007)),
                 material=front, pos=(0, 0, 2 * half[2] + 0.0001))
    for side, turn in ((-1.0, 0.0), (1.0, np.pi)):
        tilt = product((np.cos(turn / 2), 0, 0, np.sin(turn / 2)),
                        (np.sqrt(0.5), np.sqrt(0.5), 0, 0))
        face = surfaces.sheet((2 * half[0] - 0.007, 2 * half[2] - 0.007))
        make.surface(f'side_{side > 0}', face, material=front,
                     pos=(0, side * (half[1] + 0.0001), half[2]), quat=tilt)
    make.solid(mujoco.mjtGeom.mjGEOM_BOX, shapes.SHAPES['cookies'].mass, half,
               pos=[0, 0, half[2]])

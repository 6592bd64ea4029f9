# SPDX-License-Identifier: Apache-2.0
"""Ball, plug, towel, book, cube and brick."""

import mujoco
import numpy as np

from inspire_sim import paint, shapes, surfaces
from inspire_sim.maker import ROLLING, Maker
from inspire_sim.paint import shade


def ball(make: Maker) -> None:
    radius = shapes.BALL_RADIUS
    skin = make.picture('skin', paint.panels(make.colour, shade(make.colour, 1.75)), 0.4, 0.6)
    make.surface('skin', surfaces.ball((radius, radius, radius)), material=skin,
                 pos=(0, 0, radius), quat=(0.924, 0.271, 0.271, 0))
    make.solid(mujoco.mjtGeom.mjGEOM_SPHERE, shapes.SHAPES['ball'].mass, (radius,), ROLLING,
               pos=[0, 0, radius])


def plug(make: Maker) -> None:
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


def towel(make: Maker) -> None:
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


def book(make: Maker) -> None:
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
    make.block('author', (long * 0.14, wide * 0.025, 0.0004), (0, -wide * 0.28, high), gold,
               0.0002)
    make.surface('seal', surfaces.lathe(np.array([(0, 0), (0.013, 0), (0.013, 0.0006),
                                                  (0, 0.0006)]), 28), gold,
                 pos=(0, -wide * 0.06, high - 0.0002))
    make.solid(mujoco.mjtGeom.mjGEOM_BOX, shapes.SHAPES['book'].mass,
               (long / 2, wide / 2, high / 2), pos=[0, 0, high / 2])


def cube(make: Maker) -> None:
    half = shapes.CUBE / 2
    make.block('cube', (half, half, half), (0, 0, half), make.colour, 0.003)
    make.solid(mujoco.mjtGeom.mjGEOM_BOX, shapes.SHAPES['blue_cube'].mass, (half, half, half),
               pos=[0, 0, half])


def lego(make: Maker) -> None:
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

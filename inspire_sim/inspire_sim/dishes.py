# SPDX-License-Identifier: Apache-2.0
"""Plate, cup and bowl: hollow, with walls that are rings of boxes."""

import mujoco
import numpy as np

from inspire_sim import shapes, surfaces
from inspire_sim.maker import Maker
from inspire_sim.paint import shade


def plate(make: Maker) -> None:
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


def cup(make: Maker) -> None:
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


def bowl(make: Maker) -> None:
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

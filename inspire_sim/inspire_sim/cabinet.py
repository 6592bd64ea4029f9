# SPDX-License-Identifier: Apache-2.0
"""The cabinet, and the plates on trays that slide in it."""

import mujoco
import numpy as np

from inspire_sim import shapes, surfaces
from inspire_sim.maker import ON_RAILS, SEEN, Maker
from inspire_sim.paint import Colour, shade


def tray(make: Maker) -> None:
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
    make.solid(box, mass * 0.9, (long, wide, thick), ON_RAILS, pos=[0, 0, thick])
    make.solid(box, mass * 0.06, handle, ON_RAILS, pos=at)
    make.solid(box, mass * 0.04, (out / 2, across / 2, 0.006), ON_RAILS,
               pos=[-long - out / 2 + 0.004, 0, 0.008])


def cabinet(make: Maker) -> None:
    """Posts, glass sides and roof, no back, and rails on which the plates slide."""
    deep, wide, high = shapes.CABINET[0] / 2, shapes.CABINET[1] / 2, shapes.CABINET[2]
    board, dark, post = 0.006, shade(make.colour, 0.72), 0.0075
    box = mujoco.mjtGeom.mjGEOM_BOX

    def plank(name: str, half: tuple[float, float, float], pos: tuple[float, float, float],
              colour: Colour | None = None) -> None:
        make.block(name, half, pos, colour or make.colour, min(0.0015, min(half) * 0.5))
        make.solid(box, 0.3, half, ON_RAILS, pos=pos)

    def glass(half: tuple[float, float, float], pos: tuple[float, float, float]) -> None:
        make.body.add_geom(type=box, size=half, pos=pos, contype=0, conaffinity=0, mass=0.0,
                           group=SEEN, material='glass', rgba=[0.80, 0.92, 0.95, 0.16])

    inner = wide - 2 * board
    for side in (-1.0, 1.0):
        middle = (0.0, side * (wide - board), high / 2)
        make.solid(box, 0.3, (deep, board, high / 2), ON_RAILS, pos=middle)
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
    make.solid(box, 0.3, (deep, wide, 0.003), ON_RAILS, pos=[0, 0, high - 0.004])
    glass((deep - 2 * post, wide - 2 * board, 0.0015), (0, 0, high - 0.004))
    for end in (-1.0, 1.0):
        make.block(f'lintel{end:+.0f}', (post, wide, 0.007),
                   (end * (deep - post), 0, high - 0.007), edge=0.0015)
    for number, shelf in enumerate(shapes.SHELVES):
        plank(f'stop{number}', (0.0035, inner, 0.004), (deep - 0.0040, 0, shelf + 0.004),
              dark)

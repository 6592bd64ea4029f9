# SPDX-License-Identifier: Apache-2.0
"""The paper's objects as MuJoCo bodies.

Every object is two things: smooth surfaces for the eye, and primitives that collide. Hollow things
are hollow. Nothing is welded; what is held is held by friction. A body's origin is the middle of
its underside, z up; measures are those of `shapes`.
"""

from collections.abc import Callable

import mujoco
import numpy as np
from numpy.typing import NDArray

from inspire_sim import cabinet, dishes, food, things
from inspire_sim.maker import Maker
from inspire_sim.paint import Colour

BUILDERS: dict[str, Callable[[Maker], None]] = {
    'ball': things.ball, 'orange': food.orange, 'apple': food.apple,
    'watermelon': food.watermelon, 'banana': food.banana, 'can': food.can, 'plug': things.plug,
    'plate': dishes.plate, 'cup': dishes.cup, 'bowl': dishes.bowl, 'cookies': food.cookies,
    'towel': things.towel, 'book': things.book, 'cube': things.cube, 'lego': things.lego,
    'tray': cabinet.tray, 'cabinet': cabinet.cabinet,
}


def add_materials(spec: mujoco.MjSpec) -> None:
    """Add the materials that objects share; colours are given by each geom."""
    for name, specular, shininess in (('plain', 0.15, 0.25), ('plastic', 0.45, 0.6),
                                      ('glazed', 0.7, 0.85), ('metal', 0.9, 0.8),
                                      ('glass', 1.0, 0.95)):
        spec.add_material(name=name, specular=specular, shininess=shininess)


def add_object(spec: mujoco.MjSpec, frame: str, colour: Colour, random: np.random.Generator,
               position: NDArray[np.float64], yaw: float) -> str:
    """Add an object with its underside's middle at position (3,) [m]; returns its body's name.

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

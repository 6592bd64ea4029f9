# SPDX-License-Identifier: Apache-2.0
"""The objects' measures, as numbers: what the scene, the success tests and the expert share.

No physics engine in here, so that the expert can run where there is none. A body's origin is the
middle of its underside, z up. Its frame (on TF) is where it is grasped: the centre of a ball, a
point on the rim of a cup, the handle of a tray. Where an object is only ever a target, the frame
is where things are put.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from piper_driver.pose import Pose

Grip = Literal['round', 'across', 'square', 'rim', 'tab']


@dataclass(frozen=True)
class Shape:
    """Measures of one object, metres and kilograms.

    radius: of the circle it covers, seen from above; height: of its top.
    frame: the grasp frame's origin in the body (rims: of the rim point at turn 0).
    grip: how fingers may close on it. round: from any side; across: along the frame's y;
    square: along x or y; rim: along x, one finger inside; tab: a tray's upright handle, along y.
    width: between the fingers; opening: of the gripper when it approaches.
    lean: slope of a rim's wall against the vertical [rad], the wall opening upwards.
    seat: height at which another body stands in or on this one; hold: how far from the axis
    that body's axis may be. rolls: it is a ball, and has no underside of its own.
    """

    radius: float
    height: float
    mass: float
    frame: tuple[float, float, float]
    grip: Grip = 'round'
    width: float = 0.0
    opening: float = 0.07
    lean: float = 0.0
    seat: float = 0.0
    hold: float = 0.0
    rolls: bool = False

    def grasp(self, turn: float = 0.0) -> Pose:
        """The grasp frame in the body, turned by `turn` [rad] about the body's axis.

        A rim point's x axis points outwards.
        """
        cos, sin = np.cos(turn), np.sin(turn)
        x, y, z = self.frame
        return Pose(np.array([cos * x - sin * y, sin * x + cos * y, z]),
                    np.array([0.0, 0.0, np.sin(turn / 2.0), np.cos(turn / 2.0)]))

    def base(self, frame: Pose) -> NDArray[np.float64]:
        """Where the body's origin is, (3,) [m], when its grasp frame is at `frame`."""
        return frame.position - frame.rotation @ np.array(self.frame)


BALL_RADIUS = 0.022
ORANGE_RADIUS = 0.0265
APPLE_RADIUS = 0.036
MELON_AXES = (0.072, 0.058, 0.058)
CAN_RADIUS, CAN_HEIGHT = 0.026, 0.102
CUP_TOP, CUP_FOOT, CUP_HEIGHT, CUP_WALL = 0.037, 0.027, 0.074, 0.003
BOWL_TOP, BOWL_BEND, BOWL_FOOT, BOWL_WALL = 0.058, 0.0505, 0.030, 0.0032
BOWL_HEIGHT, BOWL_BEND_HEIGHT = 0.050, 0.016
PLATE_RADIUS, PLATE_WELL, PLATE_HEIGHT, PLATE_FLOOR = 0.088, 0.062, 0.016, 0.005
BANANA_ARC, BANANA_BEND, BANANA_THICK = 0.150, 0.095, 0.0165   # length, radius of curve, of flesh
COOKIES = (0.104, 0.046, 0.038)
TOWEL = (0.175, 0.135, 0.005)
BOOK = (0.165, 0.118, 0.026)
CUBE = 0.042
LEGO, STUD = (0.064, 0.032, 0.026), (0.0052, 0.0045)   # body; a stud's radius and height
PLUG = (0.044, 0.030, 0.030)
TRAY = (0.160, 0.150, 0.008)      # of a cabinet's plate, without its handle and raised rim
TAB = (0.034, 0.014, 0.034)       # the handle: outwards, across, up
SHELVES = (0.064, 0.134, 0.204)   # heights of the shelves' surfaces
CABINET = (0.180, 0.180, 0.268)   # depth, width, height

_CUP_LEAN = float(np.arctan2(CUP_TOP - CUP_FOOT, CUP_HEIGHT))
_BOWL_LEAN = float(np.arctan2(BOWL_TOP - BOWL_BEND, BOWL_HEIGHT - BOWL_BEND_HEIGHT))
_RIM_DEPTH = 0.010                # of the grasp below a rim's edge


def _cup() -> Shape:
    radius = CUP_TOP - _RIM_DEPTH * np.tan(_CUP_LEAN) - CUP_WALL / 2.0
    return Shape(CUP_TOP, CUP_HEIGHT, 0.09, (radius, 0.0, CUP_HEIGHT - _RIM_DEPTH), 'rim',
                 CUP_WALL, 0.040, _CUP_LEAN)


def _bowl() -> Shape:
    radius = BOWL_TOP - _RIM_DEPTH * np.tan(_BOWL_LEAN) - BOWL_WALL / 2.0
    # Nested, the walls touch: the upper bowl is higher by a wall's thickness, measured upwards.
    return Shape(BOWL_TOP, BOWL_HEIGHT, 0.12, (radius, 0.0, BOWL_HEIGHT - _RIM_DEPTH), 'rim',
                 BOWL_WALL, 0.046, _BOWL_LEAN,
                 seat=BOWL_WALL / np.sin(_BOWL_LEAN), hold=0.012)


def _cube() -> Shape:
    return Shape(CUBE * 0.71, CUBE, 0.06, (0.0, 0.0, CUBE * 0.52), 'square', CUBE, seat=CUBE,
                 hold=0.018)


def _lego() -> Shape:
    return Shape(float(np.hypot(*LEGO[:2])) / 2.0, LEGO[2] + STUD[1], 0.035,
                 (0.0, 0.0, LEGO[2] * 0.6), 'across', LEGO[1], 0.062, seat=LEGO[2], hold=0.014)


def _tray() -> Shape:
    handle = -(TRAY[0] / 2.0 + TAB[0] * 0.55)
    return Shape(0.11, TAB[2], 0.14, (handle, 0.0, 0.004 + TAB[2] * 0.5), 'tab', TAB[1], 0.05)


SHAPES: dict[str, Shape] = {
    'ball': Shape(BALL_RADIUS, 2 * BALL_RADIUS, 0.03, (0, 0, BALL_RADIUS), width=2 * BALL_RADIUS,
                  rolls=True),
    'plug': Shape(0.045, PLUG[2], 0.05, (0, 0, 0.017), 'across', PLUG[1], 0.062),
    'can': Shape(CAN_RADIUS, CAN_HEIGHT, 0.16, (0, 0, CAN_HEIGHT - 0.026), width=2 * CAN_RADIUS),
    'apple': Shape(APPLE_RADIUS, 0.075, 0.15, (0, 0, APPLE_RADIUS), width=2 * APPLE_RADIUS,
                   rolls=True),
    'watermelon': Shape(MELON_AXES[0], 2 * MELON_AXES[2], 0.6, (0, 0, MELON_AXES[2]),
                        width=2 * MELON_AXES[1]),
    'orange': Shape(ORANGE_RADIUS, 2 * ORANGE_RADIUS, 0.07, (0, 0, ORANGE_RADIUS),
                    width=2 * ORANGE_RADIUS, rolls=True),
    'banana': Shape(BANANA_ARC / 2.0, 2 * BANANA_THICK, 0.10, (0, 0, BANANA_THICK), 'across',
                    2 * BANANA_THICK, 0.066),
    'plate': Shape(PLATE_RADIUS, PLATE_HEIGHT, 0.22, (0, 0, PLATE_FLOOR + 0.004),
                   seat=PLATE_FLOOR, hold=0.055),
    'cookies': Shape(float(np.hypot(*COOKIES[:2])) / 2.0, COOKIES[2], 0.08,
                     (0, 0, COOKIES[2] * 0.55), 'across', COOKIES[1]),
    'towel': Shape(float(np.hypot(*TOWEL[:2])) / 2.0, TOWEL[2], 0.12, (0, 0, TOWEL[2]),
                   seat=TOWEL[2], hold=0.06),
    'book': Shape(float(np.hypot(*BOOK[:2])) / 2.0, BOOK[2], 0.35, (0, 0, BOOK[2]),
                  seat=BOOK[2], hold=0.05),
    'cabinet': Shape(0.125, CABINET[2], 3.0, (-CABINET[0] / 2.0, 0, CABINET[2] / 2.0)),
    **{f'{colour}_cup': _cup() for colour in ('blue', 'green', 'red', 'orange', 'yellow')},
    **{f'{colour}_cube': _cube() for colour in ('green', 'blue')},
    **{f'{colour}_lego': _lego() for colour in ('green', 'blue')},
    **{f'bowl_{number}': _bowl() for number in (1, 2, 3)},
    **{f'plate_{number}': _tray() for number in (1, 2, 3)},
}

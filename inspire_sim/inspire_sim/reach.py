# SPDX-License-Identifier: Apache-2.0
"""How the tool is held: which way the fingers open and how far it leans.

Straight down, joint5 meets its limit a hand's breadth above the table. So the tool leans outwards,
the more the higher and the farther out it is; the lean is smooth in the position, and well inside
what the arm can do between 0.2 and 0.45 m from its axis (measured with `piper_driver.kinematics`).
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

UP = np.array([0.0, 0.0, 1.0])


def bearing(position: Array) -> float:
    """The direction of a point from the arm's axis, about z [rad]."""
    return float(np.arctan2(position[1], position[0]))


def outwards(position: Array) -> Array:
    """Unit vector (3,) from the arm's axis to a point, horizontal."""
    angle = bearing(position)
    return np.array([np.cos(angle), np.sin(angle), 0.0])


def sideways(position: Array) -> Array:
    """Unit vector (3,) across `outwards`, to the arm's left."""
    return np.cross(UP, outwards(position))


def lean(position: Array) -> float:
    """How far the tool leans outwards from straight down at a position of the tcp [rad]."""
    distance = float(np.hypot(position[0], position[1]))
    degrees = 8.0 + 120.0 * max(0.0, position[2] - 0.03) + 70.0 * max(0.0, distance - 0.36)
    return float(np.radians(min(degrees, 42.0)))


def least_lean(position: Array) -> float:
    """The least lean that keeps joint5 off its limit at a position near the table [rad]."""
    distance = float(np.hypot(position[0], position[1]))
    degrees = 110.0 * max(0.0, position[2] - 0.05) + 90.0 * max(0.0, distance - 0.37)
    return float(np.radians(degrees))


def about(axis: Array, angle: float) -> Array:
    """Rotation (3, 3) about a unit axis [rad]."""
    x, y, z = axis
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.asarray(np.eye(3) + np.sin(angle) * cross + (1.0 - np.cos(angle)) * cross @ cross)


def tool(opening: Array, direction: Array) -> Array:
    """Rotation (3, 3) of a tool whose fingers open along `opening` exactly, and which points along
    `direction` as nearly as that allows."""
    y = opening / np.linalg.norm(opening)
    z = direction - (direction @ y) * y
    z = z / np.linalg.norm(z)
    return np.stack([np.cross(y, z), y, z], axis=1)


def level_tool(opening: Array, position: Array) -> Array:
    """A tool that leans as is best at `position`, but opens exactly along `opening`."""
    angle = lean(position)
    return tool(opening, np.sin(angle) * outwards(position) - np.cos(angle) * UP)


def present_lean(rotation: Array, position: Array) -> float:
    """How far a tool with this rotation leans outwards [rad]."""
    return float(np.arctan2(rotation[:, 2] @ outwards(position), -rotation[2, 2]))


def carried(rotation: Array, start: Array, position: Array, leaning: float,
            turn: float = 0.0) -> Array:
    """The rotation (3, 3) of a tool taken from `start` to `position` with the arm's turning.

    It had `rotation` at start; it leans by `leaning` there, and is turned by `turn` about z more.
    """
    swing = about(UP, bearing(position) - bearing(start) + turn)
    change = leaning - present_lean(rotation, start)
    # A turn about `sideways` by a positive angle leans inwards.
    return about(sideways(position), -change) @ swing @ rotation


def nearest_sideways(axis: Array, position: Array) -> Array:
    """`axis` or its opposite: the one that turns the gripper less from opening sideways."""
    return axis if axis @ sideways(position) >= 0.0 else -axis

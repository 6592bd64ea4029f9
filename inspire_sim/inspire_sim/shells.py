# SPDX-License-Identifier: Apache-2.0
"""Smooth shells for links: a row of rounded-rectangle sections, joined to one closed mesh.

Only for the eye. What collides stays a primitive.
"""

from dataclasses import dataclass

import mujoco
import numpy as np
from numpy.typing import NDArray

SMOOTH, COARSE = (70.0, 45.0, 20.0), (50.0,)   # angles at which a rounded end has sections
FEW = 20                                       # points around, up to which ends are coarse


@dataclass(frozen=True)
class Section:
    """A superellipse across the z axis of a shell.

    z: height along the shell [m]; x, y: half axes [m]; square: exponent (2 is an ellipse, large
    is a box); at: centre (x, y) [m].
    """

    z: float
    x: float
    y: float
    square: float = 2.6
    at: tuple[float, float] = (0.0, 0.0)


def outline(section: Section, around: int) -> NDArray[np.float64]:
    """Points of the section's edge, (around, 3) [m], counter-clockwise seen from +z."""
    turn = np.linspace(0.0, 2.0 * np.pi, around, endpoint=False)
    cos, sin = np.cos(turn), np.sin(turn)
    power = 2.0 / section.square
    x = section.at[0] + section.x * np.sign(cos) * np.abs(cos) ** power
    y = section.at[1] + section.y * np.sign(sin) * np.abs(sin) ** power
    return np.stack([x, y, np.full(around, section.z)], axis=1)


def rounded(sections: tuple[Section, ...], edge: float,
            angles: tuple[float, ...] = SMOOTH) -> tuple[Section, ...]:
    """The same sections with both ends rounded off over `edge` [m], a section per angle [deg]."""
    def end(section: Section, towards: float) -> list[Section]:
        row = []
        for angle in np.radians(angles):
            inset = edge * (1.0 - np.cos(angle))
            row.append(Section(section.z + towards * edge * np.sin(angle),
                               max(section.x - inset, 1e-3), max(section.y - inset, 1e-3),
                               section.square, section.at))
        return row

    first, last = sections[0], sections[-1]
    return (*end(first, -1.0), *sections, *reversed(end(last, 1.0)))


def loft(sections: tuple[Section, ...], around: int
         ) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Vertices (n, 3) [m] and outward triangles (m, 3) of the closed shell through sections."""
    rings = [outline(section, around) for section in sections]
    vertices = np.concatenate([*rings, rings[0].mean(0, keepdims=True),
                               rings[-1].mean(0, keepdims=True)])
    bottom, top = len(vertices) - 2, len(vertices) - 1
    faces = []
    for i in range(around):
        j = (i + 1) % around
        for level in range(len(rings) - 1):
            low, high = level * around, (level + 1) * around
            faces += [(low + i, low + j, high + j), (low + i, high + j, high + i)]
        last = (len(rings) - 1) * around
        faces += [(bottom, j, i), (top, last + i, last + j)]
    return vertices, np.array(faces, dtype=np.int32)


def add_shell(spec: mujoco.MjSpec, name: str, sections: tuple[Section, ...],
              edge: float = 0.004, around: int = 20) -> str:
    """Add the shell to the spec as a mesh asset and return its name."""
    angles = SMOOTH if around > FEW else COARSE
    vertices, faces = loft(rounded(sections, edge, angles), around)
    mesh = spec.add_mesh()
    mesh.name = name
    mesh.uservert = vertices.ravel().tolist()
    mesh.userface = faces.ravel().tolist()
    mesh.smoothnormal = False
    return name

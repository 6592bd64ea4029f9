# SPDX-License-Identifier: Apache-2.0
"""Turned surfaces, bent tubes and chamfered boxes as meshes: what the eye sees of an object.

Nothing here collides. Surfaces carry texture coordinates (u around or across, v along), so that a
picture painted with numpy can be put on them.
"""

from dataclasses import dataclass

import mujoco
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
AROUND = 40


@dataclass(frozen=True)
class Surface:
    """vertices (n, 3) [m]; triangles (m, 3) counter-clockwise from outside; texture (n, 2)."""

    vertices: Array
    triangles: NDArray[np.int32]
    texture: Array


def lathe(profile: Array, around: int = AROUND) -> Surface:
    """The profile (n, 2) of (radius, z) [m], turned about z; upwards along its outside."""
    turn = np.linspace(0.0, 2.0 * np.pi, around + 1)
    radius, height = np.asarray(profile, dtype=float).T
    grid = np.stack([radius[:, None] * np.cos(turn), radius[:, None] * np.sin(turn),
                     np.broadcast_to(height[:, None], (len(radius), around + 1))], axis=-1)
    length = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(radius), np.diff(height)))])
    return _woven(grid, length / length[-1])


def ball(axes: tuple[float, float, float], rows: int = 22) -> Surface:
    """An ellipsoid about its centre with half axes [m], its poles on z."""
    angle = np.linspace(-np.pi / 2.0, np.pi / 2.0, rows)
    surface = lathe(np.stack([np.cos(angle), np.sin(angle)], axis=1))
    return Surface(surface.vertices * np.array(axes), surface.triangles, surface.texture)


def tube(path: Array, radius: Array, around: int = 14) -> Surface:
    """A round tube with radii (n,) along a path (n, 3) of constant z, closed at both ends."""
    path, radius = np.asarray(path, dtype=float), np.asarray(radius, dtype=float)
    along = np.gradient(path, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    up = np.array([0.0, 0.0, 1.0])
    side = np.cross(along, up)
    turn = np.linspace(0.0, 2.0 * np.pi, around + 1)
    path = np.concatenate([path[:1], path, path[-1:]])
    radius = np.concatenate([[1e-5], radius, [1e-5]])
    side = np.concatenate([side[:1], side, side[-1:]])
    grid = path[:, None] + radius[:, None, None] * (
        -np.cos(turn)[None, :, None] * side[:, None] + np.sin(turn)[None, :, None] * up)
    return _woven(grid, np.linspace(0.0, 1.0, len(path)))


def ring_profile(radius: float, at: float, thick: float, count: int = 12) -> Array:
    """The profile of a torus: a tube of radius `thick` on the circle `radius` at height `at`."""
    angle = np.linspace(-np.pi, np.pi, count + 1)
    return np.stack([radius + thick * np.cos(angle), at + thick * np.sin(angle)], axis=1)


def chamfered(half: tuple[float, float, float], edge: float) -> Array:
    """Corners (24, 3) of a box with half sizes [m] whose edges are cut off by `edge` [m]."""
    corners = []
    for axis in range(3):
        inset = np.array(half) - edge
        inset[axis] = half[axis]
        signs = np.stack(np.meshgrid(*[[-1.0, 1.0]] * 3, indexing='ij'), axis=-1).reshape(-1, 3)
        corners.append(signs * inset)
    return np.concatenate(corners)


def sheet(size: tuple[float, float], thick: float = 0.0006) -> Surface:
    """A thin flat sheet in the plane z = 0 with sizes (x, y) [m]; u along x, v along -y."""
    x, y = size[0] / 2.0, size[1] / 2.0
    corners = np.array([(-x, -y), (x, -y), (x, y), (-x, y)])
    vertices = np.concatenate([np.c_[corners, np.full(4, thick / 2.0)],
                               np.c_[corners, np.full(4, -thick / 2.0)]])
    top = [(0, 1, 2), (0, 2, 3)]
    bottom = [(6, 5, 4), (7, 6, 4)]
    sides = [quad for i in range(4) for j in [(i + 1) % 4]
             for quad in [(i, i + 4, j + 4), (i, j + 4, j)]]
    texture = np.tile(np.array([(0.0, 1.0), (1.0, 1.0), (1.0, 0.0), (0.0, 0.0)]), (2, 1))
    return Surface(vertices, np.array(top + bottom + sides, dtype=np.int32), texture)


def add_surface(spec: mujoco.MjSpec, name: str, surface: Surface) -> str:
    """Add the surface to the spec as a mesh asset and return its name."""
    mesh = spec.add_mesh()
    mesh.name = name
    mesh.uservert = surface.vertices.ravel().tolist()
    mesh.userface = surface.triangles.ravel().tolist()
    mesh.usertexcoord = surface.texture.ravel().tolist()
    mesh.userfacetexcoord = surface.triangles.ravel().tolist()
    mesh.inertia = mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL
    return name


def add_hull(spec: mujoco.MjSpec, name: str, corners: Array) -> str:
    """Add the convex hull of corners (n, 3) to the spec as a mesh asset and return its name."""
    mesh = spec.add_mesh()
    mesh.name = name
    mesh.uservert = corners.ravel().tolist()
    return name


def _woven(grid: Array, along: Array) -> Surface:
    rows, columns = grid.shape[:2]
    index = np.arange(rows * columns, dtype=np.int32).reshape(rows, columns)
    a, b = index[:-1, :-1].ravel(), index[:-1, 1:].ravel()
    c, d = index[1:, 1:].ravel(), index[1:, :-1].ravel()
    triangles = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    vertices = grid.reshape(-1, 3)
    triangles = triangles[_areas(vertices, triangles) > 1e-12]
    u = np.broadcast_to(np.linspace(0.0, 1.0, columns), (rows, columns))
    v = np.broadcast_to(along[:, None], (rows, columns))
    return Surface(vertices, triangles, np.stack([u, v], axis=-1).reshape(-1, 2))


def _areas(vertices: Array, triangles: NDArray[np.int32]) -> Array:
    p, q, r = (vertices[triangles[:, corner]] for corner in range(3))
    return np.linalg.norm(np.cross(q - p, r - p), axis=1) / 2.0

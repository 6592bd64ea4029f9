# SPDX-License-Identifier: Apache-2.0
"""A rigid pose: a position and a unit quaternion (xyzw), with the operations a controller needs.

A pose `b` "in a" is also the transform that takes coordinates in `b` to coordinates in `a`, so
`pose_of_b_in_a @ pose_of_c_in_b` is the pose of `c` in `a`. Rotation vectors are axis times angle,
in radians, in the axes of the parent frame. Quaternions are handled as plain floats: at this size
that is several times faster than numpy, and the control loop lives from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import atan2, cos, isfinite, sin, sqrt
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array: TypeAlias = NDArray[np.float64]
Quaternion: TypeAlias = tuple[float, float, float, float]
Vector: TypeAlias = tuple[float, float, float]


def quaternion_product(a: Quaternion, b: Quaternion) -> Quaternion:
    """Return the Hamilton product of two xyzw quaternions: first rotate by `b`, then by `a`."""
    ax, ay, az, aw = a
    bx, by, bz, bw = b
    return (aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
            aw * bw - ax * bx - ay * by - az * bz)


def quaternion_inverse(q: Quaternion) -> Quaternion:
    """Return the inverse of a unit quaternion."""
    return -q[0], -q[1], -q[2], q[3]


def quaternion_from_rotation_vector(x: float, y: float, z: float) -> Quaternion:
    """Return exp of a rotation vector [rad] as a quaternion."""
    angle = sqrt(x * x + y * y + z * z)
    scale = sin(angle / 2) / angle if angle > 1e-12 else 0.5
    return x * scale, y * scale, z * scale, cos(angle / 2)


def rotation_vector_from_quaternion(q: Quaternion) -> Vector:
    """Return the shortest rotation vector [rad] of a unit quaternion: its angle is at most pi."""
    x, y, z, w = q if q[3] >= 0 else (-q[0], -q[1], -q[2], -q[3])
    sine = sqrt(x * x + y * y + z * z)
    scale = 2 * atan2(sine, w) / sine if sine > 1e-12 else 2.0
    return x * scale, y * scale, z * scale


def quaternion_from_matrix(rotation: ArrayLike) -> Quaternion:
    """Return the quaternion of a (3, 3) rotation, taken from its largest component."""
    (a, b, c), (d, e, f), (g, h, i) = np.asarray(rotation, dtype=float).tolist()
    squares = (1 + a - e - i, 1 - a + e - i, 1 - a - e + i, 1 + a + e + i)
    largest = squares.index(max(squares))
    rows = ((squares[0], b + d, c + g, h - f),
            (b + d, squares[1], f + h, c - g),
            (c + g, f + h, squares[2], d - b),
            (h - f, c - g, d - b, squares[3]))
    x, y, z, w = rows[largest]
    norm = sqrt(x * x + y * y + z * z + w * w)
    return x / norm, y / norm, z / norm, w / norm


def axes_from_quaternion(q: Quaternion) -> tuple[Vector, Vector, Vector]:
    """Return the x, y and z axes of the rotated frame: the columns of the rotation."""
    x, y, z, w = q
    return ((1 - 2 * (y * y + z * z), 2 * (x * y + z * w), 2 * (x * z - y * w)),
            (2 * (x * y - z * w), 1 - 2 * (x * x + z * z), 2 * (y * z + x * w)),
            (2 * (x * z + y * w), 2 * (y * z - x * w), 1 - 2 * (x * x + y * y)))


def slerp(a: Quaternion, b: Quaternion, s: float) -> Quaternion:
    """Return the rotation at share `s` of the shortest way from `a` to `b`."""
    x, y, z = rotation_vector_from_quaternion(quaternion_product(b, quaternion_inverse(a)))
    return quaternion_product(quaternion_from_rotation_vector(s * x, s * y, s * z), a)


@dataclass(frozen=True, eq=False)
class Pose:
    """A pose in a parent frame: position (3,) [m], quaternion (4,) xyzw (normalised here)."""

    position: Array
    quaternion: Array

    def __post_init__(self) -> None:
        """Check shape and value, and normalise the quaternion.

        Raises ValueError for a wrong shape, a value that is not finite or a zero quaternion.
        """
        position = np.array(self.position, dtype=float)
        quaternion = np.array(self.quaternion, dtype=float)
        if position.shape != (3,):
            raise ValueError(f'position has shape {position.shape}, not (3,)')
        if quaternion.shape != (4,):
            raise ValueError(f'quaternion has shape {quaternion.shape}, not (4,)')
        x, y, z, w = quaternion.tolist()
        norm = sqrt(x * x + y * y + z * z + w * w)
        if not (isfinite(norm) and all(map(isfinite, position.tolist()))):
            raise ValueError(f'pose is not finite: position {position}, quaternion {quaternion}')
        if norm < 1e-6:
            raise ValueError(f'quaternion {quaternion} has no direction; 0 0 0 1 is no rotation')
        quaternion /= norm
        position.setflags(write=False)
        quaternion.setflags(write=False)
        object.__setattr__(self, 'position', position)
        object.__setattr__(self, 'quaternion', quaternion)

    @classmethod
    def identity(cls) -> Pose:
        """Return the pose of the parent frame itself."""
        return cls(np.zeros(3), np.array([0.0, 0.0, 0.0, 1.0]))

    @classmethod
    def from_matrix(cls, matrix: ArrayLike) -> Pose:
        """Return the pose of a homogeneous (4, 4) matrix."""
        values = np.asarray(matrix, dtype=float)
        return cls(values[:3, 3], np.array(quaternion_from_matrix(values[:3, :3])))

    @property
    def xyzw(self) -> Quaternion:
        """The quaternion as four floats."""
        x, y, z, w = self.quaternion.tolist()
        return x, y, z, w

    @property
    def rotation(self) -> Array:
        """The (3, 3) rotation: its columns are the pose's axes in the parent frame."""
        return np.array(axes_from_quaternion(self.xyzw)).T

    @property
    def matrix(self) -> Array:
        """The homogeneous (4, 4) matrix."""
        result = np.eye(4)
        result[:3, :3] = self.rotation
        result[:3, 3] = self.position
        return result

    def __matmul__(self, other: Pose) -> Pose:
        """Return the pose of `other` (given in this pose's frame) in this pose's parent."""
        return Pose(self.position + self.rotation @ other.position,
                    np.array(quaternion_product(self.xyzw, other.xyzw)))

    def inverse(self) -> Pose:
        """Return the parent frame's pose in this frame."""
        return Pose(-self.rotation.T @ self.position, np.array(quaternion_inverse(self.xyzw)))

    def difference(self, other: Pose) -> tuple[Array, Array]:
        """Return (translation (3,) [m], rotation vector (3,) [rad]) from here to `other`.

        Both are in the parent's axes; `apply_delta(self, *self.difference(other))` is `other`.
        """
        turn = quaternion_product(other.xyzw, quaternion_inverse(self.xyzw))
        return other.position - self.position, np.array(rotation_vector_from_quaternion(turn))

    def interpolate(self, other: Pose, s: float) -> Pose:
        """Return the pose at share `s` from here (0) to `other` (1): straight line and slerp."""
        return Pose(self.position + s * (other.position - self.position),
                    np.array(slerp(self.xyzw, other.xyzw, s)))


def apply_delta(pose: Pose, translation: ArrayLike, rotation_vector: ArrayLike) -> Pose:
    """Return the pose moved by `translation` (3,) [m] and turned by exp(`rotation_vector`) [rad].

    Both are in the parent's axes and independent: the position turns about nothing.
    """
    x, y, z = np.asarray(rotation_vector, dtype=float).tolist()
    turned = quaternion_product(quaternion_from_rotation_vector(x, y, z), pose.xyzw)
    return Pose(pose.position + np.asarray(translation, dtype=float), np.array(turned))

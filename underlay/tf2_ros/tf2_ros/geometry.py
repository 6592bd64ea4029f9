# SPDX-License-Identifier: Apache-2.0
"""Rigid transforms as plain tuples: a lookup is a few dozen of these, arrays would cost more.

A `Transform` is (x, y, z, qx, qy, qz, qw): metres and a unit quaternion. Read `a_from_b` as "a
point of frame b, expressed in frame a": `compose(a_from_b, b_from_c)` is `a_from_c`.
"""

from __future__ import annotations

from math import acos, sin, sqrt
from typing import TypeAlias

Transform: TypeAlias = tuple[float, float, float, float, float, float, float]

IDENTITY: Transform = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)
NEARLY_EQUAL = 1.0 - 1e-9  # cosine of half an angle, above which the chord is the arc


def rotate(
    qx: float, qy: float, qz: float, qw: float, x: float, y: float, z: float
) -> tuple[float, float, float]:
    """The vector (x, y, z) turned by the quaternion: v + 2w(q × v) + 2 q × (q × v)."""
    tx = 2.0 * (qy * z - qz * y)
    ty = 2.0 * (qz * x - qx * z)
    tz = 2.0 * (qx * y - qy * x)
    return (
        x + qw * tx + qy * tz - qz * ty,
        y + qw * ty + qz * tx - qx * tz,
        z + qw * tz + qx * ty - qy * tx,
    )


def compose(a_from_b: Transform, b_from_c: Transform) -> Transform:
    """a_from_c."""
    ax, ay, az, qx, qy, qz, qw = a_from_b
    bx, by, bz, rx, ry, rz, rw = b_from_c
    x, y, z = rotate(qx, qy, qz, qw, bx, by, bz)
    return (
        ax + x,
        ay + y,
        az + z,
        qw * rx + qx * rw + qy * rz - qz * ry,
        qw * ry - qx * rz + qy * rw + qz * rx,
        qw * rz + qx * ry - qy * rx + qz * rw,
        qw * rw - qx * rx - qy * ry - qz * rz,
    )


def invert(a_from_b: Transform) -> Transform:
    """b_from_a."""
    ax, ay, az, qx, qy, qz, qw = a_from_b
    x, y, z = rotate(-qx, -qy, -qz, qw, ax, ay, az)
    return (-x, -y, -z, -qx, -qy, -qz, qw)


def interpolate(one: Transform, two: Transform, ratio: float) -> Transform:
    """Between one (ratio 0) and two (ratio 1): a straight line, and the shorter arc."""
    ax, ay, az, qx, qy, qz, qw = one
    bx, by, bz, rx, ry, rz, rw = two
    cosine = qx * rx + qy * ry + qz * rz + qw * rw
    sign = 1.0
    if cosine < 0.0:  # q and -q are one rotation: take the nearer
        cosine, sign = -cosine, -1.0
    if cosine > NEARLY_EQUAL:
        from_one, from_two = 1.0 - ratio, ratio * sign
    else:
        angle = acos(cosine)
        scale = 1.0 / sin(angle)
        from_one = sin((1.0 - ratio) * angle) * scale
        from_two = sin(ratio * angle) * scale * sign
    x, y = qx * from_one + rx * from_two, qy * from_one + ry * from_two
    z, w = qz * from_one + rz * from_two, qw * from_one + rw * from_two
    norm = 1.0 / sqrt(x * x + y * y + z * z + w * w)
    return (
        ax + (bx - ax) * ratio,
        ay + (by - ay) * ratio,
        az + (bz - az) * ratio,
        x * norm,
        y * norm,
        z * norm,
        w * norm,
    )

# SPDX-License-Identifier: Apache-2.0
"""Kinematics of the PiPER from its modified Denavit-Hartenberg table.

Frames: `base_link` (x forward, y left, z up, z = 0 on the table), `link1`..`link6` (link6 is the
flange, its z axis the tool's axis), `tcp` (between the fingertips, 0.145 m out along link6's z,
same axes), `link7`, `link8` (fingertips, named as in AgileX' URDF; they open along tcp's -y, +y).

Axes 2 and 3 are parallel and axes 4 to 6 meet in one point, the wrist's centre. So the chain is
short enough to write out as scalars, which the control loop needs (numpy costs more than the
arithmetic at this size), and the inverse has a closed form. Where a pose is out of reach, damped
least squares gives the nearest one, position first: the weight of a radian is small against that
of a metre, so that the tool leans before it leaves its place.

joint5's range of +-70 degrees lets the tool point straight down only up to a tcp height of about
0.1 m. Higher up it leans outwards, as little as it must in `downward`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import acos, atan2, cos, hypot, inf, pi, radians, sin, sqrt
from operator import add
from typing import TypeAlias

import numpy as np

from piper_driver.limits import JOINT_NAMES, PIPER, Joints, Limits
from piper_driver.pose import Array, Pose, Vector, axes_from_quaternion

# Modified (Craig) DH, T = Rx(alpha) Tx(a) Rz(theta + offset) Tz(d); firmware S-V1.6-3 and later.
# Rows joint1..joint6: alpha [rad], a [m], offset [rad], d [m].
DH = (
    (0.0, 0.0, 0.0, 0.123),
    (-pi / 2, 0.0, radians(-172.22), 0.0),
    (0.0, 0.28503, radians(-102.78), 0.0),
    (pi / 2, -0.02198, 0.0, 0.25075),
    (-pi / 2, 0.0, 0.0, 0.0),
    (pi / 2, 0.0, 0.0, 0.091),
)
TCP_OFFSET = 0.145              # from link6 along its z [m]
FINGER_OFFSET = 0.1358          # of link7 and link8 along link6's z [m]
LINK_NAMES = ('link1', 'link2', 'link3', 'link4', 'link5', 'link6')

_SHOULDER = DH[0][3]
_UPPER_ARM = DH[2][1]
_ELBOW_OFFSET = DH[3][1]
_FOREARM = DH[3][3]
_TOOL = DH[5][3] + TCP_OFFSET
_OFFSET2 = DH[1][2]
_OFFSET3 = DH[2][2]

Rotation: TypeAlias = tuple[Vector, Vector, Vector]     # columns: the axes x, y, z in base_link

# A radian of orientation counts as 2 cm: at a limit the tool gives way by turning, not by moving
# (0.5 rad out of reach shift the tcp by 0.2 mm). The damping is small against both.
_TURN_WEIGHT = 0.02
_DAMPING = 0.001
_ITERATIONS = 200


@dataclass(frozen=True)
class Solution:
    """Inverse kinematics: joints (6,) [rad] and what is left of the error [m, rad]."""

    q: Array
    converged: bool
    position_error: float
    rotation_error: float
    reason: str = ''            # '' or why the target is out of reach


@dataclass(frozen=True)
class _Chain:
    """The axes and points in base_link that everything else is made of."""

    azimuth: tuple[float, float]        # sine and cosine of joint1
    elbow: Vector
    wrist: Vector
    forearm: Vector                     # axis of joint4
    swing: Vector                       # axis of joint5
    rotation: Rotation                  # of link6 and tcp


def _chain(q: Sequence[float]) -> _Chain:
    q1, q2, q3, q4, q5, q6 = q
    s1, c1 = sin(q1), cos(q1)
    upper = q2 + _OFFSET2
    lower = upper + q3 + _OFFSET3
    sb, cb = sin(lower), cos(lower)
    s4, c4, s5, c5, s6, c6 = sin(q4), cos(q4), sin(q5), cos(q5), sin(q6), cos(q6)
    reach = _UPPER_ARM * cos(upper)
    elbow = (c1 * reach, s1 * reach, _SHOULDER - _UPPER_ARM * sin(upper))
    out = _ELBOW_OFFSET * cb + _FOREARM * sb
    wrist = (elbow[0] + c1 * out, elbow[1] + s1 * out,
             elbow[2] - _ELBOW_OFFSET * sb + _FOREARM * cb)
    ax, ay, az = c1 * cb, s1 * cb, -sb                          # x axis of link3
    fx, fy, fz = c1 * sb, s1 * sb, cb                           # z axis of link4
    gx, gy, gz = c4 * ax - s4 * s1, c4 * ay + s4 * c1, c4 * az  # x axis of link4
    nx, ny, nz = -s4 * ax - c4 * s1, -s4 * ay + c4 * c1, -s4 * az   # z axis of link5
    hx, hy, hz = c5 * gx - s5 * fx, c5 * gy - s5 * fy, c5 * gz - s5 * fz    # x axis of link5
    return _Chain(
        (s1, c1), elbow, wrist, (fx, fy, fz), (nx, ny, nz),
        ((c6 * hx + s6 * nx, c6 * hy + s6 * ny, c6 * hz + s6 * nz),
         (c6 * nx - s6 * hx, c6 * ny - s6 * hy, c6 * nz - s6 * hz),
         (s5 * gx + c5 * fx, s5 * gy + c5 * fy, s5 * gz + c5 * fz)))


def _tcp_position(chain: _Chain) -> Vector:
    x, y, z = chain.wrist
    tx, ty, tz = chain.rotation[2]
    return x + _TOOL * tx, y + _TOOL * ty, z + _TOOL * tz


def tcp_position(q: Sequence[float]) -> Vector:
    """Return the tcp's position in base_link [m]; cheap, for checks in the control loop."""
    return _tcp_position(_chain(q))


def forward(q: Sequence[float]) -> Array:
    """Return the flange (link6) in base_link as a homogeneous (4, 4) matrix."""
    chain = _chain(q)
    result = np.eye(4)
    result[:3, :3] = np.array(chain.rotation).T
    result[:3, 3] = np.add(chain.wrist, np.multiply(DH[5][3], chain.rotation[2]))
    return result


def tcp(q: Sequence[float]) -> Pose:
    """Return the tcp's pose in base_link."""
    matrix = forward(q)
    matrix[:3, 3] += TCP_OFFSET * matrix[:3, 2]
    return Pose.from_matrix(matrix)


def link_transform(index: int, angle: float) -> tuple[Vector, tuple[float, float, float, float]]:
    """Return (translation [m], xyzw) of link `index` (0..5) in the link before it."""
    alpha, a, offset, d = DH[index]
    sa, ca = sin(alpha / 2), cos(alpha / 2)
    st, ct = sin((angle + offset) / 2), cos((angle + offset) / 2)
    return (a, -sin(alpha) * d, cos(alpha) * d), (sa * ct, -sa * st, ca * st, ca * ct)


def frames(q: Sequence[float], gripper_width: float = 0.0) -> dict[str, Array]:
    """Return every frame of the arm in base_link as (4, 4): link1..link6, tcp, link7, link8."""
    result: dict[str, Array] = {}
    pose = Pose.identity()
    for index, name in enumerate(LINK_NAMES):
        translation, xyzw = link_transform(index, q[index])
        pose = pose @ Pose(np.array(translation), np.array(xyzw))
        result[name] = pose.matrix
    for name, point in (('tcp', (0.0, 0.0, TCP_OFFSET)),
                        ('link7', (0.0, -gripper_width / 2, FINGER_OFFSET)),
                        ('link8', (0.0, gripper_width / 2, FINGER_OFFSET))):
        frame = result['link6'].copy()
        frame[:3, 3] += frame[:3, :3] @ np.array(point)
        result[name] = frame
    return result


def _jacobian_rows(chain: _Chain, tip: Vector) -> list[list[float]]:
    """Return the six columns of the Jacobian, each [linear, angular] of one joint."""
    px, py, pz = tip
    s1, c1 = chain.azimuth
    ex, ey, ez = chain.elbow
    wx, wy, wz = chain.wrist
    fx, fy, fz = chain.forearm
    nx, ny, nz = chain.swing
    tx, ty, tz = chain.rotation[2]
    rx, ry, rz = px - wx, py - wy, pz - wz
    above_shoulder, above_elbow = pz - _SHOULDER, pz - ez
    return [
        [-py, px, 0.0, 0.0, 0.0, 1.0],
        [c1 * above_shoulder, s1 * above_shoulder, -s1 * py - c1 * px, -s1, c1, 0.0],
        [c1 * above_elbow, s1 * above_elbow, -s1 * (py - ey) - c1 * (px - ex), -s1, c1, 0.0],
        [fy * rz - fz * ry, fz * rx - fx * rz, fx * ry - fy * rx, fx, fy, fz],
        [ny * rz - nz * ry, nz * rx - nx * rz, nx * ry - ny * rx, nx, ny, nz],
        [0.0, 0.0, 0.0, tx, ty, tz]]


def jacobian(q: Sequence[float]) -> Array:
    """Return the tcp's (6, 6) Jacobian: rows linear [m/rad] then angular, in base_link's axes."""
    chain = _chain(q)
    return np.array(_jacobian_rows(chain, _tcp_position(chain))).T


def _rotation_error(target: Rotation, actual: Rotation) -> Vector:
    """Return the rotation vector [rad] that leads from `actual` to `target`."""
    ex = ey = ez = trace = 0.0
    for (ax, ay, az), (bx, by, bz) in zip(actual, target, strict=True):
        ex += ay * bz - az * by
        ey += az * bx - ax * bz
        ez += ax * by - ay * bx
        trace += ax * bx + ay * by + az * bz
    sine, cosine = sqrt(ex * ex + ey * ey + ez * ez) / 2, (trace - 1) / 2
    if sine < 1e-9 and cosine < 0:                  # half a turn: its axis is half way between
        (x, y, z) = max((tuple(map(add, a, b)) for a, b in zip(actual, target, strict=True)),
                        key=lambda axis: hypot(*axis))
        length = hypot(x, y, z) / pi
        return x / length, y / length, z / length
    scale = atan2(sine, cosine) / (2 * sine) if sine > 1e-12 else 0.5
    return ex * scale, ey * scale, ez * scale


def _step(q: Sequence[float], position: Vector, rotation: Rotation, limits: Limits
          ) -> tuple[list[float], float, float]:
    """Take one damped-least-squares step from `q` towards a tcp pose.

    Returns (joint change (6,) [rad], position error before it [m], rotation error before it
    [rad]). A joint that would leave its range stops there and the others take over its share.
    """
    chain = _chain(q)
    tip = _tcp_position(chain)
    dx, dy, dz = position[0] - tip[0], position[1] - tip[1], position[2] - tip[2]
    rx, ry, rz = _rotation_error(rotation, chain.rotation)
    distance, angle = sqrt(dx * dx + dy * dy + dz * dz), sqrt(rx * rx + ry * ry + rz * rz)
    # far away the linearisation means nothing: bounded steps, then exact ones
    near = min(1.0, 0.1 / (distance + 1e-12))
    turn = min(1.0, 0.5 / (angle + 1e-12)) * _TURN_WEIGHT
    columns = np.array(_jacobian_rows(chain, tip))
    columns[:, 3:] *= _TURN_WEIGHT
    error = np.array((dx * near, dy * near, dz * near, rx * turn, ry * turn, rz * turn))
    change = [0.0] * 6
    free = [True] * 6
    for _ in range(6):
        system = columns.T @ columns
        system.flat[::7] += _DAMPING ** 2
        proposal = (columns @ np.linalg.solve(system, error)).tolist()
        blocked = False
        for joint in range(6):
            if not free[joint]:
                continue
            room = change[joint] = min(max(proposal[joint], limits.lower[joint] - q[joint]),
                                       limits.upper[joint] - q[joint])
            if abs(room - proposal[joint]) > 1e-12:
                error -= columns[joint] * room
                columns[joint] = 0.0
                free[joint] = False
                blocked = True
        if not blocked:
            break
    return change, distance, angle


def servo_change(q: Sequence[float], position: Vector, rotation: Rotation, dt: float,
                 limits: Limits = PIPER) -> list[float]:
    """Return what `servo` does as a joint change (6,) [rad], on plain numbers."""
    change, _, _ = _step(q, position, rotation, limits)
    share = min(velocity * dt / (abs(value) + 1e-12)
                for value, velocity in zip(change, limits.velocity, strict=True))
    return [min(share, 1.0) * value for value in change]


def servo(q: Sequence[float], target: Pose, dt: float, limits: Limits = PIPER) -> Array:
    """Return joint velocities (6,) [rad/s] for one step of `dt` [s] towards `target`.

    One damped-least-squares step, position first; velocity and position limits hold after it.
    """
    x, y, z = target.position.tolist()
    rotation = axes_from_quaternion(target.xyzw)
    return np.array(servo_change(q, (x, y, z), rotation, dt, limits)) / dt


def _wrapped(angle: float) -> float:
    return atan2(sin(angle), cos(angle))


def _planar(r: float, z: float, along: float, out: float) -> Iterator[tuple[float, float]]:
    """Yield (joint2, joint3) that bring a point of link3 to radius `r`, height `z` [m].

    The point sits at `along` on link3's x axis and `out` on joint4's axis.
    """
    length, lead = hypot(along, out), atan2(out, along)
    height = z - _SHOULDER
    cosine = (r * r + height * height - _UPPER_ARM ** 2 - length ** 2) / (2 * _UPPER_ARM * length)
    if abs(cosine) > 1:
        return
    for bend in (acos(cosine), -acos(cosine)):
        upper = atan2(-height, r) - atan2(length * sin(bend), _UPPER_ARM + length * cos(bend))
        yield _wrapped(upper - _OFFSET2), _wrapped(bend + lead - _OFFSET3)


def _branches(position: Vector, rotation: Rotation) -> Iterator[list[float]]:
    """Yield every joint solution of a tcp pose in closed form, whatever the limits say."""
    (xx, xy, xz), (yx, yy, yz), (tx, ty, tz) = rotation
    wx, wy, wz = (position[0] - _TOOL * tx, position[1] - _TOOL * ty, position[2] - _TOOL * tz)
    radius = hypot(wx, wy)
    for q1, r in ((atan2(wy, wx), radius), (_wrapped(atan2(wy, wx) + pi), -radius)):
        s1, c1 = sin(q1), cos(q1)
        for q2, q3 in _planar(r, wz, _ELBOW_OFFSET, _FOREARM):
            lower = q2 + q3 + _OFFSET2 + _OFFSET3
            sb, cb = sin(lower), cos(lower)
            # the tool's axis and the flange's axes seen from link3 (x3, joint3's axis, forearm)
            a = c1 * cb * tx + s1 * cb * ty - sb * tz
            n = c1 * ty - s1 * tx
            f = c1 * sb * tx + s1 * sb * ty + cb * tz
            for sign in (1.0, -1.0):
                q5 = atan2(sign * hypot(a, n), f)
                q4 = atan2(sign * n, sign * a) if hypot(a, n) > 1e-9 else 0.0
                s4, c4 = sin(q4), cos(q4)
                swing = (-s4 * c1 * cb - c4 * s1, -s4 * s1 * cb + c4 * c1, s4 * sb)
                q6 = atan2(swing[0] * xx + swing[1] * xy + swing[2] * xz,
                           swing[0] * yx + swing[1] * yy + swing[2] * yz)
                yield [q1, q2, q3, q4, q5, q6]


def _excess(q: Sequence[float], limits: Limits) -> tuple[float, str]:
    """Return how far a solution is beyond its worst joint limit [rad], and in words."""
    worst, words = 0.0, ''
    for name, value, lower, upper in zip(JOINT_NAMES, q, limits.lower, limits.upper, strict=True):
        beyond = max(lower - value, value - upper)
        if beyond > worst:
            worst = beyond
            words = f'{name} would have to be {value:.3f} rad (valid {lower:.3f}..{upper:.3f})'
    return worst, words


def _clamped(q: Sequence[float], limits: Limits) -> list[float]:
    return [min(max(value, low), high)
            for value, low, high in zip(q, limits.lower, limits.upper, strict=True)]


def solve(target: Pose, seed: Sequence[float], limits: Limits = PIPER,
          position_tolerance: float = 1e-4, rotation_tolerance: float = 1e-3) -> Solution:
    """Return the joints (6,) that bring the tcp to `target` (in base_link), nearest to `seed`.

    Exact where a solution within the limits exists. Otherwise `converged` is false, `reason` says
    why, and `q` is where the arm comes nearest from `seed`, position first.
    """
    x, y, z = target.position.tolist()
    rotation = axes_from_quaternion(target.xyzw)
    best, best_distance, least, reason = None, inf, inf, ''
    for candidate in _branches((x, y, z), rotation):
        excess, words = _excess(candidate, limits)
        distance = max(abs(a - b) for a, b in zip(candidate, seed, strict=True))
        if excess < 1e-9 and distance < best_distance:
            best, best_distance = _clamped(candidate, limits), distance
        if excess < least:
            least, reason = excess, words
    if best is not None:
        _, distance, angle = _step(best, (x, y, z), rotation, limits)
        return Solution(np.array(best), True, distance, angle)
    if least == inf:
        wrist = np.subtract((x, y, z), np.multiply(_TOOL, rotation[2]))
        far = float(np.linalg.norm(wrist - (0.0, 0.0, _SHOULDER)))
        reason = (f'the wrist would be {far:.3f} m from the shoulder (valid '
                  f'{abs(_UPPER_ARM - hypot(_ELBOW_OFFSET, _FOREARM)):.3f}..'
                  f'{_UPPER_ARM + hypot(_ELBOW_OFFSET, _FOREARM):.3f})')
    q = _clamped(seed, limits)
    for _ in range(_ITERATIONS):
        change, distance, angle = _step(q, (x, y, z), rotation, limits)
        if max(map(abs, change)) < 1e-7:
            break
        share = min(1.0, 0.3 / max(map(abs, change)))
        q = _clamped([value + share * d for value, d in zip(q, change, strict=True)], limits)
    _, distance, angle = _step(q, (x, y, z), rotation, limits)
    converged = distance <= position_tolerance and angle <= rotation_tolerance
    return Solution(np.array(q), converged, distance, angle, '' if converged else reason)


def downward(position: Sequence[float], yaw: float = 0.0, limits: Limits = PIPER) -> Pose:
    """Return the reachable tcp pose at `position` [m] whose tool leans least from straight down.

    `yaw` [rad] turns the fingers about the vertical: at 0 they open along base_link's y. Where the
    tool must lean it leans outwards, about the horizontal axis across the arm.
    Raises ValueError when the position is out of reach.
    """
    x, y, z = (float(value) for value in position)
    radius, azimuth = hypot(x, y), atan2(y, x)
    for lean in _leans(radius, z, limits):
        slanted = _tool(lean, azimuth, yaw)
        pose = Pose(np.array((x, y, z)), slanted)
        if solve(pose, HOME, limits).converged:
            return pose
    raise ValueError(f'no downward pose with yaw {yaw:.2f} rad at x {x:.3f}, y {y:.3f}, '
                     f'z {z:.3f} m: radius {radius:.3f} m (near the table 0.15..0.50)')


def _leans(radius: float, z: float, limits: Limits) -> Iterator[float]:
    """Yield the leans [rad] of a tool in the arm's plane: none, and with joint5 at its end."""
    yield 0.0
    end = limits.upper[4] - 1e-6
    along, out = _ELBOW_OFFSET + _TOOL * sin(end), _FOREARM + _TOOL * cos(end)
    for q2, q3 in _planar(radius, z, along, out):
        yield _wrapped(pi - end - (q2 + q3 + _OFFSET2 + _OFFSET3))


def _tool(lean: float, azimuth: float, yaw: float) -> Array:
    """Return the xyzw of a tool that points down, turned by `yaw`, leaning out along `azimuth`."""
    down = Pose(np.zeros(3), np.array((-sin(yaw / 2), cos(yaw / 2), 0.0, 0.0)))
    axis = np.array((sin(azimuth), -cos(azimuth), 0.0)) * sin(lean / 2)
    return (Pose(np.zeros(3), np.array((*axis, cos(lean / 2)))) @ down).quaternion


# Where an episode starts: the tcp at (0.25, 0, 0.20) m, fingers opening across, the tool as near
# to straight down as joint5 allows with a margin of 1 degree (22 degrees of lean).
HOME: Joints = (0.0, 1.1187895, -1.0436245, 0.0, 1.2, 0.0)
# Folded onto its rest, where the arm may lose power without falling. AgileX' zero pose.
PARK: Joints = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)

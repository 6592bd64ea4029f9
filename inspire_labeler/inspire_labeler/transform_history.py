# SPDX-License-Identifier: Apache-2.0
"""Transforms over time, interpolated at an instant, and honest about what they do not know.

The live node and the recomputation from a bag use this class on the same samples, so that their
offsets are equal bit for bit. (tf2's Buffer would interpolate across a teleport, drops what it
likes when it is full, and its C++ arithmetic is not at hand where a bag is read without ROS.)

What is known about a frame at an instant depends on its samples only, never on when they came:

- at a sample's own stamp, that sample; between two samples, the interpolation of the two
  (translation linear, rotation by slerp); after the last sample, nothing: no extrapolation;
- between two samples that are more than `max_gap` apart, nothing: the world may have been reset
  there, and a teleport is not to be interpolated;
- of several samples with one stamp, the first;
- a sample older than the newest one is dropped; if it is older by more than `max_gap`, time has
  jumped back (a bag that loops, a restarted simulation) and the frame starts anew.

Stamps are integers in nanoseconds. A transform is (x, y, z, qx, qy, qz, qw) of the child in its
parent [m].
"""

from __future__ import annotations

import math
from bisect import bisect_left
from typing import NamedTuple

Transform = tuple[float, float, float, float, float, float, float]
Vector = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]

SECOND = 1_000_000_000


class Sample(NamedTuple):
    """One transform as published."""

    parent: str
    child: str
    stamp: int
    transform: Transform


class MissingTransform(LookupError):
    """A transform is not known at an instant; the message says which, when and why."""


class _Series:
    """The samples of one frame in its parent, by rising stamp."""

    def __init__(self, parent: str) -> None:
        self.parent = parent
        self.stamps: list[int] = []
        self.transforms: list[Transform] = []

    def drop_before(self, stamp: int) -> None:
        """Forgets what is older than the last sample at or before `stamp`."""
        keep = max(0, bisect_left(self.stamps, stamp) - 1)
        del self.stamps[:keep], self.transforms[:keep]


class TransformHistory:
    """The samples of every frame for the last `window` ns.

    max_gap: the longest time between two samples that is interpolated over [ns].
    """

    def __init__(self, window: int = 10 * SECOND, max_gap: int = SECOND // 10) -> None:
        if not 0 < max_gap < window:
            raise ValueError(f'max_gap is {max_gap} ns, expected between 0 and window {window} ns')
        self.window = window
        self.max_gap = max_gap
        self._series: dict[str, _Series] = {}
        self._static: dict[str, tuple[str, Transform]] = {}
        self._chains: dict[str, tuple[str, ...]] = {}

    def add(self, sample: Sample) -> None:
        """Takes a sample of /tf."""
        parent, child, stamp, transform = sample
        series = self._series.get(child)
        if series is None or series.parent != parent:
            series = self._series[child] = _Series(parent)
            self._static.pop(child, None)
            self._chains.clear()
        stamps = series.stamps
        if stamps:
            newest = stamps[-1]
            if stamp <= newest:
                if newest - stamp <= self.max_gap:
                    return
                stamps.clear()
                series.transforms.clear()
            elif stamp - stamps[0] > 2 * self.window:
                series.drop_before(stamp - self.window)
        stamps.append(stamp)
        series.transforms.append(transform)

    def add_static(self, sample: Sample) -> None:
        """Takes a sample of /tf_static: it holds at every instant."""
        self._static[sample.child] = (sample.parent, sample.transform)
        self._series.pop(sample.child, None)
        self._chains.clear()

    def clear(self) -> None:
        """Forgets every sample but the static ones."""
        self._series.clear()
        self._chains.clear()

    def newest(self, frame: str) -> int | None:
        """The latest stamp at which all of the frame's chain is known; None if there is no chain.

        A chain of static transforms only is known for ever (2**63 - 1).
        """
        latest = 2**63 - 1
        chain = self._chain(frame)
        if not chain:
            return None
        for link in chain:
            series = self._series.get(link)
            if series is not None:
                latest = min(latest, series.stamps[-1])
        return latest

    def root(self, frame: str) -> str:
        """The frame at the top of the frame's chain; itself where it has no parent."""
        chain = self._chain(frame)
        return self._parent(chain[-1]) if chain else frame

    def position(self, frame: str, stamp: int) -> tuple[str, Vector]:
        """(root, the frame's origin in its root frame [m]) at an instant.

        Raises MissingTransform.
        """
        point: Vector = (0.0, 0.0, 0.0)
        chain = self._known_chain(frame)
        for link in chain:
            x, y, z, *rotation = self._at(link, stamp)
            px, py, pz = rotate(tuple(rotation), point)  # type: ignore[arg-type]
            point = (px + x, py + y, pz + z)
        return self._parent(chain[-1]), point

    def rotation(self, frame: str, stamp: int) -> tuple[str, Quaternion]:
        """(root, the frame's rotation in its root frame, xyzw) at an instant.

        Raises MissingTransform.
        """
        turn: Quaternion = (0.0, 0.0, 0.0, 1.0)
        chain = self._known_chain(frame)
        for link in chain:
            turn = multiply(self._at(link, stamp)[3:], turn)
        return self._parent(chain[-1]), turn

    def _parent(self, frame: str) -> str:
        static = self._static.get(frame)
        return static[0] if static else self._series[frame].parent

    def _chain(self, frame: str) -> tuple[str, ...]:
        """The frames from `frame` up to the last one that has a parent; () if it has none."""
        chain = self._chains.get(frame)
        if chain is None:
            links: list[str] = []
            at = frame
            while (at in self._static or at in self._series) and at not in links:
                links.append(at)
                at = self._parent(at)
            chain = self._chains[frame] = tuple(links)
        return chain

    def _known_chain(self, frame: str) -> tuple[str, ...]:
        chain = self._chain(frame)
        if not chain:
            raise MissingTransform(f"no transform of '{frame}' was ever published")
        if self._parent(chain[-1]) in chain:
            raise MissingTransform(f"the transforms of '{frame}' go in a circle: {chain}")
        return chain

    def _at(self, frame: str, stamp: int) -> Transform:
        static = self._static.get(frame)
        if static:
            return static[1]
        series = self._series[frame]
        index = bisect_left(series.stamps, stamp)
        if index < len(series.stamps) and series.stamps[index] == stamp:
            return series.transforms[index]
        if index == len(series.stamps):
            late = (stamp - series.stamps[-1]) / SECOND
            raise MissingTransform(f'no transform {series.parent} -> {frame} at {seconds(stamp)}: '
                                   f'the last one is {late:.3f} s older')
        if index == 0:
            raise MissingTransform(f'no transform {series.parent} -> {frame} at {seconds(stamp)}: '
                                   f'the first one is at {seconds(series.stamps[0])}')
        before, after = series.stamps[index - 1], series.stamps[index]
        if after - before > self.max_gap:
            raise MissingTransform(
                f'no transform {series.parent} -> {frame} at {seconds(stamp)}: a gap of '
                f'{(after - before) / SECOND:.3f} s, more than {self.max_gap / SECOND:g} s')
        return interpolate(series.transforms[index - 1], series.transforms[index],
                           (stamp - before) / (after - before))


def seconds(stamp: int) -> str:
    """A stamp for people: 12.345 s."""
    return f'{stamp / SECOND:.3f} s'


def rotate(quaternion: Quaternion, point: Vector) -> Vector:
    """The point turned by a unit quaternion (xyzw)."""
    x, y, z, w = quaternion
    px, py, pz = point
    # v + 2 w (u x v) + 2 u x (u x v)
    cx, cy, cz = 2 * (y * pz - z * py), 2 * (z * px - x * pz), 2 * (x * py - y * px)
    return (px + w * cx + (y * cz - z * cy), py + w * cy + (z * cx - x * cz),
            pz + w * cz + (x * cy - y * cx))


def conjugate(quaternion: Quaternion) -> Quaternion:
    """The inverse of a unit quaternion (xyzw)."""
    x, y, z, w = quaternion
    return (-x, -y, -z, w)


def multiply(one: Quaternion, other: Quaternion) -> Quaternion:
    """The rotation `other`, then `one` (xyzw)."""
    ax, ay, az, aw = one
    bx, by, bz, bw = other
    return (aw * bx + ax * bw + ay * bz - az * by, aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw, aw * bw - ax * bx - ay * by - az * bz)


def interpolate(one: Transform, other: Transform, share: float) -> Transform:
    """From `one` (share 0) to `other` (share 1): translation linear, rotation by slerp."""
    rest = 1 - share
    x, y, z = (rest * a + share * b for a, b in zip(one[:3], other[:3], strict=True))
    dot = one[3] * other[3] + one[4] * other[4] + one[5] * other[5] + one[6] * other[6]
    sign = 1.0
    if dot < 0:  # q and -q are one rotation: the short way round
        dot, sign = -dot, -1.0
    if dot > 1 - 1e-12:
        weight_one, weight_other = rest, sign * share
    else:
        angle = math.acos(dot)
        weight_one = math.sin(rest * angle) / math.sin(angle)
        weight_other = sign * math.sin(share * angle) / math.sin(angle)
    turn = [weight_one * a + weight_other * b for a, b in zip(one[3:], other[3:], strict=True)]
    length = math.sqrt(sum(component * component for component in turn))
    if length == 0 or not math.isfinite(length):
        length = math.nan
    qx, qy, qz, qw = (component / length for component in turn)
    return (x, y, z, qx, qy, qz, qw)

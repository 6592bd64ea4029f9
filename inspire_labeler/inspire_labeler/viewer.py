# SPDX-License-Identifier: Apache-2.0
"""The frame in which left is left: a person who looks at the robot's table.

The viewer frame is right-handed: x towards the viewer ("front"), y to the viewer's right, z up. It
is base_link turned about z, so a preset is one angle. Two presets:

- `libero`: the viewer stands opposite the robot and looks at it; equal to base_link.
- `piper_real`: the viewer stands at the robot's right-hand side; x_v = -y_b, y_v = +x_b.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.7     # what of a unit vector has to be level for it to have a heading


@dataclass(frozen=True)
class Viewer:
    """A viewer: its preset's name and the yaw of its frame in base_link [rad]."""

    name: str
    yaw: float

    @property
    def rotation_base_to_viewer(self) -> NDArray[np.float64]:
        """(3, 3): turns a vector's base_link components into viewer components."""
        cosine, sine = _exact(math.cos(self.yaw)), _exact(math.sin(self.yaw))
        return np.array([[cosine, sine, 0.0], [-sine, cosine, 0.0], [0.0, 0.0, 1.0]])

    @property
    def quaternion_viewer_in_base(self) -> tuple[float, float, float, float]:
        """(x, y, z, w) of the static transform base_link -> viewer."""
        return (0.0, 0.0, math.sin(self.yaw / 2), math.cos(self.yaw / 2))


VIEWERS = {
    preset.name: preset
    for preset in (Viewer('libero', 0.0), Viewer('piper_real', -math.pi / 2))
}


def viewer(name: str) -> Viewer:
    """The preset of that name.

    Raises ValueError, naming the presets, for another name.
    """
    try:
        return VIEWERS[name]
    except KeyError:
        raise ValueError(f"there is no viewer '{name}'; viewers: {', '.join(VIEWERS)}") from None


def heading(x: float, y: float) -> float:
    """The angle about up, from the viewer's x axis [rad], of a unit vector with these components
    in the viewer frame; NaN where it is upright rather than level."""
    return math.atan2(y, x) if math.hypot(x, y) > LEVEL else math.nan


def quarter(angle: float, bearing: float) -> float:
    """Of the directions every quarter turn from `angle` the one nearest to `bearing` [rad]: the
    heading of what is as long as it is wide. NaN where the angle is."""
    return bearing + math.remainder(angle - bearing, math.pi / 2)


def _exact(value: float) -> float:
    """A quarter turn has entries of 0 and 1, not of 6e-17."""
    nearest = round(value)
    return float(nearest) if abs(value - nearest) < 1e-15 else value

# SPDX-License-Identifier: Apache-2.0
"""Where in a camera's picture a place is: a pinhole without distortion."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from piper_driver.pose import Pose

NEAREST = 0.01    # m before the camera; what is nearer, or behind it, is in no picture

Spot = tuple[float, float]   # shares of width and height: (0, 0) upper left, (1, 1) lower right


def spot(place: NDArray[np.float64], camera: Pose, matrix: NDArray[np.float64], width: int,
         height: int) -> Spot | None:
    """Where `place` (3,) [m] is in the picture, or None where it is not in it.

    camera: pose of the optical frame (REP 103: z ahead, x right, y down) in the place's frame;
    matrix: K (3, 3), of sensor_msgs/CameraInfo; width, height: of the picture that it is for
    [pixels].
    """
    seen = camera.rotation.T @ (place - camera.position)
    if not np.isfinite(seen).all() or seen[2] < NEAREST:
        return None
    x, y, _ = matrix @ seen / seen[2]
    share = (float(x) + 0.5) / width, (float(y) + 0.5) / height   # a pixel's middle is whole
    return share if all(0.0 <= one <= 1.0 for one in share) else None

# SPDX-License-Identifier: Apache-2.0
"""Where in a camera's picture a place is: a pinhole without distortion.

camera: pose of the optical frame (REP 103: z ahead, x right, y down) in the frame of the places;
matrix: K (3, 3), of sensor_msgs/CameraInfo.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from piper_driver.pose import Pose

Spot = tuple[float, float]   # shares of width and height: (0, 0) upper left, (1, 1) lower right


def project(places: ArrayLike, camera: Pose, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pixels (..., 2) of places (..., 3) [m]; NaN for those that are not ahead of the camera."""
    seen = (np.asarray(places) - camera.position) @ camera.rotation
    depth = np.where(seen[..., 2:] > 0.0, seen[..., 2:], np.nan)
    return np.asarray((seen / depth) @ matrix.T)[..., :2]


def spot(place: ArrayLike, camera: Pose, matrix: NDArray[np.float64], width: int,
         height: int) -> Spot | None:
    """Where a place (3,) is in the picture of width and height [pixels], None: not in it."""
    x, y = project(place, camera, matrix).tolist()
    share = (x + 0.5) / width, (y + 0.5) / height   # a pixel's middle is whole
    return share if all(0.0 <= one <= 1.0 for one in share) else None    # nor is NaN

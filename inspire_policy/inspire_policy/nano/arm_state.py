# SPDX-License-Identifier: Apache-2.0
"""How the arm stands, as the numbers that a network reads.

Only where it was told to be, and what the gripper is told and does. How far the arm lags behind,
or how fast it is, would tell what was done last: a network that may read that learns to go on
with it instead of looking (de Haan et al. 2019, "Causal confusion in imitation learning").
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.transform import Rotation

STATE_SIZE = 11


def arm_state(width: ArrayLike, commanded: ArrayLike,
              commanded_width: ArrayLike) -> NDArray[np.float32]:
    """(..., 11): the gripper's width as measured and as told [m], and the tcp's pose that the next
    action is integrated on, in base_link: place [m] (3), first two columns of its rotation (6).

    commanded (..., 7): xyz, quaternion xyzw.
    """
    commanded = np.asarray(commanded, np.float64)
    turn = Rotation.from_quat(commanded[..., 3:].reshape(-1, 4)).as_matrix()
    columns = turn[:, :, :2].transpose(0, 2, 1).reshape(*commanded.shape[:-1], 6)
    parts = [np.asarray(width)[..., None], np.asarray(commanded_width)[..., None],
             commanded[..., :3], columns]
    return np.concatenate(parts, -1).astype(np.float32)

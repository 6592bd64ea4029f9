# SPDX-License-Identifier: Apache-2.0
"""How the arm stands, as the numbers that a network reads.

Only where it was told to be, and what the gripper is told and does. How far the arm lags behind,
or how fast it is, would tell what was done last: a network that may read that learns to go on
with it instead of looking (de Haan et al. 2019, "Causal confusion in imitation learning"). Where a
place is told (`Network.told`), which hands nothing else on, the lag is known. The gripper is
another matter: fingers that were told to close and stand still apart hold something, and fingers
that still close do not, which no single width tells.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.transform import Rotation

from inspire_policy.chunk_scale import Scale

STATE_SIZE = 12
WITHOUT_SPEED = 11      # as many numbers had the state before the gripper's speed was read
FASTEST = 0.1           # speed of the gripper that is 1 for a network [m/s]


def arm_state(width: ArrayLike, speed: ArrayLike, commanded: ArrayLike,
              commanded_width: ArrayLike) -> NDArray[np.float32]:
    """(..., 12): the gripper's width as measured and as told [m], the tcp's pose that the next
    action is integrated on, in base_link: place [m] (3), first two columns of its rotation (6);
    and how fast the measured width changes [m/s].

    commanded (..., 7): xyz, quaternion xyzw.
    """
    commanded = np.asarray(commanded, np.float64)
    parts = [np.asarray(width)[..., None], np.asarray(commanded_width)[..., None],
             commanded[..., :3], tool_axes(commanded[..., 3:]), np.asarray(speed)[..., None]]
    return np.concatenate(parts, -1).astype(np.float32)


def tool_axes(quaternions: NDArray[Any], seen: NDArray[Any] | None = None,
              ) -> NDArray[np.float64]:
    """The x and y axes (..., 6) of tools that are turned so (..., 4) xyzw in base_link; in that
    frame, or in the one that `seen` (3, 3) turns its vectors into."""
    turns = Rotation.from_quat(quaternions.reshape(-1, 4)).as_matrix()
    turns = turns if seen is None else seen @ turns
    columns: NDArray[np.float64] = turns[:, :, :2].transpose(0, 2, 1)
    return columns.reshape(*quaternions.shape[:-1], 6)


def completed(scale: Scale, count: int) -> Scale:
    """A scale of the state for a network that reads `count` numbers of it. A gripper mostly stands
    still: its speed has a scale that does not come from data."""
    low, high = scale.low[:WITHOUT_SPEED], scale.high[:WITHOUT_SPEED]
    if count == WITHOUT_SPEED:
        return Scale(low, high)
    return Scale((*low, -FASTEST), (*high, FASTEST))

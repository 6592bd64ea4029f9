# SPDX-License-Identifier: Apache-2.0
"""How the arm stands, as the numbers that a network reads."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.transform import Rotation

STATE_SIZE = 23


def arm_state(joint_positions: ArrayLike, width: ArrayLike, tcp: ArrayLike, commanded: ArrayLike,
              commanded_width: ArrayLike) -> NDArray[np.float32]:
    """(..., 23): joints [rad] (6), the gripper's width as measured and as told [m], the tcp's
    place [m] (3) and the first two columns of its rotation (6) in base_link, and how far it is
    behind what it was told: [m] (3), rotation vector [rad] (3).

    joint_positions (..., 6); tcp and commanded (..., 7): xyz, quaternion xyzw.
    """
    tcp, commanded = np.asarray(tcp, np.float64), np.asarray(commanded, np.float64)
    shape = tcp.shape[:-1]
    turn = Rotation.from_quat(tcp[..., 3:].reshape(-1, 4))
    behind = (Rotation.from_quat(commanded[..., 3:].reshape(-1, 4)) * turn.inv()).as_rotvec()
    columns = turn.as_matrix()[:, :, :2].transpose(0, 2, 1).reshape(*shape, 6)
    parts = [np.asarray(joint_positions), np.asarray(width)[..., None],
             np.asarray(commanded_width)[..., None], tcp[..., :3], columns,
             commanded[..., :3] - tcp[..., :3], behind.reshape(*shape, 3)]
    return np.concatenate(parts, -1).astype(np.float32)

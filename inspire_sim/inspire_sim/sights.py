# SPDX-License-Identifier: Apache-2.0
"""What a world shows: an observation for policies, and the truth for whoever may know it.

No physics engine in here, so that what only reads these needs none.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from piper_driver.arm import ArmState
from piper_driver.pose import Pose

Picture = NDArray[np.uint8]   # (height, width, 3), RGB, upper row first


@dataclass(frozen=True, eq=False)
class Observation:
    """What a policy may see. images: camera -> (height, width, 3) RGB; tcp in base_link."""

    stamp: float
    images: dict[str, Picture]
    arm: ArmState
    tcp: Pose
    instruction: str


@dataclass(frozen=True, eq=False)
class Truth:
    """What only the simulation knows. objects: frame -> grasp frame in base_link.

    grasped: frames of the objects that both fingers touch. gripper_width: total [m].
    """

    stamp: float
    tcp: Pose
    objects: dict[str, Pose]
    grasped: frozenset[str]
    gripper_width: float

# SPDX-License-Identifier: Apache-2.0
"""How smooth a commanded motion is: its jerk, and what happens between two chunks.

All of it is about where the tcp was told to be, 20 times a second. The jerk is the third
difference of the positions, as the root of its mean square. A velocity step is by how much the
velocity changes from one step to the next: at a seam (the first step of a chunk) it would be no
larger than inside the chunks if the policy went on where it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from inspire_policy.policy import STEP_DURATION


@dataclass(frozen=True)
class Smoothness:
    """Of one motion; None where it is too short to tell.

    jerk [m/s³]; seam, inside: median velocity step [m/s] at the seams and inside the chunks.
    """

    jerk: float | None
    seam: float | None
    inside: float | None


def smoothness(positions: ArrayLike, chunks: Sequence[int],
               duration: float = STEP_DURATION) -> Smoothness:
    """Of the commanded positions (N + 1, 3) [m] before the first step and after each.

    chunks: the number of the step, 0 to N - 1, at which each chunk begins.
    """
    places = np.asarray(positions, dtype=np.float64).reshape(-1, 3)
    jerk = np.linalg.norm(np.diff(places, n=3, axis=0), axis=1) / duration**3
    # Change i is between step i and step i + 1.
    changes = np.linalg.norm(np.diff(places, n=2, axis=0), axis=1) / duration
    at_seam = np.zeros(len(changes), dtype=np.bool_)
    at_seam[[step - 1 for step in chunks if 1 <= step <= len(changes)]] = True
    return Smoothness(
        float(np.sqrt(np.mean(jerk**2))) if len(jerk) else None,
        float(np.median(changes[at_seam])) if at_seam.any() else None,
        float(np.median(changes[~at_seam])) if not at_seam.all() else None,
    )

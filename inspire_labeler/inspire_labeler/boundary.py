# SPDX-License-Identifier: Apache-2.0
"""How near a case is to a boundary of the rule: the least error that could change its word.

A word near a boundary is a matter of millimetres, not of knowing where things are, so who counts
right and wrong answers counts such cases apart.
"""

from __future__ import annotations

from math import sqrt

import numpy as np
from numpy.typing import ArrayLike

from inspire_labeler.formulation import Formulation
from inspire_labeler.rule import CLIP, MIDDLE, NEAR

DECIMETRES = np.arange(1, CLIP + 1) / 10  # where the two formulations with digits change [m]


def boundary_distance(offset: ArrayLike,
                      formulation: Formulation = Formulation.DIRECTION) -> float:
    """How far [m] an offset (3,) may be off, in any direction, before its word changes.

    It is about the place alone: what is grasped has its word whatever the offset. NaN for an
    offset that is not finite.
    """
    values = np.asarray(offset, dtype=np.float64)
    if values.shape != (3,):
        raise ValueError(f'offset has shape {values.shape}, expected (3,)')
    sizes = np.sort(np.abs(values))
    if not np.isfinite(sizes).all():
        return float('nan')
    if formulation is Formulation.DIRECTION:
        # Two axes tie on a plane at 45 degrees to both, which is nearer than any change of sign.
        return float(sizes[2] - sizes[1]) / sqrt(2.0)
    if formulation is Formulation.DIRECTION_3D:
        return float(sizes[0])
    if formulation is Formulation.LOCATION_3D:
        return float(np.abs(sizes[:, None] - DECIMETRES).min())
    edges = np.array([NEAR, MIDDLE]) if formulation is Formulation.PROXIMITY else DECIMETRES
    return float(np.abs(np.linalg.norm(values) - edges).min())

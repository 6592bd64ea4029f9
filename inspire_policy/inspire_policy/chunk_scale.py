# SPDX-License-Identifier: Apache-2.0
"""Actions in their units against numbers of about -1 to 1, which codecs and networks work with.

Each action column is mapped linearly from its 1 % and 99 % quantiles in the training data to -1
and 1; beyond them it goes on linearly, so that nothing is clipped.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

LEAST_SPREAD = 1e-4   # m, rad: a column that never moves is not blown up


@dataclass(frozen=True)
class Scale:
    """low and high: what becomes -1 and 1, a number for each column."""

    low: tuple[float, ...]
    high: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse what has no inverse."""
        if len(self.low) != len(self.high) or not np.isfinite([*self.low, *self.high]).all():
            raise ValueError(f'low {self.low} and high {self.high}; valid: finite, equally many')
        if not (np.array(self.high) > np.array(self.low)).all():
            raise ValueError(f'low {self.low} must lie below high {self.high}')

    @classmethod
    def of(cls, values: ArrayLike) -> Scale:
        """From data (..., columns)."""
        flat = np.asarray(values, np.float64)
        flat = flat.reshape(-1, flat.shape[-1])
        low, high = np.quantile(flat, [0.01, 0.99], axis=0)
        missing = np.maximum(LEAST_SPREAD - (high - low), 0.0) / 2
        return cls(tuple((low - missing).tolist()), tuple((high + missing).tolist()))

    def normal(self, values: ArrayLike) -> Array:
        """Units to numbers of about -1 to 1."""
        low, high = np.array(self.low), np.array(self.high)
        return 2.0 * (np.asarray(values, np.float64) - low) / (high - low) - 1.0

    def units(self, values: ArrayLike) -> Array:
        """The inverse of `normal`."""
        low, high = np.array(self.low), np.array(self.high)
        return low + (np.asarray(values, np.float64) + 1.0) * (high - low) / 2.0

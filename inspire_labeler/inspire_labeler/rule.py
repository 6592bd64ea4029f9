# SPDX-License-Identifier: Apache-2.0
"""The rule: from where an object is to the word that says so. Arrays in, arrays out.

One function serves the live node, the labels recomputed from a bag, the labels in hindsight and
the tests. `offset` is object minus tcp in the viewer frame [m]: +x front, +y right, +z up.

Exact semantics, all in IEEE double precision (other inputs are converted first):

- Sign: a component counts as positive only if it is > 0; zero (either sign) counts as negative.
- direction: the axis of the largest magnitude; ties go z, x, y. So a zero offset is `down`.
- dist = sqrt((x*x + y*y) + z*z), in this order of operations.
- proximity: dist < 0.2 near; else dist < 0.3 middle; else far. (0.2, 0, 0) is middle and
  (0.3, 0, 0) is far, because the square root of a square is exact.
- location_3d: int(10 * d) per component: the product as a double, truncated toward zero, clipped
  to [-9, 9]. The doubles nearest to 0.1 ... 0.9 give 1 ... 9.
- distance: int(min(10 * dist, 9)).
- An offset with a NaN or an infinity has no word, grasped or not: its code is -1, its word ''.
  `grasped` replaces the word of any other offset.

Codes: an index into `VOCABULARY[formulation]`; -1 is withheld.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inspire_labeler.formulation import GRASPED, OPTIONS, Formulation

# Part of every label file. Raised when the rule's result changes for any input.
RULE_VERSION = 1

WITHHELD = -1
NEAR = 0.2
MIDDLE = 0.3
CLIP = 9

# A block and its temporaries stay in the second-level cache (measured: 3 times faster than whole
# arrays of a million).
_BLOCK = 8192

_Array = NDArray[Any]

_DECIMETRES = [str(value) for value in range(-CLIP, CLIP + 1)]

# Every answer of a formulation, in the order of its codes.
VOCABULARY: dict[Formulation, tuple[str, ...]] = {
    Formulation.DIRECTION: OPTIONS[Formulation.DIRECTION],
    Formulation.DIRECTION_3D: (
        *(' '.join(words) for words in product(('back', 'front'), ('left', 'right'),
                                               ('down', 'up'))),
        GRASPED,
    ),
    Formulation.PROXIMITY: OPTIONS[Formulation.PROXIMITY],
    Formulation.LOCATION_3D: (
        *(' '.join(digits) for digits in product(_DECIMETRES, repeat=3)),
        GRASPED,
    ),
    Formulation.DISTANCE: OPTIONS[Formulation.DISTANCE],
}

_TABLES = {
    # The last entry is found by the code -1.
    each: np.array([*vocabulary, '']) for each, vocabulary in VOCABULARY.items()
}


def codes(
    offset: ArrayLike,
    grasped: ArrayLike = False,
    formulation: Formulation = Formulation.DIRECTION,
) -> NDArray[np.int16]:
    """Codes of the answers.

    offset: (..., 3) [m], viewer frame. grasped: bool, broadcast to (...). Gives int16 (...).
    Raises ValueError for another shape.
    """
    offsets = np.asarray(offset, dtype=np.float64)
    if offsets.ndim == 0 or offsets.shape[-1] != 3:
        raise ValueError(f'offset has shape {offsets.shape}, expected (..., 3)')
    shape = offsets.shape[:-1]
    held = np.asarray(grasped, dtype=np.bool_)
    if np.broadcast_shapes(held.shape, shape) != shape:
        raise ValueError(f'grasped has shape {held.shape}, which is more than {shape} of offset')
    flat = offsets.reshape(-1, 3)
    flat_held = held if held.ndim == 0 else np.broadcast_to(held, shape).reshape(-1)
    result = np.empty(len(flat), dtype=np.int16)
    for start in range(0, len(flat), _BLOCK):
        part = slice(start, start + _BLOCK)
        result[part] = _block(flat[part], flat_held if held.ndim == 0 else flat_held[part],
                              formulation)
    return result.reshape(shape)


def words(code: ArrayLike, formulation: Formulation = Formulation.DIRECTION) -> NDArray[np.str_]:
    """The answers of codes (...), '' where withheld. Raises ValueError for an unknown code."""
    values = np.asarray(code)
    table = _TABLES[formulation]
    if values.size and (values.min() < WITHHELD or values.max() >= len(table) - 1):
        raise ValueError(f'codes of {formulation} are {WITHHELD} to {len(table) - 2}, '
                         f'got {values.min()} to {values.max()}')
    return table[values]


def answer(
    offset: ArrayLike,
    grasped: bool = False,
    formulation: Formulation = Formulation.DIRECTION,
) -> str:
    """The answer for one offset (3,) [m], viewer frame; '' where it is not finite."""
    return str(words(codes(offset, grasped, formulation), formulation))


def _block(offsets: _Array, held: _Array, formulation: Formulation) -> _Array:
    """Codes (n,) of offsets (n, 3) float64, with grasped and withheld filled in."""
    x, y, z = offsets[:, 0], offsets[:, 1], offsets[:, 2]
    size_x, size_y, size_z = np.abs(x), np.abs(y), np.abs(z)
    larger = np.maximum(size_x, size_y)
    if formulation is Formulation.DIRECTION:
        # up 2, down 3; front 4, back 5; left 0, right 1: the axis's negative word, and the sign.
        result = np.where(
            size_z >= larger, 3 - (z > 0).view(np.int8),
            np.where(size_x >= size_y, 5 - (x > 0).view(np.int8), (y > 0).view(np.int8)))
    elif formulation is Formulation.DIRECTION_3D:
        result = 4 * (x > 0) + 2 * (y > 0) + 1 * (z > 0)
    elif formulation is Formulation.PROXIMITY:
        distance = _distance(x, y, z)
        result = 2 - 1 * (distance < MIDDLE) - 1 * (distance < NEAR)
    elif formulation is Formulation.LOCATION_3D:
        digits = [_decimetres(component) + CLIP for component in (x, y, z)]
        base = 2 * CLIP + 1
        result = (digits[0] * base + digits[1]) * base + digits[2]
    else:
        result = _decimetres(_distance(x, y, z))
    # maximum() hands a NaN on, so one test finds every NaN and infinity.
    finite = np.isfinite(np.maximum(larger, size_z))
    grasped_code = len(VOCABULARY[formulation]) - 1
    if held.any():
        result = np.where(held, grasped_code, result)
    return result if finite.all() else np.where(finite, result, WITHHELD)


def _distance(x: _Array, y: _Array, z: _Array) -> _Array:
    with np.errstate(over='ignore', invalid='ignore'):
        return np.asarray(np.sqrt(x * x + y * y + z * z))


def _decimetres(values: _Array) -> _Array:
    """int(10 * d) clipped to [-9, 9]; 0 where it is NaN (the caller withholds those)."""
    with np.errstate(over='ignore', invalid='ignore'):
        whole = np.clip(np.trunc(10 * values), -CLIP, CLIP)
    return np.nan_to_num(whole, nan=0.0).astype(np.int16)

# SPDX-License-Identifier: Apache-2.0
"""Fields of a message that somebody else wrote: each is what it should be, or a `Garbled` says
which it is, its value and what is valid.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspire_policy.wire import Garbled
from piper_driver.pose import Pose


def picture(message: Mapping[str, Any], key: str) -> NDArray[np.uint8]:
    image = message.get(key)
    if not isinstance(image, np.ndarray):
        raise Garbled(f'{key} is {shown(image)}; valid: an array (H, W, 3) of uint8')
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise Garbled(f'{key} is {image.shape} of {image.dtype}; valid: (H, W, 3) of uint8')
    return image


def pose(message: Mapping[str, Any], key: str) -> Pose:
    values = numbers(message, key, 7)
    try:
        return Pose(values[:3], values[3:])
    except ValueError as error:
        raise Garbled(f'{key}: {error}') from None


def numbers(message: Mapping[str, Any], key: str, count: int) -> NDArray[np.float64]:
    found = message.get(key)
    if not isinstance(found, np.ndarray) or found.shape != (count,) or found.dtype.kind == 'b':
        shape = f'an array {found.shape}' if isinstance(found, np.ndarray) else shown(found)
        raise Garbled(f'{key} is {shape}; valid: an array ({count},) of numbers')
    values = found.astype(np.float64)
    if not np.isfinite(values).all():
        raise Garbled(f'{key} is {values.tolist()}; valid: finite numbers')
    return values


def number(message: Mapping[str, Any], key: str) -> float:
    found = message.get(key)
    if (isinstance(found, bool) or not isinstance(found, int | float | np.number)
            or not isfinite(found)):
        raise Garbled(f'{key} is {shown(found)}; valid: a finite number')
    return float(found)


def text(message: Mapping[str, Any], key: str, longest: int) -> str:
    found = message.get(key)
    if not isinstance(found, str) or len(found) > longest:
        raise Garbled(f'{key} is {shown(found)}; valid: a text of up to {longest} characters')
    return found


def items(message: Mapping[str, Any], key: str, longest: int) -> list[Any]:
    found = message.get(key)
    if not isinstance(found, list) or len(found) > longest:
        raise Garbled(f'{key} is {shown(found)}; valid: a list of up to {longest}')
    return found


def mapping(message: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    return as_map(message.get(key), key)


def as_map(found: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(found, dict):
        raise Garbled(f'{name} is {shown(found)}; valid: a map')
    return found


def shown(value: Any) -> str:
    """A value as it is said in an error: short, on one line."""
    text = repr(value).replace('\n', ' ')
    return text if len(text) <= 60 else f'{text[:60]}...'

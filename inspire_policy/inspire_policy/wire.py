# SPDX-License-Identifier: Apache-2.0
"""Messages of openpi's policy servers as bytes: msgpack, with arrays as maps of four keys.

An array is {b'__ndarray__': True, b'data', b'dtype', b'shape'}, a numpy scalar {b'__npgeneric__':
True, b'data', b'dtype'}; everything else is msgpack. Only numbers and truth values are arrays, so
no byte that was received is ever taken for an object or for code. Whoever sends what is none of
this gets a `Garbled` that says what was wrong; nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import prod
from typing import Any

import msgpack
import numpy as np

LARGEST = 16 * 2**20    # bytes of a message: two pictures of 1600 x 1200 and more
MOST_DIMENSIONS = 8
NUMBERS = re.compile(r'[<>|=]?[biuf][1248]')    # dtypes that are sent and taken
ARRAY, SCALAR, DATA, DTYPE, SHAPE = (
    b'__ndarray__', b'__npgeneric__', b'data', b'dtype', b'shape')


class Garbled(ValueError):
    """Bytes that are no message of this kind."""


def pack(message: Mapping[str, Any]) -> bytes:
    """Write a message. Raises ValueError for an array of something else than numbers, and for a
    message beyond LARGEST."""
    data: bytes = msgpack.packb(message, default=_as_map)
    if len(data) > LARGEST:
        raise ValueError(f'a message of {len(data)} bytes; valid: up to {LARGEST}')
    return data


def unpack(data: bytes) -> dict[str, Any]:
    """Read a message; its arrays cannot be written to. Raises Garbled."""
    try:
        message = msgpack.unpackb(data, object_hook=_from_map, ext_hook=_refused)
    except Garbled:
        raise
    except (ValueError, RecursionError, OverflowError, msgpack.UnpackException) as error:
        raise Garbled(f'{len(data)} bytes that are no msgpack: {error}'.rstrip(': ')) from None
    if not isinstance(message, dict):
        raise Garbled(f'a message is a map, not a {type(message).__name__}')
    return message


def _as_map(value: Any) -> dict[bytes, Any]:
    if not isinstance(value, np.ndarray | np.generic):
        raise ValueError(f'a {type(value).__name__} cannot be sent')
    _require_numbers(value.dtype.str)
    if isinstance(value, np.generic):
        return {SCALAR: True, DATA: value.item(), DTYPE: value.dtype.str}
    return {ARRAY: True, DATA: value.tobytes(), DTYPE: value.dtype.str, SHAPE: value.shape}


def _from_map(found: dict[Any, Any]) -> Any:
    if ARRAY in found:
        return _array(found)
    if SCALAR in found:
        return _scalar(found)
    return found


def _array(found: dict[Any, Any]) -> Any:
    data, shape = found.get(DATA), found.get(SHAPE)
    kind = _require_numbers(found.get(DTYPE))
    if (not isinstance(shape, list) or not isinstance(data, bytes)
            or len(shape) > MOST_DIMENSIONS
            or not all(type(side) is int and side >= 0 for side in shape)):
        raise Garbled(f'an array of shape {str(shape)[:80]} with data of type '
                      f'{type(data).__name__}; valid: a list of up to {MOST_DIMENSIONS} lengths, '
                      f'and bytes')
    if prod(shape) * kind.itemsize != len(data):
        raise Garbled(f'an array of shape {shape} and type {kind.str} with {len(data)} bytes')
    return np.frombuffer(data, kind).reshape(shape)


def _scalar(found: dict[Any, Any]) -> Any:
    kind, value = _require_numbers(found.get(DTYPE)), found.get(DATA)
    if not isinstance(value, bool | int | float):
        raise Garbled(f'a number of type {kind.str} that is a {type(value).__name__}')
    try:
        return kind.type(value)
    except (OverflowError, ValueError) as error:
        raise Garbled(f'a number of type {kind.str}: {error}') from None


def _require_numbers(name: object) -> np.dtype[Any]:
    """The dtype of that name. Raises Garbled for one of objects, text or structures."""
    if not isinstance(name, str) or not NUMBERS.fullmatch(name):
        raise Garbled(f'an array of type {str(name)[:40]!r}; valid: numbers of up to 8 bytes')
    try:
        return np.dtype(name)
    except TypeError:
        raise Garbled(f'an array of type {name!r}, which there is not') from None


def _refused(code: int, data: bytes) -> Any:
    raise Garbled(f'msgpack extension {code}; valid: none')

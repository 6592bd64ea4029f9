# SPDX-License-Identifier: Apache-2.0
"""A camera's picture as a learned policy sees it: one function for collecting and for acting, and
JPEG for what is kept.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

QUALITY = 95    # of the JPEG, its colours at full resolution: small objects are told by theirs

Picture = NDArray[np.uint8]   # (height, width, 3), RGB, upper row first


def prepare(picture: Picture, size: int) -> Picture:
    """The square in the middle of a picture, scaled down to (size, size, 3) by averaging areas.

    Raises ValueError for a picture that is smaller than `size`.
    """
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
        raise ValueError(f'a picture of shape {picture.shape}, {picture.dtype}; '
                         'valid: (side, side, 3), uint8')
    height, width = picture.shape[:2]
    side = min(height, width)
    if not 1 <= size <= side:
        raise ValueError(f'a picture of {width} x {height} cannot be made {size} x {size}; '
                         'valid: no larger than it is')
    top, left = (height - side) // 2, (width - side) // 2
    square = picture[top:top + side, left:left + side]
    if size == side:
        return square
    small = cv2.resize(square, (size, size), interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.uint8)


def encode(picture: Picture) -> bytes:
    """The picture (height, width, 3) as JPEG."""
    options = [cv2.IMWRITE_JPEG_QUALITY, QUALITY,
               cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    done, data = cv2.imencode('.jpg', cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), options)
    if not done:
        raise ValueError(f'a picture of shape {picture.shape} cannot be written as JPEG')
    return bytes(data)


def decode(data: bytes | memoryview) -> Picture:
    """The picture (height, width, 3) of a JPEG. Raises ValueError where it is none."""
    picture = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise ValueError(f'{len(data)} bytes that are no picture')
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), dtype=np.uint8)

# SPDX-License-Identifier: Apache-2.0
"""`CvBridge`: sensor_msgs/Image to numpy and back.

Both ways are free of per-element Python: reading is a view on the message's bytes, writing is one
copy into an `array.array('B')` (a numpy array or a list in `Image.data` costs a hundred times
that, because rclpy then checks every byte).
"""

from __future__ import annotations

import re
import sys
from array import array
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import Image
from std_msgs.msg import Header

COLOURS = {  # encoding: (channels, dtype)
    'rgb8': (3, np.uint8),
    'bgr8': (3, np.uint8),
    'rgba8': (4, np.uint8),
    'bgra8': (4, np.uint8),
    'mono8': (1, np.uint8),
    'rgb16': (3, np.uint16),
    'bgr16': (3, np.uint16),
    'rgba16': (4, np.uint16),
    'bgra16': (4, np.uint16),
    'mono16': (1, np.uint16),
    'bayer_rggb8': (1, np.uint8),
    'bayer_bggr8': (1, np.uint8),
    'bayer_gbrg8': (1, np.uint8),
    'bayer_grbg8': (1, np.uint8),
}
TYPES = {
    '8U': np.uint8,
    '8S': np.int8,
    '16U': np.uint16,
    '16S': np.int16,
    '32S': np.int32,
    '32F': np.float32,
    '64F': np.float64,
}
TYPE_NAMES = {np.dtype(dtype): name for name, dtype in TYPES.items()}
PLAIN = re.compile(r'(8U|8S|16U|16S|32S|32F|64F)C([1-4]?)')  # OpenCV's: 8UC3, 32FC1
CHANNEL_ORDER = re.compile(r'(rgba?|bgra?|mono)(8|16)')
LITTLE_ENDIAN = sys.byteorder == 'little'


class CvBridgeError(TypeError):
    """An image that cannot be converted as asked."""


def layout(encoding: str) -> tuple[int, np.dtype[Any]]:
    """(channels, dtype) of an encoding. Raises CvBridgeError for one that is unknown."""
    if encoding in COLOURS:
        channels, dtype = COLOURS[encoding]
        return channels, np.dtype(dtype)
    plain = PLAIN.fullmatch(encoding)
    if plain is None:
        raise CvBridgeError(
            f'Unrecognized image encoding [{encoding}]: valid are {", ".join(COLOURS)} '
            f'and {{{",".join(TYPES)}}}C{{1,2,3,4}}'
        )
    return int(plain[2] or 1), np.dtype(TYPES[plain[1]])


def convert(image: NDArray[Any], encoding: str, desired: str) -> NDArray[Any]:
    """The image in another encoding of the same depth, by OpenCV's colour conversion."""
    if layout(encoding) == layout(desired) and (
        PLAIN.fullmatch(encoding) or PLAIN.fullmatch(desired)
    ):
        return image  # the same bytes under another name
    source, target = CHANNEL_ORDER.fullmatch(encoding), CHANNEL_ORDER.fullmatch(desired)
    if source is None or target is None or source[2] != target[2]:
        raise CvBridgeError(f'[{encoding}] cannot be converted to [{desired}]')
    names = {'mono': 'GRAY'}
    first, second = (names.get(name, name.upper()) for name in (source[1], target[1]))
    return cv2.cvtColor(image, getattr(cv2, f'COLOR_{first}2{second}'))


class CvBridge:
    """Converts images; holds no state."""

    def imgmsg_to_cv2(self, img_msg: Image, desired_encoding: str = 'passthrough') -> NDArray[Any]:
        """The image: (height, width) for one channel, else (height, width, channels).

        'passthrough', or the encoding the message has, gives a view on the message's own data:
        copy it before writing into it. Raises CvBridgeError on an unknown encoding, an impossible
        conversion or a message with too little data.
        """
        channels, dtype = layout(img_msg.encoding)
        height, width, step = img_msg.height, img_msg.width, img_msg.step
        row = width * channels * dtype.itemsize
        if step < row or len(img_msg.data) < step * height:
            raise CvBridgeError(
                f'{width}x{height} [{img_msg.encoding}] needs a step of {row} or more and '
                f'{max(step, row) * height} bytes, has a step of {step} and '
                f'{len(img_msg.data)} bytes'
            )
        swapped = bool(img_msg.is_bigendian) == LITTLE_ENDIAN and dtype.itemsize > 1
        image: NDArray[Any] = np.ndarray(
            (height, width) if channels == 1 else (height, width, channels),
            dtype.newbyteorder() if swapped else dtype,
            img_msg.data,
            strides=(step, dtype.itemsize)
            if channels == 1
            else (step, channels * dtype.itemsize, dtype.itemsize),
        )
        if swapped:
            image = image.astype(dtype)
        if desired_encoding in ('passthrough', img_msg.encoding):
            return image
        return convert(image, img_msg.encoding, desired_encoding)

    def cv2_to_imgmsg(
        self,
        cvim: NDArray[Any],
        encoding: str = 'passthrough',
        header: Header | None = None,
    ) -> Image:
        """The message of an image, (height, width) or (height, width, channels).

        Raises CvBridgeError if the array does not fit the encoding, TypeError if it is none.
        """
        if not isinstance(cvim, np.ndarray):
            raise TypeError(f'an image must be a numpy array, this is {type(cvim).__name__}')
        channels = cvim.shape[2] if cvim.ndim == 3 else 1
        if cvim.ndim not in (2, 3) or cvim.dtype not in TYPE_NAMES or not 1 <= channels <= 4:
            raise CvBridgeError(
                f'an image is (height, width[, 1 to 4]) of {"|".join(TYPES)}, '
                f'this is {cvim.shape} of {cvim.dtype}'
            )
        plain = f'{TYPE_NAMES[cvim.dtype]}C{channels}'
        if encoding != 'passthrough' and layout(encoding) != (channels, cvim.dtype):
            raise CvBridgeError(f'encoding specified as {encoding}, but image has type {plain}')
        message = Image()
        if header is not None:
            message.header = header
        message.height, message.width = cvim.shape[:2]
        message.encoding = plain if encoding == 'passthrough' else encoding
        message.is_bigendian = 0 if LITTLE_ENDIAN else 1
        pixels = array('B')
        # OpenCV images are in the machine's byte order; an array in another order is turned here.
        native = np.ascontiguousarray(cvim, cvim.dtype.newbyteorder('='))
        pixels.frombytes(native.reshape(-1).view(np.uint8).data)
        message.data = pixels
        message.step = message.width * channels * cvim.dtype.itemsize
        return message

# SPDX-License-Identifier: Apache-2.0
"""Images to messages and back, and what is refused."""

from array import array

import cv2
import numpy as np
import pytest
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from cv_bridge import CvBridge, CvBridgeError

ENCODINGS = {
    'rgb8': ((4, 6, 3), np.uint8),
    'bgr8': ((4, 6, 3), np.uint8),
    'rgba8': ((4, 6, 4), np.uint8),
    'bgra8': ((4, 6, 4), np.uint8),
    'mono8': ((4, 6), np.uint8),
    'mono16': ((4, 6), np.uint16),
    '8UC1': ((4, 6), np.uint8),
    '8UC3': ((4, 6, 3), np.uint8),
    '16UC1': ((4, 6), np.uint16),
    '32FC1': ((4, 6), np.float32),
    '32SC2': ((4, 6, 2), np.int32),
    '64FC4': ((4, 6, 4), np.float64),
}


def picture(shape, dtype):
    return np.random.default_rng(1).uniform(0, 255, shape).astype(dtype)


@pytest.fixture
def bridge():
    return CvBridge()


@pytest.mark.parametrize('encoding', ENCODINGS)
def test_there_and_back_is_the_same_image(bridge, encoding):
    image = picture(*ENCODINGS[encoding])
    message = bridge.cv2_to_imgmsg(image, encoding)
    assert (message.height, message.width, message.encoding) == (4, 6, encoding)
    assert message.step * message.height == len(message.data) == image.nbytes
    back = bridge.imgmsg_to_cv2(message)
    assert back.dtype == image.dtype
    assert np.array_equal(back, image)


def test_reading_shares_memory_and_writing_uses_a_byte_array(bridge):
    message = bridge.cv2_to_imgmsg(picture((4, 6, 3), np.uint8), 'rgb8')
    assert isinstance(message.data, array) and message.data.typecode == 'B'
    bridge.imgmsg_to_cv2(message)[0, 0, 0] = 77
    assert message.data[0] == 77


def test_passthrough_names_the_type(bridge):
    assert bridge.cv2_to_imgmsg(picture((4, 6, 3), np.uint8)).encoding == '8UC3'
    assert bridge.cv2_to_imgmsg(picture((4, 6), np.uint16)).encoding == '16UC1'


def test_the_header_is_kept(bridge):
    header = Header(frame_id='camera')
    assert bridge.cv2_to_imgmsg(picture((4, 6), np.uint8), 'mono8', header).header == header


@pytest.mark.parametrize(
    ('encoding', 'desired', 'code'),
    [
        ('rgb8', 'bgr8', cv2.COLOR_RGB2BGR),
        ('bgr8', 'rgba8', cv2.COLOR_BGR2RGBA),
        ('bgra8', 'rgb8', cv2.COLOR_BGRA2RGB),
        ('rgb8', 'mono8', cv2.COLOR_RGB2GRAY),
        ('mono8', 'bgr8', cv2.COLOR_GRAY2BGR),
    ],
)
def test_colours_are_converted_as_opencv_does(bridge, encoding, desired, code):
    image = picture(*ENCODINGS[encoding])
    got = bridge.imgmsg_to_cv2(bridge.cv2_to_imgmsg(image, encoding), desired)
    assert np.array_equal(got, cv2.cvtColor(image, code))


def test_the_same_bytes_may_be_read_under_another_name(bridge):
    image = picture((4, 6), np.uint16)
    assert np.array_equal(
        bridge.imgmsg_to_cv2(bridge.cv2_to_imgmsg(image, '16UC1'), 'mono16'), image
    )


def test_padded_rows_are_skipped(bridge):
    rows = np.arange(4 * 20, dtype=np.uint8).reshape(4, 20)
    message = Image(height=4, width=6, encoding='rgb8', step=20, data=array('B', rows.tobytes()))
    assert np.array_equal(bridge.imgmsg_to_cv2(message), rows[:, :18].reshape(4, 6, 3))


def test_big_endian_data_are_turned(bridge):
    image = picture((4, 6), np.uint16)
    message = bridge.cv2_to_imgmsg(image, 'mono16')
    message.is_bigendian = 1
    message.data = array('B', image.byteswap().tobytes())
    assert np.array_equal(bridge.imgmsg_to_cv2(message), image)


def test_a_view_of_an_array_need_not_be_contiguous(bridge):
    image = picture((4, 6, 3), np.uint8)
    message = bridge.cv2_to_imgmsg(image[:, ::-1], 'rgb8')
    assert np.array_equal(bridge.imgmsg_to_cv2(message), image[:, ::-1])


@pytest.mark.parametrize(
    ('image', 'encoding', 'says'),
    [
        (np.zeros((4, 6, 3), np.uint8), 'mono8', 'specified as mono8, but image has type 8UC3'),
        (np.zeros((4, 6), np.float32), 'rgb8', 'but image has type 32FC1'),
        (np.zeros((4, 6), bool), 'mono8', 'of bool'),
        (np.zeros((4, 6, 5), np.uint8), 'passthrough', r'\(4, 6, 5\)'),
        (np.zeros((4, 6, 3), np.uint8), 'rgb9', r'\[rgb9\]: valid are rgb8'),
    ],
)
def test_an_image_that_does_not_fit_its_encoding_is_refused(bridge, image, encoding, says):
    with pytest.raises(CvBridgeError, match=says):
        bridge.cv2_to_imgmsg(image, encoding)


def test_what_is_no_image_is_refused(bridge):
    with pytest.raises(TypeError, match='this is list'):
        bridge.cv2_to_imgmsg([[1]])
    message = bridge.cv2_to_imgmsg(np.zeros((4, 6, 3), np.uint8), 'rgb8')
    with pytest.raises(CvBridgeError, match=r'\[rgb8\] cannot be converted to \[mono16\]'):
        bridge.imgmsg_to_cv2(message, 'mono16')
    message.data = message.data[:-1]
    with pytest.raises(CvBridgeError, match='72 bytes, has a step of 18 and 71 bytes'):
        bridge.imgmsg_to_cv2(message)

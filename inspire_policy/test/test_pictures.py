# SPDX-License-Identifier: Apache-2.0
"""Pictures as a learned policy sees them."""

import numpy as np
import pytest

from inspire_policy.pictures import decode, encode, prepare


def noise(side: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)


def test_a_pixel_is_the_average_of_the_area_it_covers() -> None:
    picture = noise(224)
    areas = picture.reshape(112, 2, 112, 2, 3).astype(int).sum(axis=(1, 3))
    assert np.array_equal(prepare(picture, 112), (areas + 2) // 4)


def test_a_picture_of_the_right_size_is_left_as_it_is() -> None:
    picture = noise(32)
    assert np.array_equal(prepare(picture, 32), picture)


@pytest.mark.parametrize('axis', [0, 1])
def test_of_a_longer_picture_the_square_in_the_middle_is_taken(axis: int) -> None:
    sides = np.full_like(noise(64), 200).take(range(10), axis)
    longer = np.concatenate([sides, noise(64), sides], axis)
    assert np.array_equal(prepare(longer, 32), prepare(noise(64), 32))


@pytest.mark.parametrize(('shape', 'size'), [((20, 30, 3), 21), ((20, 20, 3), 21),
                                             ((20, 20, 3), 0), ((20, 20), 10)])
def test_what_cannot_be_scaled_down_is_refused(shape: tuple[int, ...], size: int) -> None:
    with pytest.raises(ValueError, match='20'):
        prepare(np.zeros(shape, np.uint8), size)


def test_jpeg_keeps_colours_and_their_places() -> None:
    picture = np.zeros((16, 16, 3), np.uint8)
    picture[:8] = (200, 30, 30)
    picture[8:] = (30, 30, 200)
    back = decode(encode(picture)).astype(int)
    assert back.shape == (16, 16, 3)
    assert np.abs(back - picture)[[0, 15]].max() <= 8


def test_bytes_that_are_no_picture_are_refused() -> None:
    with pytest.raises(ValueError, match='5 bytes that are no picture'):
        decode(b'hello')

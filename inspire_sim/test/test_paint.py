# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from inspire_sim import paint

PICTURES = {
    'wood': lambda random: paint.wood(random, (0.6, 0.4, 0.3), 64),
    'plain': lambda random: paint.plain(random, (0.6, 0.4, 0.3), 64),
    'speckled': lambda random: paint.speckled(random, (1, 0.5, 0), (0.5, 0.2, 0), 0.2),
    'rind': lambda random: paint.rind(random, (0.5, 0.8, 0.4), (0.1, 0.3, 0.1)),
    'biscuits': lambda random: paint.biscuits(random, (1, 0.9, 0.7), (0.1, 0.2, 0.6)),
}


@pytest.mark.parametrize('name', PICTURES)
def test_equal_randomness_paints_equal_pictures(name: str) -> None:
    first, second = (PICTURES[name](np.random.default_rng(3)) for _ in range(2))
    assert first.dtype == np.uint8 and first.ndim == 3 and first.shape[2] == 3
    np.testing.assert_array_equal(first, second)
    assert (first != PICTURES[name](np.random.default_rng(4))).any()


def test_mixing_goes_from_the_first_colour_to_the_second() -> None:
    picture = paint.mixed((0.0, 0.0, 0.0), (1.0, 0.4, 0.0), np.array([[0.0, 0.5, 1.0]]))
    np.testing.assert_array_equal(picture[0], [[0, 0, 0], [128, 51, 0], [255, 102, 0]])


def test_a_shade_goes_to_black_and_to_white() -> None:
    assert paint.shade((0.2, 0.4, 0.6), 0.5) == pytest.approx((0.1, 0.2, 0.3))
    assert paint.shade((0.2, 0.4, 0.6), 2.0) == pytest.approx((1.0, 1.0, 1.0))


def test_stripes_are_where_they_were_asked_for() -> None:
    picture = paint.striped((1, 1, 1), (0, 0, 0), ((0.5, 1.0),), 64)
    assert picture[:31].mean() > 200 > 60 > picture[33:].mean()


def test_noise_stays_between_zero_and_one_and_meets_itself_at_the_edges() -> None:
    noise = paint.smooth_noise(np.random.default_rng(5), 60, 60, (6, 6))
    assert noise.min() >= 0.0 and noise.max() <= 1.0
    assert np.abs(noise[0] - noise[-1]).max() < 0.2

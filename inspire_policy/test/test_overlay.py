# SPDX-License-Identifier: Apache-2.0
"""The drawing enlarges small images, leaves the caller's alone, and shows what it is given."""

import numpy as np
import pytest

from inspire_labeler.formulation import OPTIONS, Formulation
from inspire_policy.overlay import COLOURS, SMALLEST_SIDE, Line, colour_of, draw

GREY = np.full((224, 224, 3), 128, np.uint8)


def shows(picture: np.ndarray, colour: tuple[int, int, int]) -> bool:
    return bool((np.abs(picture.astype(int) - colour).max(axis=2) <= 2).sum() > 50)


def test_a_small_image_is_enlarged_by_a_whole_factor_and_a_large_one_is_not() -> None:
    assert draw(GREY, []).shape == (448, 448, 3)
    assert draw(np.zeros((100, 130, 3), np.uint8), []).shape == (500, 650, 3)
    assert draw(np.zeros((720, 1280, 3), np.uint8), []).shape == (720, 1280, 3)
    assert min(draw(GREY, []).shape[:2]) >= SMALLEST_SIDE


def test_the_callers_image_is_left_as_it_was() -> None:
    image = np.zeros((480, 640, 3), np.uint8)
    draw(image, [Line('the ball', 'left')], title='pick up the ball')
    assert not image.any()


def test_without_anything_to_say_nothing_is_drawn() -> None:
    assert (draw(GREY, []) == 128).all()


@pytest.mark.parametrize('answer', [*COLOURS, '7'])
def test_an_answer_is_shown_in_its_colour(answer: str) -> None:
    assert not shows(draw(GREY, [], title='the ball'), colour_of(answer))
    assert shows(draw(GREY, [Line('the ball', answer)]), colour_of(answer))


def test_answers_of_one_question_are_told_apart_by_colour() -> None:
    for formulation in (Formulation.DIRECTION, Formulation.PROXIMITY):
        colours = [colour_of(option) for option in OPTIONS[formulation]]
        assert len(set(colours)) == len(colours)


def test_mirrored_answers_give_another_picture() -> None:
    left, right = (draw(GREY, [Line('the ball', word)]) for word in ('left', 'right'))
    assert not np.array_equal(left, right)


def test_a_ring_in_the_colour_of_the_answer_is_around_the_spot() -> None:
    plain, ringed = (draw(GREY, [Line('the ball', 'left', spot=spot)])
                     for spot in (None, (0.75, 0.25)))
    rows, columns = np.nonzero((plain != ringed).any(axis=2))
    assert (columns.mean(), rows.mean()) == pytest.approx((0.75 * 448, 0.25 * 448), abs=1.5)
    assert shows(ringed[:200, 250:], colour_of('left'))


@pytest.mark.parametrize('agrees', [True, False, None])
@pytest.mark.parametrize('probability', [None, 0.0, 0.3, 1.0])
def test_every_kind_of_line_can_be_drawn(agrees: bool | None, probability: float | None) -> None:
    picture = draw(GREY, [Line('the ball', 'up', probability, agrees)], 'title', 'note')
    assert picture.dtype == np.uint8
    assert picture.shape == (448, 448, 3)


def test_texts_that_are_too_long_or_foreign_are_shortened_not_refused() -> None:
    long = 'the very long name of an object ' * 40
    assert draw(GREY, [Line(long, ''), Line('杯子', 'front left down', 0.5)], long, long).any()


@pytest.mark.parametrize('shape', [(224, 224), (224, 224, 4), (3, 224, 224)])
def test_what_is_no_rgb_image_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match='valid'):
        draw(np.zeros(shape, np.uint8), [])

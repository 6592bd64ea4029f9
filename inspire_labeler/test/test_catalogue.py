# SPDX-License-Identifier: Apache-2.0
"""Names to frames: one, several with words of position, none."""

from itertools import permutations
from pathlib import Path

import pytest

from inspire_labeler.catalogue import AbsentObject, AmbiguousObject, Catalogue

CONFIG = Path(__file__).parents[1] / 'config' / 'objects.yaml'
# Every frame that the simulation uses (contracts between the packages).
SIM_FRAMES = {
    'ball', 'plug', 'can', 'apple', 'watermelon', 'cabinet', 'plate_1', 'plate_2', 'plate_3',
    'banana', 'plate', 'blue_cup', 'green_cup', 'red_cup', 'orange_cup', 'yellow_cup', 'cookies',
    'towel', 'green_cube', 'blue_cube', 'bowl_1', 'bowl_2', 'bowl_3', 'book', 'green_lego',
    'blue_lego', 'orange',
}


@pytest.fixture(scope='module')
def catalogue():
    return Catalogue.load(CONFIG)


def test_the_catalogue_holds_every_frame_of_the_simulation(catalogue):
    assert catalogue.frames == SIM_FRAMES


@pytest.mark.parametrize('frame', sorted(SIM_FRAMES - {
    'plate_1', 'plate_2', 'plate_3', 'bowl_1', 'bowl_2', 'bowl_3'}))
def test_a_frame_is_found_by_its_own_name(catalogue, frame):
    everything = dict.fromkeys(SIM_FRAMES - {'plate_1', 'plate_2', 'plate_3'}, (0.0, 0.0, 0.0))
    assert catalogue.resolve('the ' + frame.replace('_', ' '), everything) == frame


@pytest.mark.parametrize('numbering', list(permutations((1, 2, 3))))
def test_bowls_are_told_apart_by_where_they_are_and_not_by_their_numbers(catalogue, numbering):
    left, middle, right = (f'bowl_{number}' for number in numbering)
    places = {left: (0.1, -0.2, 0), middle: (-0.1, 0.01, 0), right: (0.0, 0.2, 0)}
    assert catalogue.resolve('the left bowl', places) == left
    assert catalogue.resolve('the middle bowl', places) == middle
    assert catalogue.resolve('the bowl in the middle', places) == middle
    assert catalogue.resolve('the bowl on the right', places) == right
    assert catalogue.resolve('the front bowl', places) == left
    assert catalogue.resolve('the bowl at the back', places) == middle
    assert catalogue.resolve('the bowl at the rear', places) == middle


@pytest.mark.parametrize('numbering', list(permutations((1, 2, 3))))
@pytest.mark.parametrize('pulled', range(3))
def test_plates_of_the_cabinet_go_by_height_whichever_is_pulled_out(catalogue, numbering, pulled):
    frames = [f'plate_{number}' for number in numbering]
    places = {frame: (0.15 if level == pulled else 0.0, 0.0, 0.05 + 0.04 * level)
              for level, frame in enumerate(frames)}
    for level, word in enumerate(('bottom', 'middle', 'top')):
        assert catalogue.resolve(f'the {word} plate', places) == frames[level]
        assert catalogue.resolve(f'the {word} plate of the cabinet', places) == frames[level]


def test_the_middle_is_taken_along_the_widest_axis_unless_the_catalogue_says_which():
    places = {'a': (0.3, 0.0, 0.1), 'b': (0.0, 0.1, 0.2), 'c': (-0.3, 0.05, 0.0)}
    frames = {'mug': ('a', 'b', 'c')}
    assert Catalogue(frames).resolve('the middle mug', places) == 'b'
    assert Catalogue(frames, {'mug': 'y'}).resolve('the middle mug', places) == 'c'
    assert Catalogue(frames, {'mug': 'z'}).resolve('the centre mug', places) == 'a'


def test_two_words_of_position_add_up():
    places = {f'{x}{z}': (0.0, 0.1 * x, 0.1 * z) for x in (0, 1) for z in (0, 1)}
    catalogue = Catalogue({'cup': tuple(places)})
    assert catalogue.resolve('the top left cup', places) == '01'
    assert catalogue.resolve('the bottom right cup', places) == '10'


def test_several_without_a_word_of_position_are_ambiguous_and_named(catalogue):
    places = {'bowl_1': (0, 0, 0), 'bowl_3': (0, 1, 0)}
    with pytest.raises(AmbiguousObject, match="'the bowl' can be bowl_1, bowl_3: say which"):
        catalogue.resolve('the bowl', places)


def test_what_differs_by_less_than_5_mm_is_ambiguous(catalogue):
    with pytest.raises(AmbiguousObject, match='bowl_1 or bowl_2: they differ by less than 5 mm'):
        catalogue.resolve('the left bowl', {'bowl_1': (0, 0.001, 0), 'bowl_2': (0, 0.005, 0)})


def test_two_have_no_middle(catalogue):
    with pytest.raises(AmbiguousObject, match='2 have no middle one: bowl_1, bowl_2'):
        catalogue.resolve('the middle bowl', {'bowl_1': (0, 0, 0), 'bowl_2': (0, 1, 0)})


def test_the_only_one_there_is_meant_whatever_its_place(catalogue):
    assert catalogue.resolve('the cup', {'red_cup': (0, 0, 0), 'ball': (0, 0, 0)}) == 'red_cup'
    assert catalogue.resolve('the left bowl', {'bowl_2': (0, 0, 0)}) == 'bowl_2'


def test_an_object_that_is_not_there_is_refused_with_what_is(catalogue):
    with pytest.raises(AbsentObject, match="'the ball' is not there: no transform of ball; there "
                                           'is now: book, can'):
        catalogue.resolve('the ball', {'book': (0, 0, 0), 'can': (0, 0, 0), 'link6': (0, 0, 0)})


@pytest.mark.parametrize('phrase, suggestion', [
    ('the bal', 'ball'), ('the purple cup', 'blue cup'), ('the bannana', 'banana'),
    ('the black bowl', 'bowl'), ('the cookie', 'cookies'),
])
def test_an_unknown_name_is_refused_with_close_ones(catalogue, phrase, suggestion):
    with pytest.raises(AbsentObject, match="the catalogue has no '.*did you mean: .*") as refusal:
        catalogue.resolve(phrase, {'ball': (0, 0, 0)})
    suggestions = str(refusal.value).partition('did you mean: ')[2].partition(';')[0]
    assert suggestion in suggestions.split(', ')


def test_an_alternative_means_the_one_that_is_there(catalogue):
    assert catalogue.resolve('the apple/watermelon', {'watermelon': (0, 0, 0)}) == 'watermelon'
    assert catalogue.resolve('the orange/yellow cup', {'orange_cup': (0, 0, 0)}) == 'orange_cup'
    assert catalogue.candidates('the apple/watermelon') == ('apple', 'watermelon')


def test_alternatives_that_are_all_there_are_ambiguous(catalogue):
    with pytest.raises(AmbiguousObject, match=r"all there: 'the apple' \(apple\), 'the water"):
        catalogue.resolve('the apple/watermelon', {'apple': (0, 0, 0), 'watermelon': (0, 0, 0)})
    plates = {f'plate_{n}': (0, 0, 0.1 * n) for n in (1, 2, 3)}
    with pytest.raises(AmbiguousObject, match='alternatives that are all there'):
        catalogue.resolve('the bottom/middle/top plate', plates)


def test_alternatives_of_which_none_is_there_are_absent(catalogue):
    with pytest.raises(AbsentObject, match="'the apple' is not there"):
        catalogue.resolve('the apple/watermelon', {'ball': (0, 0, 0)})


@pytest.mark.parametrize('text, complaint', [
    ('objects: {}', 'objects is empty'), ('[]', 'expected the keys'), ('cups: {}', 'expected the'),
    ('objects: {ball: ball}', 'expected a list of frames'), ('objects: {a: [b, b]}', 'a list'),
    ('objects: {left ball: [ball]}', "'left ball' can never be asked for"),
    ('objects: {Ball: [ball]}', 'lower case'), ('objects: {a: [b]}\nmiddle: {a: w}', 'x, y or z'),
    ('objects: {a: [b]}\nlong: [a]', 'a list of frames of objects'),
    ('objects: {a: [b]}\nsquare: b', "square: 'b', expected a list of frames"),
    ('objects: {a: [b, c]}\nlong: [b]\nsquare: [c, b]', 'long and square: b, expected in one'),
    ('objects: {a: [', 'cannot be read'),
])
def test_a_bad_catalogue_is_refused_by_file_and_entry(tmp_path, text, complaint):
    path = tmp_path / 'objects.yaml'
    path.write_text(text)
    with pytest.raises(ValueError, match=complaint) as refusal:
        Catalogue.load(path)
    assert str(path) in str(refusal.value)


def test_a_missing_catalogue_is_refused_by_its_path():
    with pytest.raises(ValueError, match='/nowhere.yaml cannot be read'):
        Catalogue.load('/nowhere.yaml')

# SPDX-License-Identifier: Apache-2.0
"""Objects from instructions: the paper's tasks, LIBERO's wording, hard cases, bad input."""

import random
import time

import pytest

from inspire_labeler.instruction import InstructionError, objects_in

# Every variant of the paper's fifteen tasks (facts/tasks.md), then the raw "a/b" form.
PAPER = {
    'pick up the ball': 'ball',
    'pick up the plug': 'plug',
    'move the can near the apple': 'can, apple',
    'move the can near the watermelon': 'can, watermelon',
    'move the can near the apple/watermelon': 'can, apple/watermelon',
    **{f'pull out the {which} plate from the cabinet': f'{which} plate, cabinet'
       for which in ('bottom', 'middle', 'top', 'bottom/middle/top')},
    **{f'push the {which} plate into the cabinet': f'{which} plate, cabinet'
       for which in ('bottom', 'middle', 'top', 'bottom/middle/top')},
    'put the banana in the plate': 'banana, plate',
    **{f'put the {colour} cup in the plate': f'{colour} cup, plate'
       for colour in ('blue', 'green', 'red', 'blue/green/red')},
    'put the cookies on the towel': 'cookies, towel',
    'stack the green cube on the blue cube': 'green cube, blue cube',
    **{f'stack the {one} bowl on the {other} bowl': f'{one} bowl, {other} bowl'
       for one in ('left', 'middle', 'right') for other in ('left', 'middle', 'right')
       if one != other},
    'stack the left/middle/right bowl on the left/middle/right bowl': 'left/middle/right bowl',
    **{f'put the {colour} cup on the plate': f'{colour} cup, plate'
       for colour in ('orange', 'yellow', 'orange/yellow')},
    'put the ball on the book': 'ball, book',
    'stack the green lego on the blue lego': 'green lego, blue lego',
    'put the banana on the towel': 'banana, towel',
    'pick up the orange': 'orange',
}
LIBERO = {
    'close the top drawer of the cabinet and put the black bowl on top of it':
        'top drawer of the cabinet, black bowl',
    'put the butter at the back in the top drawer of the cabinet and close it':
        'butter at the back, top drawer of the cabinet',
    'put the yellow and white mug in the microwave and close it':
        'yellow and white mug, microwave',
    'put both moka pots on the stove': 'moka pots, stove',
    'put both the alphabet soup and the cream cheese box in the basket':
        'alphabet soup, cream cheese box, basket',
    'put the white mug on the plate and put the chocolate pudding to the right of the plate':
        'white mug, plate, chocolate pudding',
    'pick up the book and place it in the back compartment of the caddy':
        'book, back compartment of the caddy',
    'stack the black bowl at the front on the black bowl in the middle':
        'black bowl at the front, black bowl in the middle',
    'turn on the stove and put the moka pot on it': 'stove, moka pot',
    'turn on the stove': 'stove',
    'open the top drawer and put the bowl inside': 'top drawer, bowl',
    'push the plate to the front of the stove': 'plate, stove',
    'put the wine bottle on top of the cabinet': 'wine bottle, cabinet',
    'pick up the black bowl between the plate and the ramekin and place it on the plate':
        'black bowl, plate, ramekin',
    'pick up the black bowl from table center and place it on the plate': 'black bowl, plate',
    'pick up the black bowl next to the cookie box and place it on the plate':
        'black bowl, cookie box, plate',
    'pick up the black bowl in the top drawer of the wooden cabinet and place it on the plate':
        'black bowl, top drawer of the wooden cabinet, plate',
    'pick up the orange juice and put it in the basket': 'orange juice, basket',
    'put the right moka pot on the stove': 'right moka pot, stove',
    'put the frying pan on the cabinet shelf': 'frying pan, cabinet shelf',
    'close the microwave': 'microwave',
}
HARD = {
    'Put the Ball on the Book!': 'ball, book',
    'PICK UP THE BALL.': 'ball',
    '  pick   up\tthe ball\n': 'ball',
    'Please, pick up the ball': 'ball',
    'grab a ball, then put it on my book': 'ball, book',
    'put the bowl to the left of the plate': 'bowl, plate',
    'put the ball in the middle of the towel': 'ball, towel',
    'put the bowl on the left on the plate': 'bowl on the left, plate',
    'move the ball to the left': 'ball',
    'move the ball left': 'ball',
    'put the red and the blue cup on the plate': 'red cup, blue cup, plate',
    'stack the middle bowl on the right one': 'middle bowl, right bowl',
    'pick up the orange and put it in the orange cup': 'orange, orange cup',
    'pick up the can': 'can',
    'pick up can': 'can',
    'put the coca-cola can in the bin': 'coca-cola can, bin',
    "put the ball on the robot's left": 'ball',
    'move the gripper to the ball': 'ball',
    'slide the drawer open': 'drawer',
    'rotate the knob clockwise': 'knob',
    'put the wine_bottle on the rack': 'wine bottle, rack',
    'drop the crème brûlée on the plate': 'crème brûlée, plate',
    'pick up the ball and put the ball on the book': 'ball, book',
    'the ball': 'ball',
}
VOCABULARY = ('put pick up the a left right middle of in on and / , it one bowl can orange '
              'both red to top drawer at close')


@pytest.mark.parametrize('instruction', [*PAPER, *LIBERO, *HARD])
def test_objects_come_out_by_name_in_the_order_of_mention(instruction):
    names = {**PAPER, **LIBERO, **HARD}[instruction].split(', ')
    assert objects_in(instruction) == tuple(f'the {name}' for name in names)


def test_spaces_around_a_slash_change_nothing():
    assert objects_in('move the can near the apple / watermelon') == objects_in(
        'move the can near the apple/watermelon')


@pytest.mark.parametrize('instruction', ['stop', 'turn on', 'pick it up', 'put it to the left',
                                         'move the gripper up', '...', '!?', '42', '/', 'the'])
def test_an_instruction_without_an_object_is_refused_and_shown(instruction):
    with pytest.raises(InstructionError, match='valid is English text') as refusal:
        objects_in(instruction)
    assert f"'{instruction}'" in str(refusal.value)


@pytest.mark.parametrize('instruction', ['', ' ', '\n\t '])
def test_an_empty_instruction_is_refused(instruction):
    with pytest.raises(InstructionError, match='the instruction is empty: valid is'):
        objects_in(instruction)


def test_1024_characters_are_read_and_one_more_is_refused():
    long = 'pick up the ball ' + 'and pick up the ball ' * 60
    assert objects_in(long[:1024].ljust(1024)) == ('the ball',)
    with pytest.raises(InstructionError, match='1025 characters, at most 1024 are valid'):
        objects_in('a' * 1025)


def test_10_000_characters_are_refused_at_once():
    start = time.perf_counter()
    with pytest.raises(InstructionError, match='has 10000 characters, at most 1024') as refusal:
        objects_in('pick up the ball. '[:10] * 1000)
    assert time.perf_counter() - start < 0.1 and len(str(refusal.value)) < 200


@pytest.mark.parametrize('instruction, character', [
    ('把球放在书上', 'CJK UNIFIED IDEOGRAPH'), ('положи мяч на книгу', 'CYRILLIC'),
    ('ضع الكرة على الكتاب', 'ARABIC'), ('pick up the ⚽', 'SOCCER BALL'),
    ('pick up the b\x00all', 'control character'), ('pick up the \x1b[31mball', 'control'),
    ('pick up the \u202eball', 'RIGHT-TO-LEFT OVERRIDE'), ('pick up the ba\u200bll', 'ZERO WIDTH'),
    ('pick up the \ud800ball', 'control character'), ('pick up the bаll', 'CYRILLIC'),
])
def test_other_scripts_and_invisible_characters_are_refused_by_name(instruction, character):
    with pytest.raises(InstructionError, match=character) as refusal:
        objects_in(instruction)
    assert str(refusal.value).isprintable() and 'put the ball on the book' in str(refusal.value)


@pytest.mark.parametrize('value', [None, 3, b'pick up the ball', ['pick up the ball']])
def test_what_is_no_text_is_refused(value):
    with pytest.raises(InstructionError, match=type(value).__name__):
        objects_in(value)


def test_words_in_any_order_give_phrases_or_a_clear_refusal():
    generator = random.Random(5)
    vocabulary = VOCABULARY.split()
    for _ in range(400):
        text = ' '.join(generator.choices(vocabulary, k=generator.randint(1, 12)))
        try:
            phrases = objects_in(text)
        except InstructionError:
            continue
        assert phrases and len(set(phrases)) == len(phrases), text
        assert all(phrase.startswith('the ') and len(phrase) <= 256 for phrase in phrases), text


def test_the_second_time_costs_microseconds():
    objects_in('put the ball on the towel')
    start = time.perf_counter()
    for _ in range(100):
        objects_in('put the ball on the towel')
    assert time.perf_counter() - start < 0.05

# SPDX-License-Identifier: Apache-2.0
"""What is taken and where it goes, from the instruction's words."""

import pytest

from inspire_labeler.roles import roles


@pytest.mark.parametrize('instruction, expected', [
    ('pick up the ball', 'ball>'),
    ('move the can near the apple', 'can>apple'),
    ('pull out the bottom plate from the cabinet', 'bottom plate>'),
    ('push the top plate into the cabinet', 'top plate>'),
    ('put the blue cup in the plate', 'blue cup>plate'),
    ('stack the left bowl on the middle bowl', 'left bowl>middle bowl'),
    ('stack the middle bowl on the right one', 'middle bowl>right bowl'),
    ('put the ball on the book.', 'ball>book'),
    ('put both the alphabet soup and the cream cheese box in the basket',
     'alphabet soup>basket, cream cheese box>basket'),
    ('put the white mug on the left plate and put the red mug on the right plate',
     'white mug>left plate, red mug>right plate'),
    ('pick up the book and place it in the back compartment of the caddy',
     'book>back compartment of the caddy'),
    ('pick up the black bowl next to the cookie box and place it on the plate',
     'black bowl>plate'),
    ('put the bowl to the left of the plate', 'bowl>plate'),
    ('close the drawer and put the bowl on top of it', 'bowl>'),
    ('put the wine bottle on top of the cabinet', 'wine bottle>cabinet'),
    ('turn on the stove and put the moka pot on it', 'moka pot>'),
    ('turn on the stove', 'stove>'),
])
def test_roles_follow_the_verbs_and_prepositions(instruction, expected):
    found = ', '.join(f'{each.object[4:]}>{each.target[4:]}' for each in roles(instruction))
    assert found == expected

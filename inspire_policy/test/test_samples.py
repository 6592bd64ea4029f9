# SPDX-License-Identifier: Apache-2.0
"""Rows by hand: what follows an instant, and how things are called."""

from pathlib import Path

import numpy as np
import pytest

from inspire_labeler.catalogue import AmbiguousObject, Catalogue
from inspire_policy.catalogue_file import default_catalogue
from inspire_policy.dataset_format import HORIZON
from inspire_policy.samples import chunk, name, offsets, scene, valid
from piper_driver.pose import Pose

CATALOGUE = Catalogue.load(Path(default_catalogue()))
ACTIONS = np.arange(20)[:, None] * np.ones(7)


def test_a_chunk_is_what_was_done_from_its_instant_on() -> None:
    assert np.array_equal(chunk(ACTIONS, 3, 0.07), ACTIONS[3:3 + HORIZON])


def test_after_the_last_action_the_arm_holds_with_the_last_width() -> None:
    late = chunk(ACTIONS, 18, 0.07)
    assert np.array_equal(late[:2], ACTIONS[18:])
    assert (late[2:, :6] == 0).all() and (late[2:, 6] == 19).all()
    nothing = chunk(np.empty((0, 7)), 0, 0.05)
    assert (nothing[:, :6] == 0).all() and (nothing[:, 6] == 0.05).all()


@pytest.mark.parametrize(('step', 'count'), [(0, 10), (9, 1), (10, 0), (11, 0), (12, HORIZON),
                                             (30, HORIZON)])
def test_what_is_to_be_imitated_ends_before_the_first_disturbed_action(step: int,
                                                                       count: int) -> None:
    disturbed = np.zeros(30, bool)
    disturbed[10:12] = True
    assert valid(disturbed, step) == count


def test_offsets_are_seen_by_the_viewer() -> None:
    tcp = Pose(np.array([0.3, 0.0, 0.2]), np.array([0.0, 0.0, 0.0, 1.0]))
    ball = Pose(np.array([0.3, 0.1, 0.0]), np.array([0.0, 0.0, 0.0, 1.0]))
    turned = np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    assert np.allclose(offsets(tcp, {'ball': ball}, ['ball'], turned), [[0.1, 0.0, -0.2]])
    assert offsets(tcp, {}, [], turned).shape == (0, 3)


def test_everything_is_called_by_what_means_it_alone() -> None:
    places = {'ball': (0, 0, 0), 'bowl_1': (0.1, 0.2, 0), 'bowl_2': (0, -0.2, 0),
              'bowl_3': (0, 0.01, 0), 'blue_cup': (0.3, 0, 0), 'plate_1': (0, 0, 0.3),
              'plate_2': (0, 0.5, 0.1), 'plate_3': (0, 0, 0.2), 'camera_stand': (1, 1, 1)}
    called = {frame: name(frame, places, CATALOGUE) for frame in places}
    assert called == {
        'ball': 'the ball', 'bowl_1': 'the right bowl', 'bowl_2': 'the left bowl',
        'bowl_3': 'the middle bowl', 'blue_cup': 'the blue cup', 'plate_1': 'the top plate',
        'plate_2': 'the bottom plate', 'plate_3': 'the middle plate', 'camera_stand': ''}
    for frame, phrase in called.items():
        assert not phrase or CATALOGUE.resolve(phrase, places) == frame


def test_what_no_word_tells_apart_has_no_name() -> None:
    places = {f'bowl_{number}': (0.0, 0.001 * number, 0.0) for number in (1, 2)}
    assert [name(frame, places, CATALOGUE) for frame in places] == ['', '']


def test_the_scene_keeps_the_words_of_the_instruction() -> None:
    places = {'bowl_2': (0, 0.3, 0), 'bowl_1': (0, -0.1, 0), 'bowl_3': (0, 0, 0),
              'ball': (1, 0, 0)}
    found = scene('stack the left bowl on the middle bowl', places, CATALOGUE)
    assert found.objects == ('ball', 'bowl_1', 'bowl_2', 'bowl_3')
    assert found.names == ('the ball', 'the left bowl', 'the right bowl', 'the middle bowl')
    assert found.asked_phrases == ('the left bowl', 'the middle bowl')
    assert found.asked_frames == ('bowl_1', 'bowl_3')
    with pytest.raises(AmbiguousObject):
        scene('pick up the bowl', places, CATALOGUE)

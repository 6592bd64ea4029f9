# SPDX-License-Identifier: Apache-2.0
"""A story holds what the messages said, each answer beside the truth of the same image."""

import episodes
import numpy as np
import pytest

from inspire_bringup import story as stories


@pytest.fixture(scope='module')
def story(tmp_path_factory):
    run = episodes.write_episode(tmp_path_factory.mktemp('story') / 'run')
    return stories.read(run, with_pictures=True)


def test_answers_stand_beside_the_truth_of_their_image(story):
    answers = story.answers['the ball']
    assert [(one.text, one.truth, one.agrees) for one in answers] == [
        ('right', 'right', True),
        ('left', 'right', False),
        ('right', 'right', True),
        ('grasped', 'grasped', True),
    ]
    assert story.compared() == (3, 4)
    assert [one.time for one in answers] == pytest.approx([0.2, 0.6, 1.0, 1.4])
    assert answers[0].said == pytest.approx(0.23)
    assert answers[0].probabilities[1] == 1.0


def test_a_withheld_label_is_no_truth_and_keeps_its_reason(story):
    first = story.labels['the ball'][0]
    assert (first.text, first.reason) == ('', 'no TF')


def test_decisions_tell_how_long_they_took(story):
    first = story.decisions[0]
    assert first.thinking == pytest.approx(0.004)
    assert first.said == pytest.approx(0.03)
    assert first.acted == pytest.approx(0.04)


def test_motion_is_interpolated_and_holds_at_the_ends(story):
    joints, width = story.executed.at(0.525)
    assert joints[1] == pytest.approx(1.0 + 0.3 * 0.525)
    assert width == pytest.approx(0.05)
    assert np.array_equal(story.executed.at(99.0)[0], story.executed.joints[-1])


def test_the_success_is_counted_from_the_first_decision(story):
    assert story.done_after() == pytest.approx(1.5 - 0.2)


def test_pictures_come_only_where_asked_for(story):
    assert len(story.pictures['camera']) == 41
    assert story.pictures['camera'][0][1].shape == (24, 24, 3)
    assert stories.read(story.folder).pictures == {}


def test_a_run_without_a_manifest_is_told_from_its_messages(tmp_path):
    run = episodes.write_episode(tmp_path / 'run')
    (run / 'manifest.json').unlink()
    story = stories.read(run)
    assert (story.instruction, story.task, story.seed) == ('pick up the ball', 'pick_ball', 3)
    assert story.outcome == 'unknown'

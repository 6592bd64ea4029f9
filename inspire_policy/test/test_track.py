# SPDX-License-Identifier: Apache-2.0
"""A track holds an episode, and nothing that could run."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from inspire_labeler.question import question
from inspire_policy.evaluation import Job, Setting
from inspire_policy.policy import Answer, Source
from inspire_policy.track import TrackRecorder, read_track
from inspire_policy.true_answers import TrueAnswer
from piper_driver.pose import Pose

BALL = question('the ball')
JOB = Job('pick_ball', 'pick up the ball', 'seen', 3)


def state(recorder: TrackRecorder, x: float) -> None:
    pose = Pose(np.array([x, 0.0, 0.1]), np.array([0.0, 0.0, 0.6, 0.8]))
    recorder.state(SimpleNamespace(position=(x,) * 6, gripper_width=x / 10),
                   SimpleNamespace(objects={'ball': pose}))


def test_what_was_noted_is_read(tmp_path: Path) -> None:
    recorder = TrackRecorder()
    state(recorder, 0.1)
    for step, (word, sure) in enumerate((('left', 0.25), ('down', 0.75))):
        chances = tuple(sure if option == word else 0.1 for option in BALL.options)
        recorder.said(2 * step, [Answer(BALL, word, chances, None, Source.POLICY)],
                      [TrueAnswer(BALL, 'moved', 'left', 0.1, np.zeros(3))])
        state(recorder, 0.2)
        state(recorder, 0.3)
    path = tmp_path / 'new' / 'track.npz'
    recorder.save(path, JOB, Setting('nano', viewer='piper_real', variation='camera'))
    track = read_track(path)
    assert (track.task, track.viewer, track.variation) == ('pick_ball', 'piper_real', 'camera')
    assert track.joints.shape == (5, 6) and track.widths.tolist() == pytest.approx(
        [0.01, 0.02, 0.03, 0.02, 0.03])
    assert np.allclose(track.poses(1)['ball'].position, [0.2, 0.0, 0.1])
    assert np.allclose(track.poses(1)['ball'].quaternion, [0.0, 0.0, 0.6, 0.8])
    assert [track.words(step)[0][1:] for step in range(4)] == [
        ('left', 0.25, 'left'), ('left', 0.25, 'left'), ('down', 0.75, 'left'),
        ('down', 0.75, 'left')]


def test_an_episode_that_did_not_begin_has_no_track(tmp_path: Path) -> None:
    TrackRecorder().save(tmp_path / 'track.npz', JOB, Setting('nano'))
    assert not list(tmp_path.iterdir())


def test_what_is_no_track_is_named(tmp_path: Path) -> None:
    path = tmp_path / 'track.npz'
    np.savez(path, joints=np.zeros(3))
    with pytest.raises(ValueError, match=r'track.npz is no track'):
        read_track(path)
    np.savez(path, about=np.array([object()], dtype=object))
    with pytest.raises(ValueError, match=r'track.npz is no track'):
        read_track(path)

# SPDX-License-Identifier: Apache-2.0
"""What the corrector is asked about a row's scene, as it is and as it is believed to be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inspire_labeler.viewer import viewer
from inspire_policy import dataset
from inspire_policy.believing import Believer
from inspire_policy.collecting import numbered
from inspire_policy.correcting import Correcting, correct
from inspire_policy.dataset_format import HORIZON
from inspire_policy.dataset_writer import DatasetWriter
from inspire_policy.evaluation import jobs
from inspire_sim.shapes import SHAPES
from piper_driver.pose import Pose

TASKS = ['pick_ball', 'cookies_on_towel', 'cup_in_plate', 'stack_cubes', 'pull_plate']


def collected(folder: Path, viewer: str) -> dataset.Dataset:
    """Rows of each of five tasks, from anywhere and with things in the hand."""
    setting = Correcting(image_size=32, viewer=viewer, longest=0, glances=16, holding=1.0,
                         carried=2)
    writer = DatasetWriter(folder, {'image_size': 32, 'cameras': ['camera', 'wrist_camera'],
                                    'viewer': viewer}, {})
    outcomes = list(correct(setting, writer, numbered(jobs(TASKS, 1, 1000)), workers=1))
    writer.finish()
    assert [one.error for one in outcomes] == [''] * len(outcomes)
    return dataset.open(folder)


@pytest.fixture(scope='module', params=['libero', 'piper_real'])
def data(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory,
         ) -> dataset.Dataset:
    return collected(tmp_path_factory.mktemp('data'), request.param)


def asked(data: dataset.Dataset, row: int, places: dict) -> np.ndarray:
    pose = data.columns['commanded'][row].astype(np.float64)
    return Believer(data).actions(row, places, Pose(pose[:3], pose[3:]),
                                  float(data.columns['commanded_width'][row]), HORIZON)


def test_of_things_where_they_are_the_corrector_says_what_it_said(data):
    """A scene that is put together from a row's numbers is the one that was there."""
    wrong = []
    for row in range(len(data.phases)):
        apart = asked(data, row, {}) - data.columns['actions'][row].reshape(HORIZON, 7)
        wrong.append(max(np.linalg.norm(apart[:, :3].sum(0)), np.abs(apart[:, 6]).max()))
    assert len(wrong) > 100
    assert np.mean(np.array(wrong) < 0.001) > 0.95      # but for what hangs aslant by its rim
    assert np.median(wrong) < 1e-5


def test_a_thing_that_is_believed_elsewhere_is_gone_to_there(data):
    """On the way down to a ball, a centimetre beside where it is."""
    ball = next(number for number, one in enumerate(data.episodes) if one.task == 'pick_ball')
    frames = data.episodes[ball].objects
    tried = 0
    for row in data.rows(ball):
        offset = data.offsets(row)[frames.index('ball')].astype(np.float64)
        if data.phases[row] != 'descend' or np.linalg.norm(offset) > 0.08:
            continue
        foot = data.all_feet[data.object_starts[row] + frames.index('ball')]
        ends = []
        for side in (0.0, 0.01):
            place = np.concatenate([offset + [0.0, side, 0.0], [np.nan, np.nan], foot])
            ends.append(asked(data, row, {'ball': place})[:, :3].sum(0))
        turn = viewer(data.card['viewer']).rotation_base_to_viewer
        apart = turn @ (ends[1] - ends[0])
        assert apart == pytest.approx([0.0, 0.01, 0.0], abs=0.002)
        tried += 1
    assert tried


def test_a_scene_has_things_tilted_as_their_feet_say(data):
    cookies = next(n for n, one in enumerate(data.episodes) if one.task == 'cookies_on_towel')
    row, frames = next(iter(data.rows(cookies))), data.episodes[cookies].objects
    place = np.concatenate([data.offsets(row)[frames.index('cookies')], [1.0, 0.0],
                            [0.0, -0.01, 0.0]])       # lying on its side
    pose = Believer(data).scene(row, {'cookies': place}).objects['cookies']
    assert abs(pose.rotation[2, 2]) < 1e-6 and np.linalg.det(pose.rotation) == pytest.approx(1.0)
    assert SHAPES['cookies'].grip == 'across'


def test_of_things_that_nobody_knows_how_they_stand_it_is_not_asked(data):
    """As in datasets made from bags, which have no feet."""
    first = {one.task: next(iter(data.rows(n))) for n, one in enumerate(data.episodes)}
    assert all(Believer(data).knows(row) for row in first.values())
    footless = replace(data, all_feet=np.full_like(data.all_feet, np.nan))
    assert not any(Believer(footless).knows(row) for row in first.values())
    headless = Believer(replace(data, all_headings=np.full_like(data.all_headings, np.nan)))
    assert {task for task, row in first.items() if headless.knows(row)} == {
        'pick_ball', 'cup_in_plate'}


def test_an_instruction_of_no_task_is_refused(data):
    odd = replace(data.episodes[0], instruction='make tea')
    with pytest.raises(ValueError, match='make tea'):
        Believer(replace(data, episodes=(odd, *data.episodes[1:])))

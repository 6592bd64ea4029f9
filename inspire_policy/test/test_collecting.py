# SPDX-License-Identifier: Apache-2.0
"""Demonstrations from the world: whole, the same again, and worth imitating."""

from pathlib import Path

import numpy as np
import pytest

from inspire_labeler.rule import answer
from inspire_policy import crew, dataset
from inspire_policy.collecting import KEPT, Collecting, Collector, collect, numbered
from inspire_policy.dataset_writer import DatasetWriter
from inspire_policy.evaluation import HELD, jobs
from inspire_policy.policy import checked_actions
from inspire_sim.world import TableWorld
from piper_driver.pose import Pose, apply_delta

SETTINGS = {'image_size': 32, 'cameras': ['camera', 'wrist_camera']}
SETTING = Collecting(image_size=32, disturbances=4.0)


@pytest.fixture(scope='module')
def collected(tmp_path_factory: pytest.TempPathFactory) -> dataset.Dataset:
    """Two episodes, with many pushes."""
    folder = tmp_path_factory.mktemp('collected')
    todo = numbered(jobs(['pick_ball', 'stack_cubes'], 1, 1000))
    writer = DatasetWriter(folder, SETTINGS, {})
    outcomes = list(collect(SETTING, writer, todo, workers=2))
    writer.finish()
    assert [one.error or one.success for one in outcomes] == [True, True]
    assert sum(one.pushes for one in outcomes) > 1
    return dataset.open(folder)


def test_an_episode_is_observed_at_every_stride_until_holding_is_learned(
        collected: dataset.Dataset) -> None:
    for index, episode in enumerate(collected.episodes):
        steps = collected.columns['step'][list(collected.rows(index))]
        assert steps.tolist() == list(range(0, episode.steps + 1, 4))
        last = collected.rows(index)[-1]
        assert collected.columns['valid'][last] == 16
        assert np.abs(collected.columns['actions'][last, :, :6]).max() < 1e-3
    assert KEPT + HELD > 16


def test_actions_lead_from_one_commanded_pose_to_the_next(collected: dataset.Dataset) -> None:
    columns = collected.columns
    for index in range(len(collected.episodes)):
        rows = collected.rows(index)
        for row in rows[:-1]:
            pose = Pose(columns['commanded'][row, :3], columns['commanded'][row, 3:])
            for action in columns['actions'][row, :4]:
                pose = apply_delta(pose, action[:3], action[3:6])
            after = Pose(columns['commanded'][row + 1, :3], columns['commanded'][row + 1, 3:])
            way, turn = pose.difference(after)
            assert np.linalg.norm(way) < 1e-6 and np.linalg.norm(turn) < 1e-5
            assert columns['commanded_width'][row + 1] == columns['actions'][row, 3, 6]


def test_what_is_to_be_imitated_a_policy_could_have_decided(collected: dataset.Dataset) -> None:
    columns = collected.columns
    for actions, valid in zip(columns['actions'], columns['valid'], strict=True):
        checked_actions(actions[:valid], may_be_empty=True)
    assert 0 < (columns['valid'] == 0).mean() < 0.5, 'there are pushes, and what is between them'


def test_places_and_pictures_are_those_of_the_world_again(collected: dataset.Dataset) -> None:
    episode = collected.episodes[1]
    world = TableWorld(cameras=())
    world.reset(episode.instruction, episode.seed)
    row = collected.rows(1)[0]
    truth = world.truth()
    assert tuple(sorted(truth.objects)) == episode.objects
    for frame, offset in zip(episode.objects, collected.offsets(row), strict=True):
        assert np.allclose(offset, truth.objects[frame].position - truth.tcp.position, atol=1e-6)
    assert episode.asked_frames == ('green_cube', 'blue_cube')
    assert set(episode.asked_phrases) <= set(episode.names)
    picture = collected.picture('camera', row)
    assert picture.shape == (32, 32, 3) and picture.std() > 10


def test_the_object_is_grasped_while_it_is_carried(collected: dataset.Dataset) -> None:
    words = {answer(collected.offsets(row)[0], bool(collected.grasped(row)[0]))
             for row in collected.rows(0)}
    assert 'grasped' in words and len(words) > 1
    grasped = [bool(collected.grasped(row)[0]) for row in collected.rows(0)]
    assert grasped[-1] and not grasped[0]


def test_an_episode_is_the_same_again() -> None:
    one, other = Collector(SETTING), Collector(SETTING)
    job, before = (numbered(jobs([task], 1, 1003))[0] for task in ('pick_plug', 'pick_ball'))
    other(before)     # what ran before in the process changes nothing
    assert one(job) == other(job)


def test_a_failure_gives_no_rows() -> None:
    told, data = Collector(Collecting(image_size=32, longest=20))(
        numbered(jobs(['pick_ball'], 1, 1000))[0])
    assert (told['success'], told['rows'], data) == (False, 0, b'')
    assert 20 <= told['steps'] < 30     # a push is not cut short


def test_more_episodes_leave_the_numbers_of_the_others_as_they_are() -> None:
    few, many = (numbered(jobs(['pull_plate', 'pick_ball'], count, 1000)) for count in (2, 5))
    assert many[:len(few)] == few
    assert [job.episode for job in many] == list(range(20))
    assert {job.instruction for job in many[:4]} == {job.instruction for job in many}


def test_what_is_there_is_not_collected_again(tmp_path: Path,
                                              monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(crew, 'spread', lambda begin, setting, todo, workers: (
        asked.append([job.episode for job in todo]), (_ for _ in ()))[1])
    writer = DatasetWriter(tmp_path, SETTINGS, {})
    todo = numbered(jobs(['pick_ball'], 3, 1000))
    writer.outcomes[1] = type('Failed', (), {'error': ''})
    list(collect(SETTING, writer, todo, 1))
    assert asked == [[0, 2]]


@pytest.mark.parametrize('change', [{'image_size': 0}, {'image_size': 300}, {'stride': 0},
                                    {'disturbances': -1.0}, {'viewer': 'nobody'}])
def test_settings_that_make_no_dataset_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=str(next(iter(change.values())))):
        Collecting(**change)

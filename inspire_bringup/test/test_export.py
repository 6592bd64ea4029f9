# SPDX-License-Identifier: Apache-2.0
"""`./inspire export`: the same states give the same samples, whichever way they took."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from logged_world import LoggedWorld

from inspire_bringup import command_line
from inspire_policy import dataset
from inspire_policy.collecting import Collecting, Collector, numbered
from inspire_policy.dataset import Dataset
from inspire_policy.dataset_writer import DatasetWriter, Outcome
from inspire_policy.evaluation import jobs

SEED = 1007     # pick up the ball, beside a plug, which is long, and a cube, which is square


class Episode:
    """One episode with pushes: as it was collected, and the world that wrote it down."""

    def __init__(self, folder: Path) -> None:
        collector = Collector(Collecting(image_size=32, disturbances=3.0))
        self.world = collector._world = LoggedWorld(image_size=(224, 224))
        job = numbered(jobs(['pick_ball'], 1, SEED))[0]
        told, data = collector(job)
        assert told['success'] and told['pushes'] > 0
        writer = DatasetWriter(folder, {'image_size': 32, 'cameras': list(self.world.cameras)}, {})
        writer.take(Outcome(0, job.task, job.instruction, job.split, job.seed, True), data)
        writer.finish()
        self.collected = dataset.open(folder)


@pytest.fixture(scope='module')
def episode(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Episode]:
    made = Episode(tmp_path_factory.mktemp('collected'))
    yield made
    made.world.close()


def export(folder: Path, *runs: Path, words: tuple[str, ...] = ()) -> Dataset:
    out = folder / 'out'
    assert command_line.main(['export', *map(str, runs), '--out', str(out), '--image-size', '32',
                              *words]) == 0
    return dataset.open(out)


def test_logged_states_give_the_same_samples_through_both(episode: Episode,
                                                          tmp_path: Path) -> None:
    """To rounding: float32 for all that is stored in it, a nanosecond for stamps."""
    collected = episode.collected
    exported = export(tmp_path, episode.world.record(tmp_path / 'run'))
    assert len(exported) == len(collected) > 20
    (one,), (other,) = collected.episodes, exported.episodes
    assert replace(one, source='bag') == other
    assert len(one.objects) > 1
    for name, values in collected.columns.items():
        if name == 'valid':
            continue
        assert np.allclose(values, exported.columns[name], rtol=0, atol=2e-7), name
    assert np.allclose(collected.all_offsets, exported.all_offsets, rtol=0, atol=1e-7)
    assert np.allclose(collected.all_headings, exported.all_headings, rtol=0, atol=1e-6,
                       equal_nan=True)
    assert np.isfinite(collected.all_headings).sum() == 2 * len(collected)    # not the ball
    assert np.isfinite(collected.all_feet).all() and np.isnan(exported.all_feet).all()
    assert np.array_equal(collected.all_grasped, exported.all_grasped)
    assert collected.all_grasped.any()
    for row in range(len(collected)):
        for camera in episode.world.cameras:
            assert collected.jpeg(camera, row) == exported.jpeg(camera, row)


def test_a_bag_does_not_say_what_was_a_push(episode: Episode, tmp_path: Path) -> None:
    exported = export(tmp_path, episode.world.record(tmp_path / 'run'))
    assert (exported.columns['valid'] == 16).all()
    assert (episode.collected.columns['valid'] < 16).any()


def test_without_a_stream_of_poses_it_is_what_the_driver_executed(episode: Episode,
                                                                  tmp_path: Path) -> None:
    run = episode.world.record(tmp_path / 'run', without=('/pose_command', '/gripper_command'))
    exported, collected = export(tmp_path, run), episode.collected
    apart = np.linalg.norm(exported.columns['commanded'][:, :3]
                           - collected.columns['commanded'][:, :3], axis=1)
    assert 1e-5 < np.median(apart) < 0.002 and apart.max() < 0.03
    measured = np.linalg.norm(exported.columns['commanded'][:, :3]
                              - exported.columns['tcp'][:, :3], axis=1)
    assert np.median(measured) < 0.01


def test_where_the_driver_does_not_follow_it_is_what_the_driver_executed(
        episode: Episode, tmp_path: Path) -> None:
    """A stream that goes on 20 cm beside the arm, as one that is refused."""
    log = list(episode.world.log)
    try:
        for topic, time, message in log:
            if topic == '/pose_command' and time > 2_000_000_000:
                message.pose.position.z += 0.2
        exported = export(tmp_path, episode.world.record(tmp_path / 'run'))
    finally:
        for topic, time, message in log:
            if topic == '/pose_command' and time > 2_000_000_000:
                message.pose.position.z -= 0.2
    columns = exported.columns
    apart = np.abs(columns['commanded'] - episode.collected.columns['commanded'])[:, :3]
    assert apart.max() < 0.03
    assert np.linalg.norm(columns['actions'][:, :, :3], axis=2).max() < 0.05


def test_in_hindsight_the_picked_object_is_where_the_gripper_closed(episode: Episode,
                                                                    tmp_path: Path) -> None:
    run = episode.world.record(tmp_path / 'run')
    exported = export(tmp_path, run, words=('--labels', 'hindsight'))
    assert exported.episodes[0].objects == ('the ball',)
    assert exported.episodes[0].asked_frames == ('the ball',)
    ball = episode.collected.episodes[0].objects.index('ball')
    truth = [episode.collected.offsets(row)[ball] for row in range(len(exported))]
    assert np.median(np.linalg.norm(exported.all_offsets - truth, axis=1)) < 0.01


@pytest.mark.parametrize(('words', 'changes', 'said'), [
    ((), {'outcome': 'failure'}, 'its outcome is failure; --outcome any takes it'),
    (('--split', 'unseen'), {}, 'pick_ball is seen; --split all takes it'),
    ((), {'without': ('/executed_command',)}, 'the bag has no message on /executed_command'),
    ((), {'without': ('/wrist_camera/image_raw',)}, 'no message on /wrist_camera/image_raw'),
    ((), {'without': ('/grasp_contacts',)}, 'grasp_contacts'),
    ((), {'instruction': 'pick up the plug'}, "after the instruction 'pick up the plug'"),
])
def test_what_gives_no_samples_is_said(episode: Episode, tmp_path: Path, words: tuple[str, ...],
                                       changes: dict[str, object], said: str,
                                       capsys: pytest.CaptureFixture[str]) -> None:
    run = episode.world.record(tmp_path / 'run', **changes)
    out = tmp_path / 'out'
    assert command_line.main(['export', str(run), '--out', str(out), *words]) == 1
    assert said in capsys.readouterr().err
    assert dataset.open(out).card['counts']['failed'] == 1


def test_after_the_end_of_a_failure_nothing_is_to_be_imitated(episode: Episode,
                                                              tmp_path: Path) -> None:
    run = episode.world.record(tmp_path / 'run', outcome='failure')
    exported = export(tmp_path, run, words=('--outcome', 'any'))
    assert not exported.episodes[0].success
    steps, total = exported.columns['step'], exported.episodes[0].steps
    assert exported.columns['valid'].tolist() == np.minimum(16, total - steps).tolist()


def test_the_bags_are_not_changed_and_a_dataset_of_others_is_refused(
        episode: Episode, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = episode.world.record(tmp_path / 'run')
    before = {path: path.read_bytes() for path in run.rglob('*') if path.is_file()}
    export(tmp_path, run)
    assert {path: path.read_bytes() for path in run.rglob('*') if path.is_file()} == before
    other = episode.world.record(tmp_path / 'other', outcome='failure', without=('/tf_static',))
    assert command_line.main(['export', str(other), '--out', str(tmp_path / 'out'),
                              '--image-size', '32']) == 1
    assert 'was made with bags' in capsys.readouterr().err


def test_both_datasets_have_the_same_columns(episode: Episode, tmp_path: Path) -> None:
    out = export(tmp_path, episode.world.record(tmp_path / 'run')).folder
    for file in ('episodes.parquet', 'data/part-00000.parquet'):
        assert pq.read_schema(out / file).equals(
            pq.read_schema(episode.collected.folder / file)), file

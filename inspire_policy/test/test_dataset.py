# SPDX-License-Identifier: Apache-2.0
"""What is read is what was written; what is broken is named."""

import json
from pathlib import Path

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from inspire_policy import dataset
from inspire_policy.dataset_format import DatasetError
from inspire_policy.dataset_writer import BLOCK

PART = 'data/part-00000.parquet'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return datasets.write(tmp_path / 'data set')


def test_everything_comes_back(folder: Path) -> None:
    data = dataset.open(folder)
    assert [each.episode for each in data.episodes] == [0, 1, BLOCK]
    assert data.episodes[1].seed == 1001
    assert data.episodes[1].names == ('the ball', 'the book')
    assert len(data) == 9
    assert [list(data.rows(index)) for index in range(3)] == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    assert data.episode_of(5) is data.episodes[1]
    columns = data.columns
    assert columns['episode'].tolist() == [0, 0, 0, 1, 1, 1, BLOCK, BLOCK, BLOCK]
    assert columns['step'].tolist() == [0, 4, 8] * 3
    assert columns['joint_positions'][4].tolist() == [104, 105, 106, 107, 108, 109]
    assert columns['tcp'][4].tolist() == [104, 0, 0, 0, 0, 0, 1]
    assert columns['commanded'][4].tolist() == [105, 0, 0, 0, 0, 0, 1]
    assert columns['actions'].shape == (9, 16, 7)
    assert columns['actions'][4, :3, 0].tolist() == [5, 6, 7]
    assert columns['actions'][4, 8:, 0].tolist() == [0] * 8
    assert columns['actions'][4, 8:, 6].tolist() == [12] * 8
    assert columns['valid'].tolist() == [6, 2, 16] * 3
    assert data.offsets(4).tolist() == [[104, 0, 0], [0, 104, 0]]
    assert data.grasped(5).tolist() == [True, False]
    assert data.phases[0] == 'hold'
    assert (data.picture('camera', 4) == 1).all()
    assert (data.picture('wrist_camera', 4) == 4).all()


def test_two_are_read_as_one(folder: Path, tmp_path: Path) -> None:
    other = datasets.write(tmp_path / 'other')
    alone, both = dataset.open(folder), dataset.open(folder, other)
    assert len(both) == 2 * len(alone) and [one.episode for one in both.episodes] == [*range(6)]
    for row in range(len(both)):
        same = row % len(alone)
        assert both.episode_of(row).seed == alone.episode_of(same).seed
        assert both.jpeg('camera', row) == alone.jpeg('camera', same)
        assert np.array_equal(both.offsets(row), alone.offsets(same))
        assert np.array_equal(both.columns['actions'][row], alone.columns['actions'][same])
    assert both.columns['episode'].tolist() == [number for number in range(6) for _ in range(3)]


def test_what_is_seen_by_another_is_not_joined(folder: Path, tmp_path: Path) -> None:
    other = datasets.write(tmp_path / 'other')
    card = other / 'dataset.json'
    card.write_text(card.read_text().replace('"libero"', '"piper_real"'))
    with pytest.raises(DatasetError, match="viewer 'piper_real'.*'libero'"):
        dataset.open(folder, other)


def test_what_is_in_memory_cannot_be_changed_by_mistake(folder: Path) -> None:
    with pytest.raises(ValueError, match='read-only'):
        dataset.open(folder).columns['actions'][0] = 0


def test_the_card_counts(folder: Path) -> None:
    counts = dataset.open(folder).card['counts']
    assert counts['episodes'] == 3 and counts['rows'] == 9 and counts['splits'] == {'seen': 3}
    assert counts['instructions'] == {'pick up the ball': {'episodes': 3, 'rows': 9, 'failed': 0}}
    card = (folder / 'README.md').read_text()
    assert '3 episodes (3 seen), 9 rows' in card and 'made by a test' in card


def test_a_folder_without_a_card_is_no_dataset(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match='has no dataset.json'):
        dataset.open(tmp_path)


@pytest.mark.parametrize(('change', 'said'), [
    ({'format': 2}, 'format 2'), ({'horizon': 8}, 'horizon 8'),
    ({'image_size': 'large'}, "image_size is 'large'"), ({'cameras': ['camera']}, 'cameras')])
def test_a_card_of_another_kind_is_refused(folder: Path, change: dict[str, object],
                                           said: str) -> None:
    path = folder / 'dataset.json'
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(DatasetError, match=f'dataset.json.*{said}'):
        dataset.open(folder)


def replaced(path: Path, name: str, values: pa.Array | None) -> None:
    """Write a file anew with another column in place of one, or without it."""
    table = pq.read_table(path)
    index = table.schema.get_field_index(name)
    table = table.remove_column(index)
    if values is not None:
        table = table.add_column(index, name, values)
    pq.write_table(table, path)


@pytest.mark.parametrize(('name', 'values', 'said'), [
    ('tcp', None, 'has no column tcp'),
    ('step', pa.array([0.0] * 6), 'column step is double'),
    ('actions', pa.array([[0.0] * 8] * 6, pa.list_(pa.float32(), 8)), 'column actions is'),
    ('valid', pa.array([17] * 6, pa.int16()), 'column valid goes from 17 to 17'),
    ('gripper_width', pa.array([float('nan')] * 6, pa.float32()),
     'column gripper_width has a value that is not finite'),
    ('headings', pa.array([[float('inf')] * 2] * 6, pa.list_(pa.float32())),
     'column headings has a value that is not finite'),
    ('feet', pa.array([[0.0] * 5] * 6, pa.list_(pa.float32())),
     'column feet of episode 0, step 0 has 5 values; valid: 6'),
    ('phase', pa.array([None] * 6, pa.string()), 'column phase has 6 empty entries'),
    ('offsets', pa.array([[0.0] * 5] * 6, pa.list_(pa.float32())),
     'column offsets of episode 0, step 0 has 5 values; valid: 6'),
    ('grasped', pa.array([[True]] * 6), 'column grasped of episode 0, step 0 has 1 values'),
    ('episode', pa.array([0, 0, 0, 7, 7, 7], pa.int32()), 'column episode has no 7'),
])
def test_a_broken_column_is_named(folder: Path, name: str, values: pa.Array | None,
                                  said: str) -> None:
    replaced(folder / PART, name, values)
    with pytest.raises(DatasetError, match=said):
        dataset.open(folder)


def test_headings_and_feet_that_were_never_noted_are_not_known(folder: Path) -> None:
    before = dataset.open(folder)
    assert np.array_equal(before.all_headings, np.tile(np.float32([np.nan, 0.5]), 9),
                          equal_nan=True)
    assert np.array_equal(before.all_feet, np.tile(
        np.float32([[np.nan] * 3, [0.03, 0.0, -0.06]]), (9, 1)), equal_nan=True)
    for path in (folder / PART).parent.glob('part-*.parquet'):
        replaced(path, 'headings', None)
        replaced(path, 'feet', None)
    found = dataset.open(folder)
    for name in ('all_headings', 'all_feet'):
        unknown = getattr(found, name)
        assert unknown.shape == getattr(before, name).shape and np.isnan(unknown).all()


def test_rows_that_are_gone_are_missed(folder: Path) -> None:
    pq.write_table(pq.read_table(folder / PART).slice(1), folder / PART)
    with pytest.raises(DatasetError, match='rows says 3 of episode 0, data/ has 2'):
        dataset.open(folder)


def test_a_file_that_is_cut_off_is_named(folder: Path) -> None:
    (folder / PART).write_bytes((folder / PART).read_bytes()[:-20])
    with pytest.raises(DatasetError, match=r'part-00000.parquet cannot be read'):
        dataset.open(folder)


def test_a_picture_that_is_none_is_named(folder: Path) -> None:
    replaced(folder / PART, 'camera', pa.array([b'no picture'] * 6, pa.binary()))
    data = dataset.open(folder)
    with pytest.raises(DatasetError, match='camera of row 2: 10 bytes that are no picture'):
        data.picture('camera', 2)


def test_rows_come_in_order_whatever_the_files_have(folder: Path) -> None:
    table = pq.read_table(folder / PART)
    pq.write_table(table.take(np.arange(6)[::-1]), folder / PART)
    data = dataset.open(folder)
    assert data.columns['step'].tolist() == [0, 4, 8] * 3
    assert data.offsets(4).tolist() == [[104, 0, 0], [0, 104, 0]]
    assert (data.picture('wrist_camera', 4) == 4).all()

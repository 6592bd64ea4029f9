# SPDX-License-Identifier: Apache-2.0
"""A dataset that grows, is cut off anywhere, and goes on."""

import json
from pathlib import Path

import datasets
import pytest
from datasets import episode, outcome, writer

from inspire_policy import dataset
from inspire_policy.dataset_format import DatasetError
from inspire_policy.dataset_writer import BLOCK


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes()
            for path in sorted(folder.rglob('*.parquet'))}


def test_the_order_in_which_episodes_end_changes_nothing(tmp_path: Path) -> None:
    one = datasets.write(tmp_path / 'one', (0, 1, 2, BLOCK))
    other = datasets.write(tmp_path / 'other', (BLOCK, 2, 0, 1))
    assert list(files(one)) == ['data/part-00000.parquet', 'data/part-00001.parquet',
                                'episodes.parquet']
    assert files(one) == files(other)


def test_what_was_finished_before_a_kill_is_kept(tmp_path: Path) -> None:
    first = writer(tmp_path)
    first.take(outcome(0), episode(0))
    first.take(outcome(1, success=False))
    first.take(outcome(2, success=False, error='the process ended with status -9'))
    del first       # no finish
    second = writer(tmp_path)
    assert second.tried == {0, 1}, 'what could not be finished is tried again'
    second.take(outcome(2), episode(2))
    card = second.finish()
    assert card['counts']['tried'] == 3 and card['counts']['failed'] == 1
    assert [each.episode for each in dataset.open(tmp_path).episodes] == [0, 2]


def test_a_kill_while_writing_costs_that_episode_only(tmp_path: Path) -> None:
    first = writer(tmp_path)
    first.take(outcome(0), episode(0))
    with (tmp_path / 'outcomes.jsonl').open('a') as file:     # noted, and not yet kept
        file.write(json.dumps({**vars(outcome(1))}) + '\n{"episode": 2, "ta')
    (tmp_path / 'loose' / '.000002.parquet.part').write_bytes(episode(2)[:100])
    second = writer(tmp_path)
    assert second.tried == {0}
    second.take(outcome(1), episode(1))
    second.finish()
    assert files(tmp_path) == files(datasets.write(tmp_path / 'whole', (0, 1)))


def test_a_kill_between_gathering_and_tidying_changes_nothing(tmp_path: Path) -> None:
    first = writer(tmp_path)
    for number in (0, 1):
        first.take(outcome(number), episode(number))
    loose = {path: path.read_bytes() for path in (tmp_path / 'loose').iterdir()}
    first.finish()
    before = files(tmp_path)
    (tmp_path / 'loose').mkdir()
    for path, data in loose.items():
        path.write_bytes(data)
    writer(tmp_path).finish()
    assert files(tmp_path) == before


def test_a_block_is_gathered_as_soon_as_it_is_whole(tmp_path: Path) -> None:
    growing = writer(tmp_path)
    for number in range(BLOCK):
        growing.take(outcome(number, success=number % 2 == 0),
                     episode(number) if number % 2 == 0 else b'')
    assert list(files(tmp_path)) == ['data/part-00000.parquet']
    growing.take(outcome(BLOCK), episode(BLOCK))
    assert len(files(tmp_path)) == 2, 'the next one is loose'
    growing.finish()
    assert len(dataset.open(tmp_path).episodes) == BLOCK // 2 + 1


def test_more_episodes_may_be_added_to_a_part(tmp_path: Path) -> None:
    datasets.write(tmp_path, (0, 2))
    datasets.write(tmp_path, (1,))
    assert files(tmp_path) == files(datasets.write(tmp_path / 'at once', (0, 1, 2)))


def test_other_settings_are_refused_naming_the_difference(tmp_path: Path) -> None:
    datasets.write(tmp_path)
    with pytest.raises(DatasetError, match='was made with stride 4, not 5'):
        writer(tmp_path, stride=5)


def test_a_folder_with_other_things_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / 'thesis.txt').write_text('')
    with pytest.raises(DatasetError, match='not empty and holds no dataset.json'):
        writer(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ['thesis.txt']


def test_a_card_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / 'dataset.json').write_text('[]')
    with pytest.raises(DatasetError, match='is no card of a dataset'):
        writer(tmp_path)


def test_a_dataset_says_until_it_is_whole_that_it_is_not(tmp_path: Path) -> None:
    growing = writer(tmp_path)
    assert 'Not complete' in (tmp_path / 'README.md').read_text()
    growing.finish(complete=False)
    assert 'Not complete' in (tmp_path / 'README.md').read_text()
    writer(tmp_path).finish()
    assert 'Not complete' not in (tmp_path / 'README.md').read_text()

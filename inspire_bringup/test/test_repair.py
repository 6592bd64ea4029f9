# SPDX-License-Identifier: Apache-2.0
"""A repaired bag holds what was whole in the damaged one, and the damaged one is kept."""

import hashlib
import os

import bags
import pytest
from rosbags.rosbag2 import Reader

from inspire_bringup import manifest as manifests
from inspire_bringup.episode_reader import EpisodeReader
from inspire_bringup.recording import Recording, Settings
from inspire_bringup.repair import repair
from inspire_bringup.salvage import BagError, is_whole


def episode(folder, messages=300):
    recording = Recording(folder, bags.manifest(), Settings('none', free_bytes=0))
    recording.add_topic(bags.text_topic())
    recording.put(bags.text_message(index) for index in range(messages) if index != 9)
    recording.stop()
    return folder / 'episode' / 'episode_0.mcap'


def cut(bag):
    """Leave of a bag what a recorder killed before the end leaves; return those bytes."""
    content = bag.read_bytes()
    content = content[: content.index(b'200\0') + 2]
    bag.write_bytes(content)
    (bag.parent / 'metadata.yaml').unlink()
    manifests.write(bag.parents[1], bags.manifest())
    return content


def test_a_cut_bag_becomes_one_that_others_read(tmp_path):
    bag = episode(tmp_path / 'run')
    found = cut(bag)
    report = repair(tmp_path / 'run')
    assert is_whole(bag)
    with Reader(bag.parent) as reader:
        assert reader.message_count == report.messages == 199
    assert report.original.read_bytes() == found
    manifest = manifests.read(tmp_path / 'run')
    assert not manifest.complete
    assert manifest.repair.damage == list(report.damage)
    assert manifest.repair.sha256 == hashlib.sha256(found).hexdigest()
    assert manifest.bag.sha256 == hashlib.sha256(bag.read_bytes()).hexdigest()
    assert (manifest.topics[0].count, manifest.topics[0].lost, manifest.lost) == (199, 1, 1)


def test_reading_a_cut_bag_needs_no_repair_and_gives_the_same(tmp_path):
    cut(episode(tmp_path / 'run'))
    before = [one.message.data for one in EpisodeReader(tmp_path / 'run').messages()]
    repair(tmp_path / 'run')
    assert [one.message.data for one in EpisodeReader(tmp_path / 'run').messages()] == before


def test_a_whole_bag_is_left_alone(tmp_path):
    bag = episode(tmp_path / 'run')
    content = bag.read_bytes()
    report = repair(tmp_path / 'run')
    assert (report.messages, report.original, report.damage) == (299, None, ())
    assert bag.read_bytes() == content


def test_a_bag_without_its_metadata_gets_it_back(tmp_path):
    bag = episode(tmp_path / 'run')
    (bag.parent / 'metadata.yaml').unlink()
    repair(bag)
    with Reader(bag.parent) as reader:
        assert reader.message_count == 299


def test_repairing_twice_changes_nothing_the_second_time(tmp_path):
    bag = episode(tmp_path / 'run')
    cut(bag)
    repair(tmp_path / 'run')
    content = bag.read_bytes()
    assert repair(tmp_path / 'run').original is None
    assert bag.read_bytes() == content


def test_a_repair_that_was_cut_off_is_done_again(tmp_path, monkeypatch):
    bag = episode(tmp_path / 'run')
    found = cut(bag)
    for left in (2, 1):  # replacements until the power fails: of the bag, of its metadata
        replaced = []

        def fails(source, target, left=left, replaced=replaced, real=os.replace):
            if str(target).startswith(str(bag.parent)) and '.repairing' in str(source):
                replaced.append(target)
                if len(replaced) > 2 - left:
                    raise KeyboardInterrupt
            real(source, target)

        with monkeypatch.context() as patched:
            patched.setattr(os, 'replace', fails)
            with pytest.raises(KeyboardInterrupt):
                repair(tmp_path / 'run')
    repair(tmp_path / 'run')
    with Reader(bag.parent) as reader:
        assert reader.message_count == 199
    assert bag.with_name(bag.name + '.original').read_bytes() == found


def test_what_an_earlier_repair_kept_stays(tmp_path):
    bag = episode(tmp_path / 'run')
    found = cut(bag)
    repair(tmp_path / 'run')
    bag.write_bytes(bag.read_bytes()[:-100])
    second = repair(tmp_path / 'run')
    assert second.original == bag.with_name(bag.name + '.original-2')
    assert bag.with_name(bag.name + '.original').read_bytes() == found


def test_a_file_with_nothing_left_is_not_touched(tmp_path):
    bag = tmp_path / 'run' / 'episode' / 'episode_0.mcap'
    bag.parent.mkdir(parents=True)
    bag.write_bytes(b'\x89MCAP0\r\n')
    with pytest.raises(BagError, match='no whole message'):
        repair(tmp_path / 'run')
    assert [path.name for path in bag.parent.iterdir()] == ['episode_0.mcap']


def test_a_folder_that_is_no_episode_is_refused_with_what_was_expected(tmp_path):
    with pytest.raises(BagError, match=r'is no episode: a folder with episode/episode_0\.mcap'):
        repair(tmp_path)

# SPDX-License-Identifier: Apache-2.0
"""Manifests come back as they were written, and wrong ones are met with a sentence."""

import json
from dataclasses import asdict, replace

import pytest

from inspire_bringup import manifest as manifests
from inspire_bringup.manifest import (
    Bag,
    Manifest,
    ManifestError,
    Repair,
    TopicSummary,
    Viewer,
)


def example() -> Manifest:
    return Manifest(
        instruction='put the ball on the book',
        task='ball_on_book',
        seed=3,
        started='2026-01-02T03:04:05.678Z',
        bag=Bag('episode/episode_0.mcap', 10, 2, 'ab' * 32, 1, 2),
        complete=True,
        outcome='success',
        duration=12.5,
        viewer=Viewer('viewer', 'base_link', -1.5),
        topics=[TopicSummary('/a', 'std_msgs/msg/String', 2, 1.0, 0.5, 0, 1, 1, 0, 0)],
        warnings=['/a: 1 lost in transport'],
        recorder={'depth': 10},
        versions={'python': '3.11'},
        repair=Repair(['cut off at byte 9'], 'episode/episode_0.mcap.original'),
    )


def test_what_was_written_is_read(tmp_path):
    manifests.write(tmp_path, example())
    assert manifests.read(tmp_path) == example()


def test_writing_again_replaces_and_leaves_nothing_else(tmp_path):
    manifests.write(tmp_path, example())
    manifests.write(tmp_path, replace(example(), note='again'))
    assert [path.name for path in tmp_path.iterdir()] == ['manifest.json']
    assert manifests.read(tmp_path).note == 'again'


def test_only_the_first_claim_of_a_folder_succeeds(tmp_path):
    manifests.claim(tmp_path, example())
    with pytest.raises(FileExistsError):
        manifests.claim(tmp_path, example())


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'schema': 'other/9'}, "schema is 'other/9'; this version reads 'inspire_episode/1'"),
        ({'seed': 'three'}, "manifest.seed: int was expected, not 'three'"),
        ({'seed': True}, 'manifest.seed: int was expected, not True'),
        ({'outcome': 'won'}, "manifest.outcome is 'won'; valid: 'unknown', 'success', 'failure'"),
        ({'colour': 1}, 'manifest.colour is not known; known: bag, complete'),
        ({'bag': 3}, 'manifest.bag: an object was expected, not 3'),
        ({'bag': {}}, "manifest.bag: .*missing.*'path'"),
        ({'topics': [{'name': 1}]}, r'manifest.topics\[0\].name: str was expected, not 1'),
        ({'viewer': {'frame': 'v', 'parent': 'p', 'yaw': 'x'}}, 'manifest.viewer.yaw'),
    ],
)
def test_a_wrong_manifest_is_refused_by_the_name_of_what_is_wrong(tmp_path, change, message):
    (tmp_path / 'manifest.json').write_text(json.dumps({**asdict(example()), **change}))
    with pytest.raises(ManifestError, match=message):
        manifests.read(tmp_path)


@pytest.mark.parametrize('text', ['', '{', '[]', 'null'])
def test_a_file_that_is_no_manifest_is_refused_by_its_path(tmp_path, text):
    (tmp_path / 'manifest.json').write_text(text)
    with pytest.raises(ManifestError, match=r'manifest\.json'):
        manifests.read(tmp_path)


def test_a_missing_manifest_is_refused_by_its_path(tmp_path):
    with pytest.raises(ManifestError, match=r'manifest\.json: No such file'):
        manifests.read(tmp_path)

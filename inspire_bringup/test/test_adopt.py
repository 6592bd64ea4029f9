# SPDX-License-Identifier: Apache-2.0
"""Weights are taken in by the command, or refused in one line that says what does not fit."""

import json

import pytest

pytest.importorskip('torch', reason='the part `train` of the set-up is not installed')

from checkpoints import folder_of

from inspire_bringup import command_line, parts
from inspire_policy import families
from inspire_policy.large import checkpoint

LAYOUTS = {'minivla': 'prismatic', 'pi0fast': 'lerobot'}
CODECS = {'minivla': ('--codec-file', 'vq.pt', '--set', 'latent=64'),
          'pi0fast': ('--codec-file', 'fast.json', '--set', 'least=-64')}
SPAN = ('--low', *['-0.001'] * 6, '0.034', '--high', *['0.001'] * 6, '0.036')
STATE = ('--state-low', *['-1'] * 8, '--state-high', *['1'] * 8)

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(params=LAYOUTS)
def published(request, tmp_path, monkeypatch):
    """A folder as somebody downloaded it, the words that take it in, and what they are to give."""
    monkeypatch.setattr(parts, 'ensure', lambda part: None)
    family = request.param
    folder = tmp_path / family
    folder.mkdir()
    folder_of(folder, LAYOUTS[family], seed=3)
    before = checkpoint.describe(folder, family)
    size = tmp_path / 'size.json'
    size.write_text(json.dumps(json.loads((folder / checkpoint.CONFIG).read_text())['size']))
    (folder / checkpoint.CONFIG).unlink()
    words = ['adopt', family, str(folder), '--weights', before.weights, *SPAN,
             *CODECS[family], *(STATE if family == 'pi0fast' else ()), '--size', str(size),
             '--say', 'grasped=grasped']
    return folder, words, before


def test_what_fits_becomes_a_checkpoint(published, capsys):
    folder, words, before = published
    assert command_line.main(words) == 0, capsys.readouterr().err
    assert f'is a checkpoint of {before.family}' in capsys.readouterr().out
    made = checkpoint.describe(folder, before.family)
    assert (made.size, made.layout, made.state) == (before.size, before.layout, before.state)
    assert made.spelling.ids == before.spelling.ids
    assert families.create(before.family, checkpoint=folder).cameras == ('camera',)


@pytest.mark.parametrize('change, message', [
    (('--weights', 'nowhere.pt'), 'there is no'),
    (('--codec-file', 'nowhere.pt'), 'nowhere.pt'),
    (('--set', 'sides=9'), 'there is no setting sides; settings: chunk'),
    (('--say', 'left=right'), 'are the same tokens'),
    (('--say', 'left'), "--say 'left'; valid: WORD=OTHER"),
    (('--low', *['1'] * 7), 'must lie below'),
    (('--size', '/nowhere.json'), '/nowhere.json'),
])
def test_what_does_not_fit_is_said_in_a_line_and_nothing_is_written(published, capsys, change,
                                                                    message):
    folder, words, _ = published
    refused(folder, [*words, *change], message, capsys)


@pytest.mark.parametrize('published', ['minivla'], indirect=True)
def test_an_autoencoder_of_another_chunk_does_not_fit(published, capsys):
    """One of FAST may be of any length."""
    folder, words, _ = published
    refused(folder, [*words, '--set', 'chunk=9'], 'tensor decoder.fc.', capsys)


def test_another_familys_weights_and_codecs_are_refused(published, capsys):
    folder, words, before = published
    other = next(family for family in LAYOUTS if family != before.family)
    words = [other if word == before.family else word for word in words]
    refused(folder, words, '', capsys)


def refused(folder, words, message, capsys):
    """Adopting fails with one line that has this message, and writes nothing."""
    assert command_line.main(words) == 1
    error = capsys.readouterr().err
    assert error.startswith('inspire adopt: ') and error.count('\n') == 1
    assert message in error
    assert not (folder / checkpoint.CONFIG).exists()

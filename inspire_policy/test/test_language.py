# SPDX-License-Identifier: Apache-2.0
"""Teaching a language model where things are: with one of two layers and random weights, so that
it is quick. The run with pretrained weights is experiments/language.sh."""

import json
from dataclasses import replace

import demonstrations
import numpy as np
import pytest

pytest.importorskip('torch', reason='the part `train` of the set-up is not installed')
pytest.importorskip('peft', reason='the part `language` of the set-up is not installed')

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from inspire_policy import dataset
from inspire_policy.language.lessons import Lessons, told
from inspire_policy.language.model import LanguageReader, LanguageWords, Silence, pretrained
from inspire_policy.language.tuning import IGNORED, Recipe, encoded, examine, tune
from inspire_policy.nano.tokens import Words
from inspire_policy.nano.vocabulary import sentences
from inspire_policy.speaking import Speaker

RECIPE = Recipe(steps=6, batch=2, warmup=2, rank=4, save=2, examined=3, held_out=2, rate=1e-2)


class Tokens:
    """The small policy's tokenizer, called as Hugging Face's is."""

    words = Words.trained(sentences())

    def encode(self, text, add_special_tokens):
        return self.words.encode([text])


def model():
    torch.manual_seed(0)
    torch.set_num_threads(1)
    return LlamaForCausalLM(LlamaConfig(
        vocab_size=Tokens.words.text_size, hidden_size=32, intermediate_size=48,
        num_hidden_layers=2, num_attention_heads=2, max_position_embeddings=512,
        initializer_range=0.3))


@pytest.fixture(scope='module')
def words():
    return LanguageWords(Tokens())


@pytest.fixture(scope='module')
def lessons():
    return Lessons(dataset.open(demonstrations.demonstrations()), held_out=2)


def run(out, **changes):
    return tune(RECIPE, demonstrations.demonstrations(), out, model(), Tokens(),
                tell=lambda text: None, **changes)


def test_a_situation_says_where_things_are_and_its_answers_follow_from_its_text():
    places = np.array([[0.124, -0.3, 0.05], [-0.214, 0.02, 0.21], [0.5, 0.5, 0.5]])
    situation = told(['the ball', 'the book', 'the cup'], places, np.array([False, False, True]))
    assert situation.text == ('the ball: x 12 y -30 z 5\nthe book: x -21 y 2 z 21\n'
                              'the cup: in the gripper')
    # of two that are the same in whole centimetres the rule takes z
    assert situation.answers == ('left', 'up', 'grasped')
    assert [segment.question and segment.question.object for segment in situation.prompt] == [
        'the ball', 'the book', 'the cup', None]


def test_what_is_examined_is_never_taught(lessons):
    data = dataset.open(demonstrations.demonstrations())
    taught, held = lessons._rows[False], lessons._rows[True]
    assert {data.episode_of(row).seed % 2 for row in taught} == {1}
    assert {data.episode_of(row).seed % 2 for row in held} == {0}


def test_the_loss_is_on_the_answers_alone(lessons, words):
    for situation in lessons.draw(20, np.random.default_rng(0)):
        ids, targets = encoded(situation, words)
        assert len(ids) == len(targets)
        supervised = [one for one in targets if one != IGNORED]
        assert supervised == [one for answer in situation.answers for one in words.word(answer, 0)]
        for place, target in enumerate(targets):
            assert target in (IGNORED, (ids + [IGNORED])[place + 1])


def test_reading_in_pieces_is_reading_at_once_and_a_past_that_is_cut_is_the_one_before(words):
    reader, ids = LanguageReader(model()), list(range(5, 25))
    whole, _ = reader.read(reader.begin(), ids)
    first, past = reader.read(reader.begin(), ids[:8])
    _, past = reader.read(past, [3, 3, 3])
    second, past = reader.read(past.cut(8), ids[8:])
    assert past.length == 20
    for place in range(20):
        found = first[place, :] if place < 8 else second[place - 8, :]
        assert np.allclose(found, whole[place, :], atol=1e-5)
    with torch.inference_mode():
        plain = model().eval()(input_ids=torch.tensor([ids])).logits[0].numpy()
    assert np.allclose(whole[19, :], plain[19], atol=1e-5)
    assert np.allclose(whole[19, [4, 9]], plain[19, [4, 9]], atol=1e-5)


def test_an_examination_counts_what_the_model_itself_says(lessons, words):
    found = examine(model(), words, lessons, RECIPE)
    reader = LanguageReader(model())
    speaker = Speaker(reader, words, Silence())
    right = asked = 0
    for one in lessons.draw(3, np.random.default_rng(1_000_003), held_out=True):
        given = speaker.speak(reader.begin(), one.prompt).answers     # without drafts
        right += sum(a == b for a, b in zip(given, one.answers, strict=True))
        asked += len(given)
    assert (found['right'], found['questions']) == (right, asked)
    assert sum(count for _, count in found['by word'].values()) == asked


def test_a_run_that_was_stopped_ends_as_one_that_was_not(tmp_path):
    from safetensors.numpy import load_file
    run(tmp_path / 'whole')
    run(tmp_path / 'stopped', stop_at=3)      # the third step was not kept: it is done again
    assert 'after' not in json.loads((tmp_path / 'stopped' / 'results.json').read_text())
    run(tmp_path / 'stopped')
    one, two = (load_file(tmp_path / name / 'adapter' / 'adapter_model.safetensors')
                for name in ('whole', 'stopped'))
    assert one.keys() == two.keys() and len(one) == 2 * 2 * 4
    for name, value in one.items():
        assert np.array_equal(value, two[name]), name
    results = [json.loads((tmp_path / name / 'results.json').read_text())
               for name in ('whole', 'stopped')]
    assert results[0]['after'] == results[1]['after']


def test_training_lowers_the_loss(tmp_path):
    tune(replace(RECIPE, steps=40, save=40), demonstrations.demonstrations(), tmp_path, model(),
         Tokens(), tell=lambda text: None)
    losses = [json.loads(line)['loss'] for line in (tmp_path / 'log.jsonl').open()]
    assert np.mean(losses[-10:]) < 0.7 * np.mean(losses[:5])


def test_nothing_that_could_run_is_written(tmp_path):
    run(tmp_path)
    kinds = {path.suffix for path in tmp_path.rglob('*') if path.is_file()}
    assert kinds <= {'.json', '.jsonl', '.safetensors', '.md'}


def test_a_folder_of_another_run_is_refused(tmp_path):
    run(tmp_path, stop_at=1)
    with pytest.raises(ValueError, match='is of another run: recipe'):
        tune(Recipe(), demonstrations.demonstrations(), tmp_path, model(), Tokens())


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(ValueError, match='holds no language model'):
        pretrained(str(tmp_path))


def test_a_dataset_without_a_held_out_seed_is_refused():
    data = dataset.open(demonstrations.demonstrations())
    for every, reason in ((3, 'no held-out episode'), (1, 'no episode')):    # seeds 1000, 1001
        with pytest.raises(ValueError, match=reason):
            Lessons(data, held_out=every)

# SPDX-License-Identifier: Apache-2.0
"""The large families' trainer, through its own entry point, on real demonstrations."""

import dataclasses
import functools
import json

import demonstrations
import numpy as np
import pytest

torch = pytest.importorskip('torch', reason='the part `train` of the set-up is not installed')

from checkpoints import folder_of  # noqa: E402

from inspire_labeler.question import questions  # noqa: E402
from inspire_policy import dataset, families  # noqa: E402
from inspire_policy.checkpoint_file import CheckpointError  # noqa: E402
from inspire_policy.large import checkpoint, law, weights  # noqa: E402
from inspire_policy.large.lessons import WRITINGS, Lessons, observation  # noqa: E402
from inspire_policy.large.readers import KeepingReader, Scene  # noqa: E402
from inspire_policy.large.recipe import RECIPES, named  # noqa: E402
from inspire_policy.large.training import Taught, fitted, tensors, train  # noqa: E402
from inspire_policy.speaking import spelled  # noqa: E402
from inspire_policy.supervision import IGNORED  # noqa: E402
from inspire_policy.training_log import read_log  # noqa: E402
from inspire_policy.training_run import TrainingError, split  # noqa: E402

LAYOUTS = {'minivla': 'prismatic', 'pi0fast': 'lerobot'}
INSTRUCTION = 'pick up the ball'
# A head of random numbers that is not trained bounds what Gemma's kind can say: |logit| < 1 here.
FALLS = {'minivla': 0.75, 'minivla-lora': 0.75, 'pi0fast': 0.75, 'pi0fast-lora': 0.98}

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope='module')
def folders(tmp_path_factory):
    @functools.cache
    def made(family):
        path = tmp_path_factory.mktemp(family)
        folder_of(path, LAYOUTS[family], seed=3)
        return path
    return made


def tuned(folders, out, name, *changes, **options):
    """What comes of a few steps; the rows held out are those of every second seed."""
    if name.endswith('-lora'):
        pytest.importorskip('peft', reason='the part `language` of the set-up is not installed')
    recipe = named(name, ['mixed_precision=no', 'gradient_checkpointing=false', 'batch=4',
                          'micro_batch=4', 'steps=4', 'warmup=1', 'held_out=2', 'save=2',
                          'rate=0.003', *changes])
    return train(recipe, [demonstrations.demonstrations()], out, threads=1,
                 start=folders(recipe.family), **options)


def stored(folder, name):
    there = weights.tensors(folder / name)
    return {name: there.read(name) for name in there.shapes}


def lessons(folder, family, dropped=0.0):
    data = dataset.open(demonstrations.demonstrations())
    there = fitted(checkpoint.load(folder, family, torch.float64), folder, data,
                   split(data, 0)[0], True)
    return there, data, Lessons(data, WRITINGS[family], there.description, there.words,
                                there.codec, dropped)


@pytest.mark.parametrize('name', RECIPES)
def test_the_loss_falls_and_what_comes_of_it_answers_and_acts(folders, tmp_path, name):
    made = tuned(folders, tmp_path, name, 'steps=60', 'held_out=0', 'save=100')
    first, last = (read_log(tmp_path / 'log.jsonl')[place] for place in (0, -1))
    assert last['answer_loss'] < FALLS[name] * first['answer_loss']
    assert last['action_loss'] < first['action_loss']
    assert json.loads((made / 'training.json').read_text())['step'] == 60
    policy = families.create(named(name).family, checkpoint=made)
    policy.reset(INSTRUCTION, questions(INSTRUCTION))
    decision = policy.decide(law.observation(1))
    assert [one.question.object for one in decision.answers] == ['the ball']
    assert decision.answers[0].text in decision.answers[0].question.options
    assert decision.actions.shape == (policy.checkpoint.codec.chunk, 7)


@pytest.mark.parametrize('name', ['minivla-lora', 'pi0fast'])
def test_a_stopped_run_goes_on_to_the_same_weights(folders, tmp_path, name):
    whole = stored(tuned(folders, tmp_path / 'whole', name), 'model.safetensors')
    tuned(folders, tmp_path / 'cut', name, stop_at=2)
    assert [line['step'] for line in read_log(tmp_path / 'cut' / 'log.jsonl')] == [2]
    again = stored(tuned(folders, tmp_path / 'cut', name), 'model.safetensors')
    for tensor, value in whole.items():
        assert torch.equal(again[tensor], value), tensor
    with pytest.raises(TrainingError, match='another recipe or dataset, at step 4'):
        tuned(folders, tmp_path / 'cut', name, 'rate=0.5')


@pytest.mark.parametrize('family', LAYOUTS)
def test_lora_changes_the_decoders_linear_layers_and_nothing_else(folders, tmp_path, family):
    before = stored(folders(family), checkpoint.describe(folders(family), family).weights)
    after = stored(tuned(folders, tmp_path, f'{family}-lora'), 'model.safetensors')
    assert before.keys() == after.keys()
    changed = {name for name, value in before.items() if not torch.equal(value, after[name])}
    assert changed == {name for name in before if name.endswith('_proj.weight')
                       and 'vision' not in name}
    for name in changed:
        added = torch.linalg.matrix_rank((after[name] - before[name]).double(), atol=1e-4)
        assert 0 < added <= 32, name


def test_a_batch_in_parts_or_recomputed_or_in_full_is_the_same_step(folders, tmp_path):
    losses = []
    for number, change in enumerate(('micro_batch=4', 'micro_batch=1',
                                     'gradient_checkpointing=true')):
        tuned(folders, tmp_path / str(number), 'pi0fast', change, 'steps=3')
        line = read_log(tmp_path / str(number) / 'log.jsonl')[-1]
        losses.append([line['answer_loss'], line['action_loss']])
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)
    assert losses[2] == pytest.approx(losses[0], rel=1e-6)


@pytest.mark.parametrize('family', LAYOUTS)
def test_only_what_the_model_has_to_say_carries_a_loss(folders, family):
    there, data, drawn = lessons(folders(family), family)
    rows = np.flatnonzero(drawn.usable.any(1))[::3].tolist()
    batch = drawn.draw(rows, np.random.default_rng(0))
    top = there.words.actions(range(there.codec.codes))[0]
    for number, row in enumerate(rows):
        episode = data.episode_of(row)
        said = batch.answers[number][batch.answers[number] != IGNORED].tolist()
        offset = data.offsets(row)[episode.objects.index(episode.asked_frames[0])]
        axis = int(np.argmax(np.abs(offset)))
        word = (('front', 'back'), ('right', 'left'), ('up', 'down'))[axis][int(offset[axis] < 0)]
        held = data.grasped(row)[episode.objects.index(episode.asked_frames[0])]
        assert said[:1] == spelled(there.words, 'grasped' if held else word)
        acts = batch.actions[number][batch.actions[number] != IGNORED]
        ends = len(there.words.ends)
        assert acts[len(acts) - ends:].tolist() == list(there.words.ends)
        chunk = there.codec.decode((top - acts[:len(acts) - ends]).tolist())
        assert np.abs(chunk[:, 6] - data.columns['actions'][row][:there.codec.chunk, 6]).max() < 1
    none = lessons(folders(family), family, dropped=1.0)[2].draw(rows, np.random.default_rng(0))
    assert none.counts[0] == 0 < batch.counts[0] and none.counts[1] == batch.counts[1]


@pytest.mark.parametrize('family', LAYOUTS)
def test_a_batch_reads_what_the_policy_reads_one_by_one(folders, family):
    """Double precision: the padding and the other samples change nothing, nor does keeping."""
    there, data, drawn = lessons(folders(family), family)
    rows = np.flatnonzero(drawn.usable.any(1))[[0, 9, -1]].tolist()
    batch = drawn.draw(rows, np.random.default_rng(0))
    with torch.no_grad():
        _, said = Taught(there.network)(*tensors(batch, torch.device('cpu')))
    for number, row in enumerate(rows):
        before, after = WRITINGS[family].around(there.words, there.description,
                                                data.episode_of(row).instruction,
                                                observation(data, row))
        reader = KeepingReader(there.network)
        past = reader.see(Scene(tuple(one[number] for one in batch.pictures), before, after))
        scene = int(batch.scenes[number])
        logits, _ = reader.read(past, batch.ids[number, scene:].tolist())
        target = np.maximum(batch.answers[number], batch.actions[number])
        places = np.flatnonzero(target != IGNORED)
        assert len(places) > 1
        for place in places:
            assert said[number, place] == np.argmax(logits[place - scene, :])


def test_scales_follow_the_data_unless_they_are_to_stay(folders, tmp_path):
    source = checkpoint.describe(folders('pi0fast'), 'pi0fast')
    fresh, kept = (checkpoint.describe(tuned(folders, tmp_path / change, 'pi0fast', 'steps=1',
                                             f'rescale={change}'), 'pi0fast')
                   for change in ('true', 'false'))
    assert kept.state == source.state and kept.codec == source.codec
    assert fresh.state.low[2] > 0.0    # the tcp is above the table, in metres
    assert 0.05 < fresh.codec['high'][6] < 0.08 > source.codec['high'][6]


def test_what_cannot_be_trained_is_refused_by_name(folders, tmp_path):
    data = demonstrations.demonstrations()
    recipe = named('minivla', ['steps=1'])
    with pytest.raises(TrainingError, match='begins from a checkpoint'):
        train(recipe, [data], tmp_path)
    with pytest.raises(CheckpointError, match="family 'pi0fast'"):
        train(recipe, [data], tmp_path, start=folders('pi0fast'))
    with pytest.raises(TrainingError, match='would be written over'):
        train(recipe, [data], tmp_path, start=tmp_path / 'checkpoint')
    there = checkpoint.load(folders('minivla'), 'minivla')
    for change, message in (({'viewer': 'piper_real'}, "for 'piper_real'"),
                            ({'cameras': ('ceiling',)}, 'no camera ceiling')):
        description = dataclasses.replace(there.description, **change)
        with pytest.raises(ValueError, match=message):
            Lessons(dataset.open(data), WRITINGS['minivla'], description, there.words,
                    there.codec, 0.0)
    for change in ('mixed_precision=int3', 'betas=[1, 2]', 'batch=0', 'dropped=2', 'lora_rank=-1'):
        with pytest.raises(ValueError, match='valid'):
            named('minivla', [change])
    with pytest.raises(ValueError, match='minivla-lora'):
        named('maxivla')

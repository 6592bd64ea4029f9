# SPDX-License-Identifier: Apache-2.0
"""The trainer's own entry point, for a few steps, on real demonstrations."""

import json
import shutil
from dataclasses import replace

import demonstrations
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

torch = pytest.importorskip('torch', reason='the part `train` of the set-up is not installed')

from inspire_labeler.formulation import Formulation  # noqa: E402
from inspire_labeler.rule import codes, words  # noqa: E402
from inspire_policy import action_codec, dataset  # noqa: E402
from inspire_policy.believing import Believer  # noqa: E402
from inspire_policy.checkpoint_file import CheckpointError  # noqa: E402
from inspire_policy.chunk_scale import Scale  # noqa: E402
from inspire_policy.nano import checkpoint  # noqa: E402
from inspire_policy.nano.arm_state import FASTEST  # noqa: E402
from inspire_policy.nano.lessons import Lessons, Teaching, raw_states  # noqa: E402
from inspire_policy.nano.network import Network  # noqa: E402
from inspire_policy.nano.readers import REACH, TorchReader, scaled, single  # noqa: E402
from inspire_policy.nano.recipe import TINY, named  # noqa: E402
from inspire_policy.nano.tokens import Words  # noqa: E402
from inspire_policy.nano.training import loss, run, told, tolerance, train  # noqa: E402
from inspire_policy.nano.vocabulary import sentences  # noqa: E402
from inspire_policy.prompt import Layout  # noqa: E402
from inspire_policy.supervision import (  # noqa: E402
    IGNORED,
    IN_HAND,
    NOWHERE,
    SAID,
    delayed_chunks,
)
from inspire_policy.training_log import read_log  # noqa: E402
from inspire_policy.training_run import TrainingError, split, tally, thinned, varied  # noqa: E402
from piper_driver.pose import Pose  # noqa: E402

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope='module')
def data():
    return dataset.open(demonstrations.demonstrations())


def made(data, size=TINY, **teaching):
    chunks = delayed_chunks(data, 8)
    codec = action_codec.fitted('residual', chunks.actions[0])
    tokens = Words.trained(sentences())
    return tokens, codec, Lessons(data, tokens, codec, Scale.of(raw_states(data)[0]),
                                  Teaching(**teaching), size)


def test_a_stopped_run_goes_on_to_the_same_weights(tmp_path):
    recipe, data = demonstrations.tiny(), demonstrations.demonstrations()
    whole = train(recipe, [data], tmp_path / 'whole', threads=1)
    train(recipe, [data], tmp_path / 'cut', threads=1, stop_at=4)
    assert [line['step'] for line in read_log(tmp_path / 'cut' / 'log.jsonl')][-1] == 4
    again = train(recipe, [data], tmp_path / 'cut', threads=1)
    for name, value in whole.weights.items():
        assert np.array_equal(again.weights[name], value), name


def test_a_run_of_another_recipe_is_not_gone_on_with(tmp_path):
    data = demonstrations.demonstrations()
    train(demonstrations.tiny(), [data], tmp_path, threads=1, stop_at=4)
    with pytest.raises(TrainingError, match='another recipe or dataset, at step 4'):
        train(demonstrations.tiny('rate=0.5'), [data], tmp_path, threads=1)


def test_a_run_begins_from_a_checkpoint_with_its_words_and_codec(tmp_path):
    start = demonstrations.checkpoint_folder()
    there = checkpoint.load(start)
    made = train(demonstrations.tiny('steps=1', 'rate=1e-9', 'decay=0'),
                 [demonstrations.demonstrations()], tmp_path / 'on', threads=1, start=start)
    assert made.words.text == there.words.text
    assert made.description.state == there.description.state
    for name, value in there.weights.items():
        assert np.allclose(made.weights[name], value, atol=1e-3), name
    for change, said in (('chunk=4', 'chunk is 4 in the recipe, 8 in'),
                         ('size.layers=3', 'size.layers is 3 in the recipe, 2 in')):
        with pytest.raises(TrainingError, match=said):
            train(demonstrations.tiny(change), [demonstrations.demonstrations()],
                  tmp_path / 'other', threads=1, start=start)


def test_a_run_that_reads_the_grippers_speed_anew_keeps_the_rest(tmp_path):
    """The state's last number: a network from before it, and what it says, stay as they were."""
    older = demonstrations.checkpoint_folder('size.state=11')
    there = checkpoint.load(older)
    made = train(demonstrations.tiny('steps=1', 'rate=1e-9', 'decay=0'),
                 [demonstrations.demonstrations()], tmp_path / 'on', threads=1, start=older)
    one, two = there.description.state, made.description.state
    assert (len(one.low), len(two.low)) == (11, 12) and two.low[:11] == one.low
    assert (two.low[11], two.high[11]) == (-FASTEST, FASTEST)
    arm = made.weights['arm.0.weight']
    assert np.allclose(arm[:, :11], there.weights['arm.0.weight'], atol=1e-3)
    assert not arm[:, 11].any()
    with pytest.raises(TrainingError, match='size.state is 11 in the recipe, 12 in'):
        train(demonstrations.tiny('steps=1', 'size.state=11'), [demonstrations.demonstrations()],
              tmp_path / 'off', threads=1, start=tmp_path / 'on' / 'checkpoint')


@pytest.mark.parametrize(('older', 'new', 'learns'), [
    (('size.reads_places=true',), 'size.finds=true', 'find.first.weight'),
    (('size.reads_places=true', 'size.headings=true', 'size.feet=true', 'size.finds=true'),
     'size.hand=true', 'hand.first.weight')])
def test_a_run_that_tells_places_in_a_new_way_keeps_what_was_told(tmp_path, older, new, learns):
    folder = demonstrations.checkpoint_folder(*older)
    there = checkpoint.load(folder)
    made = train(demonstrations.tiny('steps=1', 'rate=1e-9', 'decay=0', *older, new),
                 [demonstrations.demonstrations()], tmp_path / 'on', threads=1, start=folder)
    torch.manual_seed(8)
    hidden, arm = torch.randn(5, TINY.width), torch.randn(5, made.description.size.arm)
    before, after = there.network(), made.network()
    old = before.told(hidden, arm[:, :before.size.arm] if before.size.finds else None)
    assert torch.allclose(old, after.told(hidden, arm)[:, :old.shape[1]], atol=1e-2)
    assert made.weights[learns].std() > 0.05    # and it has where to learn from


@pytest.mark.parametrize('yaw', [0.0, 0.3, -1.1, 2.5])
def test_a_place_that_is_told_against_the_hand_turns_with_it(yaw):
    """The same hidden numbers, the hand turned about up by an angle: so are offset and foot, twice
    the heading by twice that, four times the heading by four times."""
    torch.manual_seed(9)
    network = Network(replace(TINY, headings=True, feet=True, finds=True, hand=True), 99).double()
    hand, hidden = network.hand, torch.randn(3, TINY.width).double()
    turn = Rotation.from_euler('z', yaw)
    leaning = Rotation.from_euler('y', 0.4).as_matrix() @ np.diag([1.0, -1.0, -1.0])
    straight, round_ = (
        hand(hidden, torch.from_numpy(one[:, :2].T.reshape(1, 6)).expand(3, -1)).detach().numpy()
        for one in (leaning, turn.as_matrix() @ leaning))
    for part in (slice(0, 3), slice(5, 8)):
        assert np.allclose(round_[:, part], turn.apply(straight[:, part]))
    for at, times in ((3, 2), (8, 4)):
        before, after = (one[:, at] + 1j * one[:, at + 1] for one in (straight, round_))
        assert np.allclose(after, before * np.exp(1j * times * yaw))


def test_a_heading_is_what_four_times_it_says_on_the_side_that_twice_it_says():
    heading = np.radians([10.0, 44.0, 80.0, 120.0])
    vague = np.radians([25.0, 30.0, 60.0, 140.0])     # of twice the heading, as wrong as this
    twice, fourfold = np.exp(2j * vague), np.exp(4j * heading)
    places = np.stack([*np.zeros((3, 4)), 0.5 * twice.real, 0.5 * twice.imag, *np.zeros((3, 4)),
                       fourfold.real, fourfold.imag], 1)
    found = single(places)
    assert found.shape == (4, 8)
    assert np.allclose(np.exp(2j * heading), found[:, 3] + 1j * found[:, 4])
    places[:, 8:] = 0.0                                # nothing is known of it
    assert np.allclose(single(places), places[:, :8])


def test_what_is_near_has_to_be_told_more_exactly():
    """The loss of the same centimetre, half a metre away and close by."""
    far, near = tolerance(torch.tensor([[0.3, 0.0, 0.4], [0.03, 0.0, 0.04]]) / REACH)
    assert far.tolist() == pytest.approx([0.24] * 3)
    assert near.tolist() == pytest.approx([0.06] * 3)


def test_with_products_in_16_bit_the_loss_falls_nearly_as_in_32(tmp_path):
    losses = {}
    for precision in ('no', 'bf16'):
        recipe = named('tiny', ['steps=20', 'validate=1000', 'save=1000', 'held_out=0',
                                'rate=0.01', f'mixed_precision={precision}'])
        made = train(recipe, [demonstrations.demonstrations()], tmp_path / precision, threads=1)
        assert {value.dtype for value in made.weights.values()} == {np.dtype(np.float16)}
        losses[precision] = [line['action_loss']
                             for line in read_log(tmp_path / precision / 'log.jsonl')]
    assert losses['bf16'] != losses['no']
    assert losses['bf16'] == pytest.approx(losses['no'], rel=0.03)


def test_a_run_leaves_what_a_person_and_the_policy_need(tmp_path):
    folder = demonstrations.checkpoint_folder()
    names = {path.name for path in folder.iterdir()}
    assert names == {'config.json', 'tokenizer.json', 'model.safetensors', 'see.onnx',
                     'extend.onnx'}
    assert (folder.parent / 'curves.png').stat().st_size > 5000
    assert any((folder.parent / 'tensorboard').iterdir())
    content = json.loads((folder / 'config.json').read_text())
    assert content['viewer'] == 'libero' and content['provenance']['step'] == 8


def test_the_loss_falls_on_what_is_seen_again_and_again(tmp_path):
    recipe = named('tiny', ['steps=60', 'validate=1000', 'save=1000', 'held_out=0', 'rate=0.01'])
    train(recipe, [demonstrations.demonstrations()], tmp_path, threads=1)
    lines = read_log(tmp_path / 'log.jsonl')
    assert lines[-1]['action_loss'] < 0.75 * lines[0]['action_loss']
    assert lines[-1]['answer_loss'] < 0.75 * lines[0]['answer_loss']


def test_only_what_the_model_has_to_say_carries_a_loss(data):
    tokens, codec, drawn = made(data, dropped=0.0, others=True)
    rows = np.flatnonzero(drawn.usable[:, 0])[:16].tolist()
    batch = drawn.draw(rows, np.random.default_rng(0))
    for row, at in enumerate(rows):
        episode = data.episode_of(at)
        said = [one for one in batch.answers[row] if one != IGNORED]
        labels = words(codes(data.offsets(at).astype(float), data.grasped(at)))
        expected = [tokens.answer(str(labels[episode.objects.index(frame)]))[0]
                    for frame in episode.asked_frames]
        assert said[:len(expected)] == expected
        assert len([one for one in batch.actions[row] if one != IGNORED]) == codec.longest
        targets = np.where(batch.answers[row] != IGNORED, batch.answers[row], batch.actions[row])
        for place in np.flatnonzero(targets != IGNORED)[:-1]:
            following = place + 1
            if following < len(targets) and batch.branches[row, following] == \
                    batch.branches[row, place] and targets[place] < tokens.text_size:
                assert batch.ids[row, following] == targets[place]


def test_dropped_questions_leave_the_prompt_and_are_asked_beside_it(data):
    _, _, drawn = made(data, dropped=1.0)
    rows = np.flatnonzero(drawn.usable[:, 0])[:8].tolist()
    batch = drawn.draw(rows, np.random.default_rng(0))
    assert ((batch.answers != IGNORED).sum(1) > 0).all()
    assert (batch.branches[batch.answers != IGNORED] > 0).all()
    assert (batch.branches[batch.actions != IGNORED] == 0).all()


def test_without_questions_nothing_is_answered(data):
    _, _, drawn = made(data, layout=Layout.NONE)
    batch = drawn.draw(np.flatnonzero(drawn.usable[:, 0])[:8].tolist(), np.random.default_rng(0))
    assert (batch.answers == IGNORED).all()
    assert (batch.branches <= 0).all()


def test_a_delayed_chunk_begins_where_the_arm_will_have_been_told_to_be(data):
    """Integrating the skipped steps on the commanded pose gives the next rows' commanded pose."""
    states = raw_states(data)
    for index in range(len(data.episodes)):
        rows = data.rows(index)
        row = rows[len(rows) // 2]
        action = data.columns['actions'][row]
        moved = (states[1][row] - states[0][row])[2:5]
        assert np.allclose(moved, action[0, :3], atol=1e-6)
        assert states[2][row][1] == pytest.approx(action[1, 6])


def test_the_place_of_an_object_stands_where_its_answer_begins_and_agrees_with_it(data):
    tokens, _, drawn = made(data, others=True, dropped=0.5)
    spoken = {tokens.answer(word)[0]: word for word in ('left', 'right', 'front', 'back', 'up',
                                                         'down', 'grasped')}
    rows = np.flatnonzero(drawn.usable.any(1))[::2]
    batch = drawn.draw(rows.tolist(), np.random.default_rng(3))
    there = np.isfinite(batch.said[:, :, 0])
    assert there.sum() > len(batch.ids) and (there == (batch.answers != IGNORED)).all()
    for offset, said in zip(batch.said[there], batch.answers[there], strict=True):
        if spoken[said] != 'grasped':
            code = codes(offset[None].astype(float), np.array([False]), Formulation.DIRECTION)
            assert words(code, Formulation.DIRECTION)[0] == spoken[said]


@pytest.mark.parametrize('off', [(0.003, 0.03), (0.01, 0.1)])
def test_places_are_read_at_answers_and_as_far_off_as_the_networks_own(data, off):
    size = replace(TINY, reads_places=True)
    _, _, drawn = made(data, size, others=True, off=off)
    rows = np.flatnonzero(drawn.usable.any(1))[::2].tolist()
    batch = drawn.draw(rows, np.random.default_rng(3))
    truth, read = batch.said[:, :-1], batch.there[:, 1:]
    assert np.isnan(batch.there[:, 0]).all()
    assert np.array_equal(np.isnan(truth), np.isnan(read))
    wrong = np.linalg.norm(read - truth, axis=-1)
    expected = off[0] + off[1] * np.linalg.norm(truth, axis=-1)
    assert 0.5 < np.nanmedian(wrong / expected) / np.sqrt(3.0) < 1.5


@pytest.mark.parametrize('layout', Layout)
def test_what_is_acted_on_is_what_was_trained(data, layout):
    """Reading a sample's text as acting does gives the logits that training sees."""
    size = replace(TINY, reads_places=True, headings=True, feet=True, finds=True, hand=True)
    tokens, codec, drawn = made(data, size, layout=layout, dropped=0.0)
    torch.manual_seed(7)
    network = Network(size, tokens.text_size + codec.codes).eval()
    for row in np.flatnonzero(drawn.usable[:, 0])[::40].tolist():
        batch = drawn.draw([row], np.random.default_rng(row), [row])
        reader = TorchReader(network)
        for part in (batch, batch.deeds) if batch.deeds else (batch,):
            seen = reader.see([one[0] for one in batch.pictures], part.state[0], part.arm[0])
            seen = seen.blind() if part is batch.deeds else seen
            with torch.no_grad():
                hidden, _ = run(network, part, torch.device('cpu'))
                trained = network.head(hidden)[0].numpy()
            for branch in set(part.branches[0].tolist()) - {NOWHERE}:
                own = part.branches[0] == branch
                logits, past = reader.read(seen, part.ids[0][own].tolist(), part.there[0][own])
                assert np.allclose(logits, trained[own], atol=1e-4)
                known = own & np.isfinite(part.said[0, :, 0])
                found = told(network, hidden, part, torch.from_numpy(known[None]))
                assert np.allclose(scaled(past.offsets)[known[own]],
                                   single(found.detach().numpy()), atol=1e-4)
        acted = part.branches[0][part.actions[0] != IGNORED]
        names = tokens.encode([data.episode_of(row).asked_phrases[0].split()[-1]])
        text = part.ids[0][part.branches[0] == acted[0]].tolist()
        assert (names[-1] in text) == (layout not in (Layout.ANSWERS_FOR_NAMES,
                                                      Layout.ANSWERS_FOR_PICTURES))
        assert (batch.deeds is None) == (layout is not Layout.ANSWERS_FOR_PICTURES)


def test_deeds_are_what_the_corrector_does_where_things_are_believed_to_be(data, monkeypatch):
    size = replace(TINY, reads_places=True, headings=True, feet=True)
    _, codec, drawn = made(data, size, layout=Layout.ANSWERS_FOR_PICTURES, believed=True,
                           off=(0.01, 0.0), denied=0.0)
    monkeypatch.setattr('inspire_policy.nano.lessons.DELAYS', (1.0, 0.0, 0.0))
    text, apart = drawn._words.text_size, []
    for row in np.flatnonzero(drawn.usable[:, 0])[::4].tolist():
        deeds = drawn.draw([row], np.random.default_rng(row), [row]).deeds
        if deeds is None:       # this small codec cannot say it
            continue
        frames = data.episode_of(row).asked_frames
        read = deeds.there[0][np.isfinite(deeds.there[0, :, 0])].astype(np.float64)
        read[:, :3] += drawn._ahead[row, 0]
        places = dict(zip(frames, read, strict=True))
        pose = data.columns['commanded'][row].astype(np.float64)
        wanted = Believer(data).actions(row, places, Pose(pose[:3], pose[3:]),
                                        float(data.columns['commanded_width'][row]), 8)
        acts = deeds.actions[0][deeds.actions[0] != IGNORED] - text
        best = codec.decode(codec.encode(wanted).tolist())
        apart.append(np.abs(codec.decode(acts.tolist()) - best).max())
        true = data.offsets(row)[data.episode_of(row).objects.index(frames[0])]
        assert 0.0 < np.linalg.norm(places[frames[0]][:3] - true) < 0.06
    assert len(apart) > 5 and np.median(apart) < 1e-6     # places are read in single precision


def test_where_no_picture_is_looked_at_places_count_from_where_the_arm_is_told_to_be(data):
    """And say how a thing is turned and where its foot is; what is not known of that is any."""
    size = replace(TINY, reads_places=True, headings=True, feet=True)
    _, _, drawn = made(data, size, layout=Layout.ANSWERS_FOR_PICTURES, off=(0.0, 0.0))
    rows = np.flatnonzero(drawn.usable[:, 1])[::5].tolist()
    deeds = drawn.draw(rows[:1], np.random.default_rng(2), rows).deeds
    assert deeds.pictures == () and len(deeds.ids) == len(rows)
    begins = data.columns['commanded'][:, :3].astype(float)
    for row, there in zip(rows, deeds.there, strict=True):
        known = there[np.isfinite(there).all(-1)]
        episode = data.episode_of(row)
        assert len(known) == len(episode.asked_frames)
        moves = data.columns['actions'][row].astype(float)
        for frame, place in zip(episode.asked_frames, known, strict=True):
            number = episode.objects.index(frame)
            base = data.columns['tcp'][row][:3] + data.offsets(row)[number]     # viewer: libero
            ways = [base - begins[row] - moves[:delay, :3].sum(0) for delay in range(3)]
            assert min(np.abs(way - place[:3]).max() for way in ways) < 1e-5
            heading = data.all_headings[data.object_starts[row] + number]
            if np.isfinite(heading):
                assert np.allclose(place[3:5], [np.cos(2 * heading), np.sin(2 * heading)],
                                   atol=0.8)
            assert np.abs(place[3:]).max() < 2.0
            foot = data.all_feet[data.object_starts[row] + number]
            assert np.isfinite(foot).all() and np.abs(place[5:] - foot).max() < 1e-6


def test_a_foot_that_is_not_known_is_any(data):
    size = replace(TINY, reads_places=True, headings=True, feet=True)
    unknown = replace(data, all_feet=np.full_like(data.all_feet, np.nan))
    _, _, drawn = made(unknown, size, layout=Layout.ANSWERS_FOR_PICTURES)
    rows = np.flatnonzero(drawn.usable.any(1))[:20].tolist()
    batch = drawn.draw(rows, np.random.default_rng(4), rows)
    for part in (batch, batch.deeds):
        known = np.isfinite(part.there[..., 0])
        assert np.isnan(part.said[..., 5:]).all()
        assert 0.03 < part.there[..., 5:][known].std() < 0.07


@pytest.mark.parametrize('feet', [False, True])
def test_the_loss_of_places_counts_what_is_known_of_them(data, feet):
    """A network that says feet learns of them; without, the loss is that of the rest."""
    size = replace(TINY, reads_places=True, headings=True, feet=feet)
    tokens, codec, drawn = made(data, size, layout=Layout.ANSWERS_FOR_PICTURES)
    torch.manual_seed(3)
    network = Network(size, tokens.text_size + codec.codes)
    rows = np.flatnonzero(drawn.usable.any(1))[::30].tolist()
    batch = drawn.draw(rows, np.random.default_rng(4), rows)
    loss(network, network, batch, torch.device('cpu'), False)[2].backward()
    learned = network.where.weight.grad.abs().sum(1) > 0
    known = np.isfinite(batch.said).any((0, 1))
    assert known[:3].all() and known[5:].all() and len(known) == (8 if feet else 5)
    assert learned.tolist() == known.tolist()


@pytest.mark.parametrize(('name', 'value'), [('off', (0.1,)), ('off', (1.0, 0.0)), ('beside', 2.0),
                                             ('deeds', 0), ('denied', -0.1)])
def test_what_cannot_be_taught_is_refused_by_name(name, value):
    with pytest.raises(ValueError, match=f'^{name} is .*; valid: '):
        Teaching(**{name: value})


@pytest.mark.parametrize('denied', [0.0, 1.0])
def test_what_is_held_can_be_said_not_to_be(data, denied):
    """As a network says of what it never held: the direction in which it would be is said."""
    tokens, _, drawn = made(data, layout=Layout.ANSWERS_FOR_PICTURES, denied=denied)
    rows = [row for row in np.flatnonzero(drawn.usable.any(1)).tolist()
            if any(data.grasped(row)[data.episode_of(row).objects.index(frame)]
                   for frame in data.episode_of(row).asked_frames)]
    assert len(rows) > 3
    deeds = drawn.draw(rows[:1], np.random.default_rng(0), rows).deeds
    assert ((deeds.ids == tokens.answer('grasped')[0]).any(1) == (denied == 0.0)).all()


@pytest.mark.parametrize('denied', [0.0, 1.0])
def test_what_is_between_the_fingers_can_be_said_to_be_held(data, denied):
    """As a network says of what it has just let go; of what is further away nobody does."""
    tokens, _, drawn = made(data, layout=Layout.ANSWERS_FOR_PICTURES, denied=denied,
                            off=(0.0, 0.0))
    near: dict[bool, list[int]] = {True: [], False: []}
    for row in np.flatnonzero(drawn.usable.any(1)).tolist():
        numbers = [data.episode_of(row).objects.index(frame)
                   for frame in data.episode_of(row).asked_frames]
        if not data.grasped(row)[numbers].any():
            apart = np.linalg.norm(data.offsets(row)[numbers], axis=1).min()
            near[bool(apart < IN_HAND)].append(row)
    for close, rows in near.items():
        assert rows
        deeds = drawn.draw(rows[:1], np.random.default_rng(0), rows).deeds
        said = (deeds.ids == tokens.answer('grasped')[0]).any(1)
        assert (said == (close and denied == 1.0)).all()


def test_feet_can_be_added_to_a_network_and_change_nothing_before_they_are_learned(tmp_path):
    start = demonstrations.checkpoint_folder('size.reads_places=true', 'size.headings=true')
    there = checkpoint.load(start)
    made = train(demonstrations.tiny('steps=1', 'rate=1e-9', 'decay=0', 'size.feet=true',
                                     'size.reads_places=true', 'size.headings=true'),
                 [demonstrations.demonstrations()], tmp_path / 'on', threads=1, start=start)
    assert made.weights['where.weight'].shape[0] == 8
    assert np.abs(made.weights['there.foot.weight']).max() < 1e-6
    for name, value in there.weights.items():
        assert np.allclose(made.weights[name][:len(value)], value, atol=1e-3), name
    with pytest.raises(ValueError, match='^feet come after headings; valid: '):
        replace(TINY, feet=True)


def test_a_run_that_tells_headings_and_codes_anew_keeps_the_rest(tmp_path):
    start = demonstrations.checkpoint_folder('size.reads_places=true')
    there = checkpoint.load(start)
    made = train(demonstrations.tiny('steps=1', 'rate=1e-9', 'decay=0', 'recode=true', 'chunk=8',
                                     'size.reads_places=true', 'size.headings=true', 'seed=3',
                                     'teaching.layout=answers_for_pictures'),
                 [demonstrations.demonstrations()], tmp_path / 'on', threads=1, start=start)
    assert made.description.size.headings and made.words.text == there.words.text
    text = made.words.text_size
    for name, value in there.weights.items():
        own = made.weights[name]
        if name in ('words.weight', 'head.weight'):
            assert np.allclose(own[:text], value[:text], atol=1e-3)
            assert not np.allclose(own[text:], value[text:], atol=1e-3)
        else:
            assert np.allclose(own[:len(value)], value, atol=1e-3), name
    assert len(made.weights['where.weight']) == 5
    assert not made.weights['there.turned.weight'].any()
    with pytest.raises(TrainingError, match='size.headings is False in the recipe, True in'):
        train(demonstrations.tiny('steps=1', 'size.reads_places=true'),
              [demonstrations.demonstrations()], tmp_path / 'off', threads=1,
              start=tmp_path / 'on' / 'checkpoint')


def test_of_each_episode_some_rows_are_looked_at(data):
    rows = np.arange(len(data))[::2]
    few = thinned(data, rows, 3)
    assert set(few) <= set(rows) and (thinned(data, rows, 0) == rows).all()
    for index in range(len(data.episodes)):
        own, chosen = (np.intersect1d(each, data.rows(index)) for each in (rows, few))
        assert len(chosen) == min(3, len(own)) and {own[0], own[-1]} <= set(chosen)


def test_what_is_done_beside_a_thing_that_no_instruction_names_is_not_taught(data):
    """In a dataset in which the cube that is moved is never named."""
    data = replace(data, episodes=tuple(
        replace(each, asked_frames=each.asked_frames[-1:], asked_phrases=each.asked_phrases[-1:])
        for each in data.episodes))
    beside, named = 0.1, {'ball', 'blue_cube'}
    _, _, drawn = made(data, beside=beside, dropped=0.5)
    rows = np.flatnonzero(drawn.usable.any(1))[::3].tolist()
    batch = drawn.draw(rows, np.random.default_rng(4))
    taught = (batch.actions != IGNORED).any(1)
    for row, own in zip(rows, taught, strict=True):
        apart = dict(zip(data.episode_of(row).objects, np.linalg.norm(data.offsets(row), axis=1),
                         strict=True))
        nearest = min(apart, key=apart.get)
        assert own == (nearest in named or apart[nearest] > beside)
    assert 0.0 < taught.mean() < 1.0
    assert (batch.answers != IGNORED).any(1).all()
    _, _, mute = made(data, beside=beside, layout=Layout.NONE)
    assert not mute.usable[np.array(rows)[~taught]].any()


def test_a_sample_without_actions_counts_for_its_answers_alone(data):
    tokens, codec, _ = made(data)
    chunk = codec.encode(delayed_chunks(data, 8).actions[0][0])
    actions = np.full((2, 1 + len(chunk)), IGNORED)
    actions[1, 1:] = tokens.text_size + chunk
    answers, said = np.full_like(actions, IGNORED), actions.copy()
    answers[:, 0] = said[:, 0] = tokens.answer('left')[0]
    right = {}
    tally(right, said, answers, actions, codec, lambda ids: ids - tokens.text_size)
    assert right == {'answers': [True, True], 'codes': [True] * len(chunk), 'first_code': [1.0],
                     'end_m': [0.0]}


def test_a_codec_made_for_other_motions_leaves_out_what_it_cannot_say(data):
    tokens, _, whole = made(data)
    chunks = delayed_chunks(data, 8)
    slow = chunks.actions[0] * ([0.1] * 3 + [1.0] * 4)
    still = action_codec.fitted('residual', slow)
    some = Lessons(data, tokens, still, Scale.of(raw_states(data)[0]), Teaching(), TINY, True)
    assert whole.unsaid == 0 and 0 < some.unsaid < whole.usable.sum()
    assert some.unsaid == whole.usable.sum() - some.usable.sum()
    for row in np.flatnonzero(whole.usable[:, 0])[::20]:
        chunk = chunks.actions[0][row]
        wrong = still.decode(still.encode(chunk)) - chunk
        near = np.linalg.norm(wrong[:, :3].sum(0)) <= SAID and np.abs(wrong[:, 6]).max() <= SAID
        assert some.usable[row, 0] == near


def test_pictures_are_moved_and_lit_anew_and_nothing_else_changes(data):
    _, _, drawn = made(data)
    rows = np.flatnonzero(drawn.usable.any(1))[:6].tolist()
    plain = drawn.draw(rows, np.random.default_rng(0))
    same = varied(plain, named('tiny', ['shift=0', 'brightness=0', 'tint=0']),
                  np.random.default_rng(1))
    other = varied(plain, named('tiny', ['shift=0.1', 'brightness=0', 'tint=0']),
                   np.random.default_rng(1))
    for before, kept, moved in zip(plain.pictures, same.pictures, other.pictures, strict=True):
        assert np.array_equal(before, kept) and moved.shape == before.shape
        most, side = round(0.1 * before.shape[1]), before.shape[1]
        inner = moved[:, most:-most, most:-most]
        for one, whole in zip(inner, before, strict=True):
            assert any(np.array_equal(one, whole[most + y:side - most + y,
                                                 most + x:side - most + x])
                       for y in range(-most, most + 1) for x in range(-most, most + 1))
    assert np.array_equal(plain.ids, other.ids) and np.array_equal(plain.state, other.state)


def test_held_out_episodes_are_not_trained_on(data):
    training, held_out = split(data, 2)
    assert len(training) and len(held_out)
    assert not set(training) & set(held_out)
    assert {data.episode_of(int(row)).seed % 2 for row in held_out} == {0}
    with pytest.raises(TrainingError, match='all 4 episodes are held out .* --set held_out=0'):
        split(data, 1)


def test_a_checkpoint_that_is_none_is_refused_by_file_and_field(tmp_path):
    folder = tmp_path / 'checkpoint'
    shutil.copytree(demonstrations.checkpoint_folder(), folder)
    with pytest.raises(CheckpointError, match='no checkpoint of nano'):
        checkpoint.load(tmp_path)
    path = folder / 'config.json'
    content = json.loads(path.read_text())
    for change, said in (({'family': 'minivla'}, 'minivla'), ({'format': 9}, 'format 9'),
                         ({'size': {**content['size'], 'depth': 3}}, 'depth'),
                         ({'layout': 'backwards'}, 'backwards')):
        path.write_text(json.dumps({**content, **change}))
        with pytest.raises(CheckpointError, match=said):
            checkpoint.load(folder)
    path.write_text(json.dumps({**content, 'size': {**content['size'], 'layers': 3}}))
    with pytest.raises(CheckpointError, match='tensor layers.2'):
        checkpoint.load(folder).network()
    path.write_text(json.dumps(content))
    weights = folder / 'model.safetensors'
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match=str(folder)):
        checkpoint.load(folder)


def test_a_checkpoint_from_before_headings_and_feet_has_none(tmp_path):
    folder = tmp_path / 'checkpoint'
    shutil.copytree(demonstrations.checkpoint_folder(), folder)
    path = folder / 'config.json'
    content = json.loads(path.read_text())
    assert content['size'].pop('headings') is content['size'].pop('feet') is False
    path.write_text(json.dumps(content))
    found = checkpoint.load(folder)
    assert found.description.size.place == 3 and found.network()
    del content['size']['layers']
    path.write_text(json.dumps(content))
    with pytest.raises(CheckpointError, match='size: layers unknown or missing'):
        checkpoint.load(folder)


@pytest.mark.parametrize('change', ['steps', 'stride=3', 'steps=many', 'teaching.layout=upside',
                                    'codec=morse', 'steps=0',
                                    'teaching.off=[0.1]', 'teaching.off=[0.1, 2]',
                                    'teaching.beside=2'])
def test_a_setting_that_is_none_is_refused(change):
    with pytest.raises(ValueError, match='valid|settings'):
        named('tiny', [change])


def test_places_that_are_not_taught_cannot_be_read():
    with pytest.raises(ValueError, match='answers_for_pictures acts on places'):
        named('tiny', ['teaching.layout=answers_for_pictures'])
    both = ['teaching.layout=answers_for_pictures', 'size.reads_places=true']
    assert named('tiny', both) == named('tiny', both[::-1]), 'checked when all are made'
    with pytest.raises(ValueError, match=r'offsets is 0'):
        named('tiny', ['size.reads_places=true', 'offsets=0'])


def test_settings_are_changed_by_name():
    recipe = named('laptop', ['steps=7', 'teaching.layout=none', 'size.channels=[8, 16, 24]'])
    assert (recipe.steps, recipe.teaching.layout) == (7, Layout.NONE)
    assert recipe.size.channels == (8, 16, 24)

# SPDX-License-Identifier: Apache-2.0
"""Large models behind the protocol: small, with random numbers, read from published layouts."""

import dataclasses
import json

import numpy as np
import pytest

torch = pytest.importorskip('torch', reason='the part `train` of the set-up is not installed')

from checkpoints import folder_of  # noqa: E402

from inspire_labeler.formulation import Formulation  # noqa: E402
from inspire_labeler.question import questions  # noqa: E402
from inspire_policy import families  # noqa: E402
from inspire_policy.checkpoint_file import CheckpointError  # noqa: E402
from inspire_policy.large import law, untrained  # noqa: E402
from inspire_policy.nano.tokens import TokenizerError  # noqa: E402
from inspire_policy.policy import BadInstruction, PolicyError, Source, UndecodableAction  # noqa: E402

INSTRUCTION = 'put the banana in the plate'
FAMILIES = ('minivla', 'pi0fast')

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope='module', params=FAMILIES)
def family(request):
    return request.param


@pytest.fixture(scope='module')
def folder(family, tmp_path_factory):
    path = tmp_path_factory.mktemp(family)
    folder_of(path, {'minivla': 'prismatic', 'pi0fast': 'lerobot'}[family], seed=3)
    return path


def policy(folder, **options):
    family = json.loads((folder / 'inspire.json').read_text())['family']
    made = families.create(family, checkpoint=folder, kind='float64', **options)
    made.reset(INSTRUCTION, questions(INSTRUCTION))
    return made


def said(decision):
    return [answer.text for answer in decision.answers], decision.actions.tolist()


def test_it_answers_each_question_and_acts_having_looked_once(folder):
    made = policy(folder)
    decision = made.decide(law.observation(1))
    assert [answer.question.object for answer in decision.answers] == ['the banana', 'the plate']
    for answer in decision.answers:
        assert answer.text in answer.question.options and answer.source is Source.POLICY
        assert sum(answer.probabilities) == pytest.approx(1.0)
    assert decision.actions.shape == (made.checkpoint.codec.chunk, 7)
    assert set(decision.timings) == {'see', 'answers', 'actions'}
    assert made.reader.work.pictures == 1
    assert made.needs_truth is False


def test_what_it_says_follows_from_what_it_sees(folder):
    made = policy(folder)
    assert len({str(said(made.decide(law.observation(seed)))) for seed in range(6)}) > 3


def test_drafted_is_full_and_every_n_and_off_ask_less(folder):
    full, drafted = policy(folder), policy(folder, reasoning='drafted')
    for seed in (1, 1, 2, 1):
        assert said(full.decide(law.observation(seed))) == said(drafted.decide(
            law.observation(seed)))
    assert policy(folder, reasoning='off').decide(law.observation(1)).answers == ()
    now_and_then = policy(folder, reasoning='every_n')
    asked = [bool(now_and_then.decide(law.observation(1)).answers[0].probabilities)
             for _ in range(5)]
    assert asked == [True, False, False, False, True]


def test_forced_answers_are_taken_and_wrong_words_refused(folder):
    made = policy(folder)
    made.forced = {'the plate': 'grasped'}
    assert made.decide(law.observation(1)).answers[1].text == 'grasped'
    made.forced = {'the plate': 'sideways'}
    with pytest.raises(PolicyError, match='sideways'):
        made.decide(law.observation(1))


def test_what_it_cannot_work_with_is_refused_by_name(folder, family):
    made = policy(folder)
    with pytest.raises(PolicyError, match='camera'):
        made.decide(dataclasses.replace(law.observation(1), images={}))
    with pytest.raises(BadInstruction, match='proximity'):
        made.reset(INSTRUCTION, questions(INSTRUCTION, Formulation.PROXIMITY))
    with pytest.raises(ValueError, match='piper_real'):
        policy(folder, viewer='piper_real')
    with pytest.raises(ValueError, match='needs a checkpoint'):
        families.create(family)
    with pytest.raises(ValueError, match='float32, bfloat16'):
        families.create(family, checkpoint=folder, kind='int3')
    other = FAMILIES[1 - FAMILIES.index(family)]
    with pytest.raises(CheckpointError, match=f"family '{family}'.*valid: {other}"):
        families.create(other, checkpoint=folder)


def test_a_context_that_is_too_short_is_said_before_anything_moves(folder, family):
    made = policy(folder)
    with pytest.raises(BadInstruction, match='tokens; valid: up to 320'):
        made.reset('put the ball on the ' + 'very ' * 200 + 'book', questions(INSTRUCTION))
    size = dataclasses.replace(made.checkpoint.network.size, text=40)
    made.checkpoint.network.size = size
    scene = made.scene(law.observation(1))
    past = type(made.reader)(made.checkpoint.network).see(scene)
    with pytest.raises(PolicyError, match='a text of 41 tokens; valid: up to 40'):
        made.reader.read(past, [0] * 41)


def changed(folder, tmp_path, change):
    """The error of a folder whose inspire.json says something else."""
    content = json.loads((folder / 'inspire.json').read_text())
    change(content)
    for file in folder.iterdir():
        if file.name != 'inspire.json':
            (tmp_path / file.name).symlink_to(file)
    (tmp_path / 'inspire.json').write_text(json.dumps(content))
    with pytest.raises(CheckpointError) as caught:
        families.create(content['family'], checkpoint=tmp_path)
    return str(caught.value)


@pytest.mark.parametrize('change, message', [
    (lambda one: one['spelling'].update(size=9), 'another vocabulary'),
    (lambda one: one['spelling']['ids'].update({'left@0': [1]}), "the answer 'left' is"),
    (lambda one: one['spelling'].update(top=5000), 'another vocabulary'),
    (lambda one: one['size']['decoder'].update(vocabulary=512), 'another vocabulary'),
    (lambda one: one['size']['decoder'].update(layers=2), 'is not one of this family and size'),
    (lambda one: one['size']['decoder'].update(layers=4), 'is missing'),
    (lambda one: one['size'].pop('fused'), 'fused'),
    (lambda one: one.update(layout='sideways'), 'sideways'),
    (lambda one: one.update(weights='nowhere.pt'), 'nowhere.pt'),
    (lambda one: one.update(begin='nowhere'), 'valid: first, last'),
    (lambda one: one['codec'].update(kind='magic'), 'magic'),
])
def test_a_description_that_does_not_fit_its_weights_is_refused(folder, tmp_path, change, message):
    assert message in changed(folder, tmp_path, change)


def test_questions_stand_only_where_what_was_read_stays_valid(folder, family, tmp_path):
    wrong = {'minivla': 'instruct_first', 'pi0fast': 'vqa_first'}[family]
    assert 'valid: ' in changed(folder, tmp_path, lambda one: one.update(layout=wrong))


def test_eight_bits_say_nearly_the_same_on_a_processor_only(folder, family):
    plain, eight = (families.create(family, checkpoint=folder, kind=kind)
                    for kind in ('float32', 'int8'))
    assert any('quantized' in type(one).__module__
               for one in eight.checkpoint.network.decoder.modules())
    chances = []
    for policy_ in (plain, eight):
        policy_.reset(INSTRUCTION, questions(INSTRUCTION))
        chances.append([answer.probabilities for seed in range(3)
                        for answer in policy_.decide(law.observation(seed)).answers])
    apart = np.abs(np.array(chances[0]) - np.array(chances[1]))
    assert 0 < apart.mean() < 0.1
    with pytest.raises(ValueError, match='for the device cpu, not cuda'):
        families.create(family, checkpoint=folder, kind='int8', device='cuda')


@pytest.mark.parametrize('family', FAMILIES)
def test_a_word_that_is_split_needs_another_or_leave(family):
    tokens = untrained.tokenizer(family)
    spaced = family == 'pi0fast'
    from inspire_policy.large.words import taken_in
    with pytest.raises(TokenizerError, match="splits the answer 'xylophone' into"):
        taken_in(tokens, Formulation.DIRECTION, 800, {'grasped': 'xylophone'}, spaced)
    taken = taken_in(tokens, Formulation.DIRECTION, 800, {'grasped': 'xylophone'}, spaced,
                     split=True)
    assert len(taken.ids['grasped@0']) > 1 == len(taken.ids['left@0'])
    with pytest.raises(TokenizerError, match="'left' and 'grasped' are the same"):
        taken_in(tokens, Formulation.DIRECTION, 800, {'grasped': 'left'}, spaced)


def test_several_cameras_take_their_places_and_an_absent_one_takes_none():
    made = untrained.made('pi0fast')
    work = []
    for cameras in (('camera',), ('camera', 'wrist_camera')):
        description = dataclasses.replace(made.description, cameras=cameras)
        both = law.policy_of(dataclasses.replace(made, description=description))
        both.reset(INSTRUCTION, ())
        both.decide(law.observation(1))
        work.append((both.reader.work.pictures, both.reader.work.tokens))
    assert [pictures for pictures, _ in work] == [1, 2]
    assert work[1][1] - work[0][1] == made.network.size.patches


def test_pi0fast_reads_the_state_and_begins_where_it_is_told():
    from inspire_policy.families.pi0fast import arm_state, prefix
    made = untrained.made('pi0fast')
    text = prefix('Put the_banana in the plate', np.array([-1.0, 0.0, 0.999, 1.0]))
    assert text == 'Task: put the banana in the plate, State: 0 128 255 255;\n'
    assert arm_state(law.observation(1)).shape == (8,)
    begin = made.words.one('<bos>')
    for where, place in (('first', 0), ('last', -1)):
        there = law.policy_of(dataclasses.replace(
            made, description=dataclasses.replace(made.description, begin=where)))
        there.reset(INSTRUCTION, ())
        after = there.scene(law.observation(1)).after
        assert after[place] == begin and after.count(begin) == 1


def test_a_chunk_that_the_model_ends_early_stops_the_arm():
    made = untrained.made('pi0fast')
    head = made.network.decoder.embed_tokens.weight
    with torch.no_grad():
        head[list(made.words.actions(range(made.codec.codes)))] = 0.0
        head[made.words.one('|')] = torch.linspace(-1, 1, head.shape[1])
    there = law.policy_of(made)
    there.reset(INSTRUCTION, ())
    outcomes = set()
    for seed in range(8):
        try:
            there.decide(law.observation(seed))
        except UndecodableAction as error:
            outcomes.add(str(error))
    assert any('ended its chunk after 0 action codes' in one for one in outcomes)


def test_fast_and_plain_say_the_same():
    """A few dozen here; `./inspire bench law` has ten thousand."""
    for family in FAMILIES:
        exact = law.hold(family, 15, torch.float64, seed=7)
        assert (exact.compared, exact.different, exact.close) == (15, 0, 0)
        for kind in (torch.float32, torch.bfloat16):
            rounded = law.hold(family, 5, kind, seed=7)
            assert (rounded.compared, rounded.different) == (5, 0)


def test_the_law_finds_a_past_that_is_cut_in_the_wrong_place(monkeypatch):
    from inspire_policy.large.readers import Past
    cut = Past.cut
    monkeypatch.setattr(Past, 'cut', lambda self, length: cut(self, length + 1))
    assert law.hold('minivla', 5, torch.float64).different > 1

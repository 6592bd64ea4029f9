# SPDX-License-Identifier: Apache-2.0
"""The learned policy behind the protocol, on a real world's pictures."""

import dataclasses
import shutil
from pathlib import Path

import demonstrations
import numpy as np
import pytest

torch = pytest.importorskip('torch', reason='the part `train` of the set-up is not installed')

from inspire_labeler.formulation import Formulation  # noqa: E402
from inspire_labeler.question import questions  # noqa: E402
from inspire_policy import families  # noqa: E402
from inspire_policy.answering import fitting  # noqa: E402
from inspire_policy.checkpoint_file import CheckpointError  # noqa: E402
from inspire_policy.policy import (  # noqa: E402
    BadInstruction,
    PolicyError,
    PolicyObservation,
    Source,
    UndecodableAction,
    checked_actions,
)
from inspire_sim.world import TableWorld  # noqa: E402

INSTRUCTION = 'stack the green cube on the blue cube'

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope='module')
def observations():
    world = TableWorld()
    found = []
    for seed in range(3):
        world.reset(INSTRUCTION, seed)
        seen = world.observe()
        found.append(PolicyObservation(
            seen.stamp, seen.images, np.array(seen.arm.position), np.array(seen.arm.velocity),
            seen.arm.gripper_width, seen.arm.gripper_velocity, seen.tcp, INSTRUCTION,
            commanded=world.commanded))
    world.close()
    return found


PLACES = ('size.reads_places=true', 'teaching.layout=named_once')
APART = ('size.reads_places=true', 'teaching.layout=answers_for_names')
BLIND = ('size.reads_places=true', 'size.headings=true', 'size.feet=true', 'size.finds=true',
         'teaching.layout=answers_for_pictures')


@pytest.fixture(params=[(), PLACES, APART, BLIND], ids=['words', 'places', 'apart', 'blind'])
def changes(request):
    """Of the recipe: a network that reads the words of its answers alone, or places, too."""
    return request.param


def policy(*changes, **options):
    made = families.create('nano', checkpoint=demonstrations.checkpoint_folder(*changes),
                           threads=1, **options)
    made.reset(INSTRUCTION, questions(INSTRUCTION))
    return made


def said(decision):
    return [answer.text for answer in decision.answers], decision.actions.tolist()


def test_it_answers_each_question_and_acts(observations):
    decision = policy().decide(observations[0])
    assert [answer.question.object for answer in decision.answers] == ['the green cube',
                                                                       'the blue cube']
    for answer in decision.answers:
        assert answer.text in answer.question.options
        assert sum(answer.probabilities) == pytest.approx(1.0)
        assert answer.source is Source.POLICY
        assert answer.offset.shape == (3,) and np.isfinite(answer.offset).all()
        assert answer.frame == ''
    assert decision.actions.shape == (8, 7) and not decision.done
    assert set(decision.timings) == {'see', 'answers', 'actions'}


def test_fingers_that_still_close_are_told_from_fingers_that_hold(observations):
    """At the same width. A network from before reads no speed, and acts all the same."""
    holding = dataclasses.replace(observations[0], gripper_width=0.04, gripper_velocity=0.0)
    closing = dataclasses.replace(holding, gripper_velocity=-0.14)
    for size, differ in (('size.state=12', True), ('size.state=11', False)):
        one, two = (policy(size).decide(each).answers[0].probabilities
                    for each in (holding, closing))
        assert (one != two) is differ


def test_both_backends_say_the_same(observations, changes):
    onnx, plain = policy(*changes, backend='onnx'), policy(*changes, backend='torch')
    for observation in observations:
        one, two = onnx.decide(observation), plain.decide(observation)
        assert said(one) == said(two)
        for a, b in zip(one.answers, two.answers, strict=True):
            assert np.allclose(a.probabilities, b.probabilities, atol=1e-4)
            assert np.allclose(a.offset, b.offset, atol=1e-4)


def test_a_network_that_has_not_learned_where_things_are_does_not_tell(observations, tmp_path):
    whole = Path(demonstrations.checkpoint_folder())
    folder = shutil.copytree(whole, tmp_path / 'words')
    text = (folder / 'config.json').read_text().replace('"places": true', '"places": false')
    (folder / 'config.json').write_text(text)
    made = families.create('nano', checkpoint=folder, threads=1)
    made.reset(INSTRUCTION, questions(INSTRUCTION))
    assert [answer.offset for answer in made.decide(observations[0]).answers] == [None, None]


def test_drafts_change_nothing_of_where_things_are(observations, changes):
    full, drafted = policy(*changes), policy(*changes, reasoning='drafted')
    for observation in observations:
        one, two = (each.decide(observation).answers for each in (full, drafted))
        for a, b in zip(one, two, strict=True):
            assert np.allclose(a.offset, b.offset, atol=1e-5)


def test_drafted_is_full_decision_after_decision(observations, changes):
    full, drafted = policy(*changes), policy(*changes, reasoning='drafted')
    for _ in range(2):
        for observation in observations:
            assert said(full.decide(observation)) == said(drafted.decide(observation))


def test_off_asks_nothing_and_every_n_asks_now_and_then(observations, changes):
    assert policy(*changes, reasoning='off').decide(observations[0]).answers == ()
    now_and_then = policy(*changes, reasoning='every_n')
    asked = [bool(now_and_then.decide(observations[0]).answers[0].probabilities)
             for _ in range(9)]
    assert asked == [True, False, False, False, True, False, False, False, True]


def test_forced_answers_stand_in_the_prompt_and_wrong_words_are_refused(observations, changes):
    made = policy(*changes)
    made.forced = {'the blue cube': 'grasped'}
    decision = made.decide(observations[0])
    assert decision.answers[1].text == 'grasped' and decision.answers[1].probabilities == ()
    made.forced = {'the blue cube': 'sideways'}
    with pytest.raises(PolicyError, match='sideways'):
        made.decide(observations[0])


def test_a_place_is_put_where_a_network_reads_one(observations, changes):
    made, there = policy(*changes), np.array([0.1, -0.2, 0.05])
    own = [answer.offset for answer in made.decide(observations[0]).answers]
    made.reset(INSTRUCTION, questions(INSTRUCTION))
    made.placed = {'the green cube': there}
    found = [answer.offset for answer in made.decide(observations[0]).answers]
    if changes:
        assert np.array_equal(found[0], there)
        # it reads on from there, but where questions are asked apart
        assert np.allclose(found[1], own[1], atol=1e-6) == (changes in (APART, BLIND))
    else:
        assert np.allclose(found, own, atol=1e-6)


def test_what_a_network_does_follows_from_where_it_believes_things_to_be(observations):
    """Another place read at the first answer changes what comes after it."""
    made = policy(*PLACES, backend='torch')
    own = made.decide(observations[0])
    read, told = made._reader.read, []

    def elsewhere(past, ids, there=None):
        told.extend([] if there is None else there[np.isfinite(there[:, 0])])
        return read(past, ids, None if there is None else there + 0.1)
    made._reader.read = elsewhere
    made.reset(INSTRUCTION, questions(INSTRUCTION))
    other = made.decide(observations[0])
    assert len(told) == 2 and np.allclose(told[0], own.answers[0].offset, atol=1e-6)
    assert np.allclose(told[1], other.answers[1].offset, atol=1e-6)
    assert not np.allclose(other.answers[1].offset, own.answers[1].offset, atol=1e-6)


def test_it_never_gets_the_truth(observations):
    assert policy().needs_truth is False


def test_what_it_cannot_work_with_is_refused_by_name(observations, monkeypatch):
    made = policy()
    with pytest.raises(PolicyError, match='wrist_camera'):
        made.decide(dataclasses.replace(observations[0], images={
            'camera': observations[0].images['camera']}))
    with pytest.raises(BadInstruction, match='proximity'):
        made.reset(INSTRUCTION, questions(INSTRUCTION, Formulation.PROXIMITY))
    with pytest.raises(BadInstruction, match='tokens'):
        made.reset('put the ball on the ' + 'very ' * 60 + 'book', questions(INSTRUCTION))
    with pytest.raises(ValueError, match='piper_real'):
        policy(viewer='piper_real')
    with pytest.raises(CheckpointError, match='/nowhere'):
        families.create('nano', checkpoint='/nowhere')
    monkeypatch.setattr('inspire_policy.families.nano.SHIPPED', Path('/nowhere'))
    with pytest.raises(ValueError, match='no checkpoint of nano is shipped'):
        families.create('nano')
    with pytest.raises(ValueError, match='onnx, torch'):
        policy(backend='tpu')
    with pytest.raises(ValueError, match='wisdom'):
        families.create('nano', wisdom=3)


def test_a_width_is_rounded_into_what_there_is_and_no_further():
    actions = np.zeros((2, 7))
    actions[:, 6] = -0.0004, 0.0704
    assert checked_actions(fitting(actions))[:, 6].tolist() == [0.0, 0.07]
    actions[:, 6] = -0.02
    with pytest.raises(UndecodableAction, match='gripper width'):
        checked_actions(fitting(actions))

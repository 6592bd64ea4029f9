# SPDX-License-Identifier: Apache-2.0
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from inspire_labeler.formulation import Formulation
from inspire_labeler.question import questions
from inspire_policy import action_codec
from inspire_policy.answer_set import alternatives, holds
from inspire_policy.nano.tokens import Words
from inspire_policy.nano.vocabulary import sentences
from inspire_policy.policy import UndecodableAction
from inspire_policy.prompt import Layout, segments
from inspire_policy.speaking import Speaker

INSTRUCTION = 'stack the green cube on the blue cube'
CHUNKS = np.random.default_rng(0).normal(0, 0.01, (400, 8, 7))


@dataclass(frozen=True)
class Text:
    """A past that is the text itself."""

    ids: tuple

    @property
    def length(self):
        return len(self.ids)

    def cut(self, length):
        return Text(self.ids[:length])


class Oracle:
    """Logits that follow from all of the text before, and from nothing else: exact, so that
    reading in one pass or in many cannot differ."""

    def __init__(self, vocabulary, seed):
        self.vocabulary, self.seed, self.read_tokens = vocabulary, seed, 0

    def read(self, past, ids):
        rows = []
        text = list(past.ids)
        for one in ids:
            text.append(one)
            rows.append(np.random.default_rng([self.seed, *text]).normal(size=self.vocabulary))
        self.read_tokens += len(ids)
        return np.array(rows), Text(tuple(text))


@pytest.fixture(scope='module')
def words():
    return Words.trained(sentences())


@pytest.fixture(scope='module')
def codec():
    return action_codec.fitted('residual', CHUNKS)


def prompt(formulation=Formulation.DIRECTION, layout=Layout.VQA_FIRST):
    return segments(layout, INSTRUCTION, questions(INSTRUCTION, formulation))


@pytest.mark.parametrize('formulation', Formulation)
@pytest.mark.parametrize('layout', [Layout.VQA_FIRST, Layout.INSTRUCT_FIRST,
                                    Layout.ANSWERS_FOR_NAMES])
def test_drafts_right_or_wrong_change_nothing_of_what_is_said(words, codec, formulation, layout):
    random = np.random.default_rng(3)
    asked = questions(INSTRUCTION, formulation)
    for seed in range(12):
        oracle = Oracle(words.text_size + codec.codes, seed)
        speaker = Speaker(oracle, words, codec)
        plain = speaker.speak(Text(()), prompt(formulation, layout))
        for drafts in (plain.answers, _others(asked, random), plain.answers[:1],
                       (_others(asked, random)[0], plain.answers[1])):
            again = speaker.speak(Text(()), prompt(formulation, layout), drafts)
            assert (again.answers, again.codes) == (plain.answers, plain.codes), (seed, drafts)
            assert again.replaced == sum(
                a != b for a, b in zip(drafts, plain.answers, strict=False))


def _others(asked, random):
    """Answers drawn from each question's set."""
    found = []
    for one in asked:
        said = []
        while choices := alternatives(one.options, said):
            said.append(choices[random.integers(len(choices))])
        found.append(' '.join(said))
    return tuple(found)


def test_right_drafts_are_checked_in_the_pass_that_begins_the_actions(words, codec):
    oracle = Oracle(words.text_size + codec.codes, 1)
    speaker = Speaker(oracle, words, codec)
    plain = speaker.speak(Text(()), prompt())
    drafted = speaker.speak(Text(()), prompt(), plain.answers)
    assert plain.passes == len(plain.answers) + 1 + codec.longest - 1
    assert drafted.passes == 1 + codec.longest - 1


@pytest.mark.parametrize('formulation', Formulation)
def test_nothing_is_read_twice(words, codec, formulation):
    oracle = Oracle(words.text_size + codec.codes, 1)
    said = Speaker(oracle, words, codec).speak(Text(()), prompt(formulation))
    own = sum(len(words.encode(segment.marks)) for segment in prompt(formulation))
    answers = sum(len(words.answer(answer)) for answer in said.answers)
    assert oracle.read_tokens == own + answers + codec.longest - 1


class Split:
    """The words of `words` in syllables: some answers are two tokens or three, which may share
    their first ones, and a word is another after a word than at the beginning."""

    ends = ()
    IDS: ClassVar = {'left': (5, 6), 'right': (5, 7, 8), 'grasped': (9, 5, 6), 'up': (11,)}

    def __init__(self, words):
        self._words = words
        self.encode, self.actions = words.encode, words.actions

    def word(self, text, place):
        return self.IDS.get(text, self._words.word(text, 0)) + ((3,) if place else ())


def by_hand(oracle, words, codec, parts):
    """What is said where every option is read whole from the beginning, and nothing is kept."""
    def chance(text, ids):
        rows = np.array(oracle.read(Text(()), text + ids)[0])[len(text) - 1:-1]
        return sum(row[one] - np.log(np.exp(row).sum())
                   for row, one in zip(rows, ids, strict=True))

    text, answers = [], []
    for part in parts:
        text = [] if part.alone else text
        for mark in part.marks:
            text += (words.encode([mark]) if isinstance(mark, str) else
                     [one for place, word in enumerate(answers[mark].split())
                      for one in words.word(word, place)])
        said = []
        while part.question and (choices := alternatives(part.question.options, said)):
            ids = [list(words.word(word, len(said))) for word in choices]
            best = int(np.argmax([chance(text, one) for one in ids]))
            said.append(choices[best])
            text += ids[best]
        answers += [' '.join(said)] if said else []
    codes = []
    while allowed := codec.allowed(codes):
        ids = words.actions(allowed)
        codes.append(allowed[int(np.argmax(oracle.read(Text(()), text)[0][-1][list(ids)]))])
        text.append(ids[codes[-1] - allowed.start])
    return tuple(answers), tuple(codes)


@pytest.mark.parametrize('formulation', [Formulation.DIRECTION, Formulation.DIRECTION_3D])
@pytest.mark.parametrize('splitting', [False, True])
@pytest.mark.parametrize('layout', [Layout.VQA_FIRST, Layout.ANSWERS_FOR_NAMES])
def test_an_answer_is_the_option_whose_tokens_are_likeliest_together(
        words, codec, formulation, splitting, layout):
    random = np.random.default_rng(5)
    for seed in range(8):
        spelling = Split(words) if splitting else words
        oracle = Oracle(words.text_size + codec.codes, seed)
        speaker = Speaker(oracle, spelling, codec)
        plain = speaker.speak(Text(()), prompt(formulation, layout))
        assert (plain.answers, plain.codes) == by_hand(
            oracle, spelling, codec, prompt(formulation, layout))
        for drafts in (plain.answers, _others(questions(INSTRUCTION, formulation), random)):
            again = speaker.speak(Text(()), prompt(formulation, layout), drafts)
            assert (again.answers, again.codes, again.probabilities) == (
                plain.answers, plain.codes, plain.probabilities)


def test_a_chunk_that_the_model_ends_too_early_is_no_action(words, codec):
    class Ending(Split):
        ends = (12,)

    class Tired(Oracle):
        def read(self, past, ids):
            logits, past = super().read(past, ids)
            logits[:, 12] = 99.0 * (ids[-1] >= words.text_size + 2 * codec.codes // 7)
            return logits, past

    with pytest.raises(UndecodableAction, match='after 3 action codes'):
        Speaker(Tired(words.text_size + codec.codes, 1), Ending(words), codec).speak(
            Text(()), prompt())


@pytest.mark.parametrize('formulation', Formulation)
def test_every_answer_is_of_its_set_and_its_chances_add_up(words, codec, formulation):
    asked = questions(INSTRUCTION, formulation)
    for seed in range(20):
        oracle = Oracle(words.text_size + codec.codes, seed)
        said = Speaker(oracle, words, codec).speak(Text(()), prompt(formulation))
        for question, answer, chances in zip(asked, said.answers, said.probabilities, strict=True):
            assert holds(question.options, answer)
            if '|' in ''.join(question.options):
                assert chances == ()
            else:
                assert sum(chances) == pytest.approx(1.0)
                assert question.options[int(np.argmax(chances))] == answer


def test_given_answers_are_taken_as_they_are(words, codec):
    oracle = Oracle(words.text_size + codec.codes, 4)
    said = Speaker(oracle, words, codec).speak(Text(()), prompt(), given={0: 'up', 1: 'grasped'})
    assert said.answers == ('up', 'grasped')
    assert said.probabilities == ((), ())


@pytest.mark.parametrize('layout', [Layout.VQA_FIRST, Layout.ANSWERS_FOR_NAMES])
def test_with_answers_for_names_an_action_hangs_on_no_name(words, codec, layout):
    def codes(instruction, given):
        oracle = Oracle(words.text_size + codec.codes, 6)
        asked = segments(layout, instruction, questions(instruction))
        return Speaker(oracle, words, codec).speak(Text(()), asked, given=given).codes

    own = codes('put the banana in the plate', {0: 'left', 1: 'down'})
    other = codes('put the blue cup in the plate', {0: 'left', 1: 'down'})
    assert (own == other) == (layout is Layout.ANSWERS_FOR_NAMES)
    assert own != codes('put the banana in the plate', {0: 'left', 1: 'up'})


@pytest.mark.parametrize('told', [None, np.full((1, 3), np.nan)])
def test_a_place_that_is_not_told_is_no_action(words, codec, told):
    class Placed(Oracle):
        place = 3

        def read(self, past, ids, there):
            logits, past = super().read(past, ids)
            past.__dict__['offsets'] = None if told is None else told.repeat(len(ids), 0)
            return logits, past

    with pytest.raises(UndecodableAction, match='place of answer 0 is .*; valid: 3 finite'):
        Speaker(Placed(words.text_size + codec.codes, 1), words, codec).speak(Text(()), prompt())


def test_codes_are_those_that_the_codec_allows(words):
    for kind in action_codec.CODECS:
        codec = action_codec.fitted(kind, CHUNKS)
        oracle = Oracle(words.text_size + codec.codes, 2)
        try:
            codes = Speaker(oracle, words, codec).speak(Text(()), prompt()).codes
        except UndecodableAction:
            pytest.fail(f'{kind} ran on')
        assert not codec.allowed(codes)
        if kind != 'fast':   # whose last code may stand for more coefficients than are missing
            assert codec.decode(codes).shape == (8, 7)


def test_logits_that_are_not_numbers_are_no_action(words, codec):
    class Broken(Oracle):
        def read(self, past, ids):
            logits, past = super().read(past, ids)
            logits[:, words.text_size:] = np.nan
            return logits, past

    with pytest.raises(UndecodableAction, match='not finite'):
        Speaker(Broken(words.text_size + codec.codes, 1), words, codec).speak(Text(()), prompt())

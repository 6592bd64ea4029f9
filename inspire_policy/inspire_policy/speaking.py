# SPDX-License-Identifier: Apache-2.0
"""From what a model has seen to its answers and actions, reading everything once.

The prompt is read segment by segment onto the cached past. Where a question's answer is drafted
(what was said last time), reading goes on through the draft and the slots are checked in the same
pass: a draft that is not what the model says is replaced, the past is cut there, and reading goes
on from it. The result is that of reading without drafts.

A tokenizer may split a word of an answer. Where one of the words that may come is split, each is
scored whole: the logarithms of its tokens' chances are added, and the best sum wins. Where each is
one token their logits are compared, which is the same.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from inspire_policy.answer_set import alternatives, choice, places
from inspire_policy.policy import UndecodableAction
from inspire_policy.prompt import Segment


class Logits(Protocol):
    """(tokens read, vocabulary), an array or what is asked for of one: a large vocabulary is
    better scored only where something is asked."""

    def __getitem__(self, where: Any, /) -> NDArray[Any]:
        """Of [place, ids] or [place, :]."""


class Past(Protocol):
    """What was read so far. Reading on gives another; it can be cut back."""

    length: int   # tokens of text

    def cut(self, length: int) -> Past:
        """Only the first `length` tokens of text."""


class Reader(Protocol):
    """A model that continues a text; what it has seen is in the past it begins with.

    A past that was read on from may be gone on from again, but then what was read after it the
    first time is lost: readers may keep everything in one place. One that reads places has the
    attribute `place`, numbers of one, and takes a third argument (len(ids), place): at the first
    token of an answer its object's place as the past said it in `offsets`, the offset from the tcp
    first [m], NaN elsewhere. Where a prompt has blind segments its pasts have `blind()`: of what
    was seen only how the arm stands, and no text.
    """

    def read(self, past: Any, ids: Sequence[int]) -> tuple[Logits, Any]:
        """Logits (len(ids), vocabulary) after each token, and the past with them."""


class Vocabulary(Protocol):
    """What a prompt needs of a tokenizer."""

    ends: tuple[int, ...]   # tokens by which the model itself may end a chunk

    def encode(self, marks: Sequence[str]) -> list[int]:
        """Ids of marks and plain text in turn."""

    def word(self, text: str, place: int) -> tuple[int, ...]:
        """Ids of a word of an answer, the first of which has the place 0."""

    def actions(self, codes: range) -> range:
        """Ids of a codec's codes."""


class Coding(Protocol):
    """What of an action codec decoding needs."""

    def allowed(self, before: Sequence[int]) -> range:
        """Codes that may follow `before`; none: the chunk is complete."""


@dataclass(frozen=True)
class Spoken:
    """Answers in the order of the questions, the probabilities of each one's options (empty where
    an answer has several words), the actions' codes, seconds by stage, passes of the model, how
    many drafts were replaced, and the offset of each answer's object (3,) [m] where the model
    tells."""

    answers: tuple[str, ...]
    probabilities: tuple[tuple[float, ...], ...]
    codes: tuple[int, ...]
    timings: Mapping[str, float] = field(default_factory=dict)
    passes: int = 0
    replaced: int = 0
    offsets: tuple[NDArray[np.float64] | None, ...] = ()


class Speaker:
    """Speaks by one model, tokenizer and codec."""

    def __init__(self, reader: Reader, words: Vocabulary, codec: Coding) -> None:
        self._reader, self._words, self._codec = reader, words, codec

    def speak(self, past: Any, prompt: Sequence[Segment], drafts: Sequence[str] = (),
              given: Mapping[int, str] | None = None,
              placed: Mapping[int, NDArray[np.float64]] | None = None,
              ahead: NDArray[np.float64] | None = None) -> Spoken:
        """Read `prompt` onto `past` and fill its slots.

        drafts: of the first questions, to be checked. given: answers by the question's number that
        are not checked but taken; placed: where their objects are, likewise, for a model that
        reads places; ahead: what blind segments count places from, minus the tcp (3,) [m]. Raises
        UndecodableAction.
        """
        begin = time.perf_counter()
        turn = _Turn(self._reader, self._words, past, drafts, given or {}, placed or {},
                     np.zeros(3) if ahead is None else ahead)
        row = None
        while row is None:
            row = turn.read_on(prompt)
        answered = time.perf_counter()
        codes = self._act(turn, *row)
        return Spoken(tuple(turn.said), tuple(turn.chances), tuple(codes),
                      {'answers': answered - begin, 'actions': time.perf_counter() - answered},
                      turn.passes, turn.replaced,
                      tuple(one if one is None else one[:3] for one in turn.offsets))

    def _act(self, turn: _Turn, logits: Logits, place: int) -> list[int]:
        """Codes of a chunk, each the best of those allowed."""
        codes: list[int] = []
        ends = self._words.ends
        while allowed := self._codec.allowed(codes):
            ids = self._words.actions(allowed)
            own = np.asarray(logits[place, [*ids, *ends]])
            if not np.isfinite(own).all():
                raise UndecodableAction(f'the logits of action code {len(codes)} are not finite')
            best = int(np.argmax(own))
            if best >= len(ids):
                raise UndecodableAction(f'the model ended its chunk after {len(codes)} action '
                                        'codes, which are no whole chunk')
            codes.append(allowed[best])
            if self._codec.allowed(codes):
                logits, place = turn.read([ids[best]])[0], 0
        return codes


class _Turn:
    """One decision under way: what was read, and what was said so far."""

    def __init__(self, reader: Reader, words: Vocabulary, past: Any, drafts: Sequence[str],
                 given: Mapping[int, str], placed: Mapping[int, NDArray[np.float64]],
                 ahead: NDArray[np.float64]) -> None:
        self.said: list[str] = []
        self.chances: list[tuple[float, ...]] = []
        self.offsets: list[NDArray[np.float64] | None] = []
        self.passes = self.replaced = 0
        self._reader, self._words, self._past = reader, words, past
        self._drafts, self._given = drafts, given
        self._waiting: list[int] = []   # an answer that has still to be read
        self._place = int(getattr(reader, 'place', 0))
        self._placed = placed if self._place else {}
        self._there: dict[int, NDArray[np.float64]] = {}    # places to be read, by the token
        self._begin, self._ahead = past.length, ahead

    def read(self, ids: Sequence[int]) -> tuple[Logits, int]:
        """Logits after each token, and the place of the first."""
        start, there = self._past.length, np.full((len(ids), self._place), np.nan)
        for token, offset in self._there.items():
            there[token] = offset
        more = (there,) if self._place else ()
        logits, self._past = self._reader.read(self._past, ids, *more)
        self._there = {}
        self.passes += 1
        return logits, start

    def read_on(self, prompt: Sequence[Segment]) -> tuple[Logits, int] | None:
        """Read to the first slot of which nothing is known, and fill the slots on the way.

        Gives the logits, and where among them the first action code is, once all questions are
        answered.
        """
        run, slots = self._waiting, []
        for number in range(len(self.said), len(prompt)):
            if prompt[number].alone:
                self._past, self._there, run = self._past.cut(self._begin), {}, []
            if prompt[number].blind:
                self._past = self._past.blind()
            run = self._written(run, prompt[number])
            slots.append(len(run) - 1)
            known = self._known(prompt[number], number)
            if known is None:
                break
            run = run + spelled(self._words, known)
        logits, start = self.read(run)
        offsets = getattr(self._past, 'offsets', None)
        for place in slots:
            segment = prompt[len(self.said)]
            if segment.question is None:
                return logits, place
            own = None if offsets is None else offsets[place].copy()
            if len(self.said) in self._placed and own is not None:
                own[:3] = self._placed[len(self.said)]
            self.offsets.append(own)
            self._note(0, len(self.said))
            if not self._agrees(segment, logits, place, start):
                break
        return None

    def _written(self, run: list[int], segment: Segment) -> list[int]:
        """A run with the ids of a segment's marks, and of what was said where they are numbers."""
        for mark in segment.marks:
            if isinstance(mark, str):
                run = run + self._words.encode([mark])
                continue
            self._note(len(run), mark, self._ahead if segment.blind else 0.0)
            run = run + spelled(self._words, self.said[mark])
        return run

    def _note(self, token: int, number: int, ahead: NDArray[np.float64] | float = 0.0) -> None:
        """An answer begins at a token of what is read next: its place, less `ahead`, is to be read
        with it.

        Raises UndecodableAction where that is not told: what is done would hang on no place.
        """
        if not self._place:
            return
        place = self.offsets[number]
        if place is None or not np.isfinite(place).all():
            raise UndecodableAction(f'the place of answer {number} is {place}; valid: '
                                    f'{self._place} finite numbers')
        self._there[token] = np.concatenate([place[:3] - ahead, place[3:]])

    def _known(self, segment: Segment, number: int) -> str | None:
        """The answer that is given or drafted for a question, where it can be checked in the pass
        that reads on: a word that is split has to be scored first, where an answer is read with
        its object's place that place has to be known, and after what is read alone comes nothing.
        """
        if self._place or segment.alone:
            return None
        if segment.question is None or number in self._given:
            return self._given.get(number)
        if number >= len(self._drafts) or splits(self._words, segment.question.options):
            return None
        return self._drafts[number]

    def _agrees(self, segment: Segment, logits: Logits, place: int, start: int) -> bool:
        """Fill a slot; whether what was read after it is what is now said there. If not, the past
        ends before the answer's last word.
        """
        assert segment.question is not None
        number = len(self.said)
        known = self._known(segment, number)
        chances: tuple[float, ...] = ()
        if number in self._given:
            text, end = self._given[number], start + place + 1
        else:
            text, chances, end = self._answer(segment.question.options, logits, place, start,
                                              known or '')
        if text != known:
            self._past = self._past.cut(end)
            self._waiting = spelled(self._words, text)[end - start - place - 1:]
        if number not in self._given:
            drafted = self._drafts[number] if number < len(self._drafts) else text
            self.replaced += drafted != text
        self.said.append(text)
        self.chances.append(chances)
        return text == known

    def _answer(self, options: Sequence[str], logits: Logits, place: int, start: int,
                drafted: str) -> tuple[str, tuple[float, ...], int]:
        """The best answer at a slot, the options' chances where it is one word of a plain set, and
        the tokens of text before its last word, all of which were read.

        Of an answer of several words those after the first are looked up in what was read while it
        agrees with the draft, then read one by one.
        """
        said: list[str] = []
        chances: tuple[float, ...] = ()
        end = start + place + 1
        while words := alternatives(options, said):
            ids = {word: self._words.word(word, len(said)) for word in words}
            if all(len(one) == 1 for one in ids.values()):
                own = logits[place, [one[0] for one in ids.values()]]
            else:
                own = self._whole(logits, place, end, list(ids.values()))
            word, chances = choice(own, words)
            said.append(word)
            if not alternatives(options, said):
                break
            if drafted.split()[:len(said)] == said:
                place += 1
            else:
                self._past = self._past.cut(end)
                logits, place = self.read(ids[word])[0], len(ids[word]) - 1
            end += len(ids[word])
        plain = not any('|' in option for option in options)
        return ' '.join(said), chances if plain else (), end

    def _whole(self, logits: Logits, place: int, end: int,
               options: Sequence[tuple[int, ...]]) -> NDArray[np.float64]:
        """The logarithm of each option's chance, all of its tokens together; the past ends at
        `end` before and after.
        """
        scores = []
        for ids in options:
            score = _log_chance(logits[place, :], ids[0])
            if len(ids) > 1:
                self._past = self._past.cut(end)
                rows, _ = self.read(ids[:-1])
                score += sum(_log_chance(rows[row, :], one) for row, one in enumerate(ids[1:]))
            scores.append(score)
        self._past = self._past.cut(end)
        return np.array(scores)


def spelled(words: Vocabulary, answer: str) -> list[int]:
    """Ids of an answer, all of its words."""
    return [one for place, word in enumerate(answer.split()) for one in words.word(word, place)]


def splits(words: Vocabulary, options: Sequence[str]) -> bool:
    """Whether a word of a closed set is more than one token."""
    return any(len(words.word(word, place)) > 1
               for place, those in enumerate(places(options)) for word in those)


def _log_chance(row: NDArray[Any], token: int) -> float:
    """Of one token among the whole vocabulary."""
    return float(row[token] - logsumexp(row))

# SPDX-License-Identifier: Apache-2.0
"""From what a model has seen to its answers and actions, reading everything once.

The prompt is read segment by segment onto the cached past. Where a question's answer is drafted
(what was said last time), reading goes on through the draft and the slots are checked in the same
pass: a draft that is not what the model says is replaced, the past is cut there, and reading goes
on from it. The result is that of reading without drafts.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from inspire_policy.action_codec import Codec
from inspire_policy.answer_set import alternatives, best
from inspire_policy.policy import UndecodableAction
from inspire_policy.prompt import Segment

Logits = NDArray[Any]


class Past(Protocol):
    """What was read so far. Reading on gives another; it can be cut back."""

    length: int   # tokens of text

    def cut(self, length: int) -> Past:
        """Only the first `length` tokens of text."""


class Reader(Protocol):
    """A model that continues a text; what it has seen is in the past it begins with."""

    def read(self, past: Any, ids: Sequence[int]) -> tuple[Logits, Any]:
        """Logits (len(ids), vocabulary) after each token, and the past with them."""


class Vocabulary(Protocol):
    """What a prompt needs of a tokenizer."""

    text_size: int

    def encode(self, marks: Sequence[str]) -> list[int]:
        """Ids of marks and plain text in turn."""

    def answer(self, text: str) -> list[int]:
        """Ids of an answer, one for each of its words."""


@dataclass(frozen=True)
class Spoken:
    """Answers in the order of the questions, the probabilities of each one's options (empty where
    an answer has several words), the actions' codes, seconds by stage, passes of the model, and
    how many drafts were replaced."""

    answers: tuple[str, ...]
    probabilities: tuple[tuple[float, ...], ...]
    codes: tuple[int, ...]
    timings: Mapping[str, float] = field(default_factory=dict)
    passes: int = 0
    replaced: int = 0


class Speaker:
    """Speaks by one model, tokenizer and codec."""

    def __init__(self, reader: Reader, words: Vocabulary, codec: Codec) -> None:
        self._reader, self._words, self._codec = reader, words, codec

    def speak(self, past: Any, prompt: Sequence[Segment], drafts: Sequence[str] = (),
              given: Mapping[int, str] | None = None) -> Spoken:
        """Read `prompt` onto `past` and fill its slots.

        drafts: of the first questions, to be checked. given: answers by the question's number that
        are not checked but taken. Raises UndecodableAction.
        """
        begin = time.perf_counter()
        turn = _Turn(self._reader, self._words, past, drafts, given or {})
        row = None
        while row is None:
            row = turn.read_on(prompt)
        answered = time.perf_counter()
        codes = self._act(turn, row)
        return Spoken(tuple(turn.said), tuple(turn.chances), tuple(codes),
                      {'answers': answered - begin, 'actions': time.perf_counter() - answered},
                      turn.passes, turn.replaced)

    def _act(self, turn: _Turn, row: Logits) -> list[int]:
        """Codes of a chunk, each the best of those allowed."""
        codes: list[int] = []
        while allowed := self._codec.allowed(codes):
            first = self._words.text_size + allowed.start
            own = np.asarray(row)[first:first + len(allowed)]
            if not np.isfinite(own).all():
                raise UndecodableAction(f'the logits of action code {len(codes)} are not finite')
            codes.append(allowed.start + int(np.argmax(own)))
            if self._codec.allowed(codes):
                row = turn.read([self._words.text_size + codes[-1]])[0][-1]
        return codes


class _Turn:
    """One decision under way: what was read, and what was said so far."""

    def __init__(self, reader: Reader, words: Vocabulary, past: Any, drafts: Sequence[str],
                 given: Mapping[int, str]) -> None:
        self.said: list[str] = []
        self.chances: list[tuple[float, ...]] = []
        self.passes = self.replaced = 0
        self._reader, self._words, self._past = reader, words, past
        self._drafts, self._given = drafts, given
        self._waiting: list[int] = []   # an answer that has still to be read

    def read(self, ids: Sequence[int]) -> tuple[Logits, int]:
        """Logits after each token, and the place of the first."""
        start = self._past.length
        logits, self._past = self._reader.read(self._past, ids)
        self.passes += 1
        return logits, start

    def read_on(self, prompt: Sequence[Segment]) -> Logits | None:
        """Read to the first slot of which nothing is known, and fill the slots on the way.

        Gives the logits of the first action code once all questions are answered.
        """
        run, slots = self._waiting, []
        for number in range(len(self.said), len(prompt)):
            run = run + self._words.encode(prompt[number].marks)
            slots.append(len(run) - 1)
            known = self._known(number)
            if prompt[number].question is None or known is None:
                break
            run = run + self._words.answer(known)
        logits, start = self.read(run)
        for place in slots:
            number = len(self.said)
            question = prompt[number].question
            if question is None:
                return logits[place]
            if not self._agrees(number, question.options, logits, place, start):
                self._past = self._past.cut(start + place + 1)
                self._waiting = self._words.answer(self.said[-1])
                break
        return None

    def _known(self, number: int) -> str | None:
        """The answer that is given or drafted for a question."""
        drafted = self._drafts[number] if number < len(self._drafts) else None
        return self._given.get(number, drafted)

    def _agrees(self, number: int, options: Sequence[str], logits: Logits, place: int,
                start: int) -> bool:
        """Fill a slot; whether what was read after it is what is now said there."""
        known = self._known(number)
        chances: tuple[float, ...] = ()
        if number in self._given:
            text = self._given[number]
        else:
            text, chances = self._answer(options, logits, place, start, known or '')
            self.replaced += known not in (None, text)
        self.said.append(text)
        self.chances.append(chances)
        return text == known

    def _answer(self, options: Sequence[str], logits: Logits, place: int, start: int,
                drafted: str) -> tuple[str, tuple[float, ...]]:
        """The best answer at a slot, and the options' chances where it is one word of a plain set.

        Of an answer of several words those after the first are looked up in what was read while it
        agrees with the draft, then read one by one.
        """
        said: list[str] = []
        chances: tuple[float, ...] = ()
        row = logits[place]
        while words := alternatives(options, said):
            ids = {word: self._words.answer(word)[0] for word in words}
            word, chances = best(row, ids, words)
            said.append(word)
            if not alternatives(options, said):
                break
            if drafted.split()[:len(said)] == said:
                row = logits[place + len(said)]
            else:
                self._past = self._past.cut(start + place + len(said))
                row = self.read(self._words.answer(word))[0][-1]
        plain = not any('|' in option for option in options)
        return ' '.join(said), chances if plain else ()

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
        turn = _Turn(self._reader, past)
        asked = [segment for segment in prompt if segment.question is not None]
        said: list[str] = []
        chances: list[tuple[float, ...]] = []
        waiting: list[int] = []
        replaced = 0
        at = 0
        while at < len(prompt):
            # Read on to the first slot of which nothing is known.
            run, slots = list(waiting), []
            for number, segment in enumerate(prompt[at:], start=at):
                run += self._words.encode(segment.marks)
                slots.append((number, len(run) - 1))
                known = _known(len(said) + len(slots) - 1, drafts, given)
                if segment.question is None or known is None:
                    break
                run += self._words.answer(known)
            logits, start = turn.read(run)
            for number, place in slots:
                question = prompt[number].question
                at = number + 1
                if question is None:
                    last = logits[place]
                    break
                known = _known(len(said), drafts, given)
                chance: tuple[float, ...] = ()
                if given is not None and len(said) in given:
                    text = given[len(said)]
                else:
                    text, chance = self._answer(turn, question.options, logits, place, start,
                                                known)
                said.append(text)
                chances.append(chance)
                if text != known:   # what was read after this slot does not count
                    replaced += known is not None
                    turn.cut(start + place + 1)
                    waiting = self._words.answer(text)
                    break
        answered = time.perf_counter()
        codes = self._act(turn, last)
        assert len(said) == len(asked)
        return Spoken(tuple(said), tuple(chances), tuple(codes),
                      {'answers': answered - begin, 'actions': time.perf_counter() - answered},
                      turn.passes, replaced)

    def _answer(self, turn: _Turn, options: Sequence[str], logits: Logits, place: int, start: int,
                known: str | None) -> tuple[str, tuple[float, ...]]:
        """The best answer at a slot; words after the first are read from the draft while they
        agree with it, else one by one."""
        drafted = known.split() if known is not None else []
        said: list[str] = []
        chance: tuple[float, ...] = ()
        row = logits[place]
        agrees = True
        while words := alternatives(options, said):
            word, shares = best(row, {each: self._words.answer(each)[0] for each in words}, words)
            said.append(word)
            chance = shares if len(said) == 1 else ()
            agrees = agrees and len(said) <= len(drafted) and drafted[len(said) - 1] == word
            if not alternatives(options, said):
                break
            if agrees:
                row = logits[place + len(said)]
            else:
                turn.cut(start + place + len(said))
                row = turn.read(self._words.answer(word))[0][-1]
        if len(said) > 1 or len(chance) != len(options):
            chance = ()
        return ' '.join(said), chance

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
    """The past of one decision, and how often it was read on."""

    def __init__(self, reader: Reader, past: Any) -> None:
        self._reader, self._past, self.passes = reader, past, 0

    def read(self, ids: Sequence[int]) -> tuple[Logits, int]:
        """Logits after each token, and the place of the first."""
        start = self._past.length
        logits, self._past = self._reader.read(self._past, ids)
        self.passes += 1
        return logits, start

    def cut(self, length: int) -> None:
        self._past = self._past.cut(length)


def _known(number: int, drafts: Sequence[str], given: Mapping[int, str] | None) -> str | None:
    if given is not None and number in given:
        return given[number]
    return drafts[number] if number < len(drafts) else None

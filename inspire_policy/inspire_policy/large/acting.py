# SPDX-License-Identifier: Apache-2.0
"""A policy made of a large model: it sees once a decision, answers, and acts from the same past.

A family says what stands before the text (`scene`) and what the text is (`segments`); everything
else is the same for all of them.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from inspire_labeler.question import Question
from inspire_policy.answer_set import holds
from inspire_policy.families.nano import EVERY, Reasoning, fitting
from inspire_policy.large.checkpoint import Checkpoint, Description
from inspire_policy.large.readers import KeepingReader, Scene
from inspire_policy.large.words import PretrainedWords
from inspire_policy.nano.checkpoint import CheckpointError
from inspire_policy.policy import (
    Answer,
    BadInstruction,
    Decision,
    PolicyError,
    PolicyObservation,
    Source,
)
from inspire_policy.prompt import Layout, Segment
from inspire_policy.speaking import Speaker
from inspire_policy.transcript import transcript

Picture = NDArray[np.uint8]
LONGEST_ANSWER = 12   # tokens; what an answer is counted as before it is known


class Writing(Protocol):
    """How a family is spoken to."""

    def picture(self, image: Picture, side: int) -> Picture:
        """An image as the family's towers were trained on it: (side, side, 3)."""

    def around(self, words: PretrainedWords, description: Description, instruction: str,
               observation: PolicyObservation) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Ids before and after the pictures."""

    def ahead(self, words: PretrainedWords, instruction: str) -> int:
        """How many ids of text `around` gives at most beside the first."""

    def segments(self, layout: Layout, instruction: str,
                 questions: Sequence[Question]) -> tuple[Segment, ...]:
        """What is read after what is seen."""


class LargePolicy:
    """See the module's docstring."""

    needs_truth = False

    def __init__(self, made: Checkpoint, writing: Writing, viewer: str,
                 reasoning: Reasoning) -> None:
        if made.description.viewer != viewer:
            raise CheckpointError('the checkpoint says left for the viewer '
                                  f'{made.description.viewer!r}, not {viewer!r}')
        self.checkpoint, self.reasoning = made, reasoning
        self.cameras: tuple[str, ...] = made.description.cameras
        self.forced: Mapping[str, str] = {}
        self.reader = KeepingReader(made.network)
        self._writing = writing
        self._speaker = Speaker(self.reader, made.words, made.codec)
        self._instruction = ''
        self._questions: tuple[Question, ...] = ()
        self._said: tuple[str, ...] = ()
        self._decisions = 0

    def reset(self, instruction: str, questions: Sequence[Question]) -> None:
        description = self.checkpoint.description
        for question in questions:
            if str(question.formulation) != description.formulation and self._asks:
                raise BadInstruction(f'this checkpoint was asked by {description.formulation}, '
                                     f'not by {question.formulation}')
        self._instruction, self._questions = instruction, tuple(questions)
        self._said, self._decisions = (), 0
        words = self.checkpoint.words
        length = self._writing.ahead(words, instruction) + self.checkpoint.codec.longest + sum(
            len(words.encode(segment.marks)) + LONGEST_ANSWER for segment in self._prompt())
        if length > description.size.text:
            raise BadInstruction(f'the prompt of this instruction may have {length} tokens; '
                                 f'valid: up to {description.size.text}')

    def decide(self, observation: PolicyObservation) -> Decision:
        begin = time.perf_counter()
        past = self.reader.see(self.scene(observation))
        seen = time.perf_counter()
        asked = self._asked
        said = self._speaker.speak(past, self._prompt(), self._drafts(), self._given(asked))
        self._said = said.answers
        self._decisions += 1
        answers = tuple(Answer(question, text, chances, None, Source.POLICY)
                        for question, text, chances in zip(asked, said.answers,
                                                           said.probabilities, strict=True))
        return Decision(answers=answers, transcript=transcript(self._instruction, answers),
                        actions=fitting(self.checkpoint.codec.decode(said.codes)),
                        timings={'see': seen - begin, **said.timings})

    def scene(self, observation: PolicyObservation) -> Scene:
        """What stands before the text of a decision."""
        side = self.checkpoint.description.size.towers[0].picture
        try:
            pictures = tuple(self._writing.picture(observation.images[name], side)
                             for name in self.cameras)
        except KeyError as name:
            raise PolicyError(f'no image of {name}; this policy looks through '
                              f'{", ".join(self.cameras)}') from None
        before, after = self._writing.around(self.checkpoint.words, self.checkpoint.description,
                                             self._instruction, observation)
        return Scene(pictures, before, after)

    def _prompt(self) -> tuple[Segment, ...]:
        asked = self._asked
        layout = self.checkpoint.description.layout if asked else Layout.NONE
        return self._writing.segments(layout, self._instruction, asked)

    @property
    def _asks(self) -> bool:
        return (self.checkpoint.description.layout is not Layout.NONE
                and self.reasoning is not Reasoning.OFF)

    @property
    def _asked(self) -> tuple[Question, ...]:
        return self._questions if self._asks else ()

    def _drafts(self) -> tuple[str, ...]:
        return self._said if self.reasoning is Reasoning.DRAFTED else ()

    def _given(self, asked: Sequence[Question]) -> dict[int, str]:
        """Answers that are not asked for: forced ones, or the last ones in between."""
        given: dict[int, str] = {}
        if self.reasoning is Reasoning.EVERY_N and self._decisions % EVERY and self._said:
            given = dict(enumerate(self._said))
        for number, question in enumerate(asked):
            if question.object in self.forced:
                given[number] = self.forced[question.object]
                if not holds(question.options, given[number]):
                    raise PolicyError(f'the forced answer {given[number]!r} about '
                                      f'{question.object!r}; valid: {", ".join(question.options)}')
        return given


def precision(name: str) -> Any:
    """torch's kind of number of that name. Raises ValueError."""
    import torch
    kinds = {'float32': torch.float32, 'bfloat16': torch.bfloat16, 'float64': torch.float64}
    if name not in kinds:
        raise ValueError(f'there is no precision {name!r}; valid: {", ".join(kinds)}')
    return kinds[name]

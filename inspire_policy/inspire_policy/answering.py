# SPDX-License-Identifier: Apache-2.0
"""What every learned policy does that answers before it acts, whatever network it is made of.

A family says how an observation is encoded (`_see`) and what the text is (`_prompt`); when is
asked, which answers stand in, drafts and forced ones, and what a decision is made of, is here.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from inspire_labeler.question import Question
from inspire_policy.action_codec import Codec
from inspire_policy.answer_set import holds
from inspire_policy.policy import (
    WIDEST_GRIPPER,
    Answer,
    BadInstruction,
    Decision,
    PolicyError,
    PolicyObservation,
    Source,
)
from inspire_policy.prompt import Layout, Segment
from inspire_policy.speaking import Speaker, Vocabulary
from inspire_policy.transcript import transcript

EVERY = 4            # decisions from one asking to the next, in the mode every_n
OVERSHOOT = 0.015    # m by which decoding may put a width outside what there is: a wrong late code


class Reasoning(StrEnum):
    """When questions are asked: each time; each time with the last answers as drafts; each
    EVERY-th time, the last answers standing in between; never."""

    FULL = 'full'
    DRAFTED = 'drafted'
    EVERY_N = 'every_n'
    OFF = 'off'


class Trained(Protocol):
    """What a checkpoint says of how it was trained."""

    @property
    def layout(self) -> Layout: ...
    @property
    def formulation(self) -> str: ...
    @property
    def viewer(self) -> str: ...
    @property
    def cameras(self) -> tuple[str, ...]: ...


class AnsweringPolicy(ABC):
    """See the module's docstring. `forced`, `placed`: answers, and places (3,) [m] where it reads
    places, by object that are put in place of its own;
    `tells_places`: whether it has learned how far away things are."""

    needs_truth = False
    tells_places = False

    def __init__(self, trained: Trained, reader: Any, words: Vocabulary, codec: Codec, viewer: str,
                 reasoning: Reasoning) -> None:
        """Raises ValueError where left is left for another viewer."""
        if trained.viewer != viewer:
            raise ValueError(f'the checkpoint says left for the viewer {trained.viewer!r}, not '
                             f'{viewer!r}')
        self.cameras: tuple[str, ...] = trained.cameras
        self.forced: Mapping[str, str] = {}
        self.placed: Mapping[str, NDArray[np.float64]] = {}
        self.reasoning = reasoning
        self._trained, self._codec = trained, codec
        self._speaker = Speaker(reader, words, codec)
        self._instruction = ''
        self._questions: tuple[Question, ...] = ()
        self._said: tuple[str, ...] = ()
        self._decisions = 0

    @abstractmethod
    def _see(self, observation: PolicyObservation) -> Any:
        """What is seen, encoded: the past that the text is read onto. Raises PolicyError."""

    def _ahead(self, observation: PolicyObservation) -> NDArray[np.float64] | None:
        """See Speaker.speak; None: nothing is blind."""
        return None

    @abstractmethod
    def _prompt(self, layout: Layout, questions: Sequence[Question]) -> tuple[Segment, ...]:
        """The text of a decision."""

    @abstractmethod
    def _refuse_longer(self, prompt: Sequence[Segment]) -> None:
        """Raises BadInstruction where there is no room for this prompt."""

    def reset(self, instruction: str, questions: Sequence[Question]) -> None:
        for question in questions:
            if str(question.formulation) != self._trained.formulation and self._asks:
                raise BadInstruction(f'this checkpoint was asked by {self._trained.formulation}, '
                                     f'not by {question.formulation}')
        self._instruction, self._questions = instruction, tuple(questions)
        self._said, self._decisions = (), 0
        self._refuse_longer(self._text())

    def decide(self, observation: PolicyObservation) -> Decision:
        begin = time.perf_counter()
        past = self._see(observation)
        seen = time.perf_counter()
        asked = self._asked
        placed = {number: self.placed[question.object] for number, question in enumerate(asked)
                  if question.object in self.placed}
        said = self._speaker.speak(past, self._text(), self._drafts(), self._given(asked), placed,
                                   self._ahead(observation))
        self._said = said.answers
        self._decisions += 1
        answers = tuple(Answer(question, text, chances, offset if self.tells_places else None,
                               Source.POLICY)
                        for question, text, chances, offset in zip(
                            asked, said.answers, said.probabilities, said.offsets, strict=True))
        return Decision(answers=answers, transcript=transcript(self._instruction, answers),
                        actions=fitting(self._codec.decode(said.codes)),
                        timings={'see': seen - begin, **said.timings})

    def _text(self) -> tuple[Segment, ...]:
        asked = self._asked
        return self._prompt(self._trained.layout if asked else Layout.NONE, asked)

    @property
    def _asks(self) -> bool:
        return self._trained.layout is not Layout.NONE and self.reasoning is not Reasoning.OFF

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

    def _unseen(self, camera: KeyError) -> PolicyError:
        """What is said where a camera's image is missing."""
        return PolicyError(f'no image of {camera}; this policy looks through '
                           f'{", ".join(self.cameras)}')


def fitting(actions: Any) -> Any:
    """Actions (H, 7) with widths that there are: decoding puts a shut gripper at -5 mm at times.

    What lies further outside is left, and refused by `Decision`.
    """
    width = actions[:, 6]
    near = (width > -OVERSHOOT) & (width < WIDEST_GRIPPER + OVERSHOOT)
    actions[:, 6] = np.where(near, width.clip(0.0, WIDEST_GRIPPER), width)
    return actions

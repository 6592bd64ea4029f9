# SPDX-License-Identifier: Apache-2.0
"""A policy made of a large model: it sees once a decision, answers, and acts from the same past.

A family says what stands before the text (`scene`) and what the text is (`segments`); everything
else is the same for all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from inspire_labeler.question import Question
from inspire_policy.answering import AnsweringPolicy, Reasoning
from inspire_policy.large.checkpoint import Checkpoint, Description, load
from inspire_policy.large.quantised import quantised
from inspire_policy.large.readers import KeepingReader, Scene
from inspire_policy.large.words import PretrainedWords
from inspire_policy.policy import BadInstruction, PolicyObservation
from inspire_policy.prompt import Layout, Segment

Picture = NDArray[np.uint8]
EIGHT_BITS = 'int8'
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


class LargePolicy(AnsweringPolicy):
    """See the module's docstring."""

    def __init__(self, made: Checkpoint, writing: Writing, viewer: str,
                 reasoning: Reasoning) -> None:
        self.checkpoint = made
        self.reader = KeepingReader(made.network)
        super().__init__(made.description, self.reader, made.words, made.codec, viewer, reasoning)
        self._writing = writing

    def scene(self, observation: PolicyObservation) -> Scene:
        """What stands before the text of a decision."""
        side = self.checkpoint.description.size.towers[0].picture
        try:
            pictures = tuple(self._writing.picture(observation.images[name], side)
                             for name in self.cameras)
        except KeyError as name:
            raise self._unseen(name) from None
        before, after = self._writing.around(self.checkpoint.words, self.checkpoint.description,
                                             self._instruction, observation)
        return Scene(pictures, before, after)

    def _see(self, observation: PolicyObservation) -> Any:
        return self.reader.see(self.scene(observation))

    def _prompt(self, layout: Layout, questions: Sequence[Question]) -> tuple[Segment, ...]:
        return self._writing.segments(layout, self._instruction, questions)

    def _refuse_longer(self, prompt: Sequence[Segment]) -> None:
        words, most = self.checkpoint.words, self.checkpoint.description.size.text
        length = self._writing.ahead(words, self._instruction) + self._codec.longest + sum(
            len(words.encode(segment.text)) + LONGEST_ANSWER for segment in prompt)
        if length > most:
            raise BadInstruction(f'the prompt of this instruction may have {length} tokens; '
                                 f'valid: up to {most}')


def created(family: str, writing: Writing, viewer: str, checkpoint: str | Path, reasoning: str,
            kind: str, device: str) -> LargePolicy:
    """The policy of a checkpoint's folder. kind: float32, bfloat16, float64, or int8 (the
    decoder's linear layers in 8 bits, on a processor); device: torch's.

    Raises CheckpointError (a ValueError) where they do not fit together.
    """
    if not checkpoint:
        raise ValueError(f'{family} needs a checkpoint; docs/families.md says how to take one in')
    if kind == EIGHT_BITS and device != 'cpu':
        raise ValueError(f'kind {kind} is for the device cpu, not {device}')
    made = load(Path(checkpoint), family, precision(kind))
    if kind == EIGHT_BITS:
        made = replace(made, network=quantised(made.network))
    made.network.to(device)
    return LargePolicy(made, writing, viewer, Reasoning(reasoning))


def precision(name: str) -> torch.dtype:
    """torch's kind of number that weights are read in. Raises ValueError."""
    kinds = {'float32': torch.float32, 'bfloat16': torch.bfloat16, 'float64': torch.float64,
             EIGHT_BITS: torch.float32}
    if name not in kinds:
        raise ValueError(f'there is no precision {name!r}; valid: {", ".join(kinds)}')
    return kinds[name]

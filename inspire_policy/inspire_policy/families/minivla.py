# SPDX-License-Identifier: Apache-2.0
"""MiniVLA and InspireVLA-1B: Qwen2.5-0.5B behind DINOv2 and SigLIP, questions first.

The text is Qwen's chat: a turn for each question, then one that asks for actions. The pictures
stand after its first token, and all of it is causal: each question extends what was read.
Nobody has yet run it on the published weights: docs/families.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inspire_labeler.question import Question
from inspire_policy.large.acting import LargePolicy, created
from inspire_policy.large.checkpoint import Description
from inspire_policy.large.words import PretrainedWords
from inspire_policy.policy import PolicyObservation
from inspire_policy.prompt import Layout, Segment, plain

START, END = '<|im_start|>', '<|im_end|>'
SYSTEM = ('system\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.', END,
          '\n')   # as every published prompt begins


def create(viewer: str = 'libero', checkpoint: str | Path = '', reasoning: str = 'full',
           kind: str = 'float32', device: str = 'cpu') -> LargePolicy:
    """Make the policy; see `created`."""
    return created('minivla', Chat(), viewer, checkpoint, reasoning, kind, device)


class Chat:
    """See the module's docstring."""

    def picture(self, image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
        """Stretched to a square, bicubic: `resize-naive`, as the published models were trained."""
        made = Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC)
        return np.asarray(made, dtype=np.uint8)

    def around(self, words: PretrainedWords, description: Description, instruction: str,
               observation: PolicyObservation) -> tuple[tuple[int, ...], tuple[int, ...]]:
        return (words.one(START),), ()

    def ahead(self, words: PretrainedWords, instruction: str) -> int:
        return 0

    def segments(self, layout: Layout, instruction: str,
                 questions: Sequence[Question]) -> tuple[Segment, ...]:
        asked = list(questions) if layout is Layout.VQA_FIRST else []
        turns = [turn(question.text) for question in asked]
        turns.append(turn(f'What action should the robot take to {plain(instruction)}?'))
        return tuple(
            Segment((*(SYSTEM if not number else (END, '\n')), *marks), question)
            for number, (marks, question) in enumerate(zip(turns, [*asked, None], strict=True)))


def turn(said: str) -> tuple[str, ...]:
    """What a person says, and the beginning of what comes back."""
    return START, f'user\n{said}', END, '\n', START, 'assistant\n'

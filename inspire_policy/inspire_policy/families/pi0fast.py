# SPDX-License-Identifier: Apache-2.0
"""pi0-FAST: PaliGemma, with the actions as FAST tokens.

The pictures, the instruction and the arm's state attend to all of each other; so questions come
after them, where what was read stays as it is. A camera that is absent takes no place at all.
Nobody has yet run it on the published weights: docs/families.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from inspire_labeler.question import Question
from inspire_policy.large.acting import LargePolicy, created
from inspire_policy.large.checkpoint import STATES, Description
from inspire_policy.large.words import PretrainedWords
from inspire_policy.policy import PolicyObservation
from inspire_policy.prompt import Layout, Segment

BEGIN, END, BAR = '<bos>', '<eos>', '|'
STATE = STATES['pi0fast']
BINS = 256


def create(viewer: str = 'libero', checkpoint: str | Path = '', reasoning: str = 'full',
           kind: str = 'float32', device: str = 'cpu') -> LargePolicy:
    """Make the policy; see `created`."""
    return created('pi0fast', Task(), viewer, checkpoint, reasoning, kind, device)


class Task:
    """See the module's docstring."""

    def picture(self, image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
        """Scaled to fit a square, the rest black: as the published models were trained."""
        height, width = image.shape[:2]
        scale = side / max(height, width)
        fitted = cv2.resize(image, (max(1, round(width * scale)), max(1, round(height * scale))),
                            interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        framed = np.zeros((side, side, 3), np.uint8)
        top, left = ((side - one) // 2 for one in fitted.shape[:2])
        framed[top:top + fitted.shape[0], left:left + fitted.shape[1]] = fitted
        return framed

    def around(self, words: PretrainedWords, description: Description, instruction: str,
               observation: PolicyObservation) -> tuple[tuple[int, ...], tuple[int, ...]]:
        assert description.state is not None
        scaled = description.state.normal(arm_state(observation))
        text = tuple(words.encode([prefix(instruction, scaled)]))
        begin = (words.one(BEGIN),)
        return (), (*begin, *text) if description.begin == 'first' else (*text, *begin)

    def ahead(self, words: PretrainedWords, instruction: str) -> int:
        return len(words.encode([prefix(instruction, np.ones(STATE))]))

    def segments(self, layout: Layout, instruction: str,
                 questions: Sequence[Question]) -> tuple[Segment, ...]:
        asked = list(questions) if layout is Layout.INSTRUCT_FIRST else []
        marks = [*((f'Question: {question.text} Answer:',) for question in asked), ('Action: ',)]
        return tuple(
            Segment(((';\n',) if number else ()) + mark, question)
            for number, (mark, question) in enumerate(zip(marks, [*asked, None], strict=True)))


def prefix(instruction: str, scaled: NDArray[np.float64]) -> str:
    """Instruction and state (numbers of about -1 to 1, each one of 256 bins) as the model reads
    them.
    """
    task = instruction.strip().lower().replace('_', ' ').replace('\n', ' ')
    bins = np.digitize(scaled, np.linspace(-1.0, 1.0, BINS + 1)[:-1]) - 1
    return f'Task: {task}, State: {" ".join(map(str, bins.tolist()))};\n'


def arm_state(observation: PolicyObservation) -> NDArray[np.float64]:
    """(8,): position of the tcp [m], its rotation vector [rad], how far each of the two fingers is
    from the middle [m], as in the data of LIBERO.
    """
    turned = Rotation.from_quat(observation.tcp.quaternion).as_rotvec()
    finger = observation.gripper_width / 2
    return np.array([*observation.tcp.position, *turned, finger, -finger])

# SPDX-License-Identifier: Apache-2.0
"""The small learned policy: it looks at two cameras, says where things are, and moves.

It never sees the truth. What it is made of lies in a checkpoint's folder; the one that is shipped
lies in the package. Once a decision it encodes what it sees; the questions and the actions read on
from there.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np

from inspire_labeler.question import Question
from inspire_policy.action_codec import Codec
from inspire_policy.answer_set import holds
from inspire_policy.nano import checkpoint
from inspire_policy.nano.arm_state import arm_state
from inspire_policy.nano.checkpoint import Checkpoint
from inspire_policy.nano.readers import SEE, OnnxReader, TorchReader
from inspire_policy.pictures import prepare
from inspire_policy.policy import (
    WIDEST_GRIPPER,
    Answer,
    BadInstruction,
    Decision,
    PolicyError,
    PolicyObservation,
    Source,
)
from inspire_policy.prompt import Layout, segments
from inspire_policy.speaking import Speaker
from inspire_policy.transcript import transcript
from piper_driver.pose import Pose

SHIPPED = Path(__file__).resolve().parents[1] / 'nano' / 'shipped'
THREADS = 2          # more do not pay for a network of this size
EVERY = 4            # decisions from one asking to the next, in the mode every_n
OVERSHOOT = 0.015    # m by which decoding may put a width outside what there is: a wrong late code


class Reasoning(StrEnum):
    """When questions are asked: each time; each time with the last answers as drafts; each
    EVERY-th time, the last answers standing in between; never."""

    FULL = 'full'
    DRAFTED = 'drafted'
    EVERY_N = 'every_n'
    OFF = 'off'


def create(viewer: str = 'libero', checkpoint: str | Path = '', reasoning: str = 'full',
           backend: str = 'onnx', threads: int | str = 0) -> NanoPolicy:
    """Make the policy. checkpoint: its folder ('': the shipped one); backend: onnx or torch.

    Raises CheckpointError (a ValueError) where they do not fit together.
    """
    if not checkpoint and not SHIPPED.exists():
        raise ValueError('no checkpoint of nano is shipped with this version; name one '
                         '(checkpoint), as docs/training.md says how to make it')
    return NanoPolicy(Path(checkpoint or SHIPPED), viewer, Reasoning(reasoning), backend,
                      int(threads) or min(THREADS, os.cpu_count() or 1))


class NanoPolicy:
    """See the module's docstring."""

    needs_truth = False

    def __init__(self, folder: Path, viewer: str, reasoning: Reasoning, backend: str,
                 threads: int) -> None:
        self.checkpoint: Checkpoint = checkpoint.load(folder)
        description = self.checkpoint.description
        if description.viewer != viewer:
            raise checkpoint.CheckpointError(
                f'{folder} says left for the viewer {description.viewer!r}, not {viewer!r}')
        self.cameras: tuple[str, ...] = description.cameras
        self.forced: Mapping[str, str] = {}
        self.reasoning = reasoning
        self._reader = _reader(self.checkpoint, folder, backend, threads)
        self._speaker = Speaker(self._reader, self.checkpoint.words, self._codec)
        self._instruction = ''
        self._questions: tuple[Question, ...] = ()
        self._said: tuple[str, ...] = ()
        self._decisions = 0
        self._width: float | None = None

    @property
    def _codec(self) -> Codec:
        return self.checkpoint.codec

    def reset(self, instruction: str, questions: Sequence[Question]) -> None:
        trained = self.checkpoint.description.formulation
        for question in questions:
            if str(question.formulation) != trained and self._asks:
                raise BadInstruction(f'this checkpoint was asked by {trained}, not by '
                                     f'{question.formulation}')
        self._instruction = instruction
        self._questions = tuple(questions)
        self._said = ()
        self._decisions = 0
        self._width = None
        prompt = segments(self._layout, instruction, self._questions)
        words = self.checkpoint.words
        length = sum(len(words.encode(segment.marks)) + 3 for segment in prompt)
        most = self.checkpoint.description.size.text - self._codec.longest
        if length > most:
            raise BadInstruction(f'the prompt of this instruction has {length} tokens; valid: up '
                                 f'to {most}')

    @property
    def _layout(self) -> Layout:
        return self.checkpoint.description.layout

    @property
    def _asks(self) -> bool:
        return self._layout is not Layout.NONE and self.reasoning is not Reasoning.OFF

    def decide(self, observation: PolicyObservation) -> Decision:
        begin = time.perf_counter()
        past = self._reader.see(self._pictures(observation), self._state(observation))
        seen = time.perf_counter()
        asked = self._questions if self._asks else ()
        layout = self._layout if asked else Layout.NONE
        said = self._speaker.speak(past, segments(layout, self._instruction, asked),
                                   self._drafts(), self._given(asked))
        self._said = said.answers
        self._decisions += 1
        actions = fitting(self._codec.decode(said.codes))
        self._width = float(actions[-1, 6])
        answers = tuple(Answer(question, text, chances, None, Source.POLICY)
                        for question, text, chances in zip(asked, said.answers,
                                                           said.probabilities, strict=True))
        return Decision(answers=answers, transcript=transcript(self._instruction, answers),
                        actions=actions,
                        timings={'see': seen - begin, **said.timings})

    def _drafts(self) -> tuple[str, ...]:
        return self._said if self.reasoning is Reasoning.DRAFTED else ()

    def _given(self, asked: Sequence[Question]) -> dict[int, str]:
        """Answers that are not asked for: forced ones, or the last ones in between."""
        given = {}
        if self.reasoning is Reasoning.EVERY_N and self._decisions % EVERY and self._said:
            given = dict(enumerate(self._said))
        for number, question in enumerate(asked):
            if question.object in self.forced:
                given[number] = self.forced[question.object]
                if not holds(question.options, given[number]):
                    raise PolicyError(f'the forced answer {given[number]!r} about '
                                      f'{question.object!r}; valid: {", ".join(question.options)}')
        return given

    def _pictures(self, observation: PolicyObservation) -> list[Any]:
        sides = self.checkpoint.description.size.picture
        try:
            return [prepare(prepare(observation.images[name], sides[0]), side)
                    for name, side in zip(self.cameras, sides, strict=True)]
        except KeyError as name:
            raise PolicyError(f'no image of {name}; this policy looks through '
                              f'{", ".join(self.cameras)}') from None
        except ValueError as error:
            raise PolicyError(str(error)) from None

    def _state(self, observation: PolicyObservation) -> Any:
        commanded = observation.commanded or observation.tcp
        width = observation.gripper_width if self._width is None else self._width
        raw = arm_state(observation.gripper_width, numbers(commanded), width)
        return self.checkpoint.description.state.normal(raw).astype(np.float32)


def fitting(actions: Any) -> Any:
    """Actions (H, 7) with widths that there are: decoding puts a shut gripper at -5 mm at times.

    What lies further outside is left, and refused by `Decision`.
    """
    width = actions[:, 6]
    near = (width > -OVERSHOOT) & (width < WIDEST_GRIPPER + OVERSHOOT)
    actions[:, 6] = np.where(near, width.clip(0.0, WIDEST_GRIPPER), width)
    return actions


def numbers(pose: Pose) -> Any:
    """(7,): xyz [m], quaternion xyzw."""
    return np.concatenate([pose.position, pose.quaternion])


def _reader(made: Checkpoint, folder: Path, backend: str, threads: int) -> Any:
    if backend == 'onnx':
        if not (folder / SEE).exists():
            raise checkpoint.CheckpointError(
                f'{folder} has no {SEE}; use backend torch, or export it: ./inspire train '
                f'--export {folder}')
        return OnnxReader(folder, threads)
    if backend == 'torch':
        return TorchReader(made.network())
    raise ValueError(f'there is no backend {backend!r}; valid: onnx, torch')

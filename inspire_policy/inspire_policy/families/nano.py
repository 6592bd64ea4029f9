# SPDX-License-Identifier: Apache-2.0
"""The small learned policy: it looks at two cameras, says where things are, and moves.

It never sees the truth. What it is made of lies in a checkpoint's folder; the one that is shipped
lies in the package. Once a decision it encodes what it sees; the questions and the actions read on
from there.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from inspire_labeler.question import Question
from inspire_labeler.viewer import viewer as preset
from inspire_policy.answering import AnsweringPolicy, Reasoning
from inspire_policy.checkpoint_file import CheckpointError
from inspire_policy.nano import checkpoint
from inspire_policy.nano.arm_state import arm_state, tool_axes
from inspire_policy.nano.checkpoint import Checkpoint
from inspire_policy.nano.readers import SEE, OnnxReader, TorchReader, arm_numbers
from inspire_policy.pictures import prepare
from inspire_policy.policy import BadInstruction, Decision, PolicyError, PolicyObservation
from inspire_policy.prompt import Layout, Segment, segments
from piper_driver.pose import Pose

SHIPPED = Path(__file__).resolve().parents[1] / 'nano' / 'shipped'
THREADS = 2          # more do not pay for a network of this size


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


class NanoPolicy(AnsweringPolicy):
    """See the module's docstring."""

    def __init__(self, folder: Path, viewer: str, reasoning: Reasoning, backend: str,
                 threads: int) -> None:
        self.checkpoint: Checkpoint = checkpoint.load(folder)
        self._reader = _reader(self.checkpoint, folder, backend, threads)
        super().__init__(self.checkpoint.description, self._reader, self.checkpoint.words,
                         self.checkpoint.codec, viewer, reasoning)
        self.tells_places = self.checkpoint.description.places
        self._rotation = preset(viewer).rotation_base_to_viewer
        self._width: float | None = None    # as the gripper was last told [m]

    def reset(self, instruction: str, questions: Sequence[Question]) -> None:
        super().reset(instruction, questions)
        self._width = None

    def decide(self, observation: PolicyObservation) -> Decision:
        decision = super().decide(observation)
        self._width = float(decision.actions[-1, 6])
        return decision

    def _see(self, observation: PolicyObservation) -> Any:
        state = self._state(observation)
        axes = tool_axes(observation.tcp.quaternion, self._rotation)
        return self._reader.see(self._pictures(observation), state,
                                arm_numbers(state, self._ahead(observation), axes))

    def _ahead(self, observation: PolicyObservation) -> Any:
        start = observation.commanded or observation.tcp
        return self._rotation @ (start.position - observation.tcp.position)

    def _prompt(self, layout: Layout, questions: Sequence[Question]) -> tuple[Segment, ...]:
        return tuple(segments(layout, self._instruction, questions))

    def _refuse_longer(self, prompt: Sequence[Segment]) -> None:
        words = self.checkpoint.words
        answers = sum(1 + len(segment.marks) - len(segment.text) for segment in prompt)
        length = 3 * answers + sum(len(words.encode(segment.text)) for segment in prompt)
        most = self.checkpoint.description.size.text - self._codec.longest
        if length > most:
            raise BadInstruction(f'the prompt of this instruction has {length} tokens; valid: up '
                                 f'to {most}')

    def _pictures(self, observation: PolicyObservation) -> list[Any]:
        sides = self.checkpoint.description.size.picture
        try:
            return [prepare(prepare(observation.images[name], sides[0]), side)
                    for name, side in zip(self.cameras, sides, strict=True)]
        except KeyError as name:
            raise self._unseen(name) from None
        except ValueError as error:
            raise PolicyError(str(error)) from None

    def _state(self, observation: PolicyObservation) -> Any:
        commanded = observation.commanded or observation.tcp
        width = observation.gripper_width if self._width is None else self._width
        raw = arm_state(observation.gripper_width, observation.gripper_velocity,
                        numbers(commanded), width)
        description = self.checkpoint.description
        return description.state.normal(raw[:description.size.state]).astype(np.float32)


def numbers(pose: Pose) -> Any:
    """(7,): xyz [m], quaternion xyzw."""
    return np.concatenate([pose.position, pose.quaternion])


def _reader(made: Checkpoint, folder: Path, backend: str, threads: int) -> Any:
    if backend == 'onnx':
        if not (folder / SEE).exists():
            raise CheckpointError(
                f'{folder} has no {SEE}; use backend torch, or export it: ./inspire train '
                f'--export {folder}')
        return OnnxReader(folder, threads)
    if backend == 'torch':
        return TorchReader(made.network())
    raise ValueError(f'there is no backend {backend!r}; valid: onnx, torch')

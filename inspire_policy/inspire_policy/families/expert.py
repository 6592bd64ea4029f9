# SPDX-License-Identifier: Apache-2.0
"""The scripted expert behind the policy protocol: it reads the simulation's truth, and says so.

It asks the questions that a learned policy asks and answers them by the rule that makes the
labels, at the same instant; then it acts as the script has it. So the graph, the recorder and the
evaluation can be tried with a policy that is right, and demonstrations come with the words that
belong to them.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from inspire_labeler.catalogue import Catalogue, CatalogueError
from inspire_labeler.question import Question
from inspire_labeler.rule import answer
from inspire_labeler.viewer import Viewer, viewer
from inspire_policy.catalogue_file import default_catalogue
from inspire_policy.policy import (
    Answer,
    BadInstruction,
    Decision,
    PolicyObservation,
    Source,
    UnknownObject,
)
from inspire_policy.transcript import transcript
from inspire_sim.expert import Expert
from inspire_sim.tasks import UnknownTask, find

if TYPE_CHECKING:
    from inspire_sim.world import Truth

CHUNK = 8  # steps, as in the paper's base model


def create(viewer: str = 'libero', catalogue: str | Path = '') -> ExpertPolicy:
    """Make the expert. `viewer`: a preset's name; `catalogue`: objects.yaml, '': the labeler's
    own.
    """
    return ExpertPolicy(viewer, Catalogue.load(catalogue or default_catalogue()))


class ExpertPolicy:
    """Answers from the truth by the rule, acts by the script."""

    needs_truth = True
    cameras: tuple[str, ...] = ()

    def __init__(self, viewer_name: str, catalogue: Catalogue) -> None:
        self._viewer: Viewer = viewer(viewer_name)
        self._catalogue = catalogue
        self._instruction = ''
        self._questions: tuple[Question, ...] = ()
        self._frames: tuple[str, ...] = ()
        self._expert: Expert | None = None

    def reset(self, instruction: str, questions: Sequence[Question]) -> None:
        self._instruction = instruction
        self._questions = tuple(questions)
        self._frames = ()
        self._expert = None

    def decide(self, observation: PolicyObservation) -> Decision:
        truth = observation.truth
        if truth is None:
            raise ValueError('the expert needs the truth in its observations (needs_truth)')
        begin = time.perf_counter()
        if self._expert is None:
            self._expert = self._begin(truth)
        answers = tuple(
            self._answer(question, frame, truth)
            for question, frame in zip(self._questions, self._frames, strict=True)
        )
        answered = time.perf_counter()
        actions = self._expert.plan(truth, CHUNK, observation.commanded)
        finished = time.perf_counter()
        return Decision(
            answers=answers,
            transcript=transcript(self._instruction, answers),
            actions=actions,
            timings={'answers': answered - begin, 'actions': finished - answered},
            done=self._expert.done,
        )

    def _begin(self, truth: Truth) -> Expert:
        """Resolve what the instruction names, once: "the left bowl" stays the same bowl."""
        rotation = self._viewer.rotation_base_to_viewer
        positions = {
            frame: (rotation @ pose.position).tolist() for frame, pose in truth.objects.items()
        }
        try:
            self._frames = tuple(
                self._catalogue.resolve(question.object, positions)
                for question in self._questions
            )
            _, variant = find(self._instruction)
        except CatalogueError as error:
            raise UnknownObject(str(error)) from error
        except UnknownTask as error:
            raise BadInstruction(f'the expert has no script for this: {error}') from error
        return Expert(variant, self._viewer.yaw)

    def _answer(self, question: Question, frame: str, truth: Truth) -> Answer:
        """Answer by the rule, from the truth at the observation's stamp."""
        rotation = self._viewer.rotation_base_to_viewer
        if frame not in truth.objects:
            raise UnknownObject(
                f"'{question.object}' ({frame}) is gone; there is now: "
                f'{", ".join(sorted(truth.objects)) or "nothing"}'
            )
        offset = rotation @ (truth.objects[frame].position - truth.tcp.position)
        text = answer(offset, frame in truth.grasped, question.formulation)
        sure = one_hot(text, question.options)
        return Answer(question, text, sure, offset, Source.EXPERT, frame)


def one_hot(text: str, options: tuple[str, ...]) -> tuple[float, ...]:
    """Return the probabilities of one who is sure; empty where the answer is no single option."""
    if text not in options:
        return ()
    return tuple(float(option == text) for option in options)

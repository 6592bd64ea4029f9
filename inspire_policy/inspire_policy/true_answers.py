# SPDX-License-Identifier: Apache-2.0
"""What the answers to an episode's questions should be, now: from the truth, by the labels' rule.

What a phrase means is settled once, at the episode's start ("the left bowl" stays the same bowl),
as is the part it plays: it is moved, it is the target, or neither. The phase of the episode is
told by the moved object alone: `before` it was held at any observation so far, while it is held
(`holding`), or `after`, when it was held and is not now, because it was laid down or dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inspire_labeler.boundary import boundary_distance
from inspire_labeler.catalogue import Catalogue
from inspire_labeler.question import Question
from inspire_labeler.rule import answer
from inspire_labeler.viewer import Viewer
from inspire_policy.catalogue_file import default_catalogue
from inspire_sim.tasks import find

if TYPE_CHECKING:
    from inspire_sim.world import Truth

MOVED, TARGET, OTHER = 'moved', 'target', 'other'
BEFORE, HOLDING, AFTER = 'before', 'holding', 'after'
ROLES = (MOVED, TARGET, OTHER)
PHASES = (BEFORE, HOLDING, AFTER)


@dataclass(frozen=True)
class TrueAnswer:
    """The answer to one question. margin: the least error of the offset that would change it [m];
    infinite where the object is grasped, whose word does not hang on the offset. offset: object
    minus tcp in the viewer frame [m], (3,)."""

    question: Question
    role: str
    word: str
    margin: float
    offset: NDArray[np.float64] = field(compare=False)


class TrueAnswers:
    """The answers to one episode's questions, at one instant after the other."""

    def __init__(self, instruction: str, questions: Sequence[Question], truth: Truth,
                 viewer: Viewer) -> None:
        """Settle what the phrases mean. Raises CatalogueError, UnknownTask, KeyError."""
        self._turn = viewer.rotation_base_to_viewer
        places = {frame: pose.position for frame, pose in truth.objects.items()}
        seen = {frame: (self._turn @ place).tolist() for frame, place in places.items()}
        _, variant = find(instruction)
        self.moved = variant.moved.resolve(places, viewer.yaw)
        target = variant.target.resolve(places, viewer.yaw) if variant.target else ''
        roles = {target: TARGET, self.moved: MOVED}
        self._asked = []
        for question in questions:
            frame = _catalogue().resolve(question.object, seen)
            self._asked.append((question, frame, roles.get(frame, OTHER)))
        self._held = False

    def phase(self, truth: Truth) -> str:
        """Where the episode stands; to be asked at each observation, in their order."""
        if self.moved in truth.grasped:
            self._held = True
            return HOLDING
        return AFTER if self._held else BEFORE

    def now(self, truth: Truth) -> tuple[TrueAnswer, ...]:
        """The answers at an instant, in the order of the questions."""
        return tuple(self._answer(question, frame, role, truth)
                     for question, frame, role in self._asked)

    def _answer(self, question: Question, frame: str, role: str, truth: Truth) -> TrueAnswer:
        offset = self._turn @ (truth.objects[frame].position - truth.tcp.position)
        grasped = frame in truth.grasped
        margin = float('inf') if grasped else boundary_distance(offset, question.formulation)
        return TrueAnswer(question, role, answer(offset, grasped, question.formulation), margin,
                          offset)


@lru_cache(maxsize=1)
def _catalogue() -> Catalogue:
    return Catalogue.load(default_catalogue())

# SPDX-License-Identifier: Apache-2.0
"""What is asked about an instruction: one question per object, in the order of mention."""

from __future__ import annotations

from dataclasses import dataclass

from inspire_labeler.formulation import OPTIONS, TEMPLATES, Formulation
from inspire_labeler.instruction import objects_in


@dataclass(frozen=True)
class Question:
    """A question and its closed set of answers.

    object: the phrase as the instruction names it, "the blue cup". options: the allowed answers;
    of direction_3d and location_3d, whose answers are a product, position by position with `|`
    between alternatives, then `grasped` (as in inspire_msgs/SpatialQuestion).
    """

    formulation: Formulation
    object: str
    text: str
    options: tuple[str, ...]


def questions(
    instruction: str, formulation: Formulation = Formulation.DIRECTION
) -> tuple[Question, ...]:
    """The questions of an instruction. Raises InstructionError where it names no object."""
    return tuple(question(phrase, formulation) for phrase in objects_in(instruction))


def question(phrase: str, formulation: Formulation = Formulation.DIRECTION) -> Question:
    """The question about one object, given as a phrase with its article: "the blue cup"."""
    return Question(formulation, phrase, TEMPLATES[formulation].format(phrase),
                    OPTIONS[formulation])

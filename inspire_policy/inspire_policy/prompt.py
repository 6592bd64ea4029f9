# SPDX-License-Identifier: Apache-2.0
"""What a model reads and where it speaks: one description for training and for acting.

A prompt is a row of segments. After each the model fills a slot: the answer of a question, or the
actions. What fills a slot is read by the model before the next segment begins. Training
puts the truth there and takes its loss on the slots alone, by position, so a direction word inside
a question is never supervised; acting puts there what the model itself said.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from inspire_labeler.question import Question


class Layout(StrEnum):
    """Where the questions stand: before the instruction (the paper's way), before one that leaves
    out what they name, each for itself before one that has the answers in the place of names,
    the same before actions for which no picture is looked at, after it, nowhere."""

    VQA_FIRST = 'vqa_first'
    NAMED_ONCE = 'named_once'
    ANSWERS_FOR_NAMES = 'answers_for_names'
    ANSWERS_FOR_PICTURES = 'answers_for_pictures'
    INSTRUCT_FIRST = 'instruct_first'
    NONE = 'none'


class Mark(StrEnum):
    """Fixed text that a small model reads as one token each."""

    DO = '<do>'            # What action should the robot take to
    ACT = '<act>'          # ?  Now the actions.
    ANSWER = '<answer>'    # relative to the robot?  Now the answer.
    DIRECTION = '<direction>'          # In which direction is
    DIRECTION_3D = '<direction_3d>'
    PROXIMITY = '<proximity>'
    LOCATION_3D = '<location_3d>'
    DISTANCE = '<distance>'


@dataclass(frozen=True)
class Segment:
    """Text, and what is said after it: `question` (None: the actions).

    marks: marks and plain text in turn, as a small model reads it; a number stands for what was
    said in the slot of this number. alone: it is read as if nothing but the scene was read before;
    blind: and of the scene nothing but how the arm stands.
    """

    marks: tuple[str | int, ...]
    question: Question | None
    alone: bool = False
    blind: bool = False

    @property
    def text(self) -> tuple[str, ...]:
        """What of the marks is written, whatever was said."""
        return tuple(mark for mark in self.marks if isinstance(mark, str))


def segments(layout: Layout, instruction: str,
             questions: Sequence[Question]) -> tuple[Segment, ...]:
    """The prompt of an instruction (without questions in the layout NONE)."""
    if layout is Layout.NAMED_ONCE:
        instruction = unnamed(instruction, questions)
    do: tuple[str | int, ...] = (Mark.DO, plain(instruction))
    asked = [Segment(ask(question), question) for question in questions]
    if layout is Layout.NONE or not asked:
        return (Segment((*do, Mark.ACT), None),)
    if layout in (Layout.ANSWERS_FOR_NAMES, Layout.ANSWERS_FOR_PICTURES):
        do = (Mark.DO, *answered(instruction, questions))
        return (*(replace(one, alone=True) for one in asked),
                Segment((*do, Mark.ACT), None, True, layout is Layout.ANSWERS_FOR_PICTURES))
    if layout is not Layout.INSTRUCT_FIRST:
        return (*asked, Segment((*do, Mark.ACT), None))
    first = Segment((*do, *asked[0].marks), asked[0].question)
    return (first, *asked[1:], Segment((Mark.ACT,), None))


def ask(question: Question) -> tuple[str, ...]:
    """A question as a small model reads it: one token each side of the object's name."""
    return (Mark[question.formulation.name], plain(question.object), Mark.ANSWER)


def unnamed(instruction: str, questions: Sequence[Question]) -> str:
    """The instruction without its objects: "put on" of "put the ball on the book".

    What is to be done then says nothing of with what, and has to be taken from the answers.
    """
    left = plain(instruction)
    for question in questions:
        left = re.sub(rf'\b{re.escape(plain(question.object))}\b', ' ', left)
    return left


def answered(instruction: str, questions: Sequence[Question]) -> tuple[str | int, ...]:
    """The instruction with the numbers of the questions in the place of their objects' names: put,
    0, on, 1. What it does not name as the questions do comes last.

    What is to be done then hangs on what was answered, and on nothing that was read to answer.
    """
    numbers = {plain(question.object): number for number, question in enumerate(questions)}
    names = '|'.join(re.escape(name) for name in sorted(numbers, key=len, reverse=True))
    pieces = [piece.strip() for piece in re.split(rf'\b({names})\b', plain(instruction))]
    marks = [numbers.get(piece, piece) for piece in pieces if piece]
    return (*marks, *(number for number in numbers.values() if number not in marks))


def plain(text: str) -> str:
    """Lower case, single spaces, no stop at the end: as instructions are said in training."""
    return ' '.join(text.lower().split()).rstrip('.!? ')

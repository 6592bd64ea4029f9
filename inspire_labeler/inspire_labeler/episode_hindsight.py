# SPDX-License-Identifier: Apache-2.0
"""Labels in hindsight from a bag's messages, and their error where the truth is known too."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from inspire_labeler import cdr
from inspire_labeler.boundary import boundary_distance
from inspire_labeler.hindsight import Array, Stamps, Track, label_episode
from inspire_labeler.instruction import InstructionError
from inspire_labeler.labelling import Labels, LabelSettings
from inspire_labeler.recompute import (
    CAMERA,
    EXECUTED,
    GRIPPER_JOINT,
    INSTRUCTION,
    JOINTS,
    TF,
    TF_STATIC,
    Message,
)
from inspire_labeler.rule import answer
from inspire_labeler.transform_history import (
    SECOND,
    MissingTransform,
    TransformHistory,
    conjugate,
    rotate,
)

# Between a width and the one commanded at the same instant, where they are one [m].
_SAME_WIDTH = 1e-4
# The whole episode is kept.
_WINDOW = 10**9 * SECOND


class HindsightLabel(NamedTuple):
    """One object at one observation, in hindsight. offset: viewer frame [m], NaN where unknown."""

    stamp: int
    instruction: str
    object: str
    offset: tuple[float, float, float]
    grasped: bool
    reason: str


def hindsight(messages: Iterable[Message], settings: LabelSettings) -> list[HindsightLabel]:
    """Labels of every camera image from the gripper's closing and opening alone.

    Raises ValueError where the bag has no instruction, gripper or tcp.
    """
    series = _series(messages)
    if not series.instructions:
        raise ValueError(f'the bag has no message on {INSTRUCTION}: there is nothing to ask about')
    if not series.widths:
        raise ValueError(f"the bag has no joint '{GRIPPER_JOINT}' on {JOINTS}: hindsight needs it")
    labels = []
    starts = [*(start for start, _ in series.instructions[1:]), 2**63 - 1]
    begin = -(2**63)
    for (_, instruction), end in zip(series.instructions, starts, strict=True):
        try:
            labels += _segment(series, settings, instruction, begin, end)
        except InstructionError:
            pass  # nothing to ask about; the live node said so
        begin = end
    return labels


@dataclass
class _Series:
    """A bag's series for hindsight, by rising stamp."""

    transforms: TransformHistory
    images: list[int] = field(default_factory=list)
    widths: dict[int, float] = field(default_factory=dict)
    commands: dict[int, float] = field(default_factory=dict)
    # (stamp of the first image after it, instruction)
    instructions: list[tuple[int, str]] = field(default_factory=list)


def _series(messages: Iterable[Message]) -> _Series:
    series = _Series(TransformHistory(_WINDOW))
    given = ''
    for topic, data in messages:
        if topic == TF:
            for sample in cdr.read_transforms(data):
                series.transforms.add(sample)
        elif topic == TF_STATIC:
            for sample in cdr.read_transforms(data):
                series.transforms.add_static(sample)
        elif topic == INSTRUCTION:
            given = cdr.read_string(data)
        elif topic == CAMERA:
            stamp = cdr.read_header_stamp(data)
            series.images.append(stamp)
            if given and (not series.instructions or series.instructions[-1][1] != given):
                series.instructions.append((stamp, given))
        elif topic in (JOINTS, EXECUTED):
            joints = cdr.read_joints(data)
            if GRIPPER_JOINT in joints.positions:
                column = series.widths if topic == JOINTS else series.commands
                column[joints.stamp] = joints.positions[GRIPPER_JOINT]
    return series


def _segment(series: _Series, settings: LabelSettings, instruction: str, begin: int,
             end: int) -> list[HindsightLabel]:
    """The labels of the images from `begin` to before `end`, of one instruction."""
    stamps = np.array(sorted(each for each in series.widths if begin <= each < end), np.int64)
    images = np.array(sorted(each for each in series.images if begin <= each < end), np.int64)
    if not len(stamps) or not len(images):
        return []
    widths = np.array([series.widths[each] for each in stamps.tolist()])
    tcp = _tcp(series.transforms, settings, stamps)
    told = {} if by_hand(series.widths, series.commands) else series.commands
    tracks = label_episode(instruction, stamps, tcp, widths, settings.closure,
                           _latest(told, stamps))
    seen = _tcp(series.transforms, settings, images)
    return [label for track in tracks for label in _sampled(track, instruction, images, seen)]


def by_hand(widths: Mapping[int, float], commands: Mapping[int, float]) -> bool:
    """Whether the gripper was never told anything but where it is: a hand guides the arm.

    Both by stamp [m]. A gripper that follows a command is behind it while it moves.
    """
    common = widths.keys() & commands.keys()
    return bool(common) and all(abs(widths[each] - commands[each]) < _SAME_WIDTH
                                for each in common)


def _sampled(track: Track, instruction: str, images: Stamps, tcp: Array) -> list[HindsightLabel]:
    offset, grasped = track.seen_from(images, tcp)
    return [
        HindsightLabel(stamp, instruction, track.object, (x, y, z), held,
                       '' if math.isfinite(x + y + z) else track.reason or 'no tcp at this image')
        for stamp, (x, y, z), held in zip(images.tolist(), offset.tolist(), grasped.tolist(),
                                          strict=True)
    ]


def _tcp(transforms: TransformHistory, settings: LabelSettings, stamps: Stamps) -> Array:
    """(N, 3) the tcp along the viewer's axes [m]; NaN where it is not known."""
    places = np.full((len(stamps), 3), np.nan)
    for index, stamp in enumerate(stamps.tolist()):
        try:
            _, position = transforms.position(settings.tcp_frame, stamp)
            _, turn = transforms.rotation(settings.viewer_frame, stamp)
        except MissingTransform:
            continue
        places[index] = rotate(conjugate(turn), position)
    return places


def _latest(column: Mapping[int, float], stamps: Stamps) -> Array:
    """The latest value at or before each stamp; NaN before the first."""
    if not column:
        return np.full(len(stamps), np.nan)
    known = np.array(sorted(column), np.int64)
    values = np.array([np.nan, *(column[each] for each in known.tolist())])
    latest: Array = values[
        np.searchsorted(known, stamps, side='right')]
    return latest


@dataclass(frozen=True)
class HindsightError:
    """Hindsight against the truth from TF, for one object.

    error: median distance between the two positions [m]. bias: median difference, hindsight minus
    truth, in the viewer frame [m]. words_equal of words, of the observations at which the truth's
    word would be the same with an error of `margin` in any direction.
    """

    object: str
    count: int
    error: float
    bias: tuple[float, float, float]
    words: int
    words_equal: int


def measure(truth: Iterable[Labels], made: Iterable[HindsightLabel],
            margin: float = 0.03) -> list[HindsightError]:
    """The error of hindsight for each object, where both know it."""
    known = {(labels.stamp, labels.instruction, label.question.object): label
             for labels in truth for label in labels.labels if label.text}
    pairs: dict[str, list[tuple[Array, bool, bool]]] = {}
    for each in made:
        label = known.get((each.stamp, each.instruction, each.object))
        if label is None or each.reason:
            continue
        true = np.array(label.offset)
        error = np.array(each.offset) - true
        same = answer(each.offset, each.grasped) == answer(true, bool(label.grasped))
        clear = boundary_distance(true) > margin
        pairs.setdefault(each.object, []).append((error, clear, same))
    result = []
    for name, rows in pairs.items():
        errors = np.array([error for error, _, _ in rows])
        outside = [same for _, clear, same in rows if clear]
        x, y, z = np.median(errors, axis=0).tolist()
        result.append(HindsightError(
            name, len(rows), float(np.median(np.linalg.norm(errors, axis=1))), (x, y, z),
            len(outside), sum(outside)))
    return result

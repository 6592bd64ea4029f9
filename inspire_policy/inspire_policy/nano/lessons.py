# SPDX-License-Identifier: Apache-2.0
"""From a dataset's rows to batches: what is read, and at which positions what has to be said.

The text of a sample (supervision.py) is the prompt with the true answers and the actions' codes in
the slots. Further questions (about what the instruction does not name, or where the prompt goes
without) stand in branches of their own: each reads the scene alone, as if it was asked first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from inspire_labeler.formulation import Formulation
from inspire_labeler.question import question
from inspire_policy.action_codec import Codec
from inspire_policy.chunk_scale import Scale
from inspire_policy.dataset import Dataset
from inspire_policy.nano.arm_state import arm_state
from inspire_policy.nano.settings import Size
from inspire_policy.nano.tokens import Words
from inspire_policy.pictures import prepare
from inspire_policy.prompt import Layout, ask, segments
from inspire_policy.supervision import DELAYS, Ids, Text, Truth, columns

MOST_OTHERS = 6                # questions in branches, for each sample


@dataclass(frozen=True)
class Teaching:
    """What is asked in training. dropped: share of prompts whose questions go into branches;
    others: whether objects that the instruction does not name are asked about, too: the one
    nearest to the tcp and some of the rest; off: how far off the places are that are read: [m],
    and share of the distance; beside: how near [m] a thing that no instruction names must be, and
    nearer than any other, for what the arm does there not to be taught (0: always taught). There
    it always goes away: a network would learn of the thing, not of its place, that it does."""

    layout: Layout = Layout.VQA_FIRST
    formulation: Formulation = Formulation.DIRECTION
    dropped: float = 0.15
    others: bool = False
    off: tuple[float, float] = (0.003, 0.03)
    beside: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what cannot be taught."""
        if len(self.off) != 2 or not all(0.0 <= one < 1.0 for one in self.off):
            raise ValueError(f'off is {self.off}; valid: two numbers from 0 to below 1, [m] and '
                             'share of the distance')
        if not 0.0 <= self.beside <= 1.0:
            raise ValueError(f'beside is {self.beside} m; valid: 0 to 1')


@dataclass(frozen=True)
class Batch:
    """pictures: for each camera (B, H, H, 3) uint8; state (B, size.state); ids, places, branches
    (B, T); answers and actions (B, T): what has to be said after each token, or IGNORED; offsets
    (B, T, 3): where an answer begins after a token, its object minus the tcp in the viewer frame
    [m], NaN elsewhere. there (B, T, 3): the same at the first token of each answer that is read,
    as far off as the network's own will be."""

    pictures: tuple[NDArray[np.uint8], ...]
    state: NDArray[np.float32]
    ids: Ids
    places: Ids
    branches: Ids
    answers: Ids
    actions: Ids
    offsets: NDArray[np.float32]
    there: NDArray[np.float32]


class Lessons:
    """A dataset, ready to be drawn from."""

    def __init__(self, data: Dataset, tokens: Words, codec: Codec, state: Scale,
                 teaching: Teaching, size: Size, foreign: bool = False) -> None:
        """See supervision.Truth."""
        self._data, self._words = data, tokens
        self.teaching, self._size = teaching, size
        self._truth = Truth(data, codec, teaching.formulation, foreign)
        self.usable, self.unsaid = self._truth.usable, self._truth.unsaid
        self._acts = self._truth.away_from_unnamed(teaching.beside)
        if teaching.layout is Layout.NONE:      # nothing else to be learned there
            self.usable = self.usable & self._acts[:, None]
        self._states = np.stack([state.normal(each) for each in raw_states(data)], 1).astype(
            np.float32)

    def draw(self, rows: Sequence[int], random: np.random.Generator) -> Batch:
        """A batch of these rows, everything else drawn from `random`."""
        delays = [self._truth.delay(row, random) for row in rows]
        texts = [self._text(row, delay, random) for row, delay in zip(rows, delays, strict=True)]
        side_by_side = columns(texts, self._words.pad)
        offsets, there = (np.full((*side_by_side['ids'].shape, 3), np.nan, np.float32)
                          for _ in range(2))
        for number, text in enumerate(texts):
            for table, noted in ((offsets, text.offsets), (there, text.there)):
                for place, offset in noted:
                    table[number, place] = offset
        pictures = tuple(
            np.stack([prepare(self._data.picture(camera, row), side) for row in rows])
            for camera, side in zip(self._data.card['cameras'], self._size.picture, strict=True))
        least, share = self.teaching.off
        far = least + share * np.linalg.norm(there, axis=-1, keepdims=True)
        there += (far * random.normal(size=there.shape)).astype(np.float32)
        return Batch(pictures, self._states[rows, delays], **side_by_side, offsets=offsets,
                     there=there)

    def _text(self, row: int, delay: int, random: np.random.Generator) -> Text:
        episode, form = self._data.episode_of(row), self.teaching.formulation
        truth = self._truth.answers(row)
        asked = self._truth.asked(row, truth)
        text = Text()
        layout, apart = self.teaching.layout, []
        if layout is not Layout.NONE:
            if random.random() < self.teaching.dropped:
                layout, apart = Layout.NONE, list(asked)
            if self.teaching.others:
                named = [(question(name, form), *truth[frame]) for frame, name
                         in zip(episode.objects, episode.names, strict=True)
                         if name and frame in truth and frame not in episode.asked_frames]
                named.sort(key=lambda one: float(np.linalg.norm(one[2])))
                near, far = named[:1], named[1:]    # what is near has to be known best
                chosen = [*near, *(far[number] for number in random.permutation(len(far)))]
                apart += chosen[:MOST_OTHERS - len(apart)]
        answers = {one: (self._words.answer(answer), offset) for one, answer, offset in asked}
        acts = (self._words.text_size + self._truth.codes(row, delay)).tolist()
        for segment in segments(layout, episode.instruction, [one for one, _, _ in asked]):
            if segment.question is None and not self._acts[row]:
                break
            if segment.alone:
                text.branch()
            for mark in segment.marks:
                if isinstance(mark, int):
                    text.recall(*answers[asked[mark][0]])
                else:
                    text.read(self._words.encode([mark]))
            if segment.question is None:
                text.say(acts, text.actions)
            else:
                text.answer(*answers[segment.question])
        for one, answer, offset in apart:
            text.branch()
            text.read(self._words.encode(ask(one)))
            text.answer(self._words.answer(answer), offset)
        if len(text.ids) > self._size.text:
            raise ValueError(f'a prompt of {len(text.ids)} tokens; valid: up to {self._size.text} '
                             f'(size.text): "{episode.instruction}"')
        return text


def raw_states(data: Dataset) -> list[NDArray[np.float32]]:
    """How the arm stands (rows, 11), for each delay: what it was told moves on with the delay."""
    column, found = data.columns, []
    pose, width = column['commanded'].astype(np.float64), column['commanded_width']
    for delay in range(len(DELAYS)):
        if delay:
            action = column['actions'][:, delay - 1].astype(np.float64)
            turned = Rotation.from_rotvec(action[:, 3:6]) * Rotation.from_quat(pose[:, 3:])
            pose = np.concatenate([pose[:, :3] + action[:, :3], turned.as_quat()], 1)
            width = action[:, 6]
        found.append(arm_state(column['gripper_width'], pose, width))
    return found

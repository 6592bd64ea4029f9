# SPDX-License-Identifier: Apache-2.0
"""From a dataset's rows to batches: what is read, and at which positions what has to be said.

A sample is a row and a delay: the picture was taken that many steps before its chunk begins, as on
a graph, where deciding takes time. Its text is the prompt with the true answers and the actions'
codes in the slots. Further questions (about what the instruction does not name, or where the
prompt goes without) stand in branches of their own: each reads the scene alone, as if it was asked
first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from inspire_labeler.formulation import Formulation
from inspire_labeler.question import question
from inspire_labeler.rule import WITHHELD, codes, words
from inspire_policy.action_codec import Codec
from inspire_policy.chunk_scale import Scale
from inspire_policy.dataset import Dataset
from inspire_policy.nano.arm_state import arm_state
from inspire_policy.nano.settings import Size
from inspire_policy.nano.tokens import Words
from inspire_policy.pictures import prepare
from inspire_policy.prompt import Layout, ask, segments

Ids = NDArray[np.int64]
IGNORED = -100                 # a target that carries no loss
NOWHERE = -1                   # the branch of padding
DELAYS = (0.5, 0.25, 0.25)     # how often a chunk begins 0, 1, 2 steps after its picture
MOST_OTHERS = 3                # questions in branches, for each sample


@dataclass(frozen=True)
class Teaching:
    """What is asked in training. dropped: share of prompts whose questions go into branches;
    others: whether objects that the instruction does not name are asked about, too."""

    layout: Layout = Layout.VQA_FIRST
    formulation: Formulation = Formulation.DIRECTION
    dropped: float = 0.15
    others: bool = False


@dataclass(frozen=True)
class Batch:
    """pictures: for each camera (B, H, H, 3) uint8; state (B, size.state); ids, places, branches
    (B, T); answers and actions (B, T): what has to be said after each token, or IGNORED; offsets
    (B, T, 3): where an answer begins after a token, its object minus the tcp in the viewer frame
    [m], NaN elsewhere."""

    pictures: tuple[NDArray[np.uint8], ...]
    state: NDArray[np.float32]
    ids: Ids
    places: Ids
    branches: Ids
    answers: Ids
    actions: Ids
    offsets: NDArray[np.float32]


class Lessons:
    """A dataset, ready to be drawn from."""

    def __init__(self, data: Dataset, tokens: Words, codec: Codec, state: Scale,
                 teaching: Teaching, size: Size) -> None:
        """Encode all chunks and label all objects. Raises ValueError for a dataset without
        a single chunk to imitate."""
        self._data, self._words, self._codec = data, tokens, codec
        self.teaching, self._size = teaching, size
        chunks = delayed_chunks(data, codec.chunk)
        self.usable = chunks.valid
        if not self.usable.any():
            raise ValueError(f'{data.folder} has no {codec.chunk} steps in a row to imitate')
        self._codes = encode_all(codec, chunks)
        self._states = np.stack([state.normal(each) for each in raw_states(data)], 1).astype(
            np.float32)
        labels = codes(data.all_offsets.astype(np.float64), data.all_grasped,
                       teaching.formulation)
        self._labels = words(labels, teaching.formulation)
        self._labelled = labels != WITHHELD

    def draw(self, rows: Sequence[int], random: np.random.Generator) -> Batch:
        """A batch of these rows, everything else drawn from `random`."""
        delays = [self._delay(row, random) for row in rows]
        texts = [self._text(row, delay, random) for row, delay in zip(rows, delays, strict=True)]
        longest = max(len(text.ids) for text in texts)
        offsets = np.full((len(rows), longest, 3), np.nan, np.float32)
        for number, text in enumerate(texts):
            for place, offset in text.offsets:
                offsets[number, place] = offset
        columns = {name: np.full((len(rows), longest), fill, np.int64) for name, fill in (
            ('ids', self._words.pad), ('places', 0), ('branches', NOWHERE),
            ('answers', IGNORED), ('actions', IGNORED))}
        for number, text in enumerate(texts):
            for name, column in columns.items():
                values = getattr(text, name)
                column[number, :len(values)] = values
        pictures = tuple(
            np.stack([prepare(self._data.picture(camera, row), side) for row in rows])
            for camera, side in zip(self._data.card['cameras'], self._size.picture, strict=True))
        return Batch(pictures, self._states[rows, delays], **columns, offsets=offsets)

    def _delay(self, row: int, random: np.random.Generator) -> int:
        chances = np.array(DELAYS) * self.usable[row]
        return int(random.choice(len(DELAYS), p=chances / chances.sum()))

    def _text(self, row: int, delay: int, random: np.random.Generator) -> _Text:
        index = self._data.episode_index(row)
        episode = self._data.episodes[index]
        start = self._data.object_starts[row]
        truth = {frame: (str(self._labels[start + number]), self._data.all_offsets[start + number])
                 for number, frame in enumerate(episode.objects)
                 if self._labelled[start + number]}
        form = self.teaching.formulation
        asked = [(question(phrase, form), *truth[frame]) for phrase, frame
                 in zip(episode.asked_phrases, episode.asked_frames, strict=True)]
        text = _Text()
        layout, apart = self.teaching.layout, []
        if layout is not Layout.NONE:
            if random.random() < self.teaching.dropped:
                layout, apart = Layout.NONE, list(asked)
            if self.teaching.others:
                named = [(question(name, form), *truth[frame]) for frame, name
                         in zip(episode.objects, episode.names, strict=True)
                         if name and frame in truth and frame not in episode.asked_frames]
                chosen = random.permutation(len(named))[:MOST_OTHERS - len(apart)]
                apart += [named[number] for number in chosen]
        answers = {one: (self._words.answer(answer), offset) for one, answer, offset in asked}
        acts = (self._words.text_size + self._codes[delay][row]).tolist()
        for segment in segments(layout, episode.instruction, [one for one, _, _ in asked]):
            text.read(self._words.encode(segment.marks))
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


class _Text:
    """A sample's text under way: parallel lists, and where in them an offset belongs."""

    def __init__(self) -> None:
        self.ids: list[int] = []
        self.places: list[int] = []
        self.branches: list[int] = []
        self.answers: list[int] = []
        self.actions: list[int] = []
        self.offsets: list[tuple[int, NDArray[np.float32]]] = []
        self._branch, self._place = 0, 0

    def read(self, ids: Sequence[int]) -> None:
        """Append tokens that are given."""
        self.ids += ids
        self.places += range(self._place, self._place + len(ids))
        self.branches += [self._branch] * len(ids)
        self.answers += [IGNORED] * len(ids)
        self.actions += [IGNORED] * len(ids)
        self._place += len(ids)

    def say(self, ids: Sequence[int], targets: list[int]) -> None:
        """Append tokens that the model has to say; the loss stands at the one before each."""
        before = len(self.ids) - 1
        self.read(ids)
        targets[before:before + len(ids)] = ids

    def answer(self, ids: Sequence[int], offset: NDArray[np.float32]) -> None:
        """Append an answer, and note how far away its object is [m] (3,)."""
        self.offsets.append((len(self.ids) - 1, offset))
        self.say(ids, self.answers)

    def branch(self) -> None:
        """Begin a text that reads the scene alone."""
        self._branch, self._place = self._branch + 1, 0


@dataclass(frozen=True)
class Chunks:
    """actions: for each delay (rows, H, 7); valid (rows, delays): all of it is to be imitated."""

    actions: tuple[NDArray[np.float64], ...]
    valid: NDArray[np.bool_]


def delayed_chunks(data: Dataset, length: int) -> Chunks:
    """The chunks that begin 0, 1, ... steps after each row. Raises ValueError for one too long."""
    actions, counted = data.columns['actions'], data.columns['valid']
    if length + len(DELAYS) - 1 > actions.shape[1]:
        raise ValueError(f'a chunk of {length} steps; valid: up to '
                         f'{actions.shape[1] - len(DELAYS) + 1}')
    delays = range(len(DELAYS))
    return Chunks(tuple(actions[:, delay:delay + length].astype(np.float64) for delay in delays),
                  np.stack([counted >= length + delay for delay in delays], 1))


def encode_all(codec: Codec, chunks: Chunks) -> list[list[NDArray[np.int64]]]:
    """Codes for each delay and row (of what is not to be imitated, too: it is never drawn)."""
    many = getattr(codec, 'encode_many', None)
    return [list(many(one)) if many else [codec.encode(chunk) for chunk in one]
            for one in chunks.actions]


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

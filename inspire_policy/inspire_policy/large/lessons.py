# SPDX-License-Identifier: Apache-2.0
"""From a dataset's rows to batches for a large family: what is seen, and the text with the truth
in its slots, both exactly as the family's policy puts them together when it acts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspire_labeler.formulation import Formulation
from inspire_policy.action_codec import Codec
from inspire_policy.dataset import Dataset
from inspire_policy.families import minivla, pi0fast
from inspire_policy.large.acting import Writing
from inspire_policy.large.checkpoint import Description
from inspire_policy.large.words import PretrainedWords
from inspire_policy.policy import PolicyObservation
from inspire_policy.prompt import Layout
from inspire_policy.speaking import spelled
from inspire_policy.supervision import IGNORED, Ids, Text, Truth, columns
from piper_driver.pose import Pose

WRITINGS: dict[str, Writing] = {'minivla': minivla.Chat(), 'pi0fast': pi0fast.Task()}
PAD = 0    # comes after everything that is read: any id will do


@dataclass(frozen=True)
class Batch:
    """pictures: for each camera (B, H, H, 3) uint8; they stand from the token `begin` on. scenes
    (B,): tokens of what is seen. ids (B, T): any where a picture stands. answers and actions
    (B, T): what has to be said after each token, or IGNORED."""

    pictures: tuple[NDArray[np.uint8], ...]
    begin: int
    scenes: Ids
    ids: Ids
    answers: Ids
    actions: Ids

    @property
    def counts(self) -> tuple[int, int]:
        """How many tokens of answers and of actions have to be said."""
        return int((self.answers != IGNORED).sum()), int((self.actions != IGNORED).sum())

    def parts(self, most: int) -> Iterator[Batch]:
        """The same samples, at most so many at once."""
        for start in range(0, len(self.ids), most):
            own = slice(start, start + most)
            yield Batch(tuple(one[own] for one in self.pictures), self.begin, self.scenes[own],
                        self.ids[own], self.answers[own], self.actions[own])


class Lessons:
    """A dataset, ready to be drawn from."""

    def __init__(self, data: Dataset, writing: Writing, description: Description,
                 words: PretrainedWords, codec: Codec, dropped: float) -> None:
        """dropped: share of prompts without their questions. Raises ValueError where the data do
        not have what the description says, or no chunk to imitate."""
        if str(data.card['viewer']) != description.viewer:
            raise ValueError(f'{data.folder} says left for the viewer {data.card["viewer"]!r}, '
                             f'the checkpoint for {description.viewer!r}')
        if lacking := [one for one in description.cameras if one not in data.card['cameras']]:
            raise ValueError(f'{data.folder} has no camera {", ".join(lacking)}, which the '
                             f'checkpoint looks through; cameras: '
                             f'{", ".join(data.card["cameras"])}')
        self._data, self._writing, self._description = data, writing, description
        self._words, self._dropped = words, dropped
        self._truth = Truth(data, codec, Formulation(description.formulation))
        self.usable = self._truth.usable
        self._actions = words.actions(range(codec.codes))

    def draw(self, rows: Sequence[int], random: np.random.Generator) -> Batch:
        """A batch of these rows, everything else drawn from `random`."""
        size, cameras = self._description.size, self._description.cameras
        pictures = tuple(
            np.stack([self._writing.picture(self._data.picture(camera, row),
                                            size.towers[0].picture) for row in rows])
            for camera in cameras)
        texts, scenes = [], []
        begin = 0
        for row in rows:
            before, after = self._writing.around(
                self._words, self._description, self._data.episode_of(row).instruction,
                observation(self._data, row))
            begin = len(before)
            text = Text()
            text.read([*before, *[PAD] * (size.patches * len(cameras)), *after])
            scenes.append(len(text.ids))
            self._write(text, row, random)
            longest = len(text.ids) - size.patches * len(cameras) - begin
            if longest > size.text:
                raise ValueError(f'a prompt of {longest} tokens; valid: up to {size.text}: '
                                 f'"{self._data.episode_of(row).instruction}"')
            texts.append(text)
        found = columns(texts, PAD)
        return Batch(pictures, begin, np.array(scenes), found['ids'], found['answers'],
                     found['actions'])

    def _write(self, text: Text, row: int, random: np.random.Generator) -> None:
        """The prompt after what is seen, with what is right in its slots."""
        delay, layout = self._truth.delay(row, random), self._description.layout
        if random.random() < self._dropped:
            layout = Layout.NONE
        asked = self._truth.asked(row, self._truth.answers(row))
        right = {one: (spelled(self._words, answer), offset) for one, answer, offset in asked}
        codes = [self._actions[code] for code in self._truth.codes(row, delay).tolist()]
        for segment in self._writing.segments(layout, self._data.episode_of(row).instruction,
                                              [one for one, _, _ in asked]):
            text.read(self._words.encode(segment.text))
            if segment.question is None:
                text.say([*codes, *self._words.ends], text.actions)
            else:
                text.answer(*right[segment.question])


def observation(data: Dataset, row: int) -> PolicyObservation:
    """A row as a policy is given it, without the pictures."""
    at = {name: column[row] for name, column in data.columns.items()}
    tcp, commanded = (Pose(at[name][:3].astype(float), at[name][3:].astype(float))
                      for name in ('tcp', 'commanded'))
    return PolicyObservation(float(at['stamp']), {}, at['joint_positions'],
                             at['joint_velocities'], float(at['gripper_width']),
                             float(at['gripper_velocity']), tcp,
                             data.episode_of(row).instruction, commanded=commanded)

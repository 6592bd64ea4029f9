# SPDX-License-Identifier: Apache-2.0
"""From a dataset's rows to batches: what is read, and at which positions what has to be said.

The text of a sample (supervision.py) is the prompt with the true answers and the actions' codes in
the slots. Further questions (about what the instruction does not name, or where the prompt goes
without) stand in branches of their own: each reads the scene alone, as if it was asked first.
Actions that look at no picture are learned from rows of their own, which cost little.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from inspire_labeler.formulation import Formulation
from inspire_labeler.question import question
from inspire_labeler.viewer import Viewer, viewer
from inspire_policy.action_codec import Codec
from inspire_policy.believing import Believer
from inspire_policy.chunk_scale import Scale
from inspire_policy.dataset import Dataset
from inspire_policy.nano.arm_state import arm_state, tool_axes
from inspire_policy.nano.readers import arm_numbers
from inspire_policy.nano.settings import Size
from inspire_policy.nano.tokens import Words
from inspire_policy.pictures import prepare
from inspire_policy.prompt import Layout, ask, segments
from inspire_policy.supervision import DELAYS, SAID, Ids, Place, Text, Truth, columns, missed
from piper_driver.pose import Pose

MOST_OTHERS = 6                # questions in branches, for each sample
BLURRED = 0.15                 # how wrong cosine and sine of twice a heading are that are read
FOOT = 0.002                   # the same of feet, at most [m]
WIDE = 0.025                   # by which codes may miss a width of what is believed [m]
ANY_FOOT = 0.05                # spread of feet that are not known [m]


@dataclass(frozen=True)
class Teaching:
    """What is asked in training. dropped: share of prompts whose questions go into branches;
    others: whether objects that the instruction does not name are asked about, too: the one
    nearest to the tcp and some of the rest; off: how far off the places are that are read: [m],
    and share of the distance; beside: how near [m] a thing that no instruction names must be, and
    nearer than any other, for what the arm does there not to be taught to a network that looks
    (0: always taught). There it always goes away: a network would learn that of the thing.
    deeds: rows whose actions alone are learned, for each sample, where those look at no picture;
    denied: share of these in which what is held is said not to be, and what is between the fingers
    is said to be; believed: whether they are what the corrector does where things are believed to
    be, not where they are, see `believing`."""

    layout: Layout = Layout.VQA_FIRST
    formulation: Formulation = Formulation.DIRECTION
    dropped: float = 0.15
    others: bool = False
    off: tuple[float, float] = (0.003, 0.03)
    beside: float = 0.0
    deeds: int = 4
    denied: float = 0.3
    believed: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be taught."""
        if len(self.off) != 2 or not all(0.0 <= one < 1.0 for one in self.off):
            raise ValueError(f'off is {self.off}; valid: two numbers from 0 to below 1, [m] and '
                             'share of the distance')
        if not 0.0 <= self.beside <= 1.0:
            raise ValueError(f'beside is {self.beside} m; valid: 0 to 1')
        if self.deeds < 1:
            raise ValueError(f'deeds is {self.deeds}; valid: from 1')
        if not 0.0 <= self.denied <= 1.0:
            raise ValueError(f'denied is {self.denied}; valid: a share, 0 to 1')


@dataclass(frozen=True)
class Batch:
    """pictures: for each camera (B, H, H, 3) uint8; state (B, size.state); arm (B, size.arm):
    see readers.arm_numbers; ids, places, branches (B, T); answers and actions (B, T): what has to
    be said after each token, or IGNORED; said (B, T, size.place): where an answer begins after
    a token, its object's place, as supervision.Truth gives it, NaN elsewhere. there: the same at
    the first token of each answer that is read, as wrong as the network's own will be. deeds: of
    other rows, without pictures.
    """

    pictures: tuple[NDArray[np.uint8], ...]
    state: NDArray[np.float32]
    arm: NDArray[np.float32]
    ids: Ids
    places: Ids
    branches: Ids
    answers: Ids
    actions: Ids
    said: Place
    there: Place
    deeds: Batch | None = None


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
        raw = [each[:, :size.state] for each in raw_states(data)]
        self._states = np.stack([state.normal(each) for each in raw], 1).astype(np.float32)
        seen_by, tcp = viewer(data.card['viewer']), data.columns['tcp']
        self._ahead = np.stack([ahead(tcp, each, seen_by) for each in raw], 1)
        self._axes = tool_axes(tcp[:, 3:], seen_by.rotation_base_to_viewer)
        self._codec = codec
        self._commanded = commanded(data)
        self._believer = Believer(data) if teaching.believed else None
        self._asked = np.array([self._believer is not None and self._believer.knows(row)
                                for row in range(len(self.usable))])
        self.taught = np.flatnonzero(self._truth.usable.any(1) | self._asked)   # by deeds

    def draw(self, rows: Sequence[int], random: np.random.Generator,
             deeds: Sequence[int] | None = None) -> Batch:
        """A batch of these rows, everything else drawn from `random`. deeds: the rows whose
        actions alone are learned (None: drawn from `taught`)."""
        delays = [self._truth.delay(row, random) for row in rows]
        texts = [self._text(row, delay, random) for row, delay in zip(rows, delays, strict=True)]
        pictures = tuple(
            np.stack([prepare(self._data.picture(camera, row), side) for row in rows])
            for camera, side in zip(self._data.card['cameras'], self._size.picture, strict=True))
        batch = self._side_by_side(pictures, rows, delays, texts, random)
        if self.teaching.layout is not Layout.ANSWERS_FOR_PICTURES:
            return batch
        if deeds is None:
            deeds = random.choice(self.taught, self.teaching.deeds * len(rows)).tolist()
        delays = [int(random.choice(len(DELAYS), p=DELAYS)) if self._asked[row] else
                  self._truth.delay(row, random) for row in deeds]
        told = [(row, delay, text) for row, delay in zip(deeds, delays, strict=True)
                if (text := self._deed(row, delay, random))]
        if not told:
            return batch
        rows, delays, texts = (list(each) for each in zip(*told, strict=True))
        return replace(batch, deeds=self._side_by_side((), rows, delays, texts, random))

    def _side_by_side(self, pictures: tuple[NDArray[np.uint8], ...], rows: Sequence[int],
                      delays: Sequence[int], texts: Sequence[Text],
                      random: np.random.Generator) -> Batch:
        found = columns(texts, self._words.pad)
        said, there = (np.full((*found['ids'].shape, 8), np.nan, np.float32) for _ in range(2))
        for number, text in enumerate(texts):
            for table, noted in ((said, text.said), (there, text.there)):
                for token, place in noted:
                    table[number, token] = place
        if pictures:
            self._blur(there, random)
        count, states = self._size.place, self._states[rows, delays]
        arm = arm_numbers(states, self._ahead[rows, delays], self._axes[rows])
        return Batch(pictures, states, arm[:, :self._size.arm], found['ids'], found['places'],
                     found['branches'], found['answers'], found['actions'], said[..., :count],
                     there[..., :count])

    def _blur(self, there: Place, random: np.random.Generator) -> None:
        """Make places (B, T, 8) as wrong as the network's own will be. A heading or foot that is
        not known is any: nothing is to hang on it."""
        least, share = self.teaching.off
        far = least + share * np.linalg.norm(there[..., :3], axis=-1, keepdims=True)
        there[..., :3] += far * random.normal(size=(*far.shape[:-1], 3))
        turned, foot = there[..., 3:5], there[..., 5:]
        turned += BLURRED * random.normal(size=turned.shape)
        anyhow = np.isnan(turned).any(-1) & np.isfinite(there[..., 0])
        angle = random.uniform(0.0, 2.0 * np.pi, int(anyhow.sum()))
        length = random.uniform(0.0, 1.0, len(angle))
        turned[anyhow] = np.stack([length * np.cos(angle), length * np.sin(angle)], 1)
        foot += min(least, FOOT) * random.normal(size=foot.shape)
        anyhow = np.isnan(foot).any(-1) & np.isfinite(there[..., 0])
        foot[anyhow] = ANY_FOOT * random.normal(size=(int(anyhow.sum()), 3))

    def _deed(self, row: int, delay: int, random: np.random.Generator) -> Text | None:
        """The instruction with answers in the place of names, and what is done; None: the codec
        cannot say it."""
        denied = bool(random.random() < self.teaching.denied)
        asked = self._truth.asked(row, self._truth.answers(row))
        frames = self._data.episode_of(row).asked_frames
        places, acts = self._believed(row, delay, dict(zip(
            frames, (place for _, _, place in asked), strict=True)), random)
        if acts is None:
            return None
        (*_, deed) = segments(self.teaching.layout, self._data.episode_of(row).instruction,
                              [one for one, _, _ in asked])
        text = Text()
        for mark in deed.marks:
            if isinstance(mark, int):
                place = places[frames[mark]]
                text.recall(self._words.answer(self._truth.word(row, frames[mark], place, denied)),
                            np.concatenate([place[:3] - self._ahead[row, delay], place[3:]]))
            else:
                text.read(self._words.encode([mark]))
        text.say((self._words.text_size + acts).tolist(), text.actions)
        return text

    def _believed(self, row: int, delay: int, places: Mapping[str, Place],
                  random: np.random.Generator) -> tuple[dict[str, Place], Ids | None]:
        """Where things are believed to be, and the codes of what is done then; of what is done
        anyway, where the corrector is not asked. None: they miss its end by more than SAID. A
        width counts less: who leaves out that fingers open teaches what is done instead."""
        there = np.stack(list(places.values()))
        self._blur(there, random)
        found = dict(zip(places, there, strict=True))
        if self._believer is None or not self._asked[row]:
            return found, self._truth.codes(row, delay)
        pose, told = (each[row] for each in self._commanded[delay])
        chunk = self._believer.actions(row, found, Pose(pose[:3], pose[3:]), float(told),
                                       self._codec.chunk)
        acts = self._codec.encode(chunk)
        end, width = missed(self._codec.decode(acts.tolist()), chunk)
        return found, acts if end <= SAID and width <= WIDE else None

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
                named.sort(key=lambda one: float(np.linalg.norm(one[2][:3])))
                near, far = named[:1], named[1:]    # what is near has to be known best
                chosen = [*near, *(far[number] for number in random.permutation(len(far)))]
                apart += chosen[:MOST_OTHERS - len(apart)]
        answers = {one: (self._words.answer(answer), place) for one, answer, place in asked}
        acts = (self._words.text_size + self._truth.codes(row, delay)).tolist()
        for segment in segments(layout, episode.instruction, [one for one, _, _ in asked]):
            if segment.blind or (segment.question is None and not self._acts[row]):
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
        for one, answer, place in apart:
            text.branch()
            text.read(self._words.encode(ask(one)))
            text.answer(self._words.answer(answer), place)
        if len(text.ids) > self._size.text:
            raise ValueError(f'a prompt of {len(text.ids)} tokens; valid: up to {self._size.text} '
                             f'(size.text): "{episode.instruction}"')
        return text


def ahead(tcp: NDArray[np.floating], state: NDArray[np.float32],
          seen_by: Viewer) -> NDArray[np.float32]:
    """How far the pose that the next action is integrated on is ahead of the tcp, in the viewer
    frame [m] (..., 3): what is blind counts from there. tcp (..., 7); state: see `arm_state`."""
    apart = state[..., 2:5].astype(np.float64) - tcp[..., :3]
    return (apart @ seen_by.rotation_base_to_viewer.T).astype(np.float32)


def raw_states(data: Dataset) -> list[NDArray[np.float32]]:
    """How the arm stands (rows, 12), for each delay: what it was told moves on with the delay."""
    column = data.columns
    return [arm_state(column['gripper_width'], column['gripper_velocity'], pose, width)
            for pose, width in commanded(data)]


def commanded(data: Dataset) -> list[tuple[NDArray[np.float64], NDArray[np.floating]]]:
    """The pose (rows, 7) that the next action is integrated on, and the width (rows,) that was
    told last, for each delay."""
    pose = data.columns['commanded'].astype(np.float64)
    width, found = data.columns['commanded_width'], []
    for delay in range(len(DELAYS)):
        if delay:
            action = data.columns['actions'][:, delay - 1].astype(np.float64)
            turned = Rotation.from_rotvec(action[:, 3:6]) * Rotation.from_quat(pose[:, 3:])
            pose = np.concatenate([pose[:, :3] + action[:, :3], turned.as_quat()], 1)
            width = action[:, 6]
        found.append((pose, width))
    return found

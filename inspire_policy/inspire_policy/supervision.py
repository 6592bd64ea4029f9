# SPDX-License-Identifier: Apache-2.0
"""What a model is taught from a dataset, whichever model: true answers, the codes of chunks, and
texts in which every token that has to be said is known by its position.

A sample is a row and a delay: the picture was taken that many steps before its chunk begins, as on
a graph, where deciding takes time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inspire_labeler.formulation import Formulation
from inspire_labeler.question import Question, question
from inspire_labeler.rule import WITHHELD, codes, words
from inspire_policy.action_codec import Codec
from inspire_policy.dataset import Dataset

Ids = NDArray[np.int64]
Place = NDArray[np.float32]
IGNORED = -100                 # a target that carries no loss
NOWHERE = -1                   # the branch of padding
DELAYS = (0.5, 0.25, 0.25)     # how often a chunk begins 0, 1, 2 steps after its picture
IN_HAND = 0.03                 # m from the tcp of what may be taken for held
SAID = 0.008                   # m by which a chunk's codes may miss its end, or a width of it


class Truth:
    """A dataset with what is right in each of its rows.

    usable (rows, delays): where a whole chunk is to be imitated; unsaid: how many chunks were
    left out because the codec cannot say them.
    """

    def __init__(self, data: Dataset, codec: Codec, formulation: Formulation,
                 foreign: bool = False) -> None:
        """Encode all chunks and label all objects. foreign: the codec was made for other data;
        what it cannot say is left out. Raises ValueError for a dataset without a single chunk to
        imitate."""
        chunks = delayed_chunks(data, codec.chunk)
        self._data, self._formulation = data, formulation
        self._codes = encode_all(codec, chunks)
        self.usable = chunks.valid & said(codec, chunks, self._codes) if foreign else chunks.valid
        self.unsaid = int((chunks.valid & ~self.usable).sum())
        if not self.usable.any():
            why = (f' that the codec can say to {1000 * SAID:.0f} mm' if self.unsaid else '')
            raise ValueError(f'{data.folder} has no {codec.chunk} steps in a row to imitate{why}')
        labels = codes(data.all_offsets.astype(np.float64), data.all_grasped, formulation)
        self._labels = words(labels, formulation)
        twice = 2.0 * data.all_headings[:, None]
        self._places = np.concatenate([data.all_offsets, np.cos(twice), np.sin(twice),
                                       data.all_feet], 1)
        self._labelled = labels != WITHHELD

    def delay(self, row: int, random: np.random.Generator) -> int:
        """One of the delays at which a row can be used, drawn."""
        chances = np.array(DELAYS) * self.usable[row]
        return int(random.choice(len(DELAYS), p=chances / chances.sum()))

    def codes(self, row: int, delay: int) -> NDArray[np.int64]:
        """Codes of the chunk that begins `delay` steps after a row."""
        return self._codes[delay][row]

    def answers(self, row: int) -> dict[str, tuple[str, Place]]:
        """The answer about each object (by frame) that has one, and its place (8,): the object
        minus the tcp in the viewer frame [m], cosine and sine of twice its heading, and its foot
        [m]; these are NaN where they are not known or it has none."""
        start, episode = self._data.object_starts[row], self._data.episode_of(row)
        return {frame: (str(self._labels[start + number]), self._places[start + number])
                for number, frame in enumerate(episode.objects)
                if self._labelled[start + number]}

    def word(self, row: int, frame: str, place: Place, denied: bool) -> str:
        """The answer about an object that is believed to be at a place (8,). denied: whether it is
        held is taken for the reverse, as far as it may be."""
        number = self._data.episode_of(row).objects.index(frame)
        held = self._data.grasped(row)[[number]]
        if denied:
            held = ~held & (np.linalg.norm(place[:3]) < IN_HAND)
        return str(words(codes(place[None, :3].astype(np.float64), held, self._formulation),
                         self._formulation)[0])

    def away_from_unnamed(self, near: float) -> NDArray[np.bool_]:
        """(rows,): whether the thing nearest to the tcp is farther than `near` [m], or named by
        an instruction of the data."""
        data = self._data
        named = {frame for episode in data.episodes for frame in episode.asked_frames}
        found = np.ones(len(self.usable), bool)
        for row in np.flatnonzero(self.usable.any(1)).tolist() if near else ():
            apart = np.linalg.norm(data.offsets(row), axis=1)
            nearest = int(np.argmin(apart))
            found[row] = apart[nearest] > near or data.episode_of(row).objects[nearest] in named
        return found

    def asked(self, row: int, answers: Mapping[str, tuple[str, Place]],
              ) -> list[tuple[Question, str, Place]]:
        """The questions about what the instruction names, in its order, of `answers` to a row."""
        episode = self._data.episode_of(row)
        return [(question(phrase, self._formulation), *answers[frame]) for phrase, frame
                in zip(episode.asked_phrases, episode.asked_frames, strict=True)]


class Text:
    """A sample's text under way: parallel lists, and where in them a place belongs: as what is to
    be said (`said`), as what is read (`there`)."""

    def __init__(self) -> None:
        self.ids: list[int] = []
        self.places: list[int] = []
        self.branches: list[int] = []
        self.answers: list[int] = []
        self.actions: list[int] = []
        self.said: list[tuple[int, Place]] = []
        self.there: list[tuple[int, Place]] = []
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

    def answer(self, ids: Sequence[int], place: Place) -> None:
        """Append an answer, and note its object's place."""
        self.said.append((len(self.ids) - 1, place))
        self.there.append((len(self.ids), place))
        self.say(ids, self.answers)

    def recall(self, ids: Sequence[int], place: Place) -> None:
        """Append an answer that was given elsewhere, as something to be read."""
        self.there.append((len(self.ids), place))
        self.read(ids)

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


def said(codec: Codec, chunks: Chunks, coded: Sequence[Sequence[NDArray[np.int64]]],
         ) -> NDArray[np.bool_]:
    """Where (rows, delays) the codes say the chunk: both its end and its widths within SAID."""
    found = []
    for actions, codes_ in zip(chunks.actions, coded, strict=True):
        end, width = missed(np.stack([codec.decode(one.tolist()) for one in codes_]), actions)
        found.append((end <= SAID) & (width <= SAID))
    return np.stack(found, 1)


def missed(decoded: NDArray[np.float64], actions: NDArray[np.float64],
           ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """By how much decoded chunks (..., H, 7) miss the end of what was to be said, and the width
    that they miss most (...,) [m]."""
    wrong = decoded - actions
    return np.linalg.norm(wrong[..., :3].sum(-2), axis=-1), np.abs(wrong[..., 6]).max(-1)


def columns(texts: Sequence[Text], pad: int) -> dict[str, Ids]:
    """Texts side by side, the shorter ones filled up: ids, places, branches, answers, actions
    (B, T); pad: the id that fills."""
    longest = max(len(text.ids) for text in texts)
    found = {name: np.full((len(texts), longest), fill, np.int64) for name, fill in (
        ('ids', pad), ('places', 0), ('branches', NOWHERE), ('answers', IGNORED),
        ('actions', IGNORED))}
    for number, text in enumerate(texts):
        for name, column in found.items():
            values = getattr(text, name)
            column[number, :len(values)] = values
    return found

# SPDX-License-Identifier: Apache-2.0
"""Two ways to run a network: keeping what was read, and not keeping anything.

`KeepingReader` reads every token once. Keys and values lie in one place of a fixed size; a past is
how much of it counts. `PlainReader` runs the whole model over everything again whenever something
is read: it is slow, and what the other is compared with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from inspire_policy.large.network import Network
from inspire_policy.policy import PolicyError

Picture = NDArray[np.uint8]


@dataclass
class Work:
    """What reading has cost so far: tokens through the decoder, pictures through the towers."""

    tokens: int = 0
    pictures: int = 0


@dataclass(frozen=True)
class Scene:
    """What stands before the text of a decision: pictures (H, H, 3) and ids around them."""

    pictures: tuple[Picture, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.before) + len(self.after)


class Scores:
    """Logits of what comes after some tokens, computed where they are asked for."""

    def __init__(self, network: Network, output: Tensor) -> None:
        """output: (T, D)."""
        self._network, self._output = network, output

    def __getitem__(self, where: tuple[int, Any]) -> NDArray[Any]:
        place, ids = where
        with torch.inference_mode():
            head = self._network.place[ids]
            return single(head @ self._output[place])


@dataclass(frozen=True)
class Past:
    """`scene` tokens of what was seen, `length` of text after them, in `kept`."""

    kept: Tensor
    scene: int
    length: int

    def cut(self, length: int) -> Past:
        """Only the first `length` tokens of text."""
        return self if length >= self.length else Past(self.kept, self.scene, length)


class KeepingReader:
    """See the module's docstring. One past at a time: seeing anew ends the one before."""

    def __init__(self, network: Network) -> None:
        self._network = network.eval()
        self._kept: Tensor | None = None
        self.work = Work()

    def see(self, scene: Scene) -> Past:
        """The past that begins with a scene."""
        size = self._network.size
        length = len(scene) + size.patches * len(scene.pictures)
        if self._kept is None or self._kept.shape[4] < length + size.text:
            self._kept = self._network.decoder.room(length + size.text)
        with torch.inference_mode():
            self._network.see(*inputs(self._network, scene), self._kept)
        self.work.tokens += length
        self.work.pictures += len(scene.pictures)
        return Past(self._kept, length, 0)

    def read(self, past: Past, ids: Sequence[int]) -> tuple[Scores, Past]:
        """Logits after each of ids, and the past with them. Raises PolicyError where the text
        grows longer than there is room for.
        """
        start, longest = past.scene + past.length, past.kept.shape[4]
        if start + len(ids) > longest:
            raise PolicyError(f'a text of {past.length + len(ids)} tokens; valid: up to '
                              f'{longest - past.scene}')
        with torch.inference_mode():
            output = self._network.extend(row(self._network, ids), past.kept, start)
        self.work.tokens += len(ids)
        return (Scores(self._network, output),
                Past(past.kept, past.scene, past.length + len(ids)))


@dataclass(frozen=True)
class Text:
    """A past that keeps only what has to be read again."""

    scene: Scene
    ids: tuple[int, ...] = field(default=())

    @property
    def length(self) -> int:
        return len(self.ids)

    def cut(self, length: int) -> Text:
        """Only the first `length` tokens of text."""
        return Text(self.scene, self.ids[:length])


class PlainReader:
    """See the module's docstring."""

    def __init__(self, network: Network) -> None:
        self._network = network.eval()
        self.work = Work()

    def see(self, scene: Scene) -> Text:
        """The past that begins with a scene; nothing is done yet."""
        return Text(scene)

    def read(self, past: Text, ids: Sequence[int]) -> tuple[NDArray[Any], Text]:
        """Logits (len(ids), vocabulary) after each of ids, and the past with them."""
        text = Text(past.scene, (*past.ids, *ids))
        with torch.inference_mode():
            output = self._network(*inputs(self._network, past.scene),
                                   row(self._network, text.ids))
            logits = output[past.length:] @ self._network.place.T
        self.work.tokens += (len(past.scene) + text.length
                             + self._network.size.patches * len(past.scene.pictures))
        self.work.pictures += len(past.scene.pictures)
        return single(logits), text


def inputs(network: Network, scene: Scene) -> tuple[Tensor, Tensor, Tensor]:
    """Pictures (cameras, 3, H, H) of 0 to 1 and the ids around them, as the network reads them."""
    place = network.place
    pictures = torch.from_numpy(np.stack(scene.pictures)).to(place.device)
    pictures = pictures.permute(0, 3, 1, 2).to(place.dtype) / 255
    return pictures, row(network, scene.before), row(network, scene.after)


def row(network: Network, ids: Sequence[int]) -> Tensor:
    """(1, T)."""
    return torch.tensor([list(ids)], dtype=torch.int64, device=network.place.device)


def single(logits: Tensor) -> NDArray[Any]:
    """As an array in single precision, or double where the network is."""
    kind = torch.float64 if logits.dtype is torch.float64 else torch.float32
    found: NDArray[Any] = logits.to(kind).cpu().numpy()
    return found

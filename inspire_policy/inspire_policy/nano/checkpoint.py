# SPDX-License-Identifier: Apache-2.0
"""A folder with everything that acting needs, and nothing that could run: safetensors, JSON, ONNX.

    config.json        what it is: sizes, codec, layout, viewer, scales, where it comes from
    tokenizer.json     the words
    model.safetensors  weights (16 bit) and the codec's tables
    see.onnx, extend.onnx   the same network for ONNX Runtime, written by `export`
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from inspire_policy import action_codec
from inspire_policy.action_codec import Codec
from inspire_policy.checkpoint_file import CheckpointError, content_of, read, write
from inspire_policy.chunk_scale import Scale
from inspire_policy.nano.settings import Size
from inspire_policy.nano.tokens import Words
from inspire_policy.prompt import Layout

if TYPE_CHECKING:
    from inspire_policy.nano.network import Network

CONFIG, TOKENIZER, WEIGHTS = 'config.json', 'tokenizer.json', 'model.safetensors'
FORMAT = 1
# Of networks from before these.
_UNSAID = {'headings': False, 'feet': False, 'finds': False, 'hand': False}
_CODEC = 'codec.'

Tables = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Description:
    """config.json. viewer: the preset for whom left is left; size: of the network; state: the
    scale of the arm's state; places: whether it has learned how far away things are; provenance:
    dataset, step, revision, seed, losses."""

    size: Size
    layout: Layout
    formulation: str
    viewer: str
    cameras: tuple[str, ...]
    state: Scale
    codec: Mapping[str, Any]
    dropped: float             # share of training prompts without their questions
    places: bool
    provenance: Mapping[str, Any] = field(default_factory=dict)
    family: str = 'nano'
    format: int = FORMAT


@dataclass(frozen=True)
class Checkpoint:
    """A description with tokenizer, codec and weights by name."""

    description: Description
    words: Words
    codec: Codec
    weights: Tables

    @property
    def vocabulary(self) -> int:
        """Tokens of text and of actions."""
        return self.words.text_size + self.codec.codes

    def network(self) -> Network:
        """The network with its weights. Raises CheckpointError naming a tensor that does not fit.
        """
        import torch

        from inspire_policy.nano.network import Network
        made = Network(self.description.size, self.vocabulary)
        wanted = {name: tuple(value.shape) for name, value in made.state_dict().items()}
        there = {name: value.shape for name, value in self.weights.items()}
        if wanted != there:
            odd = sorted(name for name in {*wanted, *there} if wanted.get(name) != there.get(name))
            raise CheckpointError(
                f'tensor {odd[0]}: the file has {there.get(odd[0], "none")}, the network '
                f'{wanted.get(odd[0], "none")} (and {len(odd) - 1} more that differ)')
        made.load_state_dict({name: torch.from_numpy(value.astype(np.float32))
                              for name, value in self.weights.items()})
        return made

    def save(self, folder: Path) -> None:
        """Write the folder; config.json last, so that a folder that has it is whole."""
        folder.mkdir(parents=True, exist_ok=True)
        tables = {**self.weights, **{_CODEC + name: value
                                     for name, value in self.codec.arrays().items()}}
        save_file({name: np.ascontiguousarray(value) for name, value in tables.items()},
                  folder / WEIGHTS)
        (folder / TOKENIZER).write_text(self.words.text, encoding='utf-8')
        write(folder / CONFIG, self.description)


def load(folder: Path) -> Checkpoint:
    """Read a checkpoint's folder. Raises CheckpointError."""
    description = describe(folder)
    try:
        tables = load_file(folder / WEIGHTS)
        words = Words.parsed((folder / TOKENIZER).read_text(encoding='utf-8'))
        arrays = {name.removeprefix(_CODEC): value for name, value in tables.items()
                  if name.startswith(_CODEC)}
        codec = action_codec.opened(description.codec, arrays)
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise CheckpointError(f'{folder}: {error}') from None
    weights = {name: value for name, value in tables.items() if not name.startswith(_CODEC)}
    return Checkpoint(description, words, codec, weights)


def describe(folder: Path) -> Description:
    """config.json of a checkpoint's folder. Raises CheckpointError."""
    path = folder / CONFIG
    try:
        content = content_of(path, 'nano', FORMAT)
        size = read(Size, {**_UNSAID, **content['size']}, f'{path}: size')
        state = read(Scale, content['state'], f'{path}: state')
        layout = Layout(content['layout'])
        return read(Description, {**content, 'size': size, 'state': state, 'layout': layout},
                    str(path))
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f'{folder} is no checkpoint of nano: {error}') from None


def export(checkpoint: Checkpoint, folder: Path) -> None:
    """Write see.onnx and extend.onnx into `folder`."""
    import torch

    from inspire_policy.nano import graphs
    with torch.inference_mode():
        graphs.write(checkpoint.network().eval(), folder)

# SPDX-License-Identifier: Apache-2.0
"""A folder with everything that acting needs: somebody's weights, and what they do not say.

    inspire.json      what this project has to know: size, spelling, codec, layout, viewer, cameras
    tokenizer.json    the tokenizer, as the `tokenizers` library writes it
    weights           as they were published: a .pt file, or a folder of safetensors (named in
                      inspire.json); so are the files of the codec

`take_in` writes inspire.json and checks everything once; `load` checks it again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer

from inspire_labeler.formulation import Formulation
from inspire_policy.action_codec import Codec
from inspire_policy.checkpoint_file import CheckpointError, content_of, read, write
from inspire_policy.chunk_scale import Scale
from inspire_policy.large import codecs, weights
from inspire_policy.large.layouts import LayoutError
from inspire_policy.large.network import Network
from inspire_policy.large.settings import Size, size_of
from inspire_policy.large.words import PretrainedWords, Spelling
from inspire_policy.prompt import Layout

CONFIG, TOKENIZER = 'inspire.json', 'tokenizer.json'
FORMAT = 1

STATES = {'minivla': 0, 'pi0fast': 8}   # numbers of the arm's state in the prompt
LAYOUTS = {   # where questions may stand, so that what was read before them stays as it is
    'minivla': (Layout.VQA_FIRST, Layout.NONE),
    'pi0fast': (Layout.INSTRUCT_FIRST, Layout.NONE),
}


@dataclass(frozen=True)
class Description:
    """inspire.json. viewer: the preset for whom left is left; state: the scale of the arm's state
    in the prompt (pi0fast); codec: its settings, with `file` or `tokenizer` for what it reads;
    weights: file or folder; begin: where <bos> stands, `first` or `last` of the prefix (pi0fast:
    openpi's way and LeRobot's)."""

    family: str
    size: Size
    layout: Layout
    formulation: str
    viewer: str
    cameras: tuple[str, ...]
    spelling: Spelling
    codec: Mapping[str, Any]
    weights: str
    state: Scale | None = None
    begin: str = 'first'
    format: int = FORMAT


@dataclass(frozen=True)
class Checkpoint:
    """A description with what it describes."""

    description: Description
    network: Network
    words: PretrainedWords
    codec: Codec


def load(folder: Path, family: str, kind: torch.dtype = torch.float32) -> Checkpoint:
    """Read a checkpoint's folder. Raises CheckpointError."""
    description = describe(folder, family)
    try:
        codec = codec_of(folder, description.codec)
        words = PretrainedWords(tokenizer_of(folder), description.spelling,
                                Formulation(description.formulation), codec.codes)
        rows = description.size.decoder.vocabulary
        if description.spelling.size > rows or description.spelling.top >= rows:
            raise ValueError(f'the tokenizer has {description.spelling.size} tokens and the first '
                             f'action code is id {description.spelling.top}, but the network has '
                             f'{rows} rows of words: it is another vocabulary')
        made = weights.network(folder / description.weights, description.size, family, kind)
    except (ValueError, OSError, KeyError, TypeError) as error:
        raise CheckpointError(f'{folder}: {error}') from None
    return Checkpoint(description, made, words, codec)


def take_in(folder: Path, description: Description) -> Checkpoint:
    """Write a description beside weights that lie in `folder`, where all of it fits together.

    Raises CheckpointError, and then leaves no inspire.json.
    """
    write(folder / CONFIG, description)
    try:
        return load(folder, description.family)
    except CheckpointError:
        (folder / CONFIG).unlink()
        raise


def describe(folder: Path, family: str) -> Description:
    """inspire.json of a checkpoint's folder. Raises CheckpointError."""
    path = folder / CONFIG
    try:
        content = content_of(path, family, FORMAT)
        size = size_of(content['size'], f'{path}: size')
        state = content['state']
        made = read(Description, {
            **content, 'size': size, 'layout': Layout(content['layout']),
            'spelling': read(Spelling, content['spelling'], f'{path}: spelling'),
            'state': state and read(Scale, state, f'{path}: state')}, str(path))
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f'{folder} is no checkpoint of {family}: {error}') from None
    if made.layout not in LAYOUTS[family]:
        raise CheckpointError(f'{path}: layout {made.layout}; valid: '
                              f'{", ".join(LAYOUTS[family])}')
    numbers = len(made.state.low) if made.state else 0
    if numbers != STATES[family]:
        raise CheckpointError(f'{path}: the scale of the state has {numbers} numbers; valid: '
                              f'{STATES[family]}')
    if made.begin not in ('first', 'last'):
        raise CheckpointError(f'{path}: begin {made.begin!r}; valid: first, last')
    return made


def tokenizer_of(folder: Path) -> Tokenizer:
    """The tokenizer in a folder. Raises ValueError."""
    path = folder / TOKENIZER
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # noqa: BLE001 - the library raises plain Exception
        raise ValueError(f'{path} cannot be read: {error}') from None


def codec_of(folder: Path, settings: Mapping[str, Any]) -> Codec:
    """The codec of settings whose files lie in a folder. Raises ValueError, OSError, KeyError."""
    tables = {}
    if settings.get('kind') == 'autoencoder':
        tables = _tables(folder / settings['file'], settings)
    elif 'file' in settings:
        there = weights.tensors(folder / settings['file'])
        tables = {name: there.read(name).float().numpy() for name in there.shapes}
    return codecs.opened(settings, folder, tables)


def _tables(path: Path, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The published autoencoder's tables. Raises LayoutError that names one that does not fit."""
    there = weights.tensors(path)
    shape = {name: int(settings[name]) for name in ('levels', 'size', 'latent')}
    wanted = codecs.autoencoder_shapes(int(settings['chunk']), **shape)
    known = wanted | codecs.kept_while_training(**shape)
    for name in sorted(wanted.keys() | there.shapes.keys()):
        if name.endswith('_codebook.initted'):
            continue
        if there.shapes.get(name, known.get(name)) != known.get(name) or (
                name in wanted and name not in there.shapes):
            raise LayoutError(f'{path}: tensor {name} has shape {there.shapes.get(name, "none")}; '
                              f'valid: {known.get(name, "none")}')
    return {name: there.read(name).double().numpy() for name in wanted}

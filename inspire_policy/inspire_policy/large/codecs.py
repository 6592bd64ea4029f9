# SPDX-License-Identifier: Apache-2.0
"""The action codecs that published checkpoints were made with.

`autoencoder`: residual VQ of what an encoder makes of a chunk (MiniVLA with VQ, InspireVLA-1B);
every level has the same codes. `edges`: bins between equally spaced edges (MiniVLA without VQ).
`universal_fast`: FAST with the byte-level tokenizer that goes with pi0-FAST. They share
action_codec.Codec with this project's own; which token a code is, is not their concern.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.fft import dct, idct
from tokenizers import Tokenizer

from inspire_policy import action_codec
from inspire_policy.action_codec import Array, Codec, Codes, checked
from inspire_policy.chunk_scale import Scale
from inspire_policy.policy import ACTION_SIZE, UndecodableAction

EDGES = 256
HIDDEN = 128     # width inside the published encoder and decoder
MLP = ('encoder.0', 'encoder.2', 'fc')   # their layers, with a ReLU between

Tables = Mapping[str, NDArray[Any]]


class Autoencoder:
    """Codes 0 to size - 1, `longest` of them for a chunk."""

    kind = 'autoencoder'

    def __init__(self, scale: Scale, tables: Tables, strength: float = 1.0) -> None:
        """tables: as `autoencoder_shapes` names them. strength: the decoder's output times this is
        the scaled chunk. Raises ValueError that names a table.
        """
        for name, table in tables.items():
            if not np.isfinite(table).all():
                raise ValueError(f'table {name} holds numbers that are not finite')
        self.scale, self._tables, self._strength = scale, tables, strength
        self.longest = sum(name.endswith('_codebook.embed') for name in tables)
        self._books = np.stack([tables[book(level)][0] for level in range(self.longest)])
        self.codes = self._books.shape[1]
        self.chunk = tables['decoder.fc.weight'].shape[0] // ACTION_SIZE

    def encode(self, chunk: ArrayLike) -> Codes:
        scaled = self.scale.normal(checked(chunk, self.chunk)).ravel() / self._strength
        rest, found = self._through('encoder', scaled), []
        for level in self._books:
            found.append(int(np.argmin((level ** 2).sum(-1) - 2.0 * level @ rest)))
            rest = rest - level[found[-1]]
        return np.array(found, np.int64)

    def decode(self, codes: Sequence[int]) -> Array:
        if len(codes) != self.longest or any(not 0 <= code < self.codes for code in codes):
            raise UndecodableAction(f'action codes {list(codes)}; valid: {self.longest} of 0 to '
                                    f'{self.codes - 1}')
        total = self._books[np.arange(self.longest), list(codes)].sum(0)
        scaled = self._through('decoder', total) * self._strength
        return self.scale.units(scaled.reshape(self.chunk, ACTION_SIZE))

    def allowed(self, before: Sequence[int]) -> range:
        return range(self.codes if len(before) < self.longest else 0)

    def settings(self) -> dict[str, Any]:
        return {'kind': self.kind, 'low': self.scale.low, 'high': self.scale.high,
                'strength': self._strength}

    def arrays(self) -> dict[str, NDArray[Any]]:
        return dict(self._tables)

    def _through(self, part: str, x: Array) -> Array:
        for number, layer in enumerate(MLP):
            x = self._tables[f'{part}.{layer}.weight'] @ x + self._tables[f'{part}.{layer}.bias']
            x = np.maximum(x, 0.0) if number < len(MLP) - 1 else x
        return x


def book(level: int) -> str:
    """The name of a level's codebook."""
    return f'vq_embedding.layers.{level}._codebook.embed'


def autoencoder_shapes(chunk: int, levels: int, size: int,
                       latent: int) -> dict[str, tuple[int, ...]]:
    """Every table that acting needs of the published file, by its name there."""
    width = chunk * ACTION_SIZE
    found: dict[str, tuple[int, ...]] = {}
    for part, into, out in (('encoder', width, latent), ('decoder', latent, width)):
        for layer, (rows, columns) in zip(
                MLP, ((HIDDEN, into), (HIDDEN, HIDDEN), (out, HIDDEN)), strict=True):
            found[f'{part}.{layer}.weight'] = (rows, columns)
            found[f'{part}.{layer}.bias'] = (rows,)
    return found | {book(level): (1, size, latent) for level in range(levels)}


def kept_while_training(levels: int, size: int, latent: int) -> dict[str, tuple[int, ...]]:
    """What the published file holds beside: how its codebooks moved. (And `initted` for each: a
    number, or one in a row, as the library's version has it.)
    """
    found: dict[str, tuple[int, ...]] = {}
    for level in range(levels):
        inside = book(level).removesuffix('embed')
        found |= {f'{inside}cluster_size': (1, size), f'{inside}embed_avg': (1, size, latent)}
    return found


class Edges:
    """Every number of a chunk is one of the bins between 256 edges from -1 to 1."""

    kind = 'edges'
    codes = EDGES

    def __init__(self, scale: Scale, chunk: int) -> None:
        self.scale, self.chunk = scale, chunk
        self.longest = chunk * ACTION_SIZE
        self._edges = np.linspace(-1.0, 1.0, EDGES)
        self._middles = (self._edges[:-1] + self._edges[1:]) / 2

    def encode(self, chunk: ArrayLike) -> Codes:
        scaled = self.scale.normal(checked(chunk, self.chunk)).ravel().clip(-1.0, 1.0)
        return (np.digitize(scaled, self._edges) - 1).astype(np.int64)

    def decode(self, codes: Sequence[int]) -> Array:
        values = np.asarray(codes)
        if values.shape != (self.longest,) or values.min() < 0 or values.max() >= EDGES:
            raise UndecodableAction(f'{len(codes)} action codes; valid: {self.longest} of 0 to '
                                    f'{EDGES - 1}')
        # the last edge has a code of its own, which means the last bin
        scaled = self._middles[np.minimum(values, EDGES - 2)]
        return self.scale.units(scaled.reshape(self.chunk, ACTION_SIZE))

    def allowed(self, before: Sequence[int]) -> range:
        return range(EDGES if len(before) < self.longest else 0)

    def settings(self) -> dict[str, Any]:
        return {'kind': self.kind, 'low': self.scale.low, 'high': self.scale.high,
                'chunk': self.chunk}

    def arrays(self) -> dict[str, NDArray[Any]]:
        return {}


class UniversalFast:
    """Coefficients as characters from `least` on, in UTF-8, byte-pair encoded."""

    kind = 'universal_fast'

    def __init__(self, scale: Scale, chunk: int, least: int, fineness: float,
                 tokenizer: Tokenizer) -> None:
        self.scale, self.chunk, self._least, self._fineness = scale, chunk, least, fineness
        self.longest = 2 * chunk * ACTION_SIZE    # a coefficient may be two bytes, each a code
        self._tokenizer = tokenizer
        self.codes = tokenizer.get_vocab_size()
        letters = byte_letters()
        self._bytes = [bytes(letters[one] for one in str(tokenizer.id_to_token(code)))
                       for code in range(self.codes)]

    def encode(self, chunk: ArrayLike) -> Codes:
        scaled = dct(self.scale.normal(checked(chunk, self.chunk)), axis=0, norm='ortho')
        rounded = np.rint(scaled * self._fineness).astype(np.int64).ravel()
        text = ''.join(chr(value) for value in np.maximum(rounded - self._least, 0).tolist())
        return np.array(self._tokenizer.encode(text, add_special_tokens=False).ids, np.int64)

    def decode(self, codes: Sequence[int]) -> Array:
        if any(not 0 <= code < self.codes for code in codes):
            raise UndecodableAction(f'action codes {list(codes)}; valid: 0 to {self.codes - 1}')
        try:
            text = self._written(codes).decode('utf-8')
        except UnicodeDecodeError:
            raise UndecodableAction('the action codes break a coefficient apart') from None
        wanted = self.chunk * ACTION_SIZE
        if len(text) != wanted:
            raise UndecodableAction(f'the action codes stand for {len(text)} coefficients; '
                                    f'valid: {wanted}')
        rounded = np.array([ord(letter) + self._least for letter in text], np.float64)
        scaled = idct(rounded.reshape(self.chunk, ACTION_SIZE) / self._fineness, axis=0,
                      norm='ortho')
        return self.scale.units(scaled)

    def allowed(self, before: Sequence[int]) -> range:
        """Any code while coefficients are missing: what overshoots is found by `decode`."""
        written = self._written(before)
        begun = sum(byte & 0xC0 != 0x80 for byte in written)
        whole = begun > self.chunk * ACTION_SIZE or (
            begun == self.chunk * ACTION_SIZE and complete(written))
        return range(0 if whole or len(before) >= self.longest else self.codes)

    def save(self, path: Path) -> None:
        """Write the tokenizer."""
        self._tokenizer.save(str(path))

    def _written(self, codes: Sequence[int]) -> bytes:
        return b''.join(self._bytes[code] for code in codes)

    def settings(self) -> dict[str, Any]:
        return {'kind': self.kind, 'low': self.scale.low, 'high': self.scale.high,
                'chunk': self.chunk, 'least': self._least, 'fineness': self._fineness}

    def arrays(self) -> dict[str, NDArray[Any]]:
        return {}


def complete(written: bytes) -> bool:
    """Whether UTF-8 ends with a whole character."""
    for back, byte in enumerate(reversed(written)):
        if byte & 0xC0 != 0x80:
            needed = 1 if byte < 0x80 else 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return back + 1 >= needed
    return False


def byte_letters() -> dict[str, int]:
    """The letter by which byte-level tokenizers write each byte: itself where it can be seen, else
    one from 256 on, in order.
    """
    seen = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    hidden = [byte for byte in range(256) if byte not in seen]
    return ({chr(byte): byte for byte in seen}
            | {chr(256 + number): byte for number, byte in enumerate(hidden)})


def opened(settings: Mapping[str, Any], folder: Path, tables: Tables) -> Codec:
    """The codec of a checkpoint. Raises ValueError.

    tables: of an `autoencoder`; `universal_fast` reads the tokenizer that `settings` names.
    """
    scale = Scale(tuple(settings['low']), tuple(settings['high']))
    kind = settings['kind']
    if kind == 'autoencoder':
        return Autoencoder(scale, tables, settings['strength'])
    if kind == 'edges':
        return Edges(scale, settings['chunk'])
    if kind == 'universal_fast':
        path = folder / settings['tokenizer']
        try:
            tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # noqa: BLE001 - the library raises plain Exception
            raise ValueError(f'{path} cannot be read: {error}') from None
        return UniversalFast(scale, settings['chunk'], settings['least'], settings['fineness'],
                             tokenizer)
    return action_codec.opened(settings, tables)

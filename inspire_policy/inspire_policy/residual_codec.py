# SPDX-License-Identifier: Apache-2.0
"""Residual vector quantisation: a chunk is the sum of one vector from each of seven codebooks.

Each codebook is fitted (k-means) to what those before it leave, so the first code says roughly
what is done and each further one refines it. Seven levels of 128 codes, as in the paper's base
model. The vectors live in the scaled chunk itself; the paper's model has a learned autoencoder
around them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inspire_policy.action_codec import Array, Codes, checked
from inspire_policy.chunk_scale import Scale
from inspire_policy.policy import ACTION_SIZE, UndecodableAction

LEVELS = 7
SIZE = 128
FITTED_ON = 20_000   # chunks at most
ROUNDS = 25


class ResidualCodec:
    """Codes of level l are l * size to (l + 1) * size - 1."""

    kind = 'residual'

    def __init__(self, scale: Scale, books: NDArray[Any]) -> None:
        """books: (levels, size, H * 7), scaled."""
        if books.ndim != 3 or books.shape[2] % ACTION_SIZE or not np.isfinite(books).all():
            raise ValueError(f'codebooks have shape {books.shape}; '
                             f'valid: (levels, size, H * {ACTION_SIZE}), finite')
        self.scale, self.books = scale, books.astype(np.float64)
        self.longest, self._size = books.shape[0], books.shape[1]
        self.codes = self.longest * self._size
        self.chunk = books.shape[2] // ACTION_SIZE
        self._squares = (self.books ** 2).sum(-1)

    def encode(self, chunk: ArrayLike) -> Codes:
        return self.encode_many(checked(chunk, self.chunk)[None])[0]

    def encode_many(self, chunks: ArrayLike) -> Codes:
        """Codes (N, levels) of chunks (N, H, 7)."""
        rest = self.scale.normal(chunks).reshape(len(np.asarray(chunks)), -1)
        found = []
        for level, (book, squares) in enumerate(zip(self.books, self._squares, strict=True)):
            nearest = np.argmin(squares - 2.0 * rest @ book.T, axis=1)
            rest = rest - book[nearest]
            found.append(nearest + level * self._size)
        return np.stack(found, 1).astype(np.int64)

    def decode(self, codes: Sequence[int]) -> Array:
        if len(codes) != self.longest:
            raise UndecodableAction(f'{len(codes)} action codes; valid: {self.longest}')
        total = np.zeros(self.books.shape[2])
        for level, code in enumerate(codes):
            within = int(code) - level * self._size
            if not 0 <= within < self._size:
                raise UndecodableAction(
                    f'action code {level} is {code}; valid: {level * self._size} to '
                    f'{(level + 1) * self._size - 1}')
            total += self.books[level, within]
        return self.scale.units(total.reshape(self.chunk, ACTION_SIZE))

    def allowed(self, before: Sequence[int]) -> range:
        level = len(before)
        return range(level * self._size, (level + 1) * self._size if level < self.longest else 0)

    def settings(self) -> dict[str, Any]:
        return {'kind': self.kind, 'low': self.scale.low, 'high': self.scale.high}

    def arrays(self) -> dict[str, NDArray[Any]]:
        return {'books': self.books.astype(np.float32)}


def fitted(chunks: Array, scale: Scale, seed: int, levels: int = LEVELS,
           size: int = SIZE) -> ResidualCodec:
    """Codebooks for chunks (N, H, 7)."""
    random = np.random.default_rng(seed)
    rest = scale.normal(chunks).reshape(len(chunks), -1)
    if len(rest) > FITTED_ON:
        rest = rest[random.choice(len(rest), FITTED_ON, replace=False)]
    books = []
    for _ in range(levels):
        book = centres(rest, size, random)
        books.append(book)
        rest = rest - book[nearest(rest, book)]
    return ResidualCodec(scale, np.stack(books).astype(np.float32))


def centres(points: Array, count: int, random: np.random.Generator) -> Array:
    """k-means: `count` centres (count, D) of points (N, D); an empty one moves to a far point."""
    chosen = points[random.choice(len(points), count, replace=len(points) < count)].copy()
    for _ in range(ROUNDS):
        owner = nearest(points, chosen)
        counts = np.bincount(owner, minlength=count)
        sums = np.zeros_like(chosen)
        np.add.at(sums, owner, points)
        chosen = np.where(counts[:, None] > 0, sums / np.maximum(counts, 1)[:, None], chosen)
        empty = np.flatnonzero(counts == 0)
        if len(empty):
            distance = ((points - chosen[owner]) ** 2).sum(1)
            far = np.argsort(-distance, kind='stable')
            chosen[empty] = points[np.resize(far, len(empty))]   # again, where points are few
    return chosen


def nearest(points: Array, book: Array) -> Codes:
    """Which of book (K, D) is nearest to each of points (N, D)."""
    return np.argmin((book ** 2).sum(1) - 2.0 * points @ book.T, axis=1)


def opened(settings: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> ResidualCodec:
    """See action_codec.opened."""
    return ResidualCodec(Scale(tuple(settings['low']), tuple(settings['high'])), arrays['books'])

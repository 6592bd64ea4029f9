# SPDX-License-Identifier: Apache-2.0
"""Uniform bins: every number of a chunk is one of 256 bins, row by row. Long, and simple."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inspire_policy.action_codec import Array, Codes, checked
from inspire_policy.chunk_scale import Scale
from inspire_policy.policy import ACTION_SIZE, UndecodableAction

BINS = 256
WIDEST = 1.5   # scaled; what lies beyond is put into the last bin


class BinCodec:
    """Codes are bins; a chunk has H * 7 of them."""

    kind = 'bins'
    codes = BINS

    def __init__(self, scale: Scale, chunk: int) -> None:
        if chunk < 1:
            raise ValueError(f'a chunk of {chunk} steps; valid: at least 1')
        self.scale, self.chunk = scale, chunk
        self.longest = chunk * ACTION_SIZE

    def encode(self, chunk: ArrayLike) -> Codes:
        scaled = self.scale.normal(checked(chunk, self.chunk)).ravel()
        bins = np.floor((scaled + WIDEST) / (2 * WIDEST) * BINS)
        return np.clip(bins, 0, BINS - 1).astype(np.int64)

    def decode(self, codes: Sequence[int]) -> Array:
        values = np.asarray(codes)
        if values.shape != (self.longest,) or values.min() < 0 or values.max() >= BINS:
            raise UndecodableAction(f'{len(codes)} action codes; valid: {self.longest} of 0 to '
                                    f'{BINS - 1}')
        middles = (values + 0.5) / BINS * 2 * WIDEST - WIDEST
        return self.scale.units(middles.reshape(self.chunk, ACTION_SIZE))

    def allowed(self, before: Sequence[int]) -> range:
        return range(BINS if len(before) < self.longest else 0)

    def settings(self) -> dict[str, Any]:
        return {'kind': self.kind, 'low': self.scale.low, 'high': self.scale.high,
                'chunk': self.chunk}

    def arrays(self) -> dict[str, NDArray[Any]]:
        return {}


def fitted(chunks: Array, scale: Scale, seed: int) -> BinCodec:
    """See action_codec.fitted; nothing has to be fitted but the scale."""
    return BinCodec(scale, chunks.shape[1])


def opened(settings: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> BinCodec:
    """See action_codec.opened."""
    return BinCodec(Scale(tuple(settings['low']), tuple(settings['high'])), settings['chunk'])

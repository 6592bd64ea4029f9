# SPDX-License-Identifier: Apache-2.0
"""Chunks of actions as tokens, three ways: residual VQ, FAST, uniform bins.

A codec maps a chunk (H, 7) in the policy protocol's units to codes from 0 to `codes` - 1 and back.
What cannot be decoded is an error, never zeros. A codec says which codes may come next, so that
decoding can be constrained, and when a chunk is complete, so that no code for an end is needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inspire_policy.chunk_scale import Scale
from inspire_policy.policy import ACTION_SIZE

Array = NDArray[np.float64]
Codes = NDArray[np.int64]


class Codec(Protocol):
    """See the module's docstring."""

    kind: str
    scale: Scale
    chunk: int     # H, steps
    codes: int     # how many there are
    longest: int   # most codes of a chunk

    def encode(self, chunk: ArrayLike) -> Codes:
        """Codes of a chunk (H, 7). Raises ValueError for another shape."""

    def decode(self, codes: Sequence[int]) -> Array:
        """The chunk (H, 7) of codes. Raises UndecodableAction."""

    def allowed(self, before: Sequence[int]) -> range:
        """Codes that may follow `before`; none: the chunk is complete."""

    def settings(self) -> dict[str, Any]:
        """What JSON keeps of it, beside `arrays`."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What is kept as tensors."""


# kind -> module with fitted(chunks, ...) and opened(settings, arrays)
CODECS = {
    'residual': 'inspire_policy.residual_codec',
    'fast': 'inspire_policy.fast_codec',
    'bins': 'inspire_policy.bin_codec',
}


def fitted(kind: str, chunks: ArrayLike, seed: int = 0) -> Codec:
    """A codec made for chunks (N, H, 7). Raises ValueError."""
    values = np.asarray(chunks, np.float64)
    if values.ndim != 3 or values.shape[2] != ACTION_SIZE or not len(values):
        raise ValueError(f'chunks have shape {values.shape}; valid: (N, H, {ACTION_SIZE}), N > 0')
    if not np.isfinite(values).all():
        raise ValueError('chunks hold numbers that are not finite')
    made: Codec = import_module(module_of(kind)).fitted(values, Scale.of(values), seed)
    return made


def opened(settings: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Codec:
    """The codec that gave `settings()` and `arrays()`. Raises ValueError."""
    kind = str(settings.get('kind'))
    made: Codec = import_module(module_of(kind)).opened(settings, arrays)
    return made


def module_of(kind: str) -> str:
    """The module of a kind. Raises ValueError naming the kinds."""
    if kind not in CODECS:
        raise ValueError(f'there is no action codec {kind!r}; codecs: {", ".join(CODECS)}')
    return CODECS[kind]


def checked(chunk: ArrayLike, length: int) -> Array:
    """A chunk as floats. Raises ValueError for another shape."""
    values = np.asarray(chunk, np.float64)
    if values.shape != (length, ACTION_SIZE):
        raise ValueError(f'a chunk has shape {values.shape}; valid: ({length}, {ACTION_SIZE})')
    return values


def errors(codec: Codec, chunks: ArrayLike) -> dict[str, float]:
    """What coding costs on chunks (N, H, 7).

    Mean and 99 % quantile of: a step's translation [m], the whole chunk's translation [m], a
    step's rotation [rad], the gripper's width [m]; and the codes of a chunk.
    """
    values = np.asarray(chunks, np.float64)
    coded = [codec.encode(chunk) for chunk in values]
    difference = np.array([codec.decode(codes.tolist()) for codes in coded]) - values
    parts = {
        'step_translation_m': np.linalg.norm(difference[..., :3], axis=-1),
        'chunk_translation_m': np.linalg.norm(difference[..., :3].sum(1), axis=-1),
        'step_rotation_rad': np.linalg.norm(difference[..., 3:6], axis=-1),
        'gripper_width_m': np.abs(difference[..., 6]),
        'codes': np.array([len(codes) for codes in coded], np.float64),
    }
    return {f'{name}_{what}': float(value) for name, error in parts.items()
            for what, value in (('mean', error.mean()), ('p99', np.quantile(error, 0.99)))}

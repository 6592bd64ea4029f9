# SPDX-License-Identifier: Apache-2.0
"""FAST: the cosine transform of a chunk over time, rounded, then byte-pair encoded.

Smooth motion has few coefficients that are not zero, so its codes are few; how many differs from
chunk to chunk, and it is complete when they stand for all its coefficients. After Pertsch et al.
2025 (arXiv 2501.09747).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.fft import dct, idct
from tokenizers import Tokenizer, models, trainers

from inspire_policy.action_codec import Array, Codes, checked
from inspire_policy.chunk_scale import Scale
from inspire_policy.policy import ACTION_SIZE, UndecodableAction

FINENESS = 10.0     # a coefficient is rounded to a tenth
VOCABULARY = 512
FITTED_ON = 20_000  # chunks at most
FIRST = 0x4E00      # the character of the least coefficient: from here on all are single letters


class FastCodec:
    """Codes are tokens of the byte-pair encoding."""

    kind = 'fast'

    def __init__(self, scale: Scale, chunk: int, least: int, most: int,
                 tokenizer: Tokenizer) -> None:
        """least and most: the rounded coefficients that are coded; beyond them they are cut."""
        self.scale, self.chunk = scale, chunk
        self.longest = chunk * ACTION_SIZE
        self._least, self._most, self._tokenizer = least, most, tokenizer
        self.codes = tokenizer.get_vocab_size()
        self._letters = [str(tokenizer.id_to_token(code)) for code in range(self.codes)]

    def encode(self, chunk: ArrayLike) -> Codes:
        rounded = coefficients(self.scale.normal(checked(chunk, self.chunk)))
        text = spelled(np.clip(rounded, self._least, self._most), self._least)
        return np.array(self._tokenizer.encode(text).ids, np.int64)

    def decode(self, codes: Sequence[int]) -> Array:
        if any(not 0 <= code < self.codes for code in codes):
            raise UndecodableAction(f'action codes {list(codes)}; valid: 0 to {self.codes - 1}')
        text = ''.join(self._letters[int(code)] for code in codes)
        if len(text) != self.longest:
            raise UndecodableAction(f'the action codes stand for {len(text)} coefficients; '
                                    f'valid: {self.longest}')
        rounded = np.array([ord(letter) - FIRST + self._least for letter in text], np.float64)
        scaled = idct(rounded.reshape(self.chunk, ACTION_SIZE) / FINENESS, axis=0, norm='ortho')
        return self.scale.units(scaled)

    def allowed(self, before: Sequence[int]) -> range:
        """Any code while coefficients are missing: what overshoots is found by `decode`."""
        done = sum(len(self._letters[code]) for code in before) >= self.longest
        return range(0 if done else self.codes)

    def settings(self) -> dict[str, Any]:
        return {'kind': self.kind, 'low': self.scale.low, 'high': self.scale.high,
                'chunk': self.chunk, 'least': self._least, 'most': self._most,
                'tokenizer': json.loads(self._tokenizer.to_str())}

    def arrays(self) -> dict[str, NDArray[Any]]:
        return {}


def coefficients(scaled: Array) -> NDArray[np.int64]:
    """Rounded coefficients (..., H, 7) of scaled chunks (..., H, 7), lowest frequency first."""
    return np.rint(dct(scaled, axis=-2, norm='ortho') * FINENESS).astype(np.int64)


def spelled(rounded: NDArray[np.int64], least: int) -> str:
    """Coefficients (H, 7) as text, a letter each."""
    return ''.join(chr(FIRST + value) for value in (rounded.ravel() - least).tolist())


def fitted(chunks: Array, scale: Scale, seed: int) -> FastCodec:
    """A byte-pair encoding for chunks (N, H, 7)."""
    if len(chunks) > FITTED_ON:
        random = np.random.default_rng(seed)
        chunks = chunks[random.choice(len(chunks), FITTED_ON, replace=False)]
    rounded = coefficients(scale.normal(chunks))
    least, most = int(rounded.min()) - 2, int(rounded.max()) + 2
    letters = [chr(FIRST + value) for value in range(most - least + 1)]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.train_from_iterator(
        (spelled(one, least) for one in rounded),
        trainers.BpeTrainer(vocab_size=max(VOCABULARY, len(letters) + 64), show_progress=False,
                            initial_alphabet=letters))
    return FastCodec(scale, chunks.shape[1], least, most, tokenizer)


def opened(settings: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> FastCodec:
    """See action_codec.opened."""
    return FastCodec(Scale(tuple(settings['low']), tuple(settings['high'])), settings['chunk'],
                     settings['least'], settings['most'],
                     Tokenizer.from_str(json.dumps(settings['tokenizer'])))

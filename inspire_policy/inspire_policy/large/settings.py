# SPDX-License-Identifier: Apache-2.0
"""Sizes of a vision-language-action model, and the two that are published.

Both families are one architecture with other numbers: towers turn a picture into patches, a
projector turns these into tokens, a decoder reads them and the text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from inspire_policy.checkpoint_file import read

Triple = tuple[float, float, float]
HALF: Triple = (0.5, 0.5, 0.5)


@dataclass(frozen=True)
class Tower:
    """A vision transformer. `layers` are those that published weights have; one without a final
    norm gives what comes out of the last but one, so its last is not built.
    """

    width: int
    layers: int
    heads: int
    inner: int                # of the feed-forward
    picture: int = 224        # pixels of a side
    patch: int = 14           # pixels of a side
    registers: int = 0        # tokens beside the patches: a class token and so many registers
    scaled: bool = False      # what a layer adds is scaled by learned numbers
    tanh: bool = False        # GELU by its approximation
    final: bool = False       # a norm after the last layer
    pooled: bool = False      # published weights hold a pooling head, which is not used
    mean: Triple = HALF
    deviation: Triple = HALF

    def __post_init__(self) -> None:
        """Refuse what cannot be built."""
        if self.picture % self.patch or self.width % self.heads:
            raise ValueError(f'picture {self.picture} and width {self.width}; valid: multiples of '
                             f'patch {self.patch} and of heads {self.heads}')

    @property
    def patches(self) -> int:
        return (self.picture // self.patch) ** 2


@dataclass(frozen=True)
class Decoder:
    """A language model: Qwen2's kind, or Gemma's (`gemma`: norms multiply by 1 + weight, words
    by the root of width, the gate is a GELU, and attention has no biases)."""

    width: int
    layers: int
    heads: int
    pairs: int                # heads of keys and values
    head: int                 # width of a head
    inner: int                # of the feed-forward
    vocabulary: int           # rows of the embedding
    turn: float = 10_000.0    # base of the rotary embedding's wavelengths
    gemma: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be built."""
        if self.heads % self.pairs or self.head % 2:
            raise ValueError(f'heads {self.heads} and head {self.head}; valid: a multiple of '
                             f'pairs {self.pairs}, and an even number')


@dataclass(frozen=True)
class Size:
    """A whole model. text: tokens of a prompt with answers and actions, at most, beside what is
    seen."""

    towers: tuple[Tower, ...]
    decoder: Decoder
    fused: bool       # projector: three layers with GELUs, four times as wide inside; else one
    whole: bool       # what is read first attends to all of itself; else to what is before
    text: int = 320

    def __post_init__(self) -> None:
        """Refuse towers that do not give equally many patches."""
        if len({tower.patches for tower in self.towers}) != 1:
            raise ValueError('the towers give '
                             f'{", ".join(str(tower.patches) for tower in self.towers)} patches; '
                             'valid: equally many')

    @property
    def patches(self) -> int:
        """Tokens of a picture."""
        return self.towers[0].patches


DINO = Tower(1024, 24, 16, 4096, registers=4, scaled=True,
             mean=(0.485, 0.456, 0.406), deviation=(0.229, 0.224, 0.225))
SIGLIP = Tower(1152, 27, 16, 4304, pooled=True)

# MiniVLA and InspireVLA-1B: Qwen2.5-0.5B behind DINOv2-L and SigLIP-So400m
MINIVLA = Size((DINO, SIGLIP), Decoder(896, 24, 14, 2, 64, 4864, 151_936, 1_000_000.0),
               fused=True, whole=False)

# pi0-FAST: PaliGemma, which is Gemma-2B behind SigLIP-So400m
PI0FAST = Size((Tower(1152, 27, 16, 4304, tanh=True, final=True),),
               Decoder(2048, 18, 8, 1, 256, 16_384, 257_152, gemma=True), fused=False, whole=True)


def size_of(values: Mapping[str, Any], where: str) -> Size:
    """A size from JSON's values. Raises ValueError that names the field."""
    try:
        towers = tuple(read(Tower, one, f'{where}: towers') for one in values['towers'])
        decoder = read(Decoder, values['decoder'], f'{where}: decoder')
    except (KeyError, TypeError) as error:
        raise ValueError(f'{where}: {error} is missing or of another kind') from None
    return read(Size, {**values, 'towers': towers, 'decoder': decoder}, where)

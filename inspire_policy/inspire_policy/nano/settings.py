# SPDX-License-Identifier: Apache-2.0
"""The size of a network and what it was made for, as data that travels with its weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar('T')


@dataclass(frozen=True)
class Size:
    """The shape of the network. Pictures are square; a patch is 4 pixels, a token 16."""

    width: int = 256           # of a token
    layers: int = 6
    heads: int = 8
    inner: int = 768           # of the gated feed-forward
    channels: tuple[int, ...] = (48, 96, 192)   # of the picture's stages
    blocks: tuple[int, ...] = (1, 2, 1)         # residual blocks in each
    picture: tuple[int, ...] = (112, 56)        # pixels of a side, for each camera
    text: int = 96             # longest prompt with answers and actions [tokens]
    state: int = 11            # numbers that say how the arm stands
    reads_places: bool = False  # whether it reads where it believes to be what it answered about

    def __post_init__(self) -> None:
        """Refuse what cannot be built."""
        if self.width % self.heads:
            raise ValueError(f'width is {self.width}; valid: a multiple of heads, {self.heads}')
        if len(self.channels) != 3 or len(self.blocks) != 3:
            raise ValueError('channels and blocks have 3 entries each, one for each stage')
        for side in self.picture:
            if side % 8 or side < 32:
                raise ValueError(f'picture is {side}; valid: a multiple of 8 from 32')

    @property
    def tokens(self) -> tuple[int, ...]:
        """Tokens of each picture: one for 16 x 16 pixels, incomplete ones too."""
        return tuple((-(-side // 16)) ** 2 for side in self.picture)


def read(kind: type[T], values: Mapping[str, Any], where: str) -> T:
    """A dataclass from JSON's values. Raises ValueError that names the field."""
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    if set(values) != known:
        odd = sorted(set(values) ^ known)
        raise ValueError(f'{where}: {", ".join(odd)} unknown or missing; fields: '
                         f'{", ".join(sorted(known))}')
    made = {name: tuple(value) if isinstance(value, list) else value
            for name, value in values.items()}
    try:
        return kind(**made)
    except (TypeError, ValueError) as error:
        raise ValueError(f'{where}: {error}') from None


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object. Raises ValueError that names the file."""
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError) as error:
        raise ValueError(f'{path} cannot be read: {error}') from None
    if not isinstance(content, dict):
        raise ValueError(f'{path}: expected an object, not {type(content).__name__}')
    return content

# SPDX-License-Identifier: Apache-2.0
"""The size of a network and what it was made for, as data that travels with its weights."""

from __future__ import annotations

from dataclasses import dataclass


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
    state: int = 12            # numbers that say how the arm stands; 11: without gripper's speed
    reads_places: bool = False  # whether it reads where it believes to be what it answered about
    headings: bool = False     # whether a place says how the object is turned, too
    feet: bool = False         # and where its underside is, which says how it is taken hold of
    finds: bool = False        # whether a place is told from exact numbers of the arm, too
    hand: bool = False         # and as the hand sees it, and how a square is turned

    def __post_init__(self) -> None:
        """Refuse what cannot be built."""
        if self.width % self.heads:
            raise ValueError(f'width is {self.width}; valid: a multiple of heads, {self.heads}')
        if self.state not in (11, 12):
            raise ValueError(f'state is {self.state}; valid: 12, or 11 of an older network')
        if len(self.channels) != 3 or len(self.blocks) != 3:
            raise ValueError('channels and blocks have 3 entries each, one for each stage')
        if self.feet and not self.headings:
            raise ValueError('feet come after headings; valid: with headings=true')
        if self.hand and not (self.finds and self.feet):
            raise ValueError('hand comes after finds and feet; valid: with both true')
        for side in self.picture:
            if side % 8 or side < 32:
                raise ValueError(f'picture is {side}; valid: a multiple of 8 from 32')

    @property
    def place(self) -> int:
        """Numbers of a place: where, cosine and sine of twice the heading, and the foot."""
        return 3 + 2 * self.headings + 3 * self.feet

    @property
    def told(self) -> int:
        """Numbers of a place as it is told: also cosine and sine of four times the heading."""
        return self.place + 2 * self.hand

    @property
    def arm(self) -> int:
        """Numbers of the arm from which places are told: its state, by how much it lags, and how
        the hand is turned."""
        return (self.state + 3) * self.finds + 6 * self.hand

    @property
    def tokens(self) -> tuple[int, ...]:
        """Tokens of each picture: one for 16 x 16 pixels, incomplete ones too."""
        return tuple((-(-side // 16)) ** 2 for side in self.picture)

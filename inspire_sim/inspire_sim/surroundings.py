# SPDX-License-Identifier: Apache-2.0
"""What a table, a floor and walls look like; and such as no ordinary scene has.

Ordinary scenes have tables of wood or painted in quiet colours before plain pale walls (`room`).
The unusual ones are for trials: cloths, stone and strong colours, and pictures on the walls.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inspire_sim import paint
from inspire_sim.colours import hsv
from inspire_sim.paint import Colour, Picture, shade


@dataclass(frozen=True)
class Poster:
    """A coloured board on a wall: which wall, where its middle is along it and above the floor
    [m], half its size [m]."""

    wall: int
    along: float
    height: float
    half_width: float
    half_height: float
    colour: Colour


@dataclass(frozen=True)
class Surroundings:
    """The pictures of table and floor, the colours of the table's legs and of the walls."""

    table: Picture
    legs: Colour
    floor: Picture
    wall: Colour
    posters: tuple[Poster, ...] = ()


def unusual(random: np.random.Generator) -> Surroundings:
    """A table with a cloth, of stone or in a strong colour; coloured walls with posters."""
    wall = hsv(random.random(), random.uniform(0.25, 0.60), random.uniform(0.45, 0.85))
    return Surroundings(_table(random), _strong(random), _table(random), wall,
                        tuple(_poster(random, wall) for wall in range(3) for _ in range(3)))


def _table(random: np.random.Generator) -> Picture:
    first, second = _strong(random), _strong(random)
    kind = random.integers(4)
    if kind == 0:
        return paint.checked(first, second, int(random.integers(6, 15)))
    if kind == 1:
        edges = np.sort(random.random(12)).tolist()
        return paint.striped(first, second, tuple(zip(edges[::2], edges[1::2], strict=True)), 256)
    if kind == 2:
        return paint.speckled(random, first, shade(second, 0.5), 0.3, 256, 256)
    return paint.plain(random, first)


def _strong(random: np.random.Generator) -> Colour:
    return hsv(random.random(), random.uniform(0.20, 0.70), random.uniform(0.35, 0.95))


def _poster(random: np.random.Generator, wall: int) -> Poster:
    return Poster(wall, random.uniform(-0.9, 0.9), random.uniform(0.75, 1.7),
                  random.uniform(0.12, 0.35), random.uniform(0.10, 0.35), _strong(random))

# SPDX-License-Identifier: Apache-2.0
"""Worlds other than those a policy was trained in: one thing is changed, and nothing else.

A variation is drawn from the seed like everything in a scene, through streams of its own: the base
scene of a seed (what stands where, light, and whatever the variation leaves alone) stays the same
to the bit. So episodes with and without it are pairs.
"""

from __future__ import annotations

from enum import StrEnum


class Variation(StrEnum):
    """What is changed; its value is the name used on the command line."""

    NONE = 'none'
    # up to six things more on the table, as far apart as the others
    DISTRACTORS = 'distractors'
    # what an instruction may name by its colour keeps that name; everything else takes a hue
    # that it never has (colours.recoloured)
    RECOLOURED = 'recoloured'
    # a table, a floor and walls in patterns and colours of other rooms, and pictures on the walls
    BACKGROUND = 'background'
    # the third-person camera 2 to 5 cm off, and turned by 1.5 to 4 degrees
    CAMERA = 'camera'

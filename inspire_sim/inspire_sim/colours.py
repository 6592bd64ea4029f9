# SPDX-License-Identifier: Apache-2.0
"""The objects' colours: each in its range, which keeps it recognisable and true to its name.

`recoloured` is for trials with other colours: a thing that is named by its colour, or known by it,
takes any colour of that name; every other thing takes a hue that `drawn` never gives it.
"""

import numpy as np

from inspire_sim.paint import Colour

# Hue 0..1, saturation, value; and how far each may be off.
_COLOURS = {
    'ball': ((0.97, 0.78, 0.86), (0.04, 0.12, 0.10)),
    'orange': ((0.078, 0.93, 0.97), (0.012, 0.05, 0.03)),
    'apple': ((0.995, 0.86, 0.76), (0.012, 0.08, 0.08)),
    'watermelon': ((0.30, 0.55, 0.55), (0.02, 0.08, 0.08)),
    'banana': ((0.142, 0.82, 0.96), (0.012, 0.08, 0.03)),
    'can': ((0.0, 0.85, 0.80), (0.06, 0.10, 0.10)),
    'plug': ((0.12, 0.05, 0.93), (0.3, 0.04, 0.05)),
    'plate': ((0.11, 0.05, 0.95), (0.05, 0.03, 0.03)),
    'cookies': ((0.60, 0.85, 0.62), (0.05, 0.10, 0.10)),
    'towel': ((0.52, 0.58, 0.66), (0.10, 0.12, 0.10)),
    'book': ((0.98, 0.72, 0.50), (0.05, 0.12, 0.08)),
    'cabinet': ((0.09, 0.42, 0.80), (0.02, 0.10, 0.10)),
    'blue': ((0.615, 0.85, 0.75), (0.02, 0.08, 0.10)),
    'green': ((0.37, 0.78, 0.62), (0.025, 0.10, 0.08)),
    'red': ((0.99, 0.86, 0.80), (0.012, 0.08, 0.08)),
    'yellow': ((0.145, 0.86, 0.97), (0.012, 0.08, 0.03)),
    'orange_cup': ((0.065, 0.92, 0.97), (0.010, 0.05, 0.03)),
}

_BOWL_HUES = (0.03, 0.10, 0.50, 0.56, 0.72)

# The colours that still have the name: ranges of hue, saturation, value (orange and yellow turn
# brown and olive when they get dark, so they do not).
_NAMED = {
    'blue': ((0.560, 0.680), (0.60, 1.00), (0.55, 1.00)),
    'green': ((0.270, 0.450), (0.50, 1.00), (0.45, 0.95)),
    'red': ((0.965, 1.020), (0.70, 1.00), (0.50, 1.00)),
    'yellow': ((0.130, 0.170), (0.60, 1.00), (0.80, 1.00)),
    'orange_cup': ((0.050, 0.085), (0.75, 1.00), (0.85, 1.00)),
    'orange': ((0.055, 0.095), (0.75, 1.00), (0.80, 1.00)),
    'banana': ((0.115, 0.200), (0.55, 1.00), (0.75, 1.00)),      # from ripe to greenish
    'watermelon': ((0.220, 0.420), (0.35, 0.90), (0.35, 0.80)),
    'apple': ((0.150, 0.330), (0.50, 1.00), (0.55, 0.95)),       # yellow to green
}
_CLEAR_OF = 0.08    # from every hue that a thing has otherwise


def lot(frame: str) -> str:
    """What shares one colour: the three bowls, the cabinet's three plates."""
    return frame[:-2] if frame[-1].isdigit() else frame


def drawn(frame: str, random: np.random.Generator) -> Colour:
    """A colour for the object of a frame."""
    if frame.startswith('bowl'):
        return hsv(random.choice(_BOWL_HUES), random.uniform(0.30, 0.55),
                   random.uniform(0.55, 0.80))
    if frame.startswith('plate_'):
        return hsv(random.uniform(0.0, 1.0), random.uniform(0.03, 0.16), 0.95)
    middle, spread = _COLOURS[_key(frame)]
    hue, saturation, value = np.array(middle) + np.array(spread) * random.uniform(-1.0, 1.0, 3)
    return hsv(float(hue), float(saturation), float(value))


def recoloured(frame: str, random: np.random.Generator) -> Colour:
    """A colour that the object of a frame does not have otherwise, or another of its name."""
    key = _key(frame)
    if key in _NAMED:
        hue, saturation, value = (random.uniform(*limits) for limits in _NAMED[key])
        return hsv(hue % 1.0, saturation, value)
    while True:
        hue = random.random()
        if all(_apart(hue, other) > spread + _CLEAR_OF for other, spread in _hues(frame)):
            return hsv(hue, random.uniform(0.45, 0.90), random.uniform(0.45, 0.95))


def _hues(frame: str) -> list[tuple[float, float]]:
    """The hues that a frame's object has otherwise, each with how far it may be off. What is
    nearly white has none."""
    if frame.startswith('bowl'):
        return [(hue, 0.0) for hue in _BOWL_HUES]
    if frame.startswith('plate') or frame == 'plug':
        return []
    middle, spread = _COLOURS[_key(frame)]
    return [(middle[0], spread[0])]


def _apart(hue: float, other: float) -> float:
    """How far two hues are apart on the wheel, 0 to 0.5."""
    return abs((hue - other + 0.5) % 1.0 - 0.5)


def _key(frame: str) -> str:
    """The entry of a frame: 'blue' of 'blue_cube', its own where it has one."""
    return frame if frame in _COLOURS else frame.split('_')[0]


def hsv(hue: float, saturation: float, value: float) -> Colour:
    """Red, green, blue (0..1) of hue (a full turn is 1), saturation and value (0..1)."""
    wheel = (np.array([5.0, 3.0, 1.0]) + 6.0 * hue) % 6.0
    share = np.clip(np.minimum(wheel, 4.0 - wheel), 0.0, 1.0)
    red, green, blue = np.clip(value, 0.0, 1.0) * (1.0 - np.clip(saturation, 0.0, 1.0) * share)
    return float(red), float(green), float(blue)

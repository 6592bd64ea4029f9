# SPDX-License-Identifier: Apache-2.0
"""Pictures for surfaces, painted with numpy: wood, stripes, rind, labels.

Pictures are (rows, columns, 3) uint8; colours are three numbers from 0 to 1.
"""

import mujoco
import numpy as np
from numpy.typing import NDArray

Colour = tuple[float, float, float]
Picture = NDArray[np.uint8]
Array = NDArray[np.float64]


def add_picture(spec: mujoco.MjSpec, name: str, picture: Picture, specular: float = 0.2,
                shininess: float = 0.3, reflectance: float = 0.0) -> str:
    """Add a picture to the spec as a material of that name and return the name."""
    texture = spec.add_texture(name=name, type=mujoco.mjtTexture.mjTEXTURE_2D, nchannel=3,
                               height=picture.shape[0], width=picture.shape[1])
    texture.data = np.ascontiguousarray(picture).tobytes()
    material = spec.add_material(name=name, specular=specular, shininess=shininess,
                                 reflectance=reflectance)
    material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = name
    return name


def mixed(first: Colour, second: Colour, share: Array) -> Picture:
    """`first` where share (rows, columns) is 0, `second` where it is 1."""
    a, b = np.array(first), np.array(second)
    blend = a + np.clip(share, 0.0, 1.0)[..., None] * (b - a)
    return np.round(255.0 * np.clip(blend, 0.0, 1.0)).astype(np.uint8)


def shade(colour: Colour, factor: float) -> Colour:
    """The colour made darker (factor < 1) or lighter, towards white (factor > 1)."""
    if factor <= 1.0:
        return tuple(float(part * factor) for part in colour)  # type: ignore[return-value]
    return tuple(float(1.0 - (1.0 - part) * (2.0 - factor)) for part in colour)  # type: ignore


def smooth_noise(random: np.random.Generator, rows: int, columns: int,
                 cells: tuple[int, int]) -> Array:
    """Cloudy noise (rows, columns) from 0 to 1 that repeats at its edges."""
    coarse = random.random(cells)
    y = np.linspace(0.0, cells[0], rows, endpoint=False)
    x = np.linspace(0.0, cells[1], columns, endpoint=False)
    y0, x0 = y.astype(int), x.astype(int)
    fy = _eased(y - y0)[:, None]
    fx = _eased(x - x0)[None, :]
    y1, x1 = (y0 + 1) % cells[0], (x0 + 1) % cells[1]
    low = coarse[np.ix_(y0, x0)] * (1 - fx) + coarse[np.ix_(y0, x1)] * fx
    high = coarse[np.ix_(y1, x0)] * (1 - fx) + coarse[np.ix_(y1, x1)] * fx
    return np.asarray(low * (1 - fy) + high * fy)


def wood(random: np.random.Generator, colour: Colour, size: int = 512, planks: int = 5) -> Picture:
    """Planks that run along the picture's columns, each with a shade and a grain of its own."""
    across = np.repeat(np.linspace(0, planks, size, endpoint=False)[:, None], size, axis=1)
    plank = across.astype(int)
    bend = 0.10 * smooth_noise(random, size, size, (planks * 2, 3))
    grain = np.sin(2 * np.pi * (7.0 * (across + bend) + 3.0 * random.random(planks)[plank]))
    fine = smooth_noise(random, size, size, (size // 2, 12))
    tone = 0.35 * random.random(planks)[plank] + 0.16 * grain + 0.35 * fine
    seam = np.minimum(across - plank, plank + 1 - across) < 0.012
    return mixed(shade(colour, 1.12), shade(colour, 0.66), np.where(seam, 1.2, tone))


def plain(random: np.random.Generator, colour: Colour, size: int = 256) -> Picture:
    """A painted board: faint clouds and fine grain."""
    cloud = smooth_noise(random, size, size, (5, 5))
    grain = smooth_noise(random, size, size, (size // 2, size // 2))
    return mixed(shade(colour, 1.05), shade(colour, 0.90), 0.6 * cloud + 0.4 * grain)


def speckled(random: np.random.Generator, colour: Colour, dark: Colour, share: float,
             rows: int = 96, columns: int = 192) -> Picture:
    """Fine dark points on a cloudy colour: the skin of a fruit."""
    cloud = 0.5 * smooth_noise(random, rows, columns, (6, 10))
    points = (smooth_noise(random, rows, columns, (rows // 2, columns // 2)) > 1.0 - share)
    return mixed(colour, dark, np.where(points, 0.75, 0.35 * cloud))


def rind(random: np.random.Generator, light: Colour, dark: Colour, stripes: int = 9) -> Picture:
    """Ragged dark stripes from pole to pole: a watermelon."""
    rows, columns = 128, 256
    u = np.linspace(0.0, 1.0, columns, endpoint=False)[None, :]
    ragged = 0.35 * (smooth_noise(random, rows, columns, (16, 40)) - 0.5)
    wave = np.sin(2 * np.pi * stripes * u + 6.0 * ragged)
    return mixed(light, dark, 0.5 + 2.2 * (wave - 0.05))


def panels(first: Colour, second: Colour, count: int = 6) -> Picture:
    """Sectors of two colours from pole to pole with a white seam: a beach ball."""
    rows, columns = 64, 256
    u = np.linspace(0.0, count, columns, endpoint=False)
    sector = (u.astype(int) % 2).astype(float)
    picture = mixed(first, second, np.broadcast_to(sector, (rows, columns)))
    seam = np.minimum(u % 1.0, 1.0 - u % 1.0) < 0.06
    picture[:, seam] = 245
    picture[:3] = picture[-3:] = 245
    return picture


def striped(base: Colour, stripe: Colour, edges: tuple[tuple[float, float], ...],
            size: int = 128) -> Picture:
    """Stripes across the rows; each pair of edges says where one begins and ends, 0..1."""
    v = (np.arange(size) + 0.5) / size
    inside = np.zeros(size)
    for begin, end in edges:
        inside[(v >= begin) & (v <= end)] = 1.0
    y, x = np.mgrid[:size, :size]
    weave = 0.12 * ((x + y) % 2)
    return mixed(base, stripe, np.clip(np.broadcast_to(inside[:, None], (size, size)), 0, 1)
                 * 0.92 + weave * 0.5)


def checked(first: Colour, second: Colour, count: int, size: int = 256) -> Picture:
    """A cloth of `count` squares a side in two colours."""
    square = (np.arange(size) * count) // size
    return mixed(first, second, ((square[:, None] + square[None, :]) % 2).astype(float))


def label(base: Colour, band: Colour, mark: Colour) -> Picture:
    """A drinks can's print: a band around it and round marks on the band."""
    rows, columns = 128, 256
    v = (np.arange(rows) / rows)[:, None]
    u = (np.arange(columns) / columns)[None, :]
    banded = (abs(v - 0.5) < 0.24).astype(float)
    picture = mixed(base, band, np.broadcast_to(banded, (rows, columns)))
    edge = np.broadcast_to((abs(abs(v - 0.5) - 0.27) < 0.015), (rows, columns))
    picture[edge] = 250
    for centre in (0.0, 1.0 / 3.0, 2.0 / 3.0, 1.0):
        inside = ((u - centre) * 2.1) ** 2 + (v - 0.5) ** 2 < 0.17 ** 2
        picture[inside] = mixed(mark, mark, np.zeros((1, 1)))[0, 0]
        star = ((u - centre) * 2.1) ** 2 + (v - 0.5) ** 2 < 0.09 ** 2
        picture[star] = 250
    return picture


def biscuits(random: np.random.Generator, base: Colour, band: Colour) -> Picture:
    """The front of a packet of cookies: a band, three cookies with chips of chocolate."""
    rows, columns = 128, 288
    y, x = np.mgrid[:rows, :columns].astype(float)
    picture = mixed(base, band, (y > 0.72 * rows + 6.0 * np.sin(x / 22.0)).astype(float))
    for centre in (0.24, 0.5, 0.76):
        _cookie(random, picture, x - centre * columns, y - 0.40 * rows, 34.0)
    return picture


def _cookie(random: np.random.Generator, picture: Picture, x: Array, y: Array,
            radius: float) -> None:
    distance = np.hypot(x, y)
    picture[distance < radius] = (150, 96, 48)
    picture[distance < radius - 3.0] = (205, 150, 88)
    for _ in range(9):
        angle, reach = random.uniform(0.0, 2 * np.pi), radius * 0.75 * np.sqrt(random.random())
        chip = np.hypot(x - reach * np.cos(angle), y - reach * np.sin(angle)) < 4.2
        picture[chip] = (74, 42, 24)


def _eased(share: Array) -> Array:
    return share * share * (3.0 - 2.0 * share)

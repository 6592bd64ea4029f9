# SPDX-License-Identifier: Apache-2.0
"""What the robot says, drawn on what it sees: one line per object, the answer as a coloured sign
with a symbol.

Pure drawing: an RGB array in, an RGB array out. A small camera image is enlarged first, since text
of 224 pixels' width cannot be read. Symbols are as the viewer sees them: an arrow for left, right,
up and down; a dot in a circle comes towards the viewer (front), a cross in a circle goes away
(back), like the drawing of a vector; closed fingers mean grasped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from math import cos, radians, sin
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from piper_driver.pinhole import Spot

SMALLEST_SIDE = 448  # px; smaller images are enlarged by a whole factor
SHARPENING = 2  # the panels are drawn this many times larger, then reduced: smooth edges

Colour = tuple[int, int, int]

PANEL = (16, 18, 24, 208)
TEXT: Colour = (236, 238, 242)
DIM: Colour = (158, 166, 178)
AGREES: Colour = (74, 201, 126)
DIFFERS: Colour = (240, 92, 84)

# Opposite directions have opposite hues, so that a change of mind is seen at once. All are light
# enough for dark symbols on them.
COLOURS: dict[str, Colour] = {
    'left': (86, 180, 233),
    'right': (240, 160, 60),
    'up': (178, 223, 99),
    'down': (206, 147, 216),
    'front': (245, 215, 85),
    'back': (120, 144, 240),
    'grasped': (82, 214, 144),
    'near': (245, 215, 85),
    'middle': (240, 160, 60),
    'far': (120, 144, 240),
}
OTHER: Colour = (189, 197, 208)  # digits
WITHHELD: Colour = (110, 116, 126)


@dataclass(frozen=True)
class Line:
    """One object's answer. `probability` None: not known. `agrees`: whether it equals the label,
    if one is known. `spot`: where in the image the object is believed to be, if that is known.
    """

    object: str
    answer: str  # empty: withheld
    probability: float | None = None
    agrees: bool | None = None
    spot: Spot | None = None


def draw(
    image: NDArray[np.uint8], lines: Sequence[Line], title: str = '', note: str = ''
) -> NDArray[np.uint8]:
    """Return `image` (H, W, 3) RGB, enlarged if small, with the lines, a title above and a note
    below them, and a ring in the colour of its answer around each object's spot.

    The result is (s H, s W, 3) with a whole s >= 1. Without lines, title and note nothing is
    drawn.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ValueError(f'image has shape {image.shape} of {image.dtype}; valid: (H, W, 3) uint8')
    canvas = enlarged(image)
    size = max(11, round(min(canvas.size) * 0.036))
    margin = size // 2
    _draw_rings(canvas, lines, size)
    if lines or note:
        panel = _answers_panel(lines, note, size, canvas.width - 2 * margin)
        place = (margin, canvas.height - margin - panel.height)
        canvas.paste(panel, place, panel)
    if title:
        panel = _title_panel(title, size, canvas.width - 2 * margin)
        canvas.paste(panel, (margin, margin), panel)
    return np.asarray(canvas)


def enlarged(image: NDArray[np.uint8]) -> Image.Image:
    """Return the image, enlarged by the least whole factor that makes its shorter side
    SMALLEST_SIDE.
    """
    picture = Image.fromarray(image)
    factor = -(-SMALLEST_SIDE // min(picture.size))
    if factor <= 1:
        return picture
    return picture.resize(
        (picture.width * factor, picture.height * factor), Image.Resampling.BICUBIC
    )


def colour_of(answer: str) -> Colour:
    """Return the colour of an answer; of an answer of several words, the first one's."""
    if not answer:
        return WITHHELD
    return COLOURS.get(answer.split()[0], OTHER)


def _answers_panel(lines: Sequence[Line], note: str, size: int, widest: int) -> Image.Image:
    """Return the panel of all lines, drawn large and reduced."""
    unit = size * SHARPENING
    font, bold, small = _font(unit), _font(unit, bold=True), _font(round(unit * 0.72))
    pad, row, gap = unit * 0.6, unit * 1.75, unit * 0.7
    names = [_shortened(line.object, font, widest * SHARPENING * 0.5) for line in lines]
    words = [line.answer or 'withheld' for line in lines]
    name_width = max((font.getlength(name) for name in names), default=0.0)
    sign_width = max((bold.getlength(word) for word in words), default=0.0) + unit * 2.3
    extra_width = unit * 2.2 if any(_has_extra(line) for line in lines) else 0.0
    row_width = name_width + gap + sign_width + extra_width if lines else 0.0
    note = _shortened(note, small, widest * SHARPENING - 2 * pad)
    width = 2 * pad + max(row_width, small.getlength(note))
    height = 1.2 * pad + row * len(lines) + (unit * 1.2 if note else 0.0)
    panel, pen = _panel(min(width, widest * SHARPENING), height, unit * 0.5)
    for index, (line, name, word) in enumerate(zip(lines, names, words, strict=True)):
        middle = 0.6 * pad + row * (index + 0.5)
        pen.text((pad, middle), name, font=font, fill=TEXT, anchor='lm')
        left = pad + name_width + gap
        _draw_sign(pen, (left, middle), sign_width, unit, line.answer, word, bold)
        if _has_extra(line):
            _draw_extra(pen, (left + sign_width + unit * 0.5, middle), unit, line)
    if note:
        below = 0.6 * pad + row * len(lines) + unit * 0.55
        pen.text((pad, below), note, font=small, fill=DIM, anchor='lm')
    return _reduced(panel)


def _draw_rings(canvas: Image.Image, lines: Sequence[Line], size: int) -> None:
    """Draw a ring, dark at its edges so that it is seen on anything, around each spot."""
    radius, width = size * SHARPENING, max(2, size // 5) * SHARPENING
    for line in lines:
        if line.spot is None:
            continue
        ring = Image.new('RGBA', (2 * radius, 2 * radius))
        pen = ImageDraw.Draw(ring)
        for inset, thick, colour in ((0, 2 * width, PANEL), (width // 2, width,
                                                             colour_of(line.answer))):
            box = (inset, inset, 2 * radius - 1 - inset, 2 * radius - 1 - inset)
            pen.ellipse(box, outline=colour, width=thick)
        ring = _reduced(ring)
        x, y = line.spot[0] * canvas.width, line.spot[1] * canvas.height
        canvas.paste(ring, (round(x - ring.width / 2), round(y - ring.height / 2)), ring)


def _title_panel(title: str, size: int, widest: int) -> Image.Image:
    """Return the panel with the instruction."""
    unit = size * SHARPENING
    font = _font(unit, bold=True)
    text = _shortened(title, font, widest * SHARPENING - 1.6 * unit)
    panel, pen = _panel(font.getlength(text) + 1.6 * unit, unit * 1.9, unit * 0.5)
    pen.text((0.8 * unit, unit * 0.95), text, font=font, fill=TEXT, anchor='lm')
    return _reduced(panel)


def _panel(width: float, height: float, radius: float) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """Return an empty dark panel with round corners, and a pen on it."""
    panel = Image.new('RGBA', (round(width), round(height)), (*PANEL[:3], 0))
    pen = ImageDraw.Draw(panel)
    pen.rounded_rectangle((0, 0, panel.width - 1, panel.height - 1), radius, fill=PANEL)
    return panel, pen


def _reduced(panel: Image.Image) -> Image.Image:
    return panel.resize(
        (panel.width // SHARPENING, panel.height // SHARPENING), Image.Resampling.BOX
    )


def _draw_sign(
    pen: ImageDraw.ImageDraw,
    place: tuple[float, float],
    width: float,
    unit: float,
    answer: str,
    word: str,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> None:
    """Draw an answer as a coloured sign: its symbol, then the word. `place` is the left end's
    middle.
    """
    left, middle = place
    half = unit * 0.75
    box = (left, middle - half, left + width, middle + half)
    pen.rounded_rectangle(box, half, fill=colour_of(answer))
    dark = PANEL[:3]
    symbol = SYMBOLS.get(answer.split()[0] if answer else '')
    text_left = left + unit * 0.75
    if symbol is not None:
        symbol(pen, (left + unit * 0.95, middle), unit * 0.42, dark)
        text_left = left + unit * 1.75
    pen.text((text_left, middle), word, font=font, fill=dark, anchor='lm')


def _has_extra(line: Line) -> bool:
    return line.probability is not None or line.agrees is not None


def _draw_extra(
    pen: ImageDraw.ImageDraw, place: tuple[float, float], unit: float, line: Line
) -> None:
    """Draw a bar as long as the probability, in the colour of agreement where that is known."""
    left, middle = place
    length, half = unit * 1.6, unit * 0.16
    fill = {None: TEXT, True: AGREES, False: DIFFERS}[line.agrees]
    share = 1.0 if line.probability is None else min(max(line.probability, 0.0), 1.0)
    pen.rounded_rectangle(
        (left, middle - half, left + length, middle + half), half, fill=(70, 76, 86)
    )
    if share * length > 2 * half:
        pen.rounded_rectangle(
            (left, middle - half, left + share * length, middle + half), half, fill=fill
        )


Symbol = Callable[[ImageDraw.ImageDraw, tuple[float, float], float, Colour], None]


def _arrow(degrees: float) -> Symbol:
    """Return a symbol: an arrow to the right, turned counter-clockwise by `degrees`."""
    half = ((1, 0), (0.05, 0.85), (0.05, 0.32), (-1, 0.32))
    outline = half + tuple((u, -v) for u, v in reversed(half))
    turn, lift = cos(radians(degrees)), sin(radians(degrees))

    def symbol(
        pen: ImageDraw.ImageDraw, centre: tuple[float, float], radius: float, colour: Colour
    ) -> None:
        x, y = centre
        pen.polygon(
            [
                (x + radius * (u * turn - v * lift), y - radius * (u * lift + v * turn))
                for u, v in outline
            ],
            fill=colour,
        )

    return symbol


def _circle(
    pen: ImageDraw.ImageDraw, centre: tuple[float, float], radius: float, colour: Colour
) -> None:
    x, y = centre
    box = (x - radius, y - radius, x + radius, y + radius)
    pen.ellipse(box, outline=colour, width=max(2, round(radius * 0.26)))


def _towards(
    pen: ImageDraw.ImageDraw, centre: tuple[float, float], radius: float, colour: Colour
) -> None:
    """Draw the tip of an arrow that comes at the viewer."""
    _circle(pen, centre, radius * 1.1, colour)
    x, y = centre
    dot = radius * 0.38
    pen.ellipse((x - dot, y - dot, x + dot, y + dot), fill=colour)


def _away(
    pen: ImageDraw.ImageDraw, centre: tuple[float, float], radius: float, colour: Colour
) -> None:
    """Draw the feathers of an arrow that flies away."""
    _circle(pen, centre, radius * 1.1, colour)
    x, y = centre
    arm = radius * 0.52
    width = max(2, round(radius * 0.26))
    pen.line((x - arm, y - arm, x + arm, y + arm), fill=colour, width=width)
    pen.line((x - arm, y + arm, x + arm, y - arm), fill=colour, width=width)


def _fingers(
    pen: ImageDraw.ImageDraw, centre: tuple[float, float], radius: float, colour: Colour
) -> None:
    """Draw two fingers with something between them."""
    x, y = centre
    for side in (-1, 1):
        inner, outer = sorted((x + side * radius * 0.62, x + side * radius * 1.0))
        pen.rectangle((inner, y - radius * 0.9, outer, y + radius), fill=colour)
    pen.rectangle((x - radius, y - radius, x + radius, y - radius * 0.62), fill=colour)
    dot = radius * 0.36
    pen.ellipse((x - dot, y + radius * 0.3 - dot, x + dot, y + radius * 0.3 + dot), fill=colour)


SYMBOLS: dict[str, Symbol] = {
    'right': _arrow(0),
    'up': _arrow(90),
    'left': _arrow(180),
    'down': _arrow(270),
    'front': _towards,
    'back': _away,
    'grasped': _fingers,
}


def _shortened(
    text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, widest: float
) -> str:
    """Return `text`, with its end replaced by an ellipsis when it is wider than `widest` px."""
    if font.getlength(text) <= widest:
        return text
    while text and font.getlength(text + '…') > widest:
        text = text[:-1]
    return text.rstrip() + '…'


@lru_cache(maxsize=32)
def _font(size: int, bold: bool = False) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return DejaVu Sans from matplotlib's data (found, not imported), else Pillow's own font."""
    spec = find_spec('matplotlib')
    if spec is not None and spec.origin is not None:
        name = 'DejaVuSans-Bold.ttf' if bold else 'DejaVuSans.ttf'
        file = Path(spec.origin).parent / 'mpl-data' / 'fonts' / 'ttf' / name
        if file.is_file():
            return ImageFont.truetype(str(file), size)
    return ImageFont.load_default(size)

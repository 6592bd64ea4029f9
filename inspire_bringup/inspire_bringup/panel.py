# SPDX-License-Identifier: Apache-2.0
"""The reasoning of an episode, drawn for people: cards of the present answers, ribbons of all.

Pure drawing with Pillow: a story goes in, RGB pictures come out. Everything is drawn at twice its
size and reduced, so that edges are smooth. Colours and symbols are those of the live overlay.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from inspire_bringup.story import Answer, Story
from inspire_policy.overlay import AGREES, DIFFERS, SYMBOLS, colour_of

Picture = NDArray[np.uint8]  # (height, width, 3), RGB
Colour = tuple[int, int, int]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

SCALE = 2
BACK: Colour = (15, 17, 23)
CARD: Colour = (26, 29, 38)
LANE: Colour = (29, 33, 43)
TEXT: Colour = (238, 240, 244)
DIM: Colour = (146, 154, 168)
FAINT: Colour = (74, 80, 94)


@dataclass(frozen=True)
class Segment:
    """An answer that stood for a while [s]."""

    start: float
    end: float
    text: str
    agrees: bool | None = None


def segments(answers: Sequence[Answer], end: float, by_observation: bool) -> list[Segment]:
    """Join equal answers that follow each other; each stands until the next.

    Labels stand from their observation on, a policy's answers from when they were said.
    """
    found: list[Segment] = []
    times = [one.time if by_observation else one.said for one in answers]
    for index, one in enumerate(answers):
        until = times[index + 1] if index + 1 < len(answers) else end
        agrees = None if by_observation else one.agrees
        if found and (found[-1].text, found[-1].agrees) == (one.text, agrees):
            found[-1] = Segment(found[-1].start, until, one.text, agrees)
        else:
            found.append(Segment(times[index], until, one.text, agrees))
    return found


def present(answers: Sequence[Answer], time: float) -> Answer | None:
    """Return the latest answer said by a time."""
    latest = None
    for one in answers:
        if one.said > time:
            break
        latest = one
    return latest


class Panel:
    """Draws the cards of a story into a picture of `size` (width, height)."""

    def __init__(self, story: Story, size: tuple[int, int]) -> None:
        self._story, self._size = story, size
        self._drawn: dict[tuple[Answer | None, ...], Image.Image] = {}

    def draw(self, time: float, views: Sequence[tuple[str, Picture]]) -> Image.Image:
        """Draw the answers of a time, and below them what the policy saw then."""
        key = tuple(present(self._story.answers[name], time) for name in self._story.objects)
        if key not in self._drawn:
            self._drawn[key] = self._draw_cards(key)
        canvas = self._drawn[key].copy()
        self._draw_views(canvas, views)
        return canvas

    def _draw_cards(self, answers: Sequence[Answer | None]) -> Image.Image:
        width, height = self._size
        canvas = Image.new('RGB', (width * SCALE, height * SCALE), BACK)
        pen = ImageDraw.Draw(canvas)
        _text(pen, (20, 24), 'WHAT THE ROBOT SAYS', 11, DIM, bold=True)
        room = height - 48 - (width - 52) // 2 - 50
        shown = list(zip(self._story.objects, answers, strict=True))[: max(1, room // 92)]
        card = min(150, room // max(1, len(shown)) - 10)
        for index, (name, answer) in enumerate(shown):
            _draw_card(
                canvas, pen, (16, 46 + index * (card + 10)), (width - 32, card), name, answer
            )
        if not shown:
            _text(pen, (20, 60), 'nothing was asked in this episode', 13, DIM)
        return canvas.resize(self._size, Image.Resampling.BOX)

    def _draw_views(self, canvas: Image.Image, views: Sequence[tuple[str, Picture]]) -> None:
        """Paste the camera pictures side by side at the bottom, each with its caption."""
        width, height = self._size
        side = (width - 52) // 2
        top = height - side - 18
        pen = ImageDraw.Draw(canvas)
        for index, (caption, picture) in enumerate(views[:2]):
            left = 16 + index * (side + 20)
            image = Image.fromarray(picture).resize((side, side), Image.Resampling.BICUBIC)
            canvas.paste(image, (left, top), _rounded(side, 8))
            pen.text((left, top - 9), caption, font=font(11), fill=DIM, anchor='lm')


def _draw_card(
    canvas: Image.Image,
    pen: ImageDraw.ImageDraw,
    place: tuple[int, int],
    size: tuple[int, int],
    name: str,
    answer: Answer | None,
) -> None:
    (left, top), (width, height) = place, size
    _box(pen, (left, top, left + width, top + height), 12, CARD)
    text = answer.text if answer else ''
    if answer:
        _box(pen, (left, top + 14, left + 4, top + height - 14), 2, colour_of(text))
    chip = _draw_chip(pen, (left + width - 14, top + 26), answer)
    size_of_name = next((one for one in (19, 17, 15) if _fits(name, one, width - chip - 44)), 15)
    shown = _fitting(name, size_of_name, width - chip - 44)
    _text(pen, (left + 18, top + 26), shown, size_of_name, TEXT, bold=True)
    if answer is None:
        return
    verdict, points, colour = _verdict(answer)
    _text(pen, (left + width - 18, top + 56), verdict, points, colour, anchor='rm')
    if height >= 130:
        for row, words in enumerate(_two_rows(answer.question)):
            _text(pen, (left + 18, top + 56 + 16 * row), words, 11, DIM)
    if height >= 96:
        _draw_options(pen, (left + 18, top + height - 24), width - 36, answer)


def _draw_chip(
    pen: ImageDraw.ImageDraw, right: tuple[float, float], answer: Answer | None
) -> float:
    """Draw the answer as a sign whose right end's middle is given; return its length."""
    if answer is None:
        _text(pen, right, 'not asked yet', 12, FAINT, anchor='rm')
        return font(12).getlength('not asked yet')
    word = answer.text or 'withheld'
    symbol = SYMBOLS.get(answer.text.split()[0] if answer.text else '')
    length = font(16, bold=True).getlength(word) + (54 if symbol else 30)
    x, y = right
    _box(pen, (x - length, y - 16, x, y + 16), 16, colour_of(answer.text))
    if symbol:
        symbol(pen, ((x - length + 21) * SCALE, y * SCALE), 8 * SCALE, BACK)
    _text(pen, (x - 15, y), word, 16, BACK, bold=True, anchor='rm')
    return length


def _fits(text: str, size: int, width: float) -> bool:
    return font(size, bold=True).getlength(text) <= width


def _two_rows(question: str) -> tuple[str, ...]:
    """Break a question before its second half: "In which direction is the ball" "relative ..."."""
    half, found, rest = question.partition(' relative to ')
    if not found:
        return (_fitting(question, 11, 230, bold=False),)
    return (_fitting(half, 11, 230, bold=False), f'relative to {rest}')


def _verdict(answer: Answer) -> tuple[str, int, Colour]:
    """Say how an answer compares with the truth: text, size, colour."""
    if not answer.text:
        return answer.reason or 'withheld', 11, DIM
    if answer.agrees is None:
        return 'the truth is not known', 11, DIM
    if answer.agrees:
        return '✓ as the truth', 12, AGREES
    return f'✗ the truth: {answer.truth}', 12, DIFFERS


def _draw_options(
    pen: ImageDraw.ImageDraw, place: tuple[float, float], width: float, answer: Answer
) -> None:
    """Draw the closed set of answers as symbols with a bar of probability, the chosen one lit."""
    options = [one for one in answer.options if one in SYMBOLS]
    if not options:
        return
    left, y = place
    step = width / len(options)
    for index, option in enumerate(options):
        x = left + step * (index + 0.5)
        chosen = option == answer.text
        share = answer.probabilities[index] if index < len(answer.probabilities) else float(chosen)
        SYMBOLS[option](
            pen, (x * SCALE, (y - 5) * SCALE), 7 * SCALE, colour_of(option) if chosen else FAINT
        )
        half = step * 0.36
        _box(pen, (x - half, y + 9, x + half, y + 12), 1.5, (48, 53, 66))
        if share > 0.02:
            end = x - half + 2 * half * min(share, 1.0)
            _box(pen, (x - half, y + 9, end, y + 12), 1.5, colour_of(option))


class Timeline:
    """Draws the ribbons of answers and of the truth into a picture of `size`, up to a time."""

    MARGIN, TOP, BOTTOM = 24, 12, 24

    def __init__(self, story: Story, size: tuple[int, int]) -> None:
        self._story, self._size = story, size
        widths = [font(13).getlength(name) for name in story.objects[:4]]
        self._gutter = round(min(max([*widths, 90.0]), 190.0)) + 40
        self._full = self._draw(filled=True)
        self._empty = self._draw(filled=False)

    def draw(self, time: float) -> Image.Image:
        """Draw everything until a time, and the head that is there."""
        canvas = self._empty.copy()
        x = round(self._x(min(time, self._story.duration)))
        canvas.paste(self._full.crop((0, 0, x, self._size[1])), (0, 0))
        pen = ImageDraw.Draw(canvas)
        bottom = self._size[1] - self.BOTTOM + 2
        pen.line((x, self.TOP - 4, x, bottom), fill=TEXT, width=2)
        return canvas

    def _x(self, time: float) -> float:
        width = self._size[0] - self._gutter - self.MARGIN
        share = min(max(time / max(self._story.duration, 1e-9), 0.0), 1.0)
        return self._gutter + width * share

    def _draw(self, filled: bool) -> Image.Image:
        width, height = self._size
        canvas = Image.new('RGB', (width * SCALE, height * SCALE), BACK)
        pen = ImageDraw.Draw(canvas)
        objects = self._story.objects[:4]
        pitch = (height - self.TOP - self.BOTTOM) / max(1, len(objects))
        for index, name in enumerate(objects):
            self._draw_lane(pen, name, self.TOP + index * pitch, min(pitch - 8, 30), filled)
        self._draw_axis(pen)
        return canvas.resize(self._size, Image.Resampling.BOX)

    def _draw_lane(
        self, pen: ImageDraw.ImageDraw, name: str, top: float, height: float, filled: bool
    ) -> None:
        """Draw an object's lane: what was said, and below it, thinner, the truth."""
        said, end = height * 0.74, self._story.duration
        label = _fitting(name, 13, self._gutter - 36, bold=False)
        _text(pen, (20, top + said / 2), label, 13, TEXT)
        right = self._size[0] - self.MARGIN
        _box(pen, (self._gutter, top, right, top + said), 4, LANE)
        if not filled:
            return
        for one in segments(self._story.answers.get(name, []), end, by_observation=False):
            self._draw_segment(pen, one, top, top + said)
        for one in segments(self._story.labels.get(name, []), end, by_observation=True):
            if one.text:
                box = (self._x(one.start), top + said + 3, self._x(one.end), top + height)
                pen.rectangle([value * SCALE for value in box], fill=colour_of(one.text))

    def _draw_segment(
        self, pen: ImageDraw.ImageDraw, one: Segment, top: float, bottom: float
    ) -> None:
        left, right = self._x(one.start), self._x(one.end)
        _box(pen, (left, top, max(left + 2, right - 1.5), bottom), 4, colour_of(one.text))
        if one.agrees is False:
            _box(pen, (left, top, max(left + 2, right - 1.5), top + 3), 1, DIFFERS)
        word = one.text or 'withheld'
        if font(12, bold=True).getlength(word) < right - left - 10:
            _text(pen, (left + 8, (top + bottom) / 2), word, 12, BACK, bold=True)

    def _draw_axis(self, pen: ImageDraw.ImageDraw) -> None:
        y = self._size[1] - self.BOTTOM / 2
        duration = self._story.duration
        step = next((one for one in (1, 2, 5, 10, 30, 60) if duration / one <= 16), 300)
        for second in range(0, int(duration) + 1, step):
            _text(pen, (self._x(second), y), f'{second} s', 11, DIM, anchor='mm')
        _text(pen, (20, y), 'said / truth', 11, DIM)


def headline(canvas: Image.Image, instruction: str, detail: str) -> None:
    """Write the instruction over the upper left of a picture, on a shade that lets it be read."""
    shade = _shade(canvas.width, 110)
    canvas.paste(Image.new('RGB', shade.size, (8, 9, 13)), (0, 0), shade)
    pen = ImageDraw.Draw(canvas)
    title = _fitting(f'“{instruction}”', 27, canvas.width - 56)
    pen.text((27, 43), title, font=font(27, bold=True), fill=(0, 0, 0), anchor='ls')
    pen.text((26, 42), title, font=font(27, bold=True), fill=(255, 255, 255), anchor='ls')
    pen.text((27, 68), detail, font=font(13), fill=(226, 229, 235), anchor='ls')


def footline(canvas: Image.Image, text: str, done: bool) -> None:
    """Write a line into a pill at the lower left of a picture; green once the task is done."""
    if not text:
        return
    size = 17 if done else 13
    text = _fitting(text, size, canvas.width - 90)
    width = font(size, bold=done).getlength(text) + 32
    height = size * 2
    pill = Image.new('RGBA', (round(width) * SCALE, height * SCALE), (0, 0, 0, 0))
    pen = ImageDraw.Draw(pill)
    fill = (*AGREES, 255) if done else (12, 14, 19, 190)
    pen.rounded_rectangle((0, 0, pill.width - 1, pill.height - 1), pill.height / 2, fill=fill)
    pill = pill.resize((round(width), height), Image.Resampling.BOX)
    ImageDraw.Draw(pill).text(
        (16, height / 2),
        text,
        font=font(size, bold=done),
        fill=BACK if done else (235, 238, 243),
        anchor='lm',
    )
    canvas.paste(pill, (24, canvas.height - height - 20), pill)


@lru_cache(maxsize=4)
def _shade(width: int, height: int) -> Image.Image:
    column = np.linspace(190, 0, height).astype(np.uint8)
    return Image.fromarray(np.repeat(column[:, None], width, axis=1), 'L')


@lru_cache(maxsize=4)
def _rounded(side: int, radius: int) -> Image.Image:
    mask = Image.new('L', (side * SCALE, side * SCALE), 0)
    box = (0, 0, side * SCALE - 1, side * SCALE - 1)
    ImageDraw.Draw(mask).rounded_rectangle(box, radius * SCALE, fill=255)
    return mask.resize((side, side), Image.Resampling.BOX)


def _box(pen: ImageDraw.ImageDraw, box: tuple[float, ...], radius: float, fill: Colour) -> None:
    pen.rounded_rectangle([value * SCALE for value in box], radius * SCALE, fill=fill)


def _text(
    pen: ImageDraw.ImageDraw,
    place: tuple[float, float],
    text: str,
    size: int,
    fill: Colour,
    bold: bool = False,
    anchor: str = 'lm',
) -> None:
    x, y = place
    pen.text((x * SCALE, y * SCALE), text, font=font(size * SCALE, bold), fill=fill, anchor=anchor)


def _fitting(text: str, size: int, width: float, bold: bool = True) -> str:
    """Shorten a text to a width, with an ellipsis."""
    if font(size, bold).getlength(text) <= width:
        return text
    while text and font(size, bold).getlength(text + '…') > width:
        text = text[:-1]
    return text.rstrip() + '…'


@lru_cache(maxsize=64)
def font(size: int, bold: bool = False) -> Font:
    """Return DejaVu Sans from matplotlib's data (found, not imported), else Pillow's own font."""
    spec = find_spec('matplotlib')
    if spec is not None and spec.origin is not None:
        name = 'DejaVuSans-Bold.ttf' if bold else 'DejaVuSans.ttf'
        file = Path(spec.origin).parent / 'mpl-data' / 'fonts' / 'ttf' / name
        if file.is_file():
            return ImageFont.truetype(str(file), size)
    return ImageFont.load_default(size)

# SPDX-License-Identifier: Apache-2.0
"""Charts of a report as SVG: bands of answers, and lines over time.

The SVG is made here so that a page shows everything without a script; the page's script only adds
what the pointer is over. Colours of lines are CSS variables, so a chart follows light and dark.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape

import numpy as np
from numpy.typing import NDArray

from inspire_bringup.panel import Segment, segments
from inspire_bringup.story import Answer, Story
from inspire_policy.overlay import colour_of

WIDTH = 1000
GUTTER, MARGIN = 150, 10
MOST_POINTS = 400
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Line:
    """A line of a chart: values over times [s]; dashed ones are commands."""

    name: str
    times: Array
    values: Array
    colour: str  # CSS
    dashed: bool = False


@dataclass(frozen=True)
class Chart:
    """A drawn chart with its heading; `decimals` are those of its values."""

    title: str
    unit: str
    svg: str
    lines: tuple[Line, ...]
    decimals: int

    @property
    def data(self) -> list[dict[str, object]]:
        """Return the lines as the page's script reads them."""
        return [
            {
                'name': line.name,
                't': [round(float(time), 3) for time in line.times],
                'v': [round(float(value), 4) for value in line.values],
            }
            for line in self.lines
        ]


def thinned(times: Array, values: Array) -> tuple[Array, Array]:
    """Take every n-th sample, so that at most MOST_POINTS are drawn."""
    step = max(1, -(-len(times) // MOST_POINTS))
    return times[::step], values[::step]


def timeline(story: Story) -> str:
    """Draw what was said and what was true, per object, as bands with words."""
    rows: list[str] = []
    y = 0.0
    for name in story.objects:
        rows.append(_label(name, y + 17))
        rows += _bands(story, story.answers.get(name, []), y, 26, 'said', by_observation=False)
        rows += _bands(story, story.labels.get(name, []), y + 29, 14, 'truth', by_observation=True)
        y += 62
    return _svg(rows + _axis(story.duration, y + 4), y + 20, 'timeline')


def chart(
    title: str, unit: str, lines: Sequence[Line], duration: float, decimals: int, height: int = 150
) -> Chart:
    """Draw lines over the episode's time, scaled to what they span."""
    drawn = tuple(
        replace(one, times=times, values=values)
        for one in lines
        for times, values in [thinned(one.times, one.values)]
    )
    every = np.concatenate([one.values for one in drawn]) if drawn else np.zeros(1)
    low, high = _range(every)
    rows = _grid(low, high, height, decimals)
    for one in drawn:
        rows.append(_polyline(one, duration, low, high, height))
    rows += _axis(duration, height + 4)
    return Chart(title, unit, _svg(rows, height + 22, 'chart'), drawn, decimals)


def x_of(time: float, duration: float) -> float:
    """Place a time on the chart's width."""
    share = min(max(time / duration, 0.0), 1.0) if duration > 0 else 0.0
    return GUTTER + (WIDTH - GUTTER - MARGIN) * share


def _bands(
    story: Story,
    answers: Sequence[Answer],
    y: float,
    height: float,
    kind: str,
    by_observation: bool,
) -> list[str]:
    right = WIDTH - MARGIN - GUTTER
    rows = [f'<rect class="lane" x="{GUTTER}" y="{y}" width="{right}" height="{height}" rx="4"/>']
    shown = segments(answers, story.duration, by_observation)
    return rows + [_band(one, story.duration, y, height, kind) for one in shown]


def _band(one: Segment, duration: float, y: float, height: float, kind: str) -> str:
    left, right = x_of(one.start, duration), x_of(one.end, duration)
    word = one.text or 'withheld'
    verdict = ', not as the truth' if one.agrees is False else ''
    hint = escape(f'{kind} {word}, {one.start:.2f} to {one.end:.2f} s{verdict}')
    red, green, blue = colour_of(one.text)
    fill = f'rgb({red},{green},{blue})'
    parts = [
        f'<rect x="{left:.1f}" y="{y}" width="{max(right - left - 0.8, 1.2):.1f}" '
        f'height="{height}" rx="3" fill="{fill}"/>'
    ]
    if one.agrees is False:
        parts.append(
            f'<rect class="wrong" x="{left:.1f}" y="{y - 4}" '
            f'width="{max(right - left - 0.8, 3):.1f}" height="3" rx="1"/>'
        )
    if right - left > 9 * len(word) + 6:
        parts.append(
            f'<text class="word" x="{left + 7:.1f}" y="{y + height / 2 + 4}">{escape(word)}</text>'
        )
    return f'<g data-hint="{hint}">{"".join(parts)}<title>{hint}</title></g>'


def _polyline(one: Line, duration: float, low: float, high: float, height: int) -> str:
    scale = height / (high - low)
    points = ' '.join(
        f'{x_of(float(time), duration):.1f},{height - (float(value) - low) * scale:.1f}'
        for time, value in zip(one.times, one.values, strict=True)
    )
    dash = ' stroke-dasharray="5 4" opacity="0.75"' if one.dashed else ''
    return f'<polyline points="{points}" style="stroke:{one.colour}"{dash}/>'


def _range(values: Array) -> tuple[float, float]:
    """Return a range that holds all values, with room, and is never empty."""
    low, high = (float(np.min(values)), float(np.max(values))) if len(values) else (0.0, 1.0)
    room = max((high - low) * 0.06, 1e-3)
    return low - room, high + room


def _grid(low: float, high: float, height: int, decimals: int) -> list[str]:
    rows = []
    for value in _ticks(low, high):
        y = height - (value - low) / (high - low) * height
        rows.append(
            f'<line class="grid" x1="{GUTTER}" x2="{WIDTH - MARGIN}" y1="{y:.1f}" y2="{y:.1f}"/>'
        )
        rows.append(
            f'<text class="tick" x="{GUTTER - 8}" y="{y + 4:.1f}" text-anchor="end">'
            f'{value:.{decimals}f}</text>'
        )
    return rows


def _ticks(low: float, high: float) -> list[float]:
    """List three to six round numbers within a range."""
    span = high - low
    step = 10.0 ** np.floor(np.log10(span))
    for factor in (0.1, 0.2, 0.5, 1.0, 2.0, 5.0):
        if span / (step * factor) <= 5:
            step *= factor
            break
    first = np.ceil(low / step)
    return [float(index * step) for index in np.arange(first, np.floor(high / step) + 1)]


def _axis(duration: float, y: float) -> list[str]:
    step = next((one for one in (1, 2, 5, 10, 30, 60) if duration / one <= 16), 300)
    return [
        f'<text class="tick" x="{x_of(second, duration):.1f}" y="{y + 12}" text-anchor="middle">'
        f'{second} s</text>'
        for second in range(0, int(duration) + 1, step)
    ]


def _label(name: str, y: float) -> str:
    shown = name if len(name) <= 18 else name[:17] + '…'
    return f'<text class="name" x="0" y="{y}">{escape(shown)}<title>{escape(name)}</title></text>'


def _svg(rows: Sequence[str], height: float, kind: str) -> str:
    return (
        f'<svg class="{kind}" viewBox="0 -6 {WIDTH} {height + 6:.0f}" '
        f'data-gutter="{GUTTER}" data-margin="{MARGIN}" role="img">{"".join(rows)}</svg>'
    )

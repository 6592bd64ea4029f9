# SPDX-License-Identifier: Apache-2.0
"""Charts of an evaluation as SVG: rates with their intervals, times of stages.

Like the charts of a report: they show everything without a script, and their colours are the
page's variables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from inspire_policy.evaluation_summary import StageTime

WIDTH = 1000
GUTTER, MARGIN = 250, 130   # for names, and for figures behind the bars
ROW = 25


@dataclass(frozen=True)
class Rate:
    """A row of rates: successes of episodes and where the rate lies with 95 % confidence; kind is
    the class that gives the bar its colour."""

    name: str
    kind: str
    successes: int
    episodes: int
    interval: tuple[float, float]
    hint: str = ''


def rates(rows: Sequence[Rate]) -> str:
    """Draw a bar for each rate with its interval as a line over it."""
    marks = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        x = _x(share)
        marks.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="0" '
                     f'y2="{ROW * len(rows)}"/>')
        marks.append(f'<text class="tick" x="{x:.1f}" y="{ROW * len(rows) + 16}" '
                     f'text-anchor="middle">{share:.0%}</text>')
    for number, row in enumerate(rows):
        marks.append(_rate(row, ROW * number))
    return _svg(marks, ROW * len(rows) + 22)


def _rate(row: Rate, y: float) -> str:
    share = row.successes / row.episodes
    low, high = row.interval
    middle = y + ROW / 2
    hint = escape(row.hint or f'{row.name}: {row.successes} of {row.episodes}, '
                  f'95 % interval {low:.1%} to {high:.1%}')
    return (
        f'<g data-hint="{hint}"><title>{hint}</title>'
        f'<text class="name {row.kind}" x="{GUTTER - 12}" y="{middle + 4}" text-anchor="end">'
        f'{escape(row.name)}</text>'
        f'<rect class="lane" x="{GUTTER}" y="{y + 4}" width="{_x(1.0) - GUTTER}" '
        f'height="{ROW - 8}" rx="3"/>'
        f'<rect class="bar {row.kind}" x="{GUTTER}" y="{y + 4}" '
        f'width="{max(_x(share) - GUTTER, 0.5):.1f}" height="{ROW - 8}" rx="3"/>'
        f'<path class="interval" d="M{_x(low):.1f} {middle}H{_x(high):.1f}'
        f'M{_x(low):.1f} {middle - 4}v8M{_x(high):.1f} {middle - 4}v8"/>'
        f'<text class="tick" x="{WIDTH - MARGIN + 12}" y="{middle + 4}">'
        f'{row.successes}/{row.episodes} · {share:.0%}</text></g>'
    )


def stages(times: Sequence[StageTime]) -> str:
    """Draw for each stage its median as a bar, and lines on to 95 and 99 %."""
    longest = max((one.p99 for one in times), default=0.0) or 1.0
    marks = []
    for number, one in enumerate(times):
        y = ROW * number
        middle = y + ROW / 2
        p50, p95, p99 = (_x(value / longest) for value in (one.p50, one.p95, one.p99))
        hint = escape(f'{one.stage}: median {one.p50:.1f} ms, 95 % {one.p95:.1f} ms, '
                      f'99 % {one.p99:.1f} ms')
        marks.append(
            f'<g data-hint="{hint}"><title>{hint}</title>'
            f'<text class="name" x="{GUTTER - 12}" y="{middle + 4}" text-anchor="end">'
            f'{escape(one.stage)}</text>'
            f'<rect class="bar stage" x="{GUTTER}" y="{y + 4}" '
            f'width="{max(p50 - GUTTER, 1.0):.1f}" height="{ROW - 8}" rx="3"/>'
            f'<path class="interval" d="M{p50:.1f} {middle}H{p99:.1f}M{p95:.1f} {middle - 5}v10'
            f'M{p99:.1f} {middle - 3}v6"/>'
            f'<text class="tick" x="{WIDTH - MARGIN + 12}" y="{middle + 4}">'
            f'{one.p50:.1f} / {one.p95:.1f} ms</text></g>')
    return _svg(marks, ROW * len(times))


def _x(share: float) -> float:
    """Place a share on the chart's width."""
    return GUTTER + (WIDTH - GUTTER - MARGIN) * min(max(share, 0.0), 1.0)


def _svg(marks: Sequence[str], height: float) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img">{"".join(marks)}</svg>'

# SPDX-License-Identifier: Apache-2.0
"""What `./inspire echo` shows: the latest answers beside the truth, agreement and rates."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

BAR = 20  # characters of a probability bar
WINDOW = 40  # arrivals over which a rate is taken


@dataclass(frozen=True)
class Said:
    """An answer about one object. `probabilities`: option -> probability; empty: not given."""

    object: str
    question: str
    answer: str
    reason: str = ''
    probabilities: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Observation:
    """All answers of one observation; `stamp` is when it was taken [s]."""

    stamp: float
    instruction: str
    answers: tuple[Said, ...]
    chunk: int = 0


class Rate:
    """How often something comes, from the latest arrivals."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=WINDOW)

    def note(self, now: float | None = None) -> None:
        self._times.append(time.monotonic() if now is None else now)

    def hertz(self, now: float | None = None) -> float:
        """Return arrivals a second; it falls when nothing comes any more."""
        now = time.monotonic() if now is None else now
        if len(self._times) < 2:
            return 0.0
        span = self._times[-1] - self._times[0]
        silence = now - self._times[-1]
        mean = span / (len(self._times) - 1)
        return 1.0 / max(mean, silence, 1e-9)


@dataclass
class View:
    """What is known of the graph by now."""

    reasoning: Observation | None = None
    labels: Observation | None = None
    agreed: int = 0
    compared: int = 0
    task: str = ''
    success: bool = False
    missing: str = ''
    elapsed: float = 0.0
    rates: dict[str, Rate] = field(default_factory=dict)

    def note(self, topic: str) -> None:
        self.rates.setdefault(topic, Rate()).note()

    def truth(self, thing: str) -> str:
        """Return the latest label of an object, '' where there is none."""
        labels = self.labels.answers if self.labels else ()
        return next((label.answer for label in labels if label.object == thing), '')

    def as_record(self) -> dict[str, Any]:
        """Return the latest reasoning with the labels beside it, as `--json` prints it."""
        reasoning = self.reasoning or Observation(0.0, '', ())
        return {
            'stamp': reasoning.stamp,
            'instruction': reasoning.instruction,
            'chunk': reasoning.chunk,
            'answers': [
                {
                    'object': said.object,
                    'question': said.question,
                    'answer': said.answer,
                    'reason': said.reason,
                    'probabilities': dict(said.probabilities),
                    'label': self.truth(said.object),
                }
                for said in reasoning.answers
            ],
            'agreed': self.agreed,
            'compared': self.compared,
            'task': self.task,
            'success': self.success,
        }


def layout(view: View) -> Group:
    """Return the whole picture."""
    parts: list[Any] = [heading(view)]
    if view.reasoning:
        parts += [panel(said, view.truth(said.object)) for said in view.reasoning.answers]
    else:
        parts.append(Text('no reasoning yet: give an instruction', style='dim'))
        if view.labels:
            parts += [panel(said, said.answer) for said in view.labels.answers]
    parts.append(footing(view))
    return Group(*parts)


def heading(view: View) -> Text:
    instruction = (view.reasoning or view.labels or Observation(0.0, '', ())).instruction
    text = Text(f'"{instruction}"' if instruction else 'no instruction yet', style='bold')
    if view.task:
        text.append(f'   {view.task}, {view.elapsed:.1f} s: ', style='dim')
        text.append(*(('success', 'green') if view.success else (view.missing, 'yellow')))
    return text


def panel(said: Said, truth: str) -> Panel:
    """Return one object: its question, its answer, the truth, and the probability bars."""
    answer = Text(said.answer or f'no answer ({said.reason})', style='bold')
    if truth:
        same = truth == said.answer
        answer.append(f'   truth: {truth}', style='green' if same else 'red')
    lines: list[Any] = [Text(said.question, style='dim'), answer]
    if said.probabilities:
        bars = Table.grid(padding=(0, 1))
        for option, probability in said.probabilities:
            filled = round(probability * BAR)
            bar = Text('█' * filled, style='cyan') + Text('·' * (BAR - filled), style='dim')
            bars.add_row(option, bar, f'{probability:.2f}')
        lines.append(bars)
    return Panel(Group(*lines), title=said.object, title_align='left')


def footing(view: View) -> Text:
    text = Text(style='dim')
    if view.compared:
        share = view.agreed / view.compared
        text.append(f'{view.agreed} of {view.compared} answers as the truth ({share:.0%})   ')
    rates = [f'{topic} {rate.hertz():.0f} Hz' for topic, rate in sorted(view.rates.items())]
    text.append('   '.join(rates))
    return text

# SPDX-License-Identifier: Apache-2.0
"""What a training run says of itself, and notes in its folder: log.jsonl, TensorBoard's events and
curves.png.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Progress:
    """What a run prints of a step; losses are means since the last time."""

    step: int
    steps: int
    seconds: float
    samples_per_second: float
    answer_loss: float
    action_loss: float
    offset_loss: float
    rate: float
    validation: dict[str, float] = field(default_factory=dict)


class Log:
    """log.jsonl and TensorBoard's events of a run; lines beyond `begin` are of a lost past."""

    def __init__(self, out: Path, writes: bool, begin: int) -> None:
        self._writer: Any = None
        if not writes:
            return
        out.mkdir(parents=True, exist_ok=True)
        self._path = out / 'log.jsonl'
        kept = [line for line in read_log(self._path) if line['step'] <= begin]
        self._path.write_text(''.join(json.dumps(line) + '\n' for line in kept))
        from torch.utils.tensorboard import SummaryWriter
        self._writer = SummaryWriter(str(out / 'tensorboard'), purge_step=begin + 1)

    def add(self, progress: Progress) -> None:
        """Note a step."""
        if self._writer is None:
            return
        values = asdict(progress)
        with self._path.open('a', encoding='utf-8') as file:
            file.write(json.dumps(values) + '\n')
        for name in ('answer_loss', 'action_loss', 'offset_loss', 'rate', 'samples_per_second'):
            self._writer.add_scalar(name, values[name], progress.step)
        for name, value in progress.validation.items():
            self._writer.add_scalar(f'validation/{name}', value, progress.step)

    def close(self) -> None:
        """Write out what is waiting."""
        if self._writer is not None:
            self._writer.close()


def read_log(path: Path) -> list[dict[str, Any]]:
    """The lines of a log.jsonl; an unfinished last one is left out."""
    lines = path.read_text(encoding='utf-8').splitlines() if path.exists() else []
    found = []
    for line in lines:
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found


def curves(out: Path) -> None:
    """curves.png: losses and what validation found, over the steps."""
    from matplotlib.figure import Figure
    lines = read_log(out / 'log.jsonl')
    if not lines:
        return
    figure = Figure(figsize=(9, 3.2), layout='constrained')
    left, right = figure.subplots(1, 2)
    for name, label in (('action_loss', 'actions'), ('answer_loss', 'answers')):
        left.plot([line['step'] for line in lines], [line[name] for line in lines], label=label)
    left.set(xlabel='step', ylabel='loss', ylim=(0, None))
    checked = [line for line in lines if line['validation']]
    for name, label in (('answers', 'answers right'), ('first_code', 'first code right')):
        there = [line for line in checked if name in line['validation']]
        right.plot([line['step'] for line in there],
                   [line['validation'][name] for line in there], 'o-', label=label)
    right.set(xlabel='step', ylabel='share, held-out episodes', ylim=(0, 1))
    for axes in (left, right):
        axes.legend(frameon=False)
        axes.spines[['top', 'right']].set_visible(False)
    figure.savefig(out / 'curves.png', dpi=120)

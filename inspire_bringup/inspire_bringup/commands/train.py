# SPDX-License-Identifier: Apache-2.0
"""`./inspire train`: a policy from a dataset. What does the work is inspire_policy.nano.training,
or inspire_policy.large.training, which runs without ROS and without this command.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from inspire_bringup import parts, provenance
from inspire_policy.large import recipe as large
from inspire_policy.nano import recipe as nano

if TYPE_CHECKING:
    from inspire_policy import training_log

HELP = 'Train a policy on a dataset (of ./inspire collect or export); goes on where it was.'
Recipe = nano.Recipe | large.Recipe


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        'A large family is fine-tuned: ./inspire train --config minivla-lora --from CHECKPOINT '
        '--data DIR --set batch=8. Its layout, questions, cameras and codec are those of the '
        'checkpoint, as ./inspire adopt wrote them down; what comes of it, DIR/checkpoint, is '
        'used like it. On several GPUs: docs/families.md.')
    parser.add_argument('--config', default='nano', choices=[*nano.RECIPES, *large.RECIPES],
                        help='the recipe: nano for a GPU, laptop or small for two cores; minivla '
                             'and pi0fast in full or by LoRA (default: nano)')
    parser.add_argument('--data', type=Path, metavar='DIR', action='append',
                        help='the dataset (again for each, where there are several)')
    parser.add_argument('--from', type=Path, metavar='DIR', dest='start',
                        help='begin from the weights of a checkpoint, with its words and codec '
                             '(a large family: always)')
    parser.add_argument('--out', type=Path, metavar='DIR',
                        help='folder of the run (default: runs/train-<time>); one that was '
                             'stopped goes on')
    parser.add_argument('--set', action='append', default=[], metavar='NAME=VALUE',
                        help='change a setting of the recipe, as steps=100 or '
                             'teaching.layout=none (again for each)')
    parser.add_argument('--threads', type=int, default=0, metavar='K',
                        help='of the processor (default: one for each core)')
    parser.add_argument('--show', action='store_true', help='print the recipe and end')
    parser.add_argument('--export', type=Path, metavar='DIR',
                        help="write a checkpoint's graphs for ONNX Runtime again, and end")


def run(arguments: argparse.Namespace) -> int:
    recipe = named(arguments.config, arguments.set)
    if isinstance(recipe, large.Recipe) and arguments.start is None and not arguments.show:
        raise ValueError(f'{arguments.config} begins from a checkpoint: --from DIR '
                         '(docs/families.md says how to take one in)')
    if arguments.show:
        print(json.dumps(dataclasses.asdict(recipe), indent=2))
        return 0
    if arguments.export:
        parts.ensure('train')
        from inspire_policy.nano import checkpoint
        checkpoint.export(checkpoint.load(arguments.export), arguments.export)
        print(f'exported: {arguments.export}')
        return 0
    if not arguments.data:
        raise ValueError('--data is missing: name a dataset, as ./inspire collect makes it')
    out = arguments.out or Path('runs') / f'train-{time.strftime("%Y%m%d-%H%M%S")}'
    for part in ('train', 'language') if isinstance(recipe, large.Recipe) else ('train',):
        parts.ensure(part)
    train(recipe, arguments.data, out, arguments.threads, arguments.start)
    print(f'checkpoint: {out / "checkpoint"}\ncurves: {out / "curves.png"}')
    return 0


def named(name: str, changes: Sequence[str]) -> Recipe:
    """A recipe of either kind. Raises ValueError."""
    family = large if name in large.RECIPES else nano
    return family.named(name, changes)


def train(recipe: Recipe, data: Sequence[Path], out: Path, threads: int,
          start: Path | None = None) -> None:
    """Train with a progress bar; the budget is said first."""
    name = 'large' if isinstance(recipe, large.Recipe) else 'nano'
    training = import_module(f'inspire_policy.{name}.training')
    console = Console(stderr=True)
    console.print(f'{recipe.steps * recipe.batch:,} samples in {recipe.steps:,} steps of '
                  f'{recipe.batch}; log: {out / "log.jsonl"}', highlight=False)
    columns = (TextColumn('{task.description}'), BarColumn(), MofNCompleteColumn(),
               TextColumn('{task.fields[said]}'), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task('training', total=recipe.steps, said='')

        def tell(progress: training_log.Progress) -> None:
            bar.update(task, completed=progress.step, said=(
                f'actions {progress.action_loss:.2f}  answers {progress.answer_loss:.2f}  '
                f'{progress.samples_per_second:.0f} samples/s'))
            if progress.validation or not console.is_terminal:
                checked = '  '.join(f'{name} {value:.3f}'
                                    for name, value in progress.validation.items())
                hours = (recipe.steps - progress.step) * recipe.batch \
                    / progress.samples_per_second / 3600
                console.print(f'step {progress.step}: actions {progress.action_loss:.3f}, answers '
                              f'{progress.answer_loss:.3f}, {progress.samples_per_second:.0f} '
                              f'samples/s, {hours:.1f} h to go  {checked}', highlight=False)

        training.train(recipe, data, out, threads, tell,
                       revision=provenance.versions().get('git', ''), start=start)

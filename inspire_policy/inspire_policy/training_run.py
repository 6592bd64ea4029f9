# SPDX-License-Identifier: Apache-2.0
"""How a training run goes, whatever is trained: which rows a step sees, what is noted and kept
when, and what going on exactly needs.

Batches follow from the seed and the step alone, so that a run that was stopped goes on as if it
had not been.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from inspire_policy.action_codec import Codec
from inspire_policy.dataset import Dataset
from inspire_policy.policy import UndecodableAction
from inspire_policy.recipe_settings import Run, named
from inspire_policy.supervision import IGNORED
from inspire_policy.training_log import Log, Progress

REPORT = 20         # steps between lines of the log
AHEAD = 3           # batches made while the network works
STATE = Path('state') / 'state.safetensors'    # in the run's folder

Tables = dict[str, torch.Tensor]
Losses = dict[str, float]
B = TypeVar('B', bound=Any)                # a batch: a dataclass with `pictures`
B_co = TypeVar('B_co', covariant=True)
K = TypeVar('K')                           # what is kept


class TrainingError(ValueError):
    """A run cannot begin or go on; the message says what differs."""


class Lessons(Protocol[B_co]):
    """What batches are drawn from."""

    def draw(self, rows: Sequence[int], random: np.random.Generator) -> B_co:
        """A batch of these rows."""


def go(recipe: Run, begin: int, end: int, drawn: Iterable[B],
       learn: Callable[[int, B], Sequence[float]], rate: Callable[[int], float],
       validate: Callable[[], Losses], keep: Callable[[int, Losses], K], log: Log,
       tell: Callable[[Progress], None]) -> K:
    """Steps begin + 1 to end, and what is kept at the end.

    learn: does a step with its batch, and gives the losses of answers, actions and offsets.
    validate: what held-out episodes say. keep: writes down what there is at a step, with the last
    losses. Raises TrainingError for a loss that is not finite.
    """
    last: Losses = {}
    since, sums, started = begin, np.zeros(3), time.perf_counter()
    for step, batch in enumerate(drawn, start=begin + 1):
        sums += learn(step, batch)
        if not np.isfinite(sums).all():
            raise TrainingError(f'the loss of step {step} is {sums.tolist()}: lower `rate`')
        if step % REPORT == 0 or step == end:
            answer, action, offset = (sums / (step - since)).tolist()
            seconds = time.perf_counter() - started
            last = {'answer_loss': answer, 'action_loss': action, 'offset_loss': offset}
            checked = validate() if step % recipe.validate == 0 or step == end else {}
            last |= checked
            progress = Progress(step, recipe.steps, seconds,
                                (step - since) * recipe.batch / seconds, answer, action, offset,
                                rate(step), checked)
            log.add(progress)
            tell(progress)
            since, sums, started = step, np.zeros(3), time.perf_counter()
        if step % recipe.save == 0 and step != end:
            keep(step, last)
    log.close()
    return keep(end, last)


def thinned(data: Dataset, rows: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Of each episode at most so many of these rows, evenly spread (0: all): to a network that
    looks, many rows of one scene tell hardly more than one."""
    if not most:
        return rows
    owner = np.searchsorted(data.starts, rows, 'right')
    parts = np.split(rows, np.flatnonzero(np.diff(owner)) + 1)
    return np.concatenate([
        one[np.linspace(0, len(one) - 1, min(most, len(one))).round().astype(int)]
        for one in parts])


def split(data: Dataset, every: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows for training and for validation: every so many-th seed is held out, of each task.

    Raises TrainingError where nothing is left to learn from.
    """
    held = np.array([every > 0 and episode.seed % every == 0 for episode in data.episodes])
    if held.all():
        seeds = sorted({episode.seed for episode in data.episodes})
        raise TrainingError(f'all {len(held)} episodes are held out for validation, their seeds '
                            f'({", ".join(map(str, seeds[:3]))}, ...) are multiples of held_out, '
                            f'{every}; valid: more episodes, or --set held_out=0')
    owner = np.repeat(np.arange(len(data.episodes)), np.diff(data.starts))
    return np.flatnonzero(~held[owner]), np.flatnonzero(held[owner])


def random_of(recipe: Run, step: int, purpose: int) -> np.random.Generator:
    """What is random at a step follows from the seed and the step."""
    return np.random.default_rng([recipe.seed, step, purpose])


def chosen_rows(training: NDArray[np.int64], recipe: Run, step: int) -> NDArray[np.int64]:
    """The rows of a step's batch: each epoch is a new order of all rows."""
    places = np.arange((step - 1) * recipe.batch, step * recipe.batch)
    epochs, within = np.divmod(places, len(training))
    return np.concatenate([
        training[np.random.default_rng([recipe.seed, int(epoch), 7]).permutation(len(training))[
            within[epochs == epoch]]] for epoch in np.unique(epochs)])


def batches(lessons: Lessons[B], training: NDArray[np.int64], recipe: Run, share: int, own: int,
            begin: int, end: int) -> Iterator[B]:
    """This process's share of the batches of steps begin + 1 to end, some made ahead."""
    def made(step: int) -> B:
        rows = chosen_rows(training, recipe, step)[own * share:(own + 1) * share]
        random = random_of(recipe, step, 10 + own)
        return varied(lessons.draw(rows.tolist(), random), recipe, random)

    with ThreadPoolExecutor(1) as pool:
        first = range(begin + 1, min(begin + AHEAD, end) + 1)
        waiting = [pool.submit(made, step) for step in first]
        for step in range(begin + 1, end + 1):
            batch = waiting.pop(0).result()
            if step + AHEAD <= end:
                waiting.append(pool.submit(made, step + AHEAD))
            yield batch


def varied(batch: B, recipe: Run, random: np.random.Generator) -> B:
    """A batch whose pictures are moved a little, their edges repeated, and in another light: what
    a scene is known by again is no help then, and how things lie to each other stays."""
    pictures = []
    for given in batch.pictures:
        count, side = given.shape[:2]
        most = round(recipe.shift * side)
        wide = np.pad(given, ((0, 0), (most, most), (most, most), (0, 0)), 'edge')
        corners = random.integers(0, 2 * most + 1, (count, 2))
        moved = np.stack([one[y:y + side, x:x + side]
                          for one, (y, x) in zip(wide, corners, strict=True)])
        light = 1.0 + recipe.brightness * random.uniform(-1.0, 1.0, (count, 1, 1, 1)) \
            + recipe.tint * random.uniform(-1.0, 1.0, (count, 1, 1, 3))
        pictures.append((moved * light.astype(np.float32)).clip(0, 255).astype(np.uint8))
    return dataclasses.replace(batch, pictures=tuple(pictures))


def tally(right: dict[str, list[float]], said: NDArray[np.int64], answers: NDArray[np.int64],
          actions: NDArray[np.int64], codec: Codec,
          code_of: Callable[[NDArray[np.int64]], NDArray[np.int64]]) -> None:
    """Add to `right` what of a batch is: the answers' tokens, all codes, first codes; and how far
    the chunk of the codes that are said ends from the true one's end [m], where it can be decoded.

    said, answers, actions (B, T): what is said after each token, and what has to be, or IGNORED.
    code_of: from ids; what is none of the codec's is no code.
    """
    right.setdefault('answers', []).extend((said == answers)[answers != IGNORED].tolist())
    for row in np.flatnonzero((actions != IGNORED).any(1)):
        given = actions[row]
        true, own = (code_of(one[given != IGNORED]) for one in (given, said[row]))
        there = (true >= 0) & (true < codec.codes)
        true, own = true[there], own[there]
        right.setdefault('codes', []).extend((true == own).tolist())
        right.setdefault('first_code', []).append(float(true[0] == own[0]))
        try:
            apart = codec.decode(own.tolist()) - codec.decode(true.tolist())
        except (ValueError, UndecodableAction):
            continue    # undecodable: the codes' share says it
        right.setdefault('end_m', []).append(float(np.linalg.norm(apart[:, :3].sum(0))))


def warmed(step: int, steps: int, warmup: int, floor: float) -> float:
    """The share of the learning rate at a step (from 1 on): up in a line, then a cosine down to
    `floor`."""
    if step <= warmup:
        return step / warmup
    done = (step - 1 - warmup) / max(steps - warmup, 1)
    return floor + (1.0 - floor) * 0.5 * (1.0 + math.cos(math.pi * done))


def fingerprint(recipe: Run, data: Dataset, before: Iterable[str] = ()) -> str:
    """What has to be the same for a run to go on: the data, what it began from (hashes), and the
    recipe but for how long it is and how often is written down."""
    same = {name: value for name, value in dataclasses.asdict(recipe).items()
            if name not in ('steps', 'validate', 'save')}
    content = json.dumps([same, content_hash(data)], sort_keys=True)
    return hashlib.sha256((content + ''.join(before)).encode()).hexdigest()


def content_hash(data: Dataset) -> str:
    """The hash of the episodes and of all numbers of a dataset."""
    made = hashlib.sha256(json.dumps([dataclasses.asdict(one) for one in data.episodes]).encode())
    for name in sorted(data.columns):
        made.update(np.ascontiguousarray(data.columns[name]).tobytes())
    return made.hexdigest()


def save_state(out: Path, step: int, print_: str, tables: Mapping[str, torch.Tensor]) -> None:
    """Everything that going on needs, in one file that is replaced as a whole. print_: the run's
    fingerprint."""
    path = out / STATE
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name('new.safetensors')
    save_file({name: value.detach().cpu().contiguous().clone() for name, value in tables.items()},
              fresh, {'step': str(step), 'fingerprint': print_})
    fresh.replace(path)


def read_state(out: Path, print_: str) -> tuple[int, Tables]:
    """The step that a run was saved at, and what was saved; 0 of a new run.

    Raises TrainingError where the folder has a run of another recipe or dataset.
    """
    path = out / STATE
    if not path.exists():
        return 0, {}
    with safe_open(path, 'pt') as file:
        about = file.metadata()
    if about.get('fingerprint') != print_:
        raise TrainingError(f'{out} has a run of another recipe or dataset, at step '
                            f'{about.get("step")}; valid: the same ones, or another --out')
    return int(about['step']), load_file(path)


def under(tables: Tables, prefix: str) -> Tables:
    """Those whose names begin so, without it."""
    return {name.removeprefix(prefix): value for name, value in tables.items()
            if name.startswith(prefix)}


def command_line(arguments: Sequence[str] | None, about: str | None, recipes: Mapping[str, Any],
                 train: Callable[..., Any]) -> int:
    """A trainer from the command line, for machines without the rest of the suite."""
    parser = argparse.ArgumentParser(description=about,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--config', default=next(iter(recipes)), choices=recipes)
    parser.add_argument('--data', type=Path, required=True, action='append')
    parser.add_argument('--from', type=Path, dest='start')
    parser.add_argument('--out', type=Path, required=True)
    parser.add_argument('--set', action='append', default=[], metavar='NAME=VALUE')
    parser.add_argument('--threads', type=int, default=0)
    chosen = parser.parse_args(arguments)
    recipe = named(recipes, chosen.config, chosen.set)
    train(recipe, chosen.data, chosen.out, chosen.threads, lambda progress: print(
        f'{progress.step}/{progress.steps}  actions {progress.action_loss:.3f}  answers '
        f'{progress.answer_loss:.3f}  {progress.samples_per_second:.1f} samples/s  '
        + '  '.join(f'{name} {value:.3f}' for name, value in progress.validation.items()),
        flush=True), start=chosen.start)
    return 0

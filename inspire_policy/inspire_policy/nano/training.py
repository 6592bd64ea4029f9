# SPDX-License-Identifier: Apache-2.0
"""Trains `nano` from a dataset: reads from top to bottom, knows nothing of ROS or of robots.

    python -m inspire_policy.nano.training --config laptop --data DIR --out runs/train/NAME

Runs on a processor, one GPU, or many (`accelerate launch` in front). A run that was stopped goes
on exactly where its last checkpoint was: batches follow from the seed and the step alone. The
folder gets `checkpoint/` (what acting needs, weights averaged), `state/` (what going on needs),
`log.jsonl`, TensorBoard's events and `curves.png`.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch.nn import functional as F  # noqa: N812

from inspire_policy import action_codec, dataset
from inspire_policy.chunk_scale import Scale
from inspire_policy.dataset import Dataset
from inspire_policy.nano import checkpoint
from inspire_policy.nano.checkpoint import Checkpoint, Description
from inspire_policy.nano.lessons import Batch, Lessons, raw_states
from inspire_policy.nano.muon import Muon
from inspire_policy.nano.network import Network
from inspire_policy.nano.recipe import RECIPES, Progress, Recipe, named
from inspire_policy.nano.settings import as_json
from inspire_policy.nano.tokens import Words
from inspire_policy.nano.vocabulary import sentences
from inspire_policy.supervision import IGNORED, delayed_chunks

REPORT = 20         # steps between lines of the log
VALIDATED_ON = 512  # samples
AHEAD = 3           # batches made while the network works
REACH = 0.1         # m that are 1 for the network


class TrainingError(ValueError):
    """A run cannot begin or go on; the message says what differs."""


def train(recipe: Recipe, folders: Sequence[Path], out: Path, threads: int = 0,
          tell: Callable[[Progress], None] = lambda _: None, stop_at: int = 0,
          revision: str = '', start: Path | None = None) -> Checkpoint:
    """Train on the datasets in `folders`, in the run's folder `out`, and return what came of it.

    threads: of the processor (0: as torch chooses). stop_at: leave at this step, as if stopped.
    revision: of the sources, to be written down. start: a checkpoint to begin from, with its
    words, codec and scales.
    Raises TrainingError, DatasetError, CheckpointError.
    """
    if threads:
        torch.set_num_threads(threads)
    accelerator = Accelerator()

    # 1. The data, what it is made of, and how it is split.
    data = dataset.open(*folders)
    training, held_out = split(data, recipe.held_out)
    before = begun(start, recipe) if start else None
    if before:
        words, codec, state = before.words, before.codec, before.description.state
    else:
        words = Words.trained(sentences())
        chunks = delayed_chunks(data, recipe.chunk)
        codec = action_codec.fitted(recipe.codec, chunks.actions[0][training][
            chunks.valid[training, 0]], recipe.seed)
        state = Scale.of(raw_states(data)[0][training])
    lessons = Lessons(data, words, codec, state, recipe.teaching, recipe.size)
    training, held_out = (rows[lessons.usable[rows].any(1)] for rows in (training, held_out))

    # 2. The network, from the seed, or from where it was.
    torch.manual_seed(recipe.seed)
    network = before.network() if before else Network(recipe.size, words.text_size + codec.codes)
    optimizers = made_optimizers(network, recipe)
    average = {name: value.clone() for name, value in network.state_dict().items()}
    own = fingerprint(recipe, data, before)
    begin = resume(out, own, network, optimizers, average)
    network, *optimizers = accelerator.prepare(network, *optimizers)
    average = {name: value.to(accelerator.device) for name, value in average.items()}
    plain = accelerator.unwrap_model(network)

    def keep(step: int) -> Checkpoint:
        """Write down what there is at this step."""
        description = Description(
            recipe.size, recipe.teaching.layout, str(recipe.teaching.formulation),
            str(data.card['viewer']), tuple(data.card['cameras']), state, codec.settings(),
            recipe.teaching.dropped, {
                'step': step, 'recipe': as_json(recipe), 'revision': revision,
                'dataset': {key: data.card.get(key) for key in ('counts', 'seeds', 'split')},
                'dataset_sha256': content_hash(data), 'losses': last})
        made = Checkpoint(description, words, codec, half(average))
        if accelerator.is_main_process:
            made.save(out / 'checkpoint')
            save_state(out, step, own, plain, optimizers, average)
            checkpoint.export(made, out / 'checkpoint')
            curves(out)
        accelerator.wait_for_everyone()
        return made

    # 3. Steps. Each process draws its share of every batch.
    share = recipe.batch // accelerator.num_processes
    log = Log(out, accelerator.is_main_process, begin)
    last: dict[str, float] = {}
    end = min(recipe.steps, stop_at or recipe.steps)
    since, sums, started = begin, np.zeros(3), time.perf_counter()
    drawn = batches(lessons, training, recipe, share, accelerator.process_index, begin, end)
    for step, batch in enumerate(drawn, start=begin + 1):
        network.train()
        for group in (group for each in optimizers for group in each.param_groups):
            group['lr'] = rate(recipe, step)
        losses = loss(network, plain, batch, accelerator.device)
        accelerator.backward(recipe.answers * losses[0] + losses[1] + recipe.offsets * losses[2])
        accelerator.clip_grad_norm_(network.parameters(), recipe.clip)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
        with torch.no_grad():
            kept = min(recipe.average, step / (step + 10))
            for name, value in plain.state_dict().items():
                average[name].lerp_(value, 1.0 - kept)
        sums += [one.item() for one in losses]
        if not np.isfinite(sums).all():
            raise TrainingError(f'the loss of step {step} is {sums.tolist()}: lower `rate`')

        if step % REPORT == 0 or step == end:
            answer, action, offset = (sums / (step - since)).tolist()
            seconds = time.perf_counter() - started
            last = {'answer_loss': answer, 'action_loss': action, 'offset_loss': offset}
            checked = {}
            if (step % recipe.validate == 0 or step == end) and len(held_out):
                checked = validate(lessons, held_out, recipe, average, plain, codec, words)
                last |= checked
            progress = Progress(step, recipe.steps, seconds,
                                (step - since) * recipe.batch / seconds, answer, action, offset,
                                rate(recipe, step), checked)
            log.add(progress)
            tell(progress)
            since, sums, started = step, np.zeros(3), time.perf_counter()
        if step % recipe.save == 0 and step != end:
            keep(step)

    # 4. What came of it.
    log.close()
    return keep(end)


def split(data: Dataset, every: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows for training and for validation: every so many-th seed is held out, of each task."""
    held = np.array([every > 0 and episode.seed % every == 0 for episode in data.episodes])
    owner = np.repeat(np.arange(len(data.episodes)), np.diff(data.starts))
    return np.flatnonzero(~held[owner]), np.flatnonzero(held[owner])


def made_optimizers(network: Network, recipe: Recipe) -> list[torch.optim.Optimizer]:
    """Muon for the matrices of the layers, AdamW for everything else."""
    matrices = [one for one in network.layers.parameters() if one.dim() == 2]
    inside = {id(one) for one in matrices}
    others = [one for one in network.parameters() if id(one) not in inside]
    return [
        Muon(matrices, recipe.rate, recipe.decay),
        torch.optim.AdamW(
            [{'params': [one for one in others if one.dim() > 1], 'weight_decay': recipe.decay},
             {'params': [one for one in others if one.dim() <= 1], 'weight_decay': 0.0}],
            lr=recipe.rate, betas=(0.9, 0.95))]


def rate(recipe: Recipe, step: int) -> float:
    """Up in a line, level, and down in a line at the end: a run can be made longer from any
    checkpoint before the way down."""
    down = recipe.cooldown * recipe.steps
    share = min(1.0, step / max(1, recipe.warmup), (recipe.steps - step + 1) / max(1.0, down))
    return recipe.rate * max(share, 0.02)


def random_of(recipe: Recipe, step: int, purpose: int) -> np.random.Generator:
    """What is random at a step follows from the seed and the step."""
    return np.random.default_rng([recipe.seed, step, purpose])


def chosen_rows(training: NDArray[np.int64], recipe: Recipe, step: int) -> NDArray[np.int64]:
    """The rows of a step's batch: each epoch is a new order of all rows."""
    places = np.arange((step - 1) * recipe.batch, step * recipe.batch)
    epochs, within = np.divmod(places, len(training))
    return np.concatenate([
        training[np.random.default_rng([recipe.seed, int(epoch), 7]).permutation(len(training))[
            within[epochs == epoch]]] for epoch in np.unique(epochs)])


def batches(lessons: Lessons, training: NDArray[np.int64], recipe: Recipe, share: int, own: int,
            begin: int, end: int) -> Iterator[Batch]:
    """This process's share of the batches of steps begin + 1 to end, some made ahead."""
    def made(step: int) -> Batch:
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


def varied(batch: Batch, recipe: Recipe, random: np.random.Generator) -> Batch:
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


def loss(network: torch.nn.Module, plain: Network, batch: Batch,
         device: torch.device) -> list[torch.Tensor]:
    """Mean cross-entropy of the answers' tokens and of the actions', and Huber's loss of where
    things are [0.1 m]; 0 where there are none."""
    hidden, targets = run(network, batch, device)
    answers, actions = (torch.from_numpy(each).to(device) for each in targets)
    losses = []
    for target in (answers, actions):
        at = target != IGNORED
        logits = plain.head(hidden[at])
        losses.append(F.cross_entropy(logits, target[at]) if len(logits) else hidden.sum() * 0.0)
    offsets = torch.from_numpy(batch.offsets).to(device)
    at = offsets[:, :, 0].isfinite()
    found = plain.where(hidden[at])
    return [*losses, F.smooth_l1_loss(found, offsets[at] / REACH, beta=0.1) if len(found)
            else hidden.sum() * 0.0 + found.sum()]


def run(network: torch.nn.Module, batch: Batch,
        device: torch.device) -> tuple[torch.Tensor, tuple[Any, Any]]:
    """The network's output over a batch, and what it should say."""
    pictures = [torch.from_numpy(one).to(device).permute(0, 3, 1, 2).float() / 255
                for one in batch.pictures]
    inputs = (torch.from_numpy(each).to(device)
              for each in (batch.state, batch.ids, batch.places, batch.branches))
    return network(pictures, *inputs), (batch.answers, batch.actions)


@torch.no_grad()
def validate(lessons: Lessons, rows: NDArray[np.int64], recipe: Recipe,
             average: dict[str, torch.Tensor], plain: Network, codec: action_codec.Codec,
             words: Words) -> dict[str, float]:
    """What the averaged network gets right on samples of the held-out episodes, each slot after
    the truth before it: share of answers, share of codes, and how far the chunk of the likeliest
    codes moves from the true one's end [m], and how wrong the places of things are [m]."""
    device = next(plain.parameters()).device
    network = Network(recipe.size, plain.vocabulary).to(device)
    network.load_state_dict(average)
    network.eval()
    random = np.random.default_rng(99)
    chosen = random.choice(rows, min(VALIDATED_ON, len(rows)), replace=False)
    right: dict[str, list[float]] = {'answers': [], 'codes': [], 'first_code': [], 'end_m': [],
                                     'offset_m': []}
    for part in np.array_split(chosen, math.ceil(len(chosen) / 64)):
        batch = lessons.draw(part.tolist(), random)
        hidden, (answers, actions) = run(network, batch, device)
        said = network.head(hidden).argmax(-1).cpu().numpy()
        at = np.isfinite(batch.offsets[:, :, 0])
        apart = REACH * network.where(hidden).cpu().numpy()[at] - batch.offsets[at]
        right['offset_m'] += np.linalg.norm(apart, axis=1).tolist()
        right['answers'] += (said == answers)[answers != IGNORED].tolist()
        for row in range(len(part)):
            at = actions[row] != IGNORED
            true, own = (one[row][at] - words.text_size for one in (actions, said))
            right['codes'] += (true == own).tolist()
            right['first_code'].append(float(true[0] == own[0]))
            try:
                apart = codec.decode(own.tolist()) - codec.decode(true.tolist())
            except ValueError:
                continue
            except Exception:  # noqa: BLE001 - undecodable: the codes' share says it
                continue
            right['end_m'].append(float(np.linalg.norm(apart[:, :3].sum(0))))
    return {name: float(np.mean(values)) for name, values in right.items() if values}


def half(weights: dict[str, torch.Tensor]) -> dict[str, NDArray[Any]]:
    """Weights as they are shipped: 16 bit halves the file, and no answer hangs on the rest."""
    return {name: value.detach().cpu().numpy().astype(np.float16)
            for name, value in weights.items()}


def begun(folder: Path, recipe: Recipe) -> Checkpoint:
    """The checkpoint that a run begins from. Raises CheckpointError, TrainingError."""
    found = checkpoint.load(folder)
    description = found.description
    for name, given, there in (('size', recipe.size, description.size),
                               ('chunk', recipe.chunk, found.codec.chunk),
                               ('formulation', str(recipe.teaching.formulation),
                                description.formulation)):
        if given != there:
            raise TrainingError(f'{name} is {given} in the recipe, {there} in {folder}')
    return found


def fingerprint(recipe: Recipe, data: Dataset, before: Checkpoint | None = None) -> str:
    """What has to be the same for a run to go on: the data, what it began from, and the recipe but
    for how long it is and how often is written down."""
    same = {name: value for name, value in as_json(recipe).items()
            if name not in ('steps', 'validate', 'save')}
    content = json.dumps([same, content_hash(data)], sort_keys=True)
    weights = before.weights if before else {}
    for name in sorted(weights):
        content += hashlib.sha256(weights[name].tobytes()).hexdigest()
    return hashlib.sha256(content.encode()).hexdigest()


def content_hash(data: Dataset) -> str:
    """The hash of the episodes and of all numbers of a dataset."""
    made = hashlib.sha256(json.dumps([dataclasses.asdict(one) for one in data.episodes]).encode())
    for name in sorted(data.columns):
        made.update(np.ascontiguousarray(data.columns[name]).tobytes())
    return made.hexdigest()


def save_state(out: Path, step: int, print_: str, network: Network,
               optimizers: Sequence[torch.optim.Optimizer],
               average: dict[str, torch.Tensor]) -> None:
    """Everything that going on needs, in one file that is replaced as a whole."""
    tables = {f'network.{name}': value for name, value in network.state_dict().items()}
    tables |= {f'average.{name}': value for name, value in average.items()}
    for which, optimizer in enumerate(optimizers):
        for number, state in optimizer.state_dict()['state'].items():
            tables |= {f'optimizer.{which}.{number}.{name}': torch.as_tensor(value)
                       for name, value in state.items()}
    folder = out / 'state'
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / 'new.safetensors'
    save_file({name: value.detach().cpu().contiguous().clone() for name, value in tables.items()},
              fresh, {'step': str(step), 'fingerprint': print_})
    fresh.replace(folder / 'state.safetensors')


def resume(out: Path, print_: str, network: Network, optimizers: Sequence[torch.optim.Optimizer],
           average: dict[str, torch.Tensor]) -> int:
    """Go on from the state in a run's folder: the step that it was saved at; 0 of a new run.

    Raises TrainingError where the folder has a run of another recipe or dataset.
    """
    path = out / 'state' / 'state.safetensors'
    if not path.exists():
        return 0
    from safetensors import safe_open
    with safe_open(path, 'pt') as file:
        about = file.metadata()
    if about.get('fingerprint') != print_:
        raise TrainingError(f'{out} has a run of another recipe or dataset, at step '
                            f'{about.get("step")}; valid: the same ones, or another --out')
    tables = load_file(path)
    network.load_state_dict(_under(tables, 'network.'))
    for name, value in _under(tables, 'average.').items():
        average[name].copy_(value)
    for which, optimizer in enumerate(optimizers):
        states: dict[int, dict[str, torch.Tensor]] = {}
        for name, value in _under(tables, f'optimizer.{which}.').items():
            number, _, key = name.partition('.')
            states.setdefault(int(number), {})[key] = value
        optimizer.load_state_dict({**optimizer.state_dict(), 'state': states})
    return int(about['step'])


def _under(tables: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): value for name, value in tables.items()
            if name.startswith(prefix)}


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
        values = dataclasses.asdict(progress)
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


def main(arguments: list[str] | None = None) -> int:
    """The same from the command line, for machines without the rest of the suite."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--config', default='nano', choices=RECIPES)
    parser.add_argument('--data', type=Path, required=True, action='append')
    parser.add_argument('--from', type=Path, dest='start')
    parser.add_argument('--out', type=Path, required=True)
    parser.add_argument('--set', action='append', default=[], metavar='NAME=VALUE')
    parser.add_argument('--threads', type=int, default=0)
    chosen = parser.parse_args(arguments)
    recipe = named(chosen.config, chosen.set)
    train(recipe, chosen.data, chosen.out, chosen.threads, lambda progress: print(
        f'{progress.step}/{progress.steps}  actions {progress.action_loss:.3f}  answers '
        f'{progress.answer_loss:.3f}  {progress.samples_per_second:.1f} samples/s  '
        + '  '.join(f'{name} {value:.3f}' for name, value in progress.validation.items()),
        flush=True), start=chosen.start)
    return 0


if __name__ == '__main__':
    sys.exit(main())

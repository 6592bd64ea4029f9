# SPDX-License-Identifier: Apache-2.0
"""Trains `nano` from a dataset: reads from top to bottom, knows nothing of ROS or of robots.

    python -m inspire_policy.nano.training --config laptop --data DIR --out runs/train/NAME

Runs on a processor, one GPU, or many (`accelerate launch` in front). A run that was stopped goes
on exactly where its last checkpoint was: batches follow from the seed and the step alone. The
folder gets `checkpoint/` (what acting needs, weights averaged), `state/` (what going on needs),
`log.jsonl`, TensorBoard's events and `curves.png`.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from numpy.typing import NDArray
from torch.nn import functional as F  # noqa: N812

from inspire_policy import action_codec, dataset
from inspire_policy.chunk_scale import Scale
from inspire_policy.nano import checkpoint
from inspire_policy.nano.arm_state import completed
from inspire_policy.nano.checkpoint import Checkpoint, Description
from inspire_policy.nano.lessons import Batch, Lessons, raw_states
from inspire_policy.nano.muon import Muon
from inspire_policy.nano.network import Network, turned
from inspire_policy.nano.readers import REACH, scaled, single
from inspire_policy.nano.recipe import RECIPES, Recipe
from inspire_policy.nano.tokens import Words
from inspire_policy.nano.vocabulary import sentences
from inspire_policy.supervision import IGNORED, SAID, delayed_chunks
from inspire_policy.training_log import Log, Progress, curves
from inspire_policy.training_run import (
    Losses,
    Tables,
    TrainingError,
    batches,
    command_line,
    content_hash,
    fingerprint,
    go,
    read_state,
    save_state,
    split,
    tally,
    thinned,
    under,
)

VALIDATED_ON = 512      # samples
EXACT = (0.004, 0.04)   # how wrong a place may well be: [m], and share of the distance
TURNED = 0.15           # the same of cosine and sine of twice a heading
NEAR, MORE = 0.12, 5.0  # what is nearer than so much [m] counts so many times more
LOUD = 0.1              # of the loss of places, so that it weighs about as much as the others


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
    half_products = recipe.mixed_precision == 'bf16'

    # 1. The data, what it is made of, and how it is split.
    data = dataset.open(*folders)
    training, held_out = split(data, recipe.held_out)
    before = begun(start, recipe) if start else None
    words = before.words if before else Words.trained(sentences())
    state = completed(before.description.state if before else
                      Scale.of(raw_states(data)[0][training]), recipe.size.state)
    kept = before if before and not recipe.recode else None
    if kept:
        codec = kept.codec
    else:
        chunks = delayed_chunks(data, recipe.chunk)
        codec = action_codec.fitted(recipe.codec, chunks.actions[0][training][
            chunks.valid[training, 0]], recipe.seed)
    lessons = Lessons(data, words, codec, state, recipe.teaching, recipe.size, bool(kept))
    if lessons.unsaid and accelerator.is_main_process:
        print(f'{lessons.unsaid} chunks are left out: the codec of {start} was made for other '
              f'motions; what it says of these is more than {1000 * SAID:.0f} mm off',
              file=sys.stderr)
    lessons.taught = np.intersect1d(training, lessons.taught)
    training, held_out = (rows[lessons.usable[rows].any(1)] for rows in (training, held_out))
    training = thinned(data, training, recipe.scene_rows)

    # 2. The network, from the seed, or from where it was.
    torch.manual_seed(recipe.seed)
    network = Network(recipe.size, words.text_size + codec.codes)
    if before:
        carry_over(before.network(), network, words.text_size if recipe.recode else None)
    optimizers = made_optimizers(network, recipe)
    average = {name: value.clone() for name, value in network.state_dict().items()}
    own = fingerprint(recipe, data, hashes(before) if before else ())
    begin, saved = read_state(out, own)
    if begin:
        restore(saved, network, optimizers, average)
    network, *optimizers = accelerator.prepare(network, *optimizers)
    average = {name: value.to(accelerator.device) for name, value in average.items()}
    plain = accelerator.unwrap_model(network)

    def keep(step: int, losses: Losses) -> Checkpoint:
        """Write down what there is at this step."""
        description = Description(
            recipe.size, recipe.teaching.layout, str(recipe.teaching.formulation),
            str(data.card['viewer']), tuple(data.card['cameras']), state, codec.settings(),
            recipe.teaching.dropped, recipe.offsets > 0.0, {
                'step': step, 'recipe': dataclasses.asdict(recipe), 'revision': revision,
                'dataset': {key: data.card.get(key) for key in ('counts', 'seeds', 'split')},
                'dataset_sha256': content_hash(data), 'losses': losses})
        made = Checkpoint(description, words, codec, half(average))
        if accelerator.is_main_process:
            made.save(out / 'checkpoint')
            save_state(out, step, own, state_of(plain, optimizers, average))
            checkpoint.export(made, out / 'checkpoint')
            curves(out)
        accelerator.wait_for_everyone()
        return made

    def learn(step: int, batch: Batch) -> list[float]:
        network.train()
        for group in (group for each in optimizers for group in each.param_groups):
            group['lr'] = rate(recipe, step)
        losses = loss(network, plain, batch, accelerator.device, half_products)
        if batch.deeds:
            losses = [one + more for one, more in zip(
                losses, loss(network, plain, batch.deeds, accelerator.device, half_products),
                strict=True)]
        accelerator.backward(recipe.answers * losses[0] + losses[1] + recipe.offsets * losses[2])
        accelerator.clip_grad_norm_(network.parameters(), recipe.clip)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
        with torch.no_grad():
            kept = min(recipe.average, step / (step + 10))
            for name, value in plain.state_dict().items():
                average[name].lerp_(value, 1.0 - kept)
        return [one.item() for one in losses]

    def examine() -> Losses:
        return validate(lessons, held_out, recipe, average, plain, codec,
                        words) if len(held_out) else {}

    # 3. Steps. Each process draws its share of every batch.
    share = recipe.batch // accelerator.num_processes
    end = min(recipe.steps, stop_at or recipe.steps)
    drawn = batches(lessons, training, recipe, share, accelerator.process_index, begin, end)
    return go(recipe, begin, end, drawn, learn, lambda step: rate(recipe, step), examine, keep,
              Log(out, accelerator.is_main_process, begin), tell)


def carry_over(before: Network, network: Network, text: int | None) -> None:
    """Copy all weights; where codes have a new meaning, those of the `text` words alone."""
    there = before.state_dict()
    for name, value in network.state_dict().items():
        old = there.get(name)
        if old is None:             # what reads headings or feet is new, or finds: it adds nothing
            there[name] = (value if name in ('find.first.weight', 'hand.first.weight') else
                           torch.zeros_like(value))
        elif old.shape != value.shape:  # nor what says them, nor what it is said from
            grown = [more for now, then in zip(value.shape[::-1], old.shape[::-1], strict=True)
                     for more in (0, now - then)]
            there[name] = F.pad(old, grown)
    if text is not None:
        for name in ('words.weight', 'head.weight'):
            there[name] = torch.cat([there[name][:text], network.state_dict()[name][text:]])
    network.load_state_dict(there)


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


def loss(network: torch.nn.Module, plain: Network, batch: Batch, device: torch.device,
         half: bool) -> list[torch.Tensor]:
    """Mean cross-entropy of the answers' tokens and of the actions', and Huber's loss of where
    things are, how they are turned, and their feet, each by its tolerance (of what is near a
    narrower one); 0 where there are none. half: see `run`."""
    hidden, targets = run(network, batch, device, half)
    answers, actions = (torch.from_numpy(each).to(device) for each in targets)
    losses = []
    for target in (answers, actions):
        at = target != IGNORED
        logits = plain.head(hidden[at])
        losses.append(F.cross_entropy(logits, target[at]) if len(logits) else hidden.sum() * 0.0)
    said = torch.from_numpy(scaled(batch.said)).to(device)
    at = said[:, :, 0].isfinite()
    found, said = told(plain, hidden, batch, at), in_full(said[at], plain)
    if not len(found):
        return [*losses, hidden.sum() * 0.0 + found.sum()]
    known = said.isfinite()     # not every heading is
    wrong = ((found - said) / tolerance(said))[known]
    weight = closeness(said).expand_as(said)[known]
    each = F.smooth_l1_loss(wrong, torch.zeros_like(wrong), reduction='none')
    return [*losses, LOUD * (weight * each).mean()]


def in_full(places: torch.Tensor, plain: Network) -> torch.Tensor:
    """Places (N, size.place) as they are told (N, size.told)."""
    if plain.size.told == plain.size.place:
        return places
    return torch.cat([places, turned(places[:, 3:5], places[:, 3:5])], 1)


def closeness(places: torch.Tensor) -> torch.Tensor:
    """How much the loss of places (N, size.told) counts (N, 1): few of the things that are asked
    about are near, where the wrist's camera sees them and it matters most."""
    distance = places[:, :3].norm(dim=1, keepdim=True)
    return 1.0 + MORE * torch.exp(-(distance * REACH / NEAR) ** 2)


def told(plain: Network, hidden: torch.Tensor, batch: Batch, at: torch.Tensor) -> torch.Tensor:
    """The places that are told (N, size.told) where a mask (B, T) says so."""
    arm = torch.from_numpy(batch.arm).to(hidden.device)[at.nonzero()[:, 0]]
    return plain.told(hidden[at], arm)


def tolerance(places: torch.Tensor) -> torch.Tensor:
    """How wrong places (N, size.told) may be before their loss grows in a line."""
    near, share = EXACT
    far = near / REACH + share * places[:, :3].norm(dim=1, keepdim=True)
    parts = [far.expand(-1, 3), torch.full_like(places[:, 3:5], TURNED),
             torch.full_like(places[:, 5:8], near / REACH),
             torch.full_like(places[:, 8:], 2.0 * TURNED)]
    return torch.cat(parts, 1)


def run(network: torch.nn.Module, batch: Batch, device: torch.device,
        half: bool = False) -> tuple[torch.Tensor, tuple[Any, Any]]:
    """The network's output over a batch, and what it should say. half: products in 16 bit."""
    pictures = [torch.from_numpy(one).to(device).permute(0, 3, 1, 2).float() / 255
                for one in batch.pictures]
    inputs = (torch.from_numpy(each).to(device) for each in (
        batch.state, batch.ids, batch.places, batch.branches, scaled(batch.there)))
    with torch.autocast(device.type, torch.bfloat16, enabled=half):
        hidden = network(pictures, *inputs)
    return hidden.float(), (batch.answers, batch.actions)


@torch.no_grad()
def validate(lessons: Lessons, rows: NDArray[np.int64], recipe: Recipe,
             average: dict[str, torch.Tensor], plain: Network, codec: action_codec.Codec,
             words: Words) -> dict[str, float]:
    """What the averaged network gets right on samples of the held-out episodes, each slot after
    the truth before it: share of answers, share of codes, and how far the chunk of the likeliest
    codes moves from the true one's end [m], and how wrong the places of things are [m], their
    turns (of the unit circle) and their feet [m]."""
    device = next(plain.parameters()).device
    network = Network(recipe.size, plain.vocabulary).to(device)
    network.load_state_dict(average)
    network.eval()
    random = np.random.default_rng(99)
    chosen = random.choice(rows, min(VALIDATED_ON, len(rows)), replace=False)
    right: dict[str, list[float]] = {'answers': [], 'codes': [], 'first_code': [], 'end_m': [],
                                     'offset_m': [], 'turn': [], 'foot_m': []}
    for part in np.array_split(chosen, math.ceil(len(chosen) / 64)):
        drawn = lessons.draw(part.tolist(), random, part.tolist())
        for batch in (drawn, drawn.deeds) if drawn.deeds else (drawn,):
            hidden, (answers, actions) = run(network, batch, device)
            said = network.head(hidden).argmax(-1).cpu().numpy()
            at = np.isfinite(batch.said[:, :, 0])
            found = told(network, hidden, batch, torch.from_numpy(at).to(device))
            apart = single(found.cpu().numpy()) - scaled(batch.said[at])
            right['offset_m'] += (REACH * np.linalg.norm(apart[:, :3], axis=1)).tolist()
            if recipe.size.headings:
                turns = np.linalg.norm(apart[:, 3:5], axis=1)
                right['turn'] += turns[np.isfinite(turns)].tolist()
            if recipe.size.feet:
                feet = REACH * np.linalg.norm(apart[:, 5:], axis=1)
                right['foot_m'] += feet[np.isfinite(feet)].tolist()
            tally(right, said, answers, actions, codec, lambda ids: ids - words.text_size)
    return {name: float(np.mean(values)) for name, values in right.items() if values}


def half(weights: dict[str, torch.Tensor]) -> dict[str, NDArray[Any]]:
    """Weights as they are shipped: 16 bit halves the file, and no answer hangs on the rest."""
    return {name: value.detach().cpu().numpy().astype(np.float16)
            for name, value in weights.items()}


def begun(folder: Path, recipe: Recipe) -> Checkpoint:
    """The checkpoint that a run begins from; headings, feet, the gripper's speed, what finds and
    the hand can be added.

    Raises CheckpointError, TrainingError."""
    found = checkpoint.load(folder)
    description = found.description
    sizes = ((f'size.{name}', given, getattr(description.size, name))
             for name, given in vars(recipe.size).items())
    for name, given, there in (*sizes, ('chunk', recipe.chunk, found.codec.chunk),
                               ('teaching.formulation', str(recipe.teaching.formulation),
                                description.formulation)):
        if given != there and not (name in ('size.headings', 'size.feet', 'size.state',
                                            'size.finds', 'size.hand') and given > there):
            raise TrainingError(f'{name} is {given} in the recipe, {there} in {folder}')
    return found


def hashes(before: Checkpoint) -> list[str]:
    """Of each of a checkpoint's weights."""
    return [hashlib.sha256(before.weights[name].tobytes()).hexdigest()
            for name in sorted(before.weights)]


def state_of(network: Network, optimizers: Sequence[torch.optim.Optimizer],
             average: Tables) -> Tables:
    """Everything that going on needs."""
    tables = {f'network.{name}': value for name, value in network.state_dict().items()}
    tables |= {f'average.{name}': value for name, value in average.items()}
    for which, optimizer in enumerate(optimizers):
        for number, state in optimizer.state_dict()['state'].items():
            tables |= {f'optimizer.{which}.{number}.{name}': torch.as_tensor(value)
                       for name, value in state.items()}
    return tables


def restore(tables: Tables, network: Network, optimizers: Sequence[torch.optim.Optimizer],
            average: Tables) -> None:
    """Go on from there."""
    network.load_state_dict(under(tables, 'network.'))
    for name, value in under(tables, 'average.').items():
        average[name].copy_(value)
    for which, optimizer in enumerate(optimizers):
        states: dict[int, Tables] = {}
        for name, value in under(tables, f'optimizer.{which}.').items():
            number, _, key = name.partition('.')
            states.setdefault(int(number), {})[key] = value
        optimizer.load_state_dict({**optimizer.state_dict(), 'state': states})


def main(arguments: list[str] | None = None) -> int:
    """The same from the command line, for machines without the rest of the suite."""
    return command_line(arguments, __doc__, RECIPES, train)


if __name__ == '__main__':
    sys.exit(main())

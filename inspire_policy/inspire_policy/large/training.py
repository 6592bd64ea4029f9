# SPDX-License-Identifier: Apache-2.0
"""Fine-tunes a checkpoint of a large family with spatial questions, in full or by LoRA: reads from
top to bottom, knows nothing of ROS or of robots.

    python -m inspire_policy.large.training --config minivla-lora --from DIR --data DIR --out DIR

One process, or many (`accelerate launch` in front, with FSDP by its own configuration). The folder
gets `checkpoint/`, which acts as the one that it began from (adapters are merged into its weights,
which keep their names, shapes and precision), `state/`, `log.jsonl`, TensorBoard's events and
`curves.png`. A run that was stopped goes on exactly where its last checkpoint was.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from inspire_policy import checkpoint_file, dataset
from inspire_policy.action_codec import Codec
from inspire_policy.chunk_scale import Scale
from inspire_policy.dataset import Dataset
from inspire_policy.families import pi0fast
from inspire_policy.large import checkpoint, weights
from inspire_policy.large.checkpoint import Checkpoint, Description
from inspire_policy.large.lessons import WRITINGS, Batch, Lessons, observation
from inspire_policy.large.network import Network
from inspire_policy.large.recipe import RECIPES, Recipe
from inspire_policy.large.tuning import merged, prepared, restore, state_of
from inspire_policy.supervision import IGNORED, delayed_chunks
from inspire_policy.training_log import Log, Progress, curves
from inspire_policy.training_run import (
    Losses,
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
    warmed,
)

WEIGHTS, ABOUT = 'model.safetensors', 'training.json'    # in the checkpoint, beside inspire.json
VALIDATED_ON = 128  # samples


def train(recipe: Recipe, folders: Sequence[Path], out: Path, threads: int = 0,
          tell: Callable[[Progress], None] = lambda _: None, stop_at: int = 0,
          revision: str = '', start: Path | None = None) -> Path:
    """Fine-tune the checkpoint in `start` on the datasets in `folders`, in the run's folder `out`,
    and return the folder of the checkpoint that came of it.

    threads: of the processor (0: as torch chooses). stop_at: leave at this step, as if stopped.
    revision: of the sources, to be written down.
    Raises TrainingError, DatasetError, CheckpointError, ValueError.
    """
    if start is None:
        raise TrainingError(f'{recipe.family} begins from a checkpoint: name one (--from); '
                            'docs/families.md says how to take one in')
    if start.resolve() == (out / 'checkpoint').resolve():
        raise TrainingError(f'{start} would be written over; valid: another --out')
    if threads:
        torch.set_num_threads(threads)

    # 1. The data, what it begins from, and how the data are split.
    data = dataset.open(*folders)
    training, held_out = split(data, recipe.held_out)
    before = fitted(checkpoint.load(start, recipe.family), start, data, training,
                    recipe.rescale)
    description, words, codec = before.description, before.words, before.codec
    lessons = Lessons(data, WRITINGS[recipe.family], description, words, codec, recipe.dropped)
    training, held_out = (rows[lessons.usable[rows].any(1)] for rows in (training, held_out))
    training = thinned(data, training, recipe.scene_rows)

    # 2. What is trained of the network, from the seed, or from where it was.
    accelerator = Accelerator(mixed_precision=recipe.mixed_precision)
    share = recipe.batch // accelerator.num_processes
    if share * accelerator.num_processes != recipe.batch:
        raise TrainingError(f'batch is {recipe.batch}; valid: a multiple of the processes, '
                            f'{accelerator.num_processes}')
    torch.manual_seed(recipe.seed)
    made = Taught(prepared(before.network, recipe))
    optimizer = torch.optim.AdamW([one for one in made.parameters() if one.requires_grad],
                                  lr=recipe.rate, betas=(recipe.betas[0], recipe.betas[1]),
                                  weight_decay=recipe.decay)
    own = fingerprint(recipe, data, hashes(start, description.weights))
    model, prepared_optimizer = accelerator.prepare(made, optimizer)
    optimizer = getattr(prepared_optimizer, 'optimizer', prepared_optimizer)
    begin, saved = read_state(out, own)
    if begin:
        restore(saved, model, optimizer)

    def keep(step: int, losses: Losses) -> Path:
        """Write down what there is at this step."""
        tables, whole = state_of(model, optimizer), merged(model, recipe)
        if accelerator.is_main_process:
            write(out / 'checkpoint', start, description, whole, {
                'step': step, 'recipe': dataclasses.asdict(recipe), 'revision': revision,
                'began_from': str(start.resolve()), 'dataset_sha256': content_hash(data),
                'losses': losses})
            save_state(out, step, own, tables)
            curves(out)
        accelerator.wait_for_everyone()
        return out / 'checkpoint'

    def rate(step: int) -> float:
        return recipe.rate * warmed(step, recipe.steps, recipe.warmup, recipe.floor)

    def learn(step: int, batch: Batch) -> list[float]:
        """One step, a few samples at once; the loss is a mean over all tokens to be said."""
        model.train()
        for group in optimizer.param_groups:
            group['lr'] = rate(step)
        counts, sums = batch.counts, np.zeros(2)
        weight = recipe.answers * counts[0] + counts[1]
        parts = list(batch.parts(recipe.micro_batch))
        for number, part in enumerate(parts):
            last = number == len(parts) - 1
            with nullcontext() if last else accelerator.no_sync(model):
                losses, _ = model(*tensors(part, accelerator.device))
                accelerator.backward((recipe.answers * losses[0] + losses[1]) / weight)
            sums += losses.detach().double().cpu().numpy()
        accelerator.clip_grad_norm_(model.parameters(), recipe.clip)
        prepared_optimizer.step()
        prepared_optimizer.zero_grad()
        return [*(sums / np.maximum(counts, 1)).tolist(), 0.0]

    def validate() -> Losses:
        return examine(model, lessons, held_out, codec, words.actions(range(codec.codes))[0],
                       recipe.micro_batch, accelerator.device) if len(held_out) else {}

    # 3. Steps. Each process draws its share of every batch.
    end = min(recipe.steps, stop_at or recipe.steps)
    drawn = batches(lessons, training, recipe, share, accelerator.process_index, begin, end)
    return go(recipe, begin, end, drawn, learn, rate, validate, keep,
              Log(out, accelerator.is_main_process, begin), tell)


class Taught(nn.Module):
    """A network with its loss, so that all that needs its parameters is one module's `forward`."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, pictures: Tensor, begin: int, scenes: Tensor, ids: Tensor, answers: Tensor,
                actions: Tensor) -> tuple[Tensor, Tensor]:
        """Sums (2,) of the cross-entropies of the answers' tokens and the actions', and what is
        said (B, T) where something has to be, else IGNORED. Inputs: see `tensors`."""
        hidden = self.network.together(pictures.to(self.network.place.dtype) / 255, ids, begin,
                                       scenes)
        sums, said = [], torch.full_like(ids, IGNORED)
        for target in (answers, actions):
            at = target != IGNORED
            logits = F.linear(hidden[at], self.network.place).float()
            sums.append(F.cross_entropy(logits, target[at], reduction='sum') if len(logits)
                        else hidden.sum() * 0.0)
            said[at] = logits.argmax(-1)
        return torch.stack(sums), said


def tensors(batch: Batch, device: torch.device) -> tuple[Any, ...]:
    """A batch as `Taught` reads it: pictures (B, cameras, 3, H, H) uint8, where they begin, then
    scenes (B,), ids, answers and actions (B, T)."""
    pictures = torch.from_numpy(np.stack(batch.pictures, 1)).permute(0, 1, 4, 2, 3)
    rest = (torch.from_numpy(one).to(device)
            for one in (batch.scenes, batch.ids, batch.answers, batch.actions))
    return pictures.to(device), batch.begin, *rest


def fitted(before: Checkpoint, folder: Path, data: Dataset, training: NDArray[np.int64],
           rescale: bool) -> Checkpoint:
    """A checkpoint whose codec, and scale of the state, are those of these data (rows `training`),
    where they are not to stay as they are."""
    if not rescale:
        return before
    chunks = delayed_chunks(data, before.codec.chunk)
    used = training[chunks.valid[training, 0]]
    if not len(used):
        raise TrainingError(f'{data.folder} has no {before.codec.chunk} steps in a row to imitate '
                            'in what is trained on')
    scale = Scale.of(chunks.actions[0][used])
    state = before.description.state and Scale.of(
        [pi0fast.arm_state(observation(data, int(row))) for row in used])
    description = dataclasses.replace(before.description, state=state, codec={
        **before.description.codec, 'low': scale.low, 'high': scale.high})
    return dataclasses.replace(before, description=description,
                               codec=checkpoint.codec_of(folder, description.codec))


@torch.no_grad()
def examine(model: nn.Module, lessons: Lessons, rows: NDArray[np.int64], codec: Codec, top: int,
            at_once: int, device: torch.device) -> Losses:
    """What the model gets right on samples of the held-out episodes, each slot after the truth
    before it (see `tally`). top: id of the action code 0, below which the others are."""
    model.eval()
    random = np.random.default_rng(99)
    chosen = random.choice(rows, min(VALIDATED_ON, len(rows)), replace=False)
    right: dict[str, list[float]] = {}
    for part in lessons.draw(chosen.tolist(), random).parts(at_once):
        _, said = model(*tensors(part, device))
        tally(right, said.cpu().numpy(), part.answers, part.actions, codec, lambda ids: top - ids)
    return {name: float(np.mean(values)) for name, values in right.items() if values}


def write(folder: Path, start: Path, description: Description, own: Mapping[str, Tensor],
          about: Mapping[str, Any]) -> None:
    """The folder of a checkpoint that acts: the weights `own`, and what else the one in `start`
    has. inspire.json comes last, so that a folder that has it is whole."""
    (folder / checkpoint.CONFIG).unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    files = [description.codec[key] for key in ('file', 'tokenizer') if key in description.codec]
    for name in (checkpoint.TOKENIZER, *files):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(start / name, folder / name)
    save_file(weights.published(own, start / description.weights, description.size,
                                description.family), folder / WEIGHTS)
    (folder / ABOUT).write_text(json.dumps(about, indent=2) + '\n', encoding='utf-8')
    checkpoint_file.write(folder / checkpoint.CONFIG,
                          dataclasses.replace(description, weights=WEIGHTS))


def hashes(folder: Path, weights_name: str) -> list[str]:
    """Of what a run begins from: the description, the words and the weights."""
    place = folder / weights_name
    files = sorted(place.glob('*.safetensors')) if place.is_dir() else [place]
    found = []
    for path in (folder / checkpoint.CONFIG, folder / checkpoint.TOKENIZER, *files):
        with path.open('rb') as file:
            found.append(hashlib.file_digest(file, 'sha256').hexdigest())
    return found


def main(arguments: list[str] | None = None) -> int:
    """The same from the command line, for machines without the rest of the suite."""
    return command_line(arguments, __doc__, RECIPES, train)


if __name__ == '__main__':
    sys.exit(main())

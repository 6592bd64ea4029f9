# SPDX-License-Identifier: Apache-2.0
"""What a decision costs, and what of it the questions; and answers that are none.

The modes are measured side by side: each observation is decided on by each of them in turn. Run by
`./inspire bench decision` and `./inspire bench decoding`.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from inspire_labeler.question import questions
from inspire_policy.adversary import invalid_answers
from inspire_policy.answering import Reasoning
from inspire_policy.families import nano
from inspire_policy.policy import PolicyObservation
from inspire_sim.world import TableWorld

Measured = tuple[str, list[float], str]

INSTRUCTION = 'put the banana in the plate'   # two objects
DECISIONS = 200
WARM_UP = 10
DECODED = 1_000_000
MODES = (Reasoning.FULL, Reasoning.DRAFTED, Reasoning.OFF)


def decision() -> list[Measured]:
    """Milliseconds of a decision in each mode, and the questions' share of it.

    Of the shipped network, and, where torch is at hand, of one of the recipe `nano`'s size (about
    8 million parameters) that has learned nothing: what it says costs the same.
    """
    figures = _compared(nano.SHIPPED, 'shipped') if (nano.SHIPPED / 'config.json').exists() else []
    with untrained() as folder:
        if folder is not None:
            figures += _compared(folder, 'eight_million')
    return figures


def decoding() -> list[Measured]:
    """Answers outside their set, of a million decoded from adversarial logits."""
    return [('invalid_answers_in_a_million', [float(invalid_answers(DECODED, seed=1))], '')]


def _compared(folder: Path, name: str) -> list[Measured]:
    policies = {mode: nano.create(checkpoint=folder, reasoning=mode) for mode in MODES}
    for policy in policies.values():
        policy.reset(INSTRUCTION, questions(INSTRUCTION))
    seen = observation()
    times: dict[Reasoning, list[float]] = {mode: [] for mode in MODES}
    stages: dict[str, list[float]] = {}
    for number in range(WARM_UP + DECISIONS):
        for mode, policy in policies.items():
            begin = time.perf_counter()
            made = policy.decide(seen)
            if number >= WARM_UP:
                times[mode].append(1e3 * (time.perf_counter() - begin))
                if mode is Reasoning.FULL:
                    for stage, seconds in made.timings.items():
                        stages.setdefault(stage, []).append(1e3 * seconds)
    figures = [(f'decision_{name}_{mode}', values, 'ms') for mode, values in times.items()]
    figures += [(f'stage_{name}_{stage}', values, 'ms') for stage, values in stages.items()]
    without = np.array(times[Reasoning.OFF])
    for mode in (Reasoning.FULL, Reasoning.DRAFTED):
        share = 1.0 - without / np.array(times[mode])
        figures.append((f'questions_share_{name}_{mode}', share.tolist(), 'share'))
    return figures


def observation() -> PolicyObservation:
    """What a policy sees at the start of an episode."""
    world = TableWorld()
    world.reset(INSTRUCTION, 0)
    seen = world.observe()
    world.close()
    return PolicyObservation(
        seen.stamp, seen.images, np.array(seen.arm.position), np.array(seen.arm.velocity),
        seen.arm.gripper_width, seen.arm.gripper_velocity, seen.tcp, INSTRUCTION,
        commanded=seen.tcp)


@contextmanager
def untrained() -> Iterator[Path | None]:
    """The folder of a checkpoint of the recipe `nano`'s size; None without torch."""
    try:
        import torch
    except ImportError:
        yield None
        return
    from inspire_policy import action_codec
    from inspire_policy.chunk_scale import Scale
    from inspire_policy.nano import checkpoint
    from inspire_policy.nano.network import Network
    from inspire_policy.nano.recipe import RECIPES
    from inspire_policy.nano.tokens import Words
    from inspire_policy.nano.training import half
    from inspire_policy.nano.vocabulary import sentences
    from inspire_policy.prompt import Layout
    torch.manual_seed(0)
    recipe, words = RECIPES['nano'], Words.trained(sentences())
    chunks = 0.004 * np.random.default_rng(0).standard_normal((2000, recipe.chunk, 7))
    chunks[..., 6] = 0.035 + chunks[..., 6] / 4
    codec = action_codec.fitted(recipe.codec, chunks)
    network = Network(recipe.size, words.text_size + codec.codes)
    flat = (-1.0,) * recipe.size.state, (1.0,) * recipe.size.state
    made = checkpoint.Checkpoint(checkpoint.Description(
        recipe.size, Layout.VQA_FIRST, 'direction', 'libero', ('camera', 'wrist_camera'),
        Scale(*flat), codec.settings(), 0.0, False), words, codec, half(network.state_dict()))
    with tempfile.TemporaryDirectory(prefix='inspire-bench-') as folder:
        made.save(Path(folder))
        checkpoint.export(made, Path(folder))
        yield Path(folder)



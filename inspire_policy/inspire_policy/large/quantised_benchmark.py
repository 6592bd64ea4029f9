# SPDX-License-Identifier: Apache-2.0
"""How nearly a decoder in 8 bits says what it says in single precision, and how long both take.

Weights are random and sharp (network.randomised): their first choices lie closer together than a
trained model's, so more of them change. Pictures, poses and instructions are drawn by the prompt's
number; both decide in turn, each time in the other order. Times are the processor's (of all
threads), which others on the machine hardly change. `./inspire bench quantised`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from inspire_labeler.formulation import Formulation
from inspire_labeler.question import questions
from inspire_policy.large.acting import LargePolicy
from inspire_policy.large.law import INSTRUCTIONS, observation, policy_of
from inspire_policy.large.lessons import WRITINGS
from inspire_policy.large.quantised import quantised
from inspire_policy.large.untrained import made
from inspire_policy.speaking import Speaker, Spoken

WARM_UP = 2

Measured = tuple[str, list[float], str]


def benchmark(families: Sequence[str], sizes: Sequence[str], count: int) -> Iterator[Measured]:
    """Figures of every family and size. Raises ValueError for one that there is not."""
    for family in families:
        if family not in WRITINGS:
            raise ValueError(f'there is no large family {family!r}; valid: {", ".join(WRITINGS)}')
        for size in sizes:
            yield from compared(family, size, count)


def compared(family: str, size: str, count: int) -> Iterator[Measured]:
    """Of `count` prompts: shares of answers, of first codes and of whole chunks that are the same,
    and milliseconds of a decision."""
    there = made(family, size)
    policies = {'float32': policy_of(there),
                'int8': policy_of(replace(there, network=quantised(there.network)))}
    times: dict[str, list[float]] = {name: [] for name in policies}
    answers: list[float] = []
    first: list[float] = []
    chunks: list[float] = []
    for number in range(-WARM_UP, count):
        order = [*policies] if number % 2 else [*reversed(policies)]
        said = {}
        for name in order:
            said[name], seconds = decided(policies[name], max(number, 0))
            times[name].append(1e3 * seconds)
        if number < 0:
            times = {name: [] for name in policies}
            continue
        one, other = said['float32'], said['int8']
        answers += [float(a == b) for a, b in zip(one.answers, other.answers, strict=True)]
        first.append(float(one.codes[0] == other.codes[0]))
        chunks.append(float(one.codes == other.codes))
    name = f'quantised_{family}_{size}'
    yield f'{name}_answers_same', [float(np.mean(answers))], f'of {len(answers)}'
    yield f'{name}_first_codes_same', [float(np.mean(first))], f'of {len(first)}'
    yield f'{name}_chunks_same', [float(np.mean(chunks))], f'of {len(chunks)}'
    for kind, values in times.items():
        yield f'{name}_{kind}_decision', values, 'ms'
    yield (f'{name}_time', (np.array(times['int8']) / np.array(times['float32'])).tolist(),
           'of float32')


def decided(policy: LargePolicy, seed: int) -> tuple[Spoken, float]:
    """What a policy says to the prompt of this number, and how long a processor takes [s]."""
    there = policy.checkpoint
    instruction = INSTRUCTIONS[seed % len(INSTRUCTIONS)]
    asked = questions(instruction, Formulation(there.description.formulation))
    policy.reset(instruction, asked)
    scene = policy.scene(observation(seed))
    prompt = WRITINGS[there.description.family].segments(there.description.layout, instruction,
                                                         asked)
    begin = time.process_time()
    said = Speaker(policy.reader, there.words, there.codec).speak(policy.reader.see(scene), prompt)
    return said, time.process_time() - begin

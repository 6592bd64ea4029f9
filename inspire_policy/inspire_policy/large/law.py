# SPDX-License-Identifier: Apache-2.0
"""What is saved must change nothing: fast against plain, on random weights, pictures and prompts.

Plain: for every answer and every action code the whole model reads everything again, and the best
of what is allowed is taken. Fast: what was read is kept, scores are taken where they are asked,
and answers are drafted, rightly and wrongly. In double precision both must say the same, always.
In single precision and in bfloat16 those are compared whose first two choices differ by more than
rounding; the others are counted. `./inspire bench law` does ten thousand of each.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from inspire_labeler.formulation import Formulation
from inspire_labeler.question import Question, questions
from inspire_policy.answer_set import alternatives
from inspire_policy.answering import Reasoning
from inspire_policy.large.acting import LargePolicy
from inspire_policy.large.checkpoint import Checkpoint
from inspire_policy.large.lessons import WRITINGS
from inspire_policy.large.readers import PlainReader, Scene
from inspire_policy.large.untrained import made, redrawn
from inspire_policy.policy import PolicyObservation
from inspire_policy.prompt import Segment
from inspire_policy.speaking import Coding, Speaker, Vocabulary
from piper_driver.pose import Pose

INSTRUCTIONS = ('put the banana in the plate', 'pick up the green cube',
                'stack the green cube on the blue cube', 'move the can near the apple')
FORMS = (Formulation.DIRECTION, Formulation.DIRECTION_3D, Formulation.PROXIMITY)
# In logits of about 1: differences below may be noise.
ROUNDING = {torch.float64: 0.0, torch.float32: 1e-4, torch.bfloat16: 0.05}
PER_NETWORK = 5     # prompts for each drawing of weights
COUNT = 10_000

Measured = tuple[str, list[float], str]


@dataclass(frozen=True)
class Plain:
    """What is said the plain way. margin: the least distance of a first choice to the second."""

    answers: tuple[str, ...]
    codes: tuple[int, ...]
    margin: float


@dataclass
class Tally:
    """Prompts compared, those of them that differ, those that rounding may decide."""

    compared: int = 0
    different: int = 0
    close: int = 0


def plain(reader: PlainReader, scene: Scene, prompt: Sequence[Segment], words: Vocabulary,
          codec: Coding) -> Plain:
    """The whole model for every word. Each answer's word must be one token."""
    text: list[int] = []
    margins: list[float] = []

    def choose(ids: Sequence[int]) -> int:
        logits, _ = reader.read(reader.see(scene), text)
        own = np.asarray(logits[-1][list(ids)], np.float64)
        if len(own) > 1:
            second, first = np.sort(own)[-2:]
            margins.append(float(first - second))
        return int(np.argmax(own))

    answers: list[str] = []
    codes: list[int] = []
    for segment in prompt:
        text += words.encode(segment.text)
        said: list[str] = []
        while segment.question is not None and (
                choices := alternatives(segment.question.options, said)):
            ids = [words.word(word, len(said))[0] for word in choices]
            best = choose(ids)
            said.append(choices[best])
            text.append(ids[best])
        answers += [' '.join(said)] if said else []
    while allowed := codec.allowed(codes):
        row = words.actions(allowed)
        best = choose(row)
        codes.append(allowed[best])
        text.append(row[best])
    return Plain(tuple(answers), tuple(codes), min(margins))


def compare(there: Checkpoint, seed: int, tally: Tally) -> None:
    """One prompt, plain and fast, without drafts, with right ones and with others."""
    random = np.random.default_rng(seed)
    instruction = INSTRUCTIONS[random.integers(len(INSTRUCTIONS))]
    asked = questions(instruction, Formulation(there.description.formulation))
    policy = policy_of(there)
    policy.reset(instruction, asked)
    scene = policy.scene(observation(seed))
    prompt = WRITINGS[there.description.family].segments(there.description.layout, instruction,
                                                         asked)
    true = plain(PlainReader(there.network), scene, prompt, there.words,
                 Short(there.codec, 4))
    speaker = Speaker(policy.reader, there.words, Short(there.codec, 4))
    drafts: list[tuple[str, ...]] = [(), true.answers, drawn(asked, random),
                                     (*true.answers[:1], *drawn(asked[1:], random))]
    said = [speaker.speak(policy.reader.see(scene), prompt, one) for one in drafts]
    tally.compared += 1
    if any((one.answers, one.codes) != (true.answers, true.codes) for one in said):
        if true.margin < ROUNDING[there.network.place.dtype]:
            tally.close += 1
        else:
            tally.different += 1


def hold(family: str, count: int, kind: torch.dtype, seed: int = 0) -> Tally:
    """Compare `count` prompts of a family's small networks."""
    tally = Tally()
    for number in range(0, count, PER_NETWORK):
        form = FORMS[number // PER_NETWORK % len(FORMS)]
        there = _drawn(family, kind, form, seed + number)
        for own in range(number, min(count, number + PER_NETWORK)):
            compare(there, seed + own, tally)
    return tally


_MADE: dict[tuple[str, torch.dtype, Formulation], Checkpoint] = {}


def _drawn(family: str, kind: torch.dtype, form: Formulation, seed: int) -> Checkpoint:
    """A checkpoint with numbers of its own; tokenizers are made once."""
    key = family, kind, form
    if key not in _MADE:
        _MADE[key] = made(family, kind=kind, formulation=form)
    return redrawn(_MADE[key], seed)


class Short:
    """A codec whose chunks have `longest` codes, so that many can be compared."""

    def __init__(self, codec: Coding, longest: int) -> None:
        self._codec, self._longest = codec, longest

    def allowed(self, before: Sequence[int]) -> range:
        return self._codec.allowed(before) if len(before) < self._longest else range(0)


def drawn(asked: Sequence[Question], random: np.random.Generator) -> tuple[str, ...]:
    """An answer of each question's set."""
    found = []
    for question in asked:
        said: list[str] = []
        while choices := alternatives(question.options, said):
            said.append(choices[random.integers(len(choices))])
        found.append(' '.join(said))
    return tuple(found)


def policy_of(there: Checkpoint, reasoning: Reasoning = Reasoning.FULL) -> LargePolicy:
    """The policy of a checkpoint."""
    return LargePolicy(there, WRITINGS[there.description.family], there.description.viewer,
                       reasoning)


def observation(seed: int) -> PolicyObservation:
    """Pictures in which every pixel is drawn by lot, and some pose."""
    random = np.random.default_rng(seed)
    images = {name: random.integers(0, 256, (64, 64, 3), np.uint8)
              for name in ('camera', 'wrist_camera')}
    where = Pose(random.normal(0, 0.3, 3), random.normal(0, 1, 4))
    return PolicyObservation(0.0, images, np.zeros(6), np.zeros(6),
                             float(random.uniform(0, 0.07)), 0.0, where, '', commanded=where)


def benchmark(count: int = COUNT, kinds: Sequence[str] = ()) -> Iterator[Measured]:
    """`./inspire bench law`: in each precision (kinds; none: all) half of the prompts of each
    family. Raises ValueError for a precision that there is not."""
    valid = {str(kind).removeprefix('torch.'): kind for kind in ROUNDING}
    for name in kinds:
        if name not in valid:
            raise ValueError(f'kinds has {name!r}; valid: {", ".join(valid)}')
    torch.set_num_threads(1)
    for family in WRITINGS:
        for kind in kinds or valid:
            begin = time.perf_counter()
            found = hold(family, count // 2, valid[kind])
            name = f'law_{family}_{kind}'
            yield f'{name}_compared', [float(found.compared)], 'prompts'
            yield f'{name}_different', [float(found.different)], 'prompts'
            yield f'{name}_within_rounding', [float(found.close)], 'prompts'
            yield f'{name}_time', [time.perf_counter() - begin], 's'



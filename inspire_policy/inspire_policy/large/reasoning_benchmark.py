# SPDX-License-Identifier: Apache-2.0
"""What the questions cost: none, the authors' way, and ours, side by side in one run.

The authors' way looks again and reads everything again for every question, then once more for the
actions; only these are read on from what was kept. Their pi0-FAST always has three pictures, and
those of absent cameras are black. All are timed in turn on the same picture: a machine that gets
slower slows each of them. `processor` is the time that this process had one (of all its threads),
which others on the machine hardly change. Weights are random: what is said costs the same. Run by
`./inspire bench reasoning`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from inspire_labeler.formulation import Formulation
from inspire_labeler.question import Question, question
from inspire_policy.large.acting import LargePolicy
from inspire_policy.large.law import observation, policy_of
from inspire_policy.large.lessons import WRITINGS
from inspire_policy.large.readers import Scene, Work
from inspire_policy.large.untrained import made
from inspire_policy.prompt import Layout, Segment
from inspire_policy.speaking import Speaker, Spoken, spelled

WAYS = ('none', 'authors', 'full', 'drafted')
INSTRUCTION = 'put the banana in the plate'
OBJECTS = ('the banana', 'the plate', 'the green cube')
SLOTS = 3          # pictures that openpi's pi0-FAST always has
DECISIONS = 20
WARM_UP = 2

Measured = tuple[str, list[float], str]


@dataclass
class Cost:
    """Of one way: seconds of each decision by stage, and what one decision takes."""

    times: dict[str, list[float]] = field(default_factory=dict)
    tokens: int = 0
    pictures: int = 0
    flops: int = 0
    said: tuple[str, ...] = ()
    codes: tuple[int, ...] = ()

    def add(self, stages: Mapping[str, float], processor: float) -> None:
        for stage, seconds in {**stages, 'decision': sum(stages.values()),
                               'processor': processor}.items():
            self.times.setdefault(stage, []).append(1e3 * seconds)


def benchmark(families: Sequence[str] = tuple(WRITINGS), sizes: Sequence[str] = ('small',),
              objects: Sequence[int] = (1, 2, 3), decisions: int = DECISIONS,
              kind: str = 'float32', device: str = 'cpu',
              plot: Path | None = None) -> Iterator[Measured]:
    """Figures of every family, size and number of objects; a plot of the medians.

    kind: float32 or bfloat16. Raises ValueError for a family or size that there is not.
    """
    drawn: dict[str, dict[str, Cost]] = {}
    for family in families:
        if family not in WRITINGS:
            raise ValueError(f'there is no large family {family!r}; valid: {", ".join(WRITINGS)}')
        for size in sizes:
            there = made(family, size, kind=getattr(torch, kind))
            there.network.to(device)
            policy = policy_of(there)
            for count in objects:
                costs = compared(policy, count, decisions)
                drawn[f'{family} {size}, {count}'] = costs
                yield from figures(f'{family}_{size}_{count}', costs)
    if plot is not None:
        draw(drawn, plot)


def compared(policy: LargePolicy, count: int, decisions: int) -> dict[str, Cost]:
    """Every way, in turn, on the same pictures, with questions about `count` objects."""
    if not 1 <= count <= len(OBJECTS):
        raise ValueError(f'{count} objects; valid: 1 to {len(OBJECTS)}')
    asked = tuple(question(one, Formulation.DIRECTION) for one in OBJECTS[:count])
    policy.reset(INSTRUCTION, asked)
    ways = {way: Way(policy, asked, way) for way in WAYS}
    costs = {way: Cost() for way in WAYS}
    # One picture: drafts are right then, as they mostly are from one decision to the next.
    scene = policy.scene(observation(count))
    for number in range(WARM_UP + decisions):
        for name, way in ways.items():
            begin = time.process_time()
            stages = way.decide(scene)
            if number >= WARM_UP:
                costs[name].add(stages, time.process_time() - begin)
    # Counting slows: it is done once, and not timed.
    for name, way in ways.items():
        counter = FlopCounterMode(display=False)
        policy.reader.work = Work()
        with counter:
            way.decide(scene)
        cost = costs[name]
        cost.tokens, cost.pictures = policy.reader.work.tokens, policy.reader.work.pictures
        cost.flops = counter.get_total_flops()
        cost.said, cost.codes = way.said.answers, way.said.codes
    if len({(costs[way].said, costs[way].codes) for way in ('full', 'drafted')}) != 1:
        raise ValueError(f'{policy.checkpoint.description.family}: drafts changed what is said')
    return costs


class Way:
    """A way to decide."""

    def __init__(self, policy: LargePolicy, asked: Sequence[Question], name: str) -> None:
        there = policy.checkpoint
        self._policy, self._name, self._words = policy, name, there.words
        self._speaker = Speaker(policy.reader, there.words, there.codec)
        layout = Layout.NONE if name == 'none' else there.description.layout
        self._prompt: tuple[Segment, ...] = WRITINGS[there.description.family].segments(
            layout, INSTRUCTION, asked)
        self._slots = SLOTS if there.description.family == 'pi0fast' else 1
        self.said: Spoken = Spoken((), (), ())

    def decide(self, scene: Scene) -> dict[str, float]:
        """Seconds by stage."""
        if self._name == 'authors':
            return self._again_and_again(scene)
        begin = time.perf_counter()
        past = self._policy.reader.see(scene)
        seen = time.perf_counter()
        drafts = self.said.answers if self._name == 'drafted' else ()
        self.said = self._speaker.speak(past, self._prompt, drafts)
        return {'see': seen - begin, **self.said.timings}

    def _again_and_again(self, scene: Scene) -> dict[str, float]:
        """A look and a reading of everything so far for each question, and for the actions."""
        begin = time.perf_counter()
        reader = self._policy.reader
        black = (np.zeros_like(scene.pictures[0]),) * (self._slots - len(scene.pictures))
        scene = replace(scene, pictures=(*scene.pictures, *black))
        text: list[int] = []
        answers: list[str] = []
        for segment in self._prompt[:-1]:
            assert segment.question is not None
            text = text + self._words.encode(segment.text)
            logits, _ = reader.read(reader.see(scene), text)
            options = segment.question.options
            ids = [spelled(self._words, option)[0] for option in options]
            answers.append(options[int(np.argmax(logits[len(text) - 1, ids]))])
            text = text + spelled(self._words, answers[-1])
        answered = time.perf_counter()
        self.said = self._speaker.speak(reader.see(scene), self._prompt,
                                        given=dict(enumerate(answers)))
        return {'answers': answered - begin, 'actions': time.perf_counter() - answered}


def figures(name: str, costs: Mapping[str, Cost]) -> Iterator[Measured]:
    """What one comparison gives: costs of a decision, times, and the share of the questions."""
    for way, cost in costs.items():
        yield f'{name}_{way}_tokens', [float(cost.tokens)], 'tokens'
        yield f'{name}_{way}_pictures', [float(cost.pictures)], 'pictures'
        yield f'{name}_{way}_flops', [cost.flops / 1e9], 'GFLOP'
        for stage, values in cost.times.items():
            yield f'{name}_{way}_{stage}', values, 'ms'
        for which in (95, 99):
            yield (f'{name}_{way}_decision_p{which}',
                   [float(np.percentile(cost.times['decision'], which))], 'ms')
    for what, stage in (('extra', 'decision'), ('extra_processor', 'processor')):
        without = np.array(costs['none'].times[stage])
        for way in WAYS[1:]:
            own = np.array(costs[way].times[stage])
            yield f'{name}_{way}_{what}', (own / without - 1.0).tolist(), 'of none'


def draw(drawn: Mapping[str, Mapping[str, Cost]], path: Path) -> None:
    """Bars of a decision's median time, relative to one without questions; p5 to p95 as lines."""
    import matplotlib
    matplotlib.use('Agg')
    from matplotlib import pyplot
    figure, axes = pyplot.subplots(figsize=(9, 0.8 + 0.9 * len(drawn)), layout='constrained')
    for row, (name, costs) in enumerate(drawn.items()):
        without = float(np.median(costs['none'].times['decision']))
        for place, way in enumerate(WAYS):
            low, middle, high = np.percentile(costs[way].times['decision'], [5, 50, 95]) / without
            y = row + 0.2 * place
            axes.barh(y, middle, 0.18, color=f'C{place}', label=way if not row else None)
            axes.plot([low, high], [y, y], color='black', linewidth=1)
        axes.text(0.02, row - 0.16, f'{name} object(s): {without:.0f} ms without questions',
                  fontsize=7)
    axes.set_yticks([])
    axes.invert_yaxis()
    axes.set_xlabel("a decision's time, of one without questions (median; 5 to 95 %)")
    axes.legend(fontsize=7)
    figure.savefig(path, dpi=120)
    pyplot.close(figure)



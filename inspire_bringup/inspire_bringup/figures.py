# SPDX-License-Identifier: Apache-2.0
"""Measured figures: what `./inspire bench` shows and writes, and who measures what.

A benchmark is a function that returns what it measured: for each figure (name, samples, unit), or
the Figure itself where it is no median of samples. What it takes are options, words with defaults.
It lives in the package whose work it measures; this table only says where.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from inspect import signature
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One measured figure: `value` is what is claimed, the rest says how sure it is."""

    name: str
    value: float
    unit: str
    runs: int
    min: float
    median: float
    max: float


# What was measured: the figure's name, its samples, their unit.
Measured = tuple[str, Sequence[float], str]


@dataclass(frozen=True)
class Benchmark:
    """Where a benchmark is found ('module:function'), and what it measures."""

    name: str
    function: str
    description: str
    by_name_only: bool = False  # too long to be measured when no name is given


BENCHMARKS = {
    one.name: one
    for one in (
        Benchmark(
            'labels',
            'inspire_labeler.benchmark:benchmark',
            'labels a second by the rule, on one core',
        ),
        Benchmark(
            'world',
            'inspire_sim.benchmark:benchmark',
            'frames a second of the world without ROS, on one core',
        ),
        Benchmark(
            'recorder',
            'inspire_bringup.recorder_benchmark:benchmark',
            'what the recorder loses of a full graph, and what it costs',
        ),
        Benchmark(
            'transport',
            'inspire_bringup.ros_transport_benchmark:benchmark',
            'latency and loss of images between processes',
        ),
        Benchmark(
            'start',
            'inspire_bringup.graph_benchmark:start',
            'time from the command to the first motion',
        ),
        Benchmark(
            'hold',
            'inspire_bringup.graph_benchmark:hold',
            'time from the death of the policy to the arm holding',
        ),
        Benchmark(
            'trips',
            'inspire_bringup.graph_benchmark:trips',
            'watchdog trips in ten minutes of episodes (only when asked for by name)',
            by_name_only=True,
        ),
        Benchmark(
            'decision',
            'inspire_policy.nano.benchmark:decision',
            "time of a learned policy's decision, with and without questions, side by side",
        ),
        Benchmark(
            'decoding',
            'inspire_policy.nano.benchmark:decoding',
            'answers outside their closed set, of a million decoded from adversarial logits',
        ),
        Benchmark(
            'hostile',
            'piper_driver.hostile:benchmark',
            'set-points out of their limits after a million hostile commands '
            '(only when asked for by name)',
            by_name_only=True,
        ),
        Benchmark(
            'reasoning',
            'inspire_policy.large.benchmarks:reasoning',
            'what questions cost in a large model: none, the authors\' way, ours '
            '(only when asked for by name)',
            by_name_only=True,
        ),
        Benchmark(
            'law',
            'inspire_policy.large.benchmarks:law',
            'large models that keep what was read against such as do not: answers and codes that '
            'differ (only when asked for by name)',
            by_name_only=True,
        ),
        Benchmark(
            'quantised',
            'inspire_policy.large.benchmarks:quantised',
            'large models in 8 bits against single precision: answers and codes that are equal, '
            'milliseconds (only when asked for by name)',
            by_name_only=True,
        ),
        Benchmark(
            'can',
            'inspire_bringup.ros_can_benchmark:benchmark',
            'the driver for hardware on an emulated bus: command to frame, holding, feedback '
            '(only when asked for by name)',
            by_name_only=True,
        ),
        Benchmark(
            'hindsight',
            'inspire_bringup.hardware_benchmark:benchmark',
            'hardware episodes: recorded on the emulated bus, labelled in hindsight, exported, '
            'trained on for some steps (only when asked for by name)',
            by_name_only=True,
        ),
        Benchmark(
            'arms',
            'inspire_bringup.arm_benchmark:benchmark',
            'success with the arm on the emulated bus and with the simulated one, same 50 seeds '
            '(only when asked for by name)',
            by_name_only=True,
        ),
        Benchmark(
            'expert',
            'inspire_bringup.expert_benchmark:benchmark',
            'success of the scripted expert: every instruction, two seeds (evaluate does more)',
        ),
    )
}


def summarise(name: str, samples: Sequence[float], unit: str) -> Figure:
    """Return the figure of repeated measurements; its value is their median."""
    if not samples:
        raise ValueError(f'{name}: nothing was measured')
    middle = float(median(samples))
    return Figure(
        name, middle, unit, len(samples), float(min(samples)), middle, float(max(samples))
    )


def measure(
    names: Iterable[str], options: Mapping[str, str] | None = None
) -> list[dict[str, Any]]:
    """Run the benchmarks of these names; return their figures as plain dictionaries.

    Raises:
        ValueError: there is no benchmark of that name, one takes no such option, or measured
            nothing.

    """
    chosen = [find(name) for name in names]
    for one in chosen if options else ():
        known = signature(load(one)).parameters
        if odd := sorted(set(options or ()) - set(known)):
            raise ValueError(
                f'the benchmark {one.name!r} takes no {odd[0]}; options: '
                f'{", ".join(known) or "none"}'
            )
    return [asdict(figure(found)) for one in chosen for found in load(one)(**(options or {}))]


def find(name: str) -> Benchmark:
    if name not in BENCHMARKS:
        raise ValueError(f'there is no benchmark {name!r}; benchmarks: {", ".join(BENCHMARKS)}')
    return BENCHMARKS[name]


def load(benchmark: Benchmark) -> Callable[..., Iterable[Figure | Measured]]:
    module, _, function = benchmark.function.partition(':')
    found: Callable[..., Iterable[Figure | Measured]] = getattr(
        importlib.import_module(module), function
    )
    return found


def figure(found: Figure | Measured) -> Figure:
    """Return what a benchmark gave as a figure."""
    return found if isinstance(found, Figure) else summarise(*found)

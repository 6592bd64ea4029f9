# SPDX-License-Identifier: Apache-2.0
"""How fast the rule is, in labels a second on one core. Called by `./inspire bench labels`."""

from __future__ import annotations

import time
from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray

from inspire_labeler.formulation import Formulation
from inspire_labeler.rule import codes


@dataclass(frozen=True)
class Figure:
    """One measured figure: `runs` repeats of the same work, with their median and extremes."""

    name: str
    value: float
    unit: str
    runs: int
    min: float
    median: float
    max: float


def benchmark(labels: int = 2_000_000, runs: int = 7, seed: int = 0) -> tuple[Figure, ...]:
    """Labels a second of each formulation on `labels` random offsets, a tenth of them grasped."""
    generator = np.random.default_rng(seed)
    offsets = generator.uniform(-0.6, 0.6, (labels, 3))
    grasped = generator.random(labels) < 0.1
    return tuple(_measure(offsets, grasped, each, runs) for each in Formulation)


def _measure(offsets: NDArray[np.float64], grasped: NDArray[np.bool_],
             formulation: Formulation, runs: int) -> Figure:
    codes(offsets[:1000], grasped[:1000], formulation)  # first use
    rates = []
    for _ in range(runs):
        start = time.perf_counter()
        codes(offsets, grasped, formulation)
        rates.append(len(offsets) / (time.perf_counter() - start))
    middle = median(rates)
    return Figure(f'labels_{formulation.value}', middle, 'labels/s', runs, min(rates), middle,
                  max(rates))

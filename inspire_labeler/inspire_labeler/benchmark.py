# SPDX-License-Identifier: Apache-2.0
"""How fast the rule is, in labels a second on one core. Called by `./inspire bench labels`."""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from inspire_labeler.formulation import Formulation
from inspire_labeler.rule import codes


def benchmark(labels: int = 2_000_000, runs: int = 7,
              seed: int = 0) -> list[tuple[str, list[float], str]]:
    """Labels a second of each formulation on `labels` random offsets, a tenth of them grasped.

    Returns (name of the figure, what each run gave, unit) for each.
    """
    generator = np.random.default_rng(seed)
    offsets = generator.uniform(-0.6, 0.6, (labels, 3))
    grasped = generator.random(labels) < 0.1
    return [(f'labels_{each.value}', _measure(offsets, grasped, each, runs), 'labels/s')
            for each in Formulation]


def _measure(offsets: NDArray[np.float64], grasped: NDArray[np.bool_],
             formulation: Formulation, runs: int) -> list[float]:
    codes(offsets[:1000], grasped[:1000], formulation)  # first use
    rates = []
    for _ in range(runs):
        start = time.perf_counter()
        codes(offsets, grasped, formulation)
        rates.append(len(offsets) / (time.perf_counter() - start))
    return rates

# SPDX-License-Identifier: Apache-2.0
"""The benchmark reports every formulation; the floor is far below what it must reach."""

from inspire_labeler.benchmark import benchmark
from inspire_labeler.formulation import Formulation


def test_every_formulation_is_measured_in_every_run():
    figures = benchmark(labels=200_000, runs=3)
    assert [(name, unit) for name, _, unit in figures] == [
        (f'labels_{each}', 'labels/s') for each in Formulation]
    assert all(len(samples) == 3 and min(samples) > 0.0 for _, samples, _ in figures)


def test_directions_come_at_twenty_million_a_second():
    # The best of several runs: other processes on the machine only make it slower.
    (_, directions, _), *_ = benchmark(labels=1_000_000, runs=7)
    assert max(directions) >= 20e6

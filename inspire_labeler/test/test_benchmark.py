# SPDX-License-Identifier: Apache-2.0
"""The benchmark reports every formulation; the floor is far below what it must reach."""

from inspire_labeler.benchmark import benchmark
from inspire_labeler.formulation import Formulation


def test_every_formulation_is_measured_with_its_spread():
    figures = benchmark(labels=200_000, runs=3)
    assert [figure.name for figure in figures] == [f'labels_{each}' for each in Formulation]
    for figure in figures:
        assert figure.unit == 'labels/s' and figure.runs == 3
        assert figure.min <= figure.median <= figure.max


def test_directions_come_at_twenty_million_a_second():
    # The best of several runs: other processes on the machine only make it slower.
    assert benchmark(labels=1_000_000, runs=7)[0].max >= 20e6

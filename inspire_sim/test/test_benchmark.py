# SPDX-License-Identifier: Apache-2.0
from inspire_sim.benchmark import benchmark


def test_the_benchmark_gives_positive_figures_with_their_extremes() -> None:
    figures = benchmark(runs=2, frames=10)
    assert [figure.name for figure in figures] == ['world_frames', 'world_step', 'world_picture',
                                                   'world_reset']
    for figure in figures:
        assert figure.runs == 2 and 0.0 < figure.min <= figure.median <= figure.max
        assert figure.value == figure.median

# SPDX-License-Identifier: Apache-2.0
from inspire_sim.benchmark import benchmark


def test_each_figure_has_a_positive_sample_of_every_run() -> None:
    figures = benchmark(runs=2, frames=10)
    assert [(name, unit) for name, _, unit in figures] == [
        ('world_frames', 'frames/s/core'), ('world_step', 'ms'), ('world_picture', 'ms'),
        ('world_reset', 'ms')]
    for _, samples, _ in figures:
        assert len(samples) == 2 and min(samples) > 0.0

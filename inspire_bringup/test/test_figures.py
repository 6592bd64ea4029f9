# SPDX-License-Identifier: Apache-2.0
"""Figures have one shape, and every benchmark of the table exists."""

import pytest

from inspire_bringup import figures
from inspire_bringup.figures import BENCHMARKS, Figure, load, measure, summarise


@pytest.mark.parametrize('benchmark', BENCHMARKS.values(), ids=BENCHMARKS)
def test_every_benchmark_of_the_table_exists(benchmark):
    assert callable(load(benchmark))


def test_the_value_of_repeated_measurements_is_their_median():
    assert summarise('hold', [0.03, 0.01, 0.02], 's') == Figure(
        'hold', 0.02, 's', 3, 0.01, 0.02, 0.03
    )


def test_a_figure_without_measurements_is_an_error():
    with pytest.raises(ValueError, match='hold: nothing was measured'):
        summarise('hold', [], 's')


def test_an_unknown_benchmark_is_answered_with_those_there_are():
    with pytest.raises(ValueError, match=r"no benchmark 'lables'; benchmarks: labels, "):
        measure(['lables'])


def test_samples_and_figures_are_written_alike(monkeypatch):
    given = [('a', [1.0, 3.0, 2.0], 'm'), Figure('b', 0.9, 'share', 40, 0.8, 0.9, 1.0)]
    monkeypatch.setattr(figures, 'load', lambda one: lambda: given)
    assert measure(['labels']) == [
        {'name': 'a', 'value': 2.0, 'unit': 'm', 'runs': 3, 'min': 1.0, 'median': 2.0, 'max': 3.0},
        {'name': 'b', 'value': 0.9, 'unit': 'share', 'runs': 40, 'min': 0.8, 'median': 0.9,
         'max': 1.0},
    ]  # fmt: skip


def test_options_go_to_the_benchmark_and_others_are_answered_with_those_there_are(monkeypatch):
    def counting(count: str = '3', other: str = ''):
        return [('a', [float(count)], 'm')]

    monkeypatch.setattr(figures, 'load', lambda one: counting)
    assert measure(['labels'], {'count': '7'})[0]['value'] == 7.0
    with pytest.raises(ValueError, match="'labels' takes no size; options: count, other"):
        measure(['labels'], {'size': '7'})

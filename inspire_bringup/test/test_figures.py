# SPDX-License-Identifier: Apache-2.0
"""Figures have one shape, and every benchmark of the table exists."""

from dataclasses import dataclass

import pytest

from inspire_bringup import figures
from inspire_bringup.figures import BENCHMARKS, Figure, load, measure, plain, summarise


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


def test_figures_of_another_package_are_taken_if_they_have_the_same_shape(monkeypatch):
    monkeypatch.setattr(figures, 'load', lambda one: lambda: [summarise('a', [1.0], 'm')])
    assert measure(['labels']) == [
        {'name': 'a', 'value': 1.0, 'unit': 'm', 'runs': 1, 'min': 1.0, 'median': 1.0, 'max': 1.0}
    ]


def test_a_figure_of_another_shape_is_refused():
    @dataclass
    class Other:
        name: str

    with pytest.raises(ValueError, match='a figure has the fields name, value'):
        plain(Other('a'))

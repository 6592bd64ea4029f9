# SPDX-License-Identifier: Apache-2.0
"""Two policies on the same episodes: is one better, and by how much?

Each episode is a pair. McNemar's exact test asks whether those that only one of the two solved
fall evenly (two-sided binomial test of the discordant pairs; McNemar 1947). The difference of the
rates has Newcombe's interval for paired proportions (Newcombe 1998, method 10: Wilson's intervals
of both rates, combined with the correlation of the pairs). Both are about these tasks: episodes
are the sample, tasks are not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb, sqrt

from inspire_policy.evaluation import Row
from inspire_policy.success_rate import wilson

METHOD = "McNemar's exact test, two-sided; Newcombe's interval (1998, method 10), 95 %"


@dataclass(frozen=True)
class Paired:
    """Pairs of episodes: solved by both, by the first only, by the second only, by neither."""

    name: str
    both: int
    first_only: int
    second_only: int
    neither: int

    @property
    def episodes(self) -> int:
        """How many pairs."""
        return self.both + self.first_only + self.second_only + self.neither

    @property
    def rates(self) -> tuple[float, float]:
        """The success rates of the two."""
        return ((self.both + self.first_only) / self.episodes,
                (self.both + self.second_only) / self.episodes)

    @property
    def difference(self) -> float:
        """The second's rate minus the first's."""
        return (self.second_only - self.first_only) / self.episodes

    @property
    def interval(self) -> tuple[float, float]:
        """Where the difference lies with 95 % confidence."""
        return newcombe(self.both, self.first_only, self.second_only, self.neither)

    @property
    def p(self) -> float:
        """How likely so uneven a fall is where the two are equally good."""
        return mcnemar(self.first_only, self.second_only)


def compared(first: Sequence[Row], second: Sequence[Row]) -> tuple[Paired, ...]:
    """The pairs of seen, unseen and all tasks, then of each task.

    Raises ValueError where the episodes are not the same ones.
    """
    successes = _by_episode(first, 'first'), _by_episode(second, 'second')
    _refuse_unequal(*successes)
    rows = {(row.instruction, row.seed): row for row in first}
    groups: dict[str, list[tuple[bool, bool]]] = {'seen': [], 'unseen': [], 'all': []}
    for key, row in rows.items():
        pair = successes[0][key], successes[1][key]
        for name in (row.split, 'all', row.task):
            groups.setdefault(name, []).append(pair)
    return tuple(_paired(name, pairs) for name, pairs in groups.items() if pairs)


def mcnemar(first_only: int, second_only: int) -> float:
    """The exact two-sided p of McNemar's test; 1 where no pair differs."""
    count = first_only + second_only
    tail = sum(comb(count, index) for index in range(min(first_only, second_only) + 1))
    return min(1.0, 2 * tail / 2**count)


def newcombe(both: int, first_only: int, second_only: int,
             neither: int) -> tuple[float, float]:
    """The 95 % interval of the second's rate minus the first's."""
    count = both + first_only + second_only + neither
    one, two = (both + first_only) / count, (both + second_only) / count
    (low_one, high_one), (low_two, high_two) = (wilson(both + first_only, count),
                                                wilson(both + second_only, count))
    phi = _correlation(both, first_only, second_only, neither)
    below = _combined(two - low_two, high_one - one, phi)
    above = _combined(high_two - two, one - low_one, phi)
    return two - one - below, two - one + above


def _combined(one: float, two: float, phi: float) -> float:
    return sqrt(max(0.0, one * one - 2 * phi * one * two + two * two))


def _correlation(both: int, first_only: int, second_only: int, neither: int) -> float:
    """Of the pairs, with Newcombe's correction for continuity where it is positive."""
    margins = ((both + first_only) * (second_only + neither)
               * (both + second_only) * (first_only + neither))
    if margins == 0:
        return 0.0
    product = both * neither - first_only * second_only
    count = both + first_only + second_only + neither
    if product > 0:
        product = max(product - count / 2, 0.0)  # type: ignore[assignment]
    return product / sqrt(margins)


def _by_episode(rows: Sequence[Row], name: str) -> dict[tuple[str, int], bool]:
    found = {(row.instruction, row.seed): row.success for row in rows}
    if len(found) < len(rows):
        raise ValueError(f'the {name} table has {len(rows) - len(found)} episodes twice')
    if not found:
        raise ValueError(f'the {name} table has no episodes')
    return found


def _refuse_unequal(first: dict[tuple[str, int], bool],
                    second: dict[tuple[str, int], bool]) -> None:
    for one, other, name in ((first, second, 'first'), (second, first, 'second')):
        alone = sorted(set(one) - set(other))
        if alone:
            instruction, seed = alone[0]
            raise ValueError(
                f'the episodes are not the same ones: {len(alone)} of {len(one)} are in the '
                f'{name} table only, such as {instruction!r}, seed {seed}')


def _paired(name: str, pairs: Sequence[tuple[bool, bool]]) -> Paired:
    counts = [pairs.count(pair) for pair in ((True, True), (True, False), (False, True),
                                             (False, False))]
    return Paired(name, *counts)

# SPDX-License-Identifier: Apache-2.0
"""How often an instruction succeeded, and where its rate lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from inspire_policy.evaluation import Row
from inspire_sim.tasks import TASKS


@dataclass(frozen=True)
class Score:
    """Successes of one instruction."""

    task: str
    instruction: str
    split: str
    episodes: int
    successes: int

    @property
    def interval(self) -> tuple[float, float]:
        """Where the success rate lies with 95 % confidence."""
        return wilson(self.successes, self.episodes)


def scores(rows: Sequence[Row]) -> tuple[Score, ...]:
    """The successes of each instruction, in the order of the paper's table."""
    found = []
    for one in TASKS:
        for variant in one.variants:
            mine = [row for row in rows if row.instruction == variant.instruction]
            if mine:
                found.append(Score(one.id, variant.instruction, one.split, len(mine),
                                   sum(row.success for row in mine)))
    return tuple(found)


def wilson(successes: int, episodes: int, z: float = 1.959964) -> tuple[float, float]:
    """Wilson's interval of a rate (Wilson 1927), at 95 % for the default z; (0, 1) of nothing."""
    if episodes == 0:
        return 0.0, 1.0
    rate, share = successes / episodes, z * z / episodes
    centre = (rate + share / 2) / (1 + share)
    half = z / (1 + share) * sqrt(rate * (1 - rate) / episodes + share / (4 * episodes))
    return max(0.0, centre - half), min(1.0, centre + half)

# SPDX-License-Identifier: Apache-2.0
"""Measures how often the scripted expert succeeds. Run by `./inspire bench expert`.

Two seeds of every instruction, which takes minutes; `./inspire evaluate --policy expert` takes as
many as it is told.
"""

from __future__ import annotations

import os

from inspire_bringup.figures import Figure
from inspire_policy.evaluation import Setting, jobs
from inspire_policy.success_rate import wilson
from inspire_policy.workers import evaluate

EPISODES = 2  # of every instruction


def benchmark(episodes: int = EPISODES) -> list[Figure]:
    """Return the share of successes, with the 95 % Wilson interval as min and max."""
    setting = Setting('expert', 'libero', 'direction')
    rows = list(evaluate(setting, jobs([], episodes, 0), os.cpu_count() or 1))
    successes = sum(row.success for row in rows)
    lower, upper = wilson(successes, len(rows))
    share = successes / len(rows)
    return [Figure('expert_success', share, 'share', len(rows), lower, share, upper)]

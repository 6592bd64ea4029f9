# SPDX-License-Identifier: Apache-2.0
"""What `./inspire bench` measures of the large families; options are words, as they are typed.

torch is loaded when a benchmark runs: it is no part of what acting with other families needs.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

Measured = tuple[str, list[float], str]


def reasoning(families: str = 'minivla,pi0fast', sizes: str = 'small', objects: str = '1,2,3',
              decisions: str = '20', kind: str = 'float32', device: str = 'cpu',
              plot: str = '') -> Iterator[Measured]:
    """See reasoning_benchmark. Lists are parted by commas; plot: a file to draw into."""
    from inspire_policy.large import reasoning_benchmark
    return reasoning_benchmark.benchmark(
        families.split(','), sizes.split(','), [int(one) for one in objects.split(',')],
        int(decisions), kind, device, Path(plot) if plot else None)


def law(count: str = '10000', kinds: str = '') -> Iterator[Measured]:
    """See law. count: prompts, half of them of each family; kinds: precisions ('': all)."""
    from inspire_policy.large import law as own
    return own.benchmark(int(count), kinds.split(',') if kinds else ())


def quantised(families: str = 'minivla,pi0fast', sizes: str = 'small',
              count: str = '100') -> Iterator[Measured]:
    """See quantised_benchmark. count: prompts of each family and size."""
    from inspire_policy.large import quantised_benchmark
    return quantised_benchmark.benchmark(families.split(','), sizes.split(','), int(count))

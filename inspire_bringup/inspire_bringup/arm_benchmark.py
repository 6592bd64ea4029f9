# SPDX-License-Identifier: Apache-2.0
"""Compares the arm on the emulated bus with the simulated one: how often it succeeds, same seeds.

Run by `./inspire bench arms --with seeds=50 --with rows=FILE`. The graph is that of the demo, its
task too, without recording. The arms take turns on it, so that a busy hour is busy for both. Each
episode is a line in FILE, and one that has a line is not run again: after a stop the same command
goes on. An episode at which something broke has failed.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from inspire_bringup.commands.demo import DEFAULT
from inspire_bringup.domain import claimed_domain
from inspire_bringup.figures import Figure, Measured
from inspire_bringup.loops import COLLECT
from inspire_bringup.runner import INTERRUPTED
from inspire_bringup.session import choose_stages, run_stages
from inspire_policy.success_rate import wilson
from inspire_sim.sim_parameters import CAN_EMULATOR, SIMULATED

ARMS = (SIMULATED, CAN_EMULATOR)
TURN = 5            # episodes in a row with one arm
_BEGINS = re.compile(r'^".*" \(seed (\d+)\)$')
_ENDS = re.compile(r'^(succeeded|failed|policy gave up)\b')


@dataclass(frozen=True)
class Row:
    """One episode; `note`: how it ended, in the conductor's words."""

    arm: str
    seed: int
    success: bool
    note: str


def benchmark(seeds: str = '50', rows: str = 'runs/arms.jsonl') -> list[Figure | Measured]:
    """Return the share of successes of each arm, with its 95 % Wilson interval as min and max."""
    file, wanted = Path(rows), range(int(seeds))
    file.parent.mkdir(parents=True, exist_ok=True)
    for begin in wanted[::TURN]:
        for arm in ARMS:
            turn = wanted[begin:begin + TURN]
            while missing := sorted({*turn} - {row.seed for row in read(file) if row.arm == arm}):
                run(arm, consecutive(missing), file)
    done = [row for row in read(file) if row.seed in wanted]
    by_arm = {arm: {row.seed: row.success for row in done if row.arm == arm} for arm in ARMS}
    differ = sum(by_arm[CAN_EMULATOR].get(seed) != good for seed, good
                 in by_arm[SIMULATED].items())
    return [*(share(arm, list(found.values())) for arm, found in by_arm.items()),
            ('seeds_with_another_outcome', [float(differ)], '')]


def consecutive(seeds: Sequence[int]) -> Sequence[int]:
    """Return the first seeds that follow each other without a gap."""
    return [seed for number, seed in enumerate(seeds) if seed == seeds[0] + number]


def run(arm: str, seeds: Sequence[int], file: Path) -> None:
    """Run episodes and note each; the first is noted whatever happens."""
    stages = choose_stages(COLLECT, {
        'task': DEFAULT, 'arm': arm, 'seed': str(seeds[0]), 'episodes': str(len(seeds)),
        'record': 'false', 'progress_period': '0'})
    running = [seeds[0]]        # the episodes that have begun and not ended

    def show(name: str, line: str) -> None:
        print(f'{arm}: {name}: {line}', file=sys.stderr, flush=True)
        if name != 'episode':
            return
        if begins := _BEGINS.match(line):
            running[:] = [int(begins[1])]
        elif running and _ENDS.match(line):
            note(file, Row(arm, running.pop(), line.startswith('succeeded'), line))
    with tempfile.TemporaryDirectory(prefix='inspire-bench-') as made, claimed_domain() as domain:
        outcome = run_stages(stages, Path(made), show, domain)
    if outcome.code == INTERRUPTED:
        raise KeyboardInterrupt     # what was under way says nothing
    if running:
        note(file, Row(arm, running.pop(), False, outcome.message or 'the run ended'))


def read(file: Path) -> list[Row]:
    """Return the episodes that were run."""
    lines = file.read_text(encoding='utf-8').splitlines() if file.exists() else []
    return [Row(**json.loads(line)) for line in lines]


def note(file: Path, row: Row) -> None:
    """Add an episode to the file."""
    with file.open('a', encoding='utf-8') as opened:
        opened.write(json.dumps(asdict(row)) + '\n')


def share(arm: str, successes: Sequence[bool]) -> Figure:
    """Return the share of successes of an arm."""
    lower, upper = wilson(sum(successes), len(successes))
    middle = sum(successes) / max(len(successes), 1)
    return Figure(f'success_{arm}', middle, 'share', len(successes), lower, middle, upper)

# SPDX-License-Identifier: Apache-2.0
"""`./inspire compare`: is the second policy better than the first, on the same episodes?"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from inspire_bringup.output import require_writable
from inspire_policy import row_table
from inspire_policy.evaluation import Setting
from inspire_policy.paired import METHOD, Paired, compared

HELP = 'Compare two tables of episodes: the difference, and whether it is one.'
# What makes an episode another one, beside its instruction and seed.
SAME = ('viewer', 'longest')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('first', type=Path, help='a table of episodes (*.rows.csv)')
    parser.add_argument('second', type=Path, help='another of the same episodes')
    parser.add_argument('--json', type=Path, metavar='FILE', help='write the figures to a file')


def run(arguments: argparse.Namespace) -> int:
    paths = arguments.first, arguments.second
    (first, one), (second, two) = (row_table.read(path) for path in paths)
    differ = row_table.differences(one, two) if one is not None and two is not None else []
    refuse_other_episodes(one, two)
    found = compared(first, second)
    if arguments.json:
        require_writable(arguments.json)
        content = as_json(paths, differ, found)
        arguments.json.write_text(json.dumps(content, indent=2) + '\n', encoding='utf-8')
    console = Console()
    for name, path in zip(('first', 'second'), paths, strict=True):
        console.print(f'{name}: {path}', highlight=False)
    for difference in differ:
        console.print(f'  {difference}', highlight=False)
    console.print(table(found))
    console.print(METHOD, highlight=False)
    return 0


def refuse_other_episodes(first: Setting | None, second: Setting | None) -> None:
    """Raise ValueError where the settings make different episodes of equal seeds."""
    if first is None or second is None:
        return
    for name in SAME:
        one, two = getattr(first, name), getattr(second, name)
        if one != two:
            raise ValueError(f'the episodes are not the same ones: {name} is {one} in the first '
                             f'table and {two} in the second')


def table(found: Sequence[Paired]) -> Table:
    """A row for the seen, unseen and all tasks, then one for each task."""
    drawn = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=0)    # fits 80 columns
    drawn.add_column('tasks', no_wrap=True)
    for heading in ('pairs', '1st', '2nd', 'points', '95 %', 'only 1', 'only 2', 'p'):
        drawn.add_column(heading, justify='right', no_wrap=True)
    for number, one in enumerate(found):
        if number and found[number - 1].name == 'all':
            drawn.add_section()
        (first, second), (low, high) = one.rates, one.interval
        drawn.add_row(one.name, str(one.episodes), f'{first:.0%}', f'{second:.0%}',
                      f'{100 * one.difference:+.1f}', f'{100 * low:+.1f} to {100 * high:+.1f}',
                      str(one.first_only), str(one.second_only), f'{one.p:.2g}')
    return drawn


def as_json(paths: Sequence[Path], differ: Sequence[str],
            found: Sequence[Paired]) -> dict[str, Any]:
    """What `--json` writes."""
    return {
        'first': str(paths[0]), 'second': str(paths[1]), 'settings_differ': list(differ),
        'method': METHOD,
        'groups': [{**asdict(one), 'episodes': one.episodes, 'first_rate': one.rates[0],
                    'second_rate': one.rates[1], 'difference': one.difference,
                    'interval': list(one.interval), 'p': one.p} for one in found],
    }

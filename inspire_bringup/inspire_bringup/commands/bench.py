# SPDX-License-Identifier: Apache-2.0
"""`./inspire bench [NAME ...] [--with OPTION=WORD] [--json FILE]`: measure what is promised."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from inspire_bringup.figures import BENCHMARKS, find, measure
from inspire_bringup.output import require_writable
from inspire_bringup.provenance import machine

HELP = 'Measure what the project promises, on this machine.'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    listed = '; '.join(f'{one.name}: {one.description}' for one in BENCHMARKS.values())
    which = f'which (default: all short ones). {listed}'
    parser.add_argument('names', nargs='*', metavar='NAME', help=which)
    parser.add_argument('--with', dest='options', action='append', default=[], type=option,
                        metavar='OPTION=WORD',
                        help='something that the benchmarks named take, e.g. sizes=small')
    parser.add_argument('--json', type=Path, metavar='FILE', help='write the figures to a file')


def run(arguments: argparse.Namespace) -> int:
    usual = [one.name for one in BENCHMARKS.values() if not one.by_name_only]
    names = [find(name).name for name in arguments.names or usual]
    if arguments.json:
        require_writable(arguments.json)
    console = Console()
    described = machine()
    console.print(', '.join(f'{key}: {value}' for key, value in described.items()), style='dim')
    figures: list[dict[str, Any]] = []
    for name in names:
        console.print(f'{name}: {BENCHMARKS[name].description} ...')
        figures += measure([name], dict(arguments.options))
    console.print(table(figures))
    if arguments.json:
        text = json.dumps({'machine': described, 'figures': figures}, indent=2)
        arguments.json.write_text(text + '\n', encoding='utf-8')
    return 0


def option(text: str) -> tuple[str, str]:
    name, _, word = text.partition('=')
    if not name or not word:
        raise argparse.ArgumentTypeError(f'{text!r} is no OPTION=WORD')
    return name, word


def table(figures: list[dict[str, Any]]) -> Table:
    drawn = Table()
    drawn.add_column('figure')
    for heading in ('value', 'min', 'max', 'runs'):
        drawn.add_column(heading, justify='right')
    drawn.add_column('unit')
    for figure in figures:
        numbers = [number(figure[key]) for key in ('value', 'min', 'max')]
        drawn.add_row(figure['name'], *numbers, str(figure['runs']), figure['unit'])
    return drawn


def number(value: float) -> str:
    """Return a number with four digits that count."""
    return f'{value:,.0f}' if abs(value) >= 1000 else f'{value:.4g}'

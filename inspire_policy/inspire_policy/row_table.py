# SPDX-License-Identifier: Apache-2.0
"""The table of an evaluation's episodes: CSV, a row for each, all of one setting.

Cells that are no single value (the answers counted, the times of every decision, the setting) hold
JSON, so that one file has everything and any reader of CSV reads it.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from io import StringIO
from pathlib import Path
from typing import Any

from inspire_policy.evaluation import Row, Setting

SETTING = 'setting'
COLUMNS = (*(field.name for field in fields(Row)), SETTING)
LONGEST_CELL = 1 << 24   # characters; a thousand decisions need some 10 000

_JSON = ('answers', 'timings', 'misses')
_NUMBERS = {'seed': int, 'steps': int, 'time': float, 'decisions': int}
_OPTIONAL = ('jerk', 'seam', 'inside')


def cells(row: Row, setting: Setting) -> list[str]:
    """A row as it is written."""
    found = [_written(name, getattr(row, name)) for name in COLUMNS[:-1]]
    return [*found, json.dumps(setting.described(), sort_keys=True)]


def write(path: Path, rows: Iterable[Row], setting: Setting) -> None:
    """Write the table; until it is complete, an older one stays."""
    part = path.with_name(f'.{path.name}.part')
    try:
        with part.open('w', newline='', encoding='utf-8') as file:
            table = csv.writer(file)
            table.writerow(COLUMNS)
            table.writerows(cells(row, setting) for row in rows)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def append(path: Path, row: Row, setting: Setting) -> None:
    """Write one more row."""
    with path.open('a', newline='', encoding='utf-8') as file:
        csv.writer(file).writerow(cells(row, setting))


def read(path: Path) -> tuple[list[Row], Setting | None]:
    """The rows of a table, and their setting (None: a table without rows, or an old one).

    A last line that was cut off (the run was killed) is left out. Raises OSError, and ValueError
    for what is no such table, or holds rows of several settings.
    """
    csv.field_size_limit(LONGEST_CELL)
    with path.open(newline='', encoding='utf-8') as file:
        text = file.read()
    lines = list(csv.DictReader(StringIO(text, newline='')))
    if not text.endswith('\n'):
        del lines[-1:]
    rows: list[Row] = []
    settings: set[str] = set()
    for number, line in enumerate(lines, start=1):
        try:
            rows.append(_row(line))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f'{path}: row {number} is no episode: {error!r}') from None
        settings.add(line.get(SETTING) or '')
    if len(settings) > 1:
        raise ValueError(f'{path} holds rows of {len(settings)} settings; valid: one')
    text = settings.pop() if settings else ''
    return rows, Setting(**json.loads(text)) if text else None


def _written(name: str, value: Any) -> str:
    if name in _JSON:
        return json.dumps(value, separators=(',', ':'))
    return '' if value is None else str(value)


def _row(line: Mapping[str, str]) -> Row:
    known: dict[str, Any] = {name: line[name] for name in COLUMNS[:-1] if name in line}
    if known['success'] not in ('True', 'False'):
        raise ValueError(f'success is {known["success"]!r}; valid: True, False')
    known['success'] = known['success'] == 'True'
    for name, kind in _NUMBERS.items():
        if name in known:
            known[name] = kind(known[name])
    for name in _OPTIONAL:
        known[name] = float(known[name]) if known.get(name) else None
    for name in _JSON:
        if name in known:
            known[name] = json.loads(known[name])
    return Row(**known)


def differences(one: Setting, other: Setting) -> list[str]:
    """In what two settings differ, in words."""
    first, second = one.described(), other.described()
    return [f'{name}: {_shown(first[name])} and {_shown(second[name])}'
            for name in first if first[name] != second[name]]


def _shown(value: Any) -> str:
    return json.dumps(value) if isinstance(value, Mapping) else str(value) or 'none'


def in_order(rows: Sequence[Row], keys: Sequence[tuple[str, int]]) -> list[Row]:
    """The rows in the order of their (instruction, seed) in `keys`."""
    place = {key: number for number, key in enumerate(keys)}
    return sorted(rows, key=lambda row: place[row.instruction, row.seed])

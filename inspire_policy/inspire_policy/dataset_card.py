# SPDX-License-Identifier: Apache-2.0
"""The card of a dataset for people, written from the one for machines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def readme(card: Mapping[str, Any]) -> str:
    """README.md of a dataset, from dataset.json."""
    counts = card['counts']
    splits = ', '.join(f'{number} {name}' for name, number in counts['splits'].items()) or 'none'
    tried = f' {counts["failed"]} of {counts["tried"]} tried failed and are left out.' \
        if counts['tried'] else ''
    lines = [
        '# A dataset of InSpire for ROS 2', '',
        f'{counts["episodes"]} episodes ({splits}), {counts["rows"]} rows.{tried}',
        *([] if card['complete'] else ['', '**Not complete**: the command below goes on.']),
        '', '```', str(card.get('command', '')), '```', '',
        '| what | |', '|---|---|',
        *(f'| {key} | {_shown(value)} |' for key, value in card.items()
          if key not in ('counts', 'command', 'complete')),
        '', '| instruction | episodes | rows | failed |', '|---|---|---|---|',
        *(f'| {name} | {each["episodes"]} | {each["rows"]} | {each["failed"]} |'
          for name, each in counts['instructions'].items()),
        '', *_EXPLANATION, '']
    return '\n'.join(lines)


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return ', '.join(f'{key} {_shown(each)}' for key, each in value.items())
    if isinstance(value, list):
        return ', '.join(map(_shown, value))
    return str(value)


_EXPLANATION = (
    'A row is an observed instant: two pictures (JPEG), the state of the arm, the next actions as '
    'they were carried',
    'out, and where every object in the scene was. `valid` says how many of the actions are to be '
    'imitated: they end',
    'before the first one that was a disturbance, and after the end of an episode the arm holds. '
    'Rows with `valid` 0',
    'still teach where things are. Offsets are object minus tcp in the viewer frame (x towards '
    'the viewer, y to its',
    'right, z up); the words come from `inspire_labeler.rule`. Seeds from 0 on are those of the '
    'evaluation; what is',
    'collected starts at 1000 unless told otherwise, so that nothing is evaluated on what it was '
    'trained on.')

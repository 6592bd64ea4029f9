# SPDX-License-Identifier: Apache-2.0
"""Settings of a training run that are changed by name, and what a run says of itself meanwhile."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, TypeVar

from inspire_labeler.formulation import Formulation
from inspire_policy.prompt import Layout

T = TypeVar('T')


def changed(recipe: T, changes: Sequence[str]) -> T:
    """A recipe with changes like `steps=100` or `teaching.layout=none`. Raises ValueError."""
    for change in changes:
        path, sign, text = change.partition('=')
        if not sign:
            raise ValueError(f'{change!r} changes nothing; valid: NAME=VALUE, as steps=100')
        recipe = _changed(recipe, path.strip().split('.'), text.strip(), path)
    return recipe


def _changed(value: Any, path: Sequence[str], text: str, whole: str) -> Any:
    known = [each.name for each in fields(value)]
    if path[0] not in known:
        raise ValueError(f'there is no setting {whole}; settings: {", ".join(known)}')
    old = getattr(value, path[0])
    if len(path) > 1 and is_dataclass(old):
        return replace(value, **{path[0]: _changed(old, path[1:], text, whole)})
    return replace(value, **{path[0]: _parsed(old, text, whole)})


def _parsed(old: Any, text: str, name: str) -> Any:
    try:
        if isinstance(old, (Layout, Formulation)):
            return type(old)(text)
        if isinstance(old, str):
            return text
        value = json.loads(text)
        if isinstance(old, tuple) and isinstance(value, list):
            return tuple(value)
        if isinstance(old, bool) is isinstance(value, bool) and isinstance(value, (int, float)):
            return type(old)(value)
    except ValueError:
        pass
    kind = [*type(old)] if isinstance(old, (Layout, Formulation)) else type(old).__name__
    raise ValueError(f'{name} cannot be {text!r}; valid: {kind}, now {old}')


@dataclass(frozen=True)
class Progress:
    """What a run prints of a step; losses are means since the last time."""

    step: int
    steps: int
    seconds: float
    samples_per_second: float
    answer_loss: float
    action_loss: float
    offset_loss: float
    rate: float
    validation: dict[str, float] = field(default_factory=dict)

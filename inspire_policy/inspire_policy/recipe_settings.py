# SPDX-License-Identifier: Apache-2.0
"""Settings of a training run: those that every run has, and how any of them is changed by name."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, TypeVar

from inspire_labeler.formulation import Formulation
from inspire_policy.prompt import Layout

T = TypeVar('T')
PRECISIONS = ('no', 'bf16')


@dataclass(frozen=True, kw_only=True)
class Run:
    """What of a recipe decides how a run goes, whatever is trained."""

    steps: int                 # of the optimiser
    batch: int                 # samples a step, over all processes
    rate: float                # of learning, at its peak
    warmup: int                # steps until there
    decay: float               # of weights
    clip: float = 1.0          # norm of the gradient at most
    brightness: float = 0.0    # pictures are made brighter or darker by up to this share,
    tint: float = 0.0          # each of their colours by this share more,
    shift: float = 0.0         # and moved by up to this share of their side
    seed: int = 0
    held_out: int = 25         # every so many-th episode is kept for validation
    scene_rows: int = 0        # of an episode that are looked at (0: all)
    validate: int = 500        # steps between validations
    save: int = 500            # steps between checkpoints
    mixed_precision: str = 'no'     # or bf16: weights in single precision, products in 16 bit

    def __post_init__(self) -> None:
        """Refuse what cannot be trained."""
        self._require('at least 1', 1, 'steps', 'batch', 'validate', 'save')
        self._require('0 or more', 0, 'warmup', 'held_out', 'scene_rows')
        if self.mixed_precision not in PRECISIONS:
            raise ValueError(f'mixed_precision is {self.mixed_precision!r}; valid: '
                             f'{", ".join(PRECISIONS)}')

    def _require(self, valid: str, least: int, *names: str) -> None:
        """Raise ValueError for one of these settings that is less."""
        for name in names:
            if getattr(self, name) < least:
                raise ValueError(f'{name} is {getattr(self, name)}; valid: {valid}')


def named(recipes: Mapping[str, T], name: str, changes: Sequence[str] = ()) -> T:
    """One of `recipes` with changes like `steps=100`; see `changed`. Raises ValueError."""
    if name not in recipes:
        raise ValueError(f'there is no recipe {name!r}; recipes: {", ".join(recipes)}')
    return changed(recipes[name], changes)


def changed(recipe: T, changes: Sequence[str]) -> T:
    """A recipe with changes like `steps=100` or `teaching.layout=none`, checked when all of them
    are made. Raises ValueError."""
    tree: dict[str, Any] = {}
    for change in changes:
        path, sign, text = change.partition('=')
        if not sign:
            raise ValueError(f'{change!r} changes nothing; valid: NAME=VALUE, as steps=100')
        _note(tree, recipe, path.strip().split('.'), text.strip(), path)
    return _with(recipe, tree)


def _note(tree: dict[str, Any], value: Any, path: Sequence[str], text: str, whole: str) -> None:
    known = [each.name for each in fields(value)]
    if path[0] not in known:
        raise ValueError(f'there is no setting {whole}; settings: {", ".join(known)}')
    old = getattr(value, path[0])
    if len(path) > 1 and is_dataclass(old):
        _note(tree.setdefault(path[0], {}), old, path[1:], text, whole)
    else:
        tree[path[0]] = _parsed(old, text, whole)


def _with(value: Any, tree: Mapping[str, Any]) -> Any:
    return replace(value, **{name: _with(getattr(value, name), new) if isinstance(new, Mapping)
                             else new for name, new in tree.items()})


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

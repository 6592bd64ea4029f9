# SPDX-License-Identifier: Apache-2.0
"""Weights from files in which nothing can run: safetensors, and torch's own with `weights_only`.

Tensors are read one by one into the network, so that they are in memory once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from inspire_policy.large.layouts import (
    HEADS,
    LayoutError,
    Map,
    Place,
    Shape,
    checked,
    layout_of,
    map_of,
)
from inspire_policy.large.network import Network, empty
from inspire_policy.large.settings import Size

INDEX = 'model.safetensors.index.json'


@dataclass(frozen=True)
class Tensors:
    """The tensors of a file or folder: their shapes, and a way to read one."""

    shapes: Mapping[str, Shape]
    read: Callable[[str], Tensor]


def network(path: Path, size: Size, family: str, kind: torch.dtype = torch.float32) -> Network:
    """The network in a file or folder. Raises LayoutError, OSError."""
    there = tensors(path)
    try:
        layout = layout_of(there.shapes, family)
        wanted = checked(_named(map_of(size, layout), there), there.shapes, layout)
        made = empty(size, kind)
        own = dict(made.named_parameters())
        with torch.no_grad():
            for name, place in wanted.items():
                if place.ours is not None:
                    part = part_of(own, place)
                    part.copy_(there.read(name).reshape(part.shape))
            _require_one_table(there, layout)
    except LayoutError as error:
        raise LayoutError(f'{path}: {error}') from None
    return made


def part_of(own: Mapping[str, Tensor], place: Place) -> Tensor:
    """The part of our parameters that a tensor of a file is; its shape may be another."""
    assert place.ours is not None
    whole = own[place.ours]
    split = place.shape[1:] == whole.shape[1:]
    return whole[place.start:place.start + place.shape[0]] if split else whole


def published(own: Mapping[str, Tensor], path: Path, size: Size, family: str) -> dict[str, Tensor]:
    """Our parameters as the file or folder that they were read from has them: by its names, in its
    shapes and precisions, with all that it holds beside. Raises LayoutError, OSError.
    """
    there = tensors(path)
    layout = layout_of(there.shapes, family)
    found = {}
    for name, place in checked(_named(map_of(size, layout), there), there.shapes, layout).items():
        found[name] = before = there.read(name)
        if place.ours is not None:
            found[name] = part_of(own, place).reshape(place.shape).to(before.dtype, copy=True)
    return found


def _named(wanted: Map, there: Tensors) -> Map:
    """The map as a file's transformers named a SigLIP tower: before its version 5 there was a
    `vision_model` inside.
    """
    older = 'vision_tower.vision_model.'
    if any(older in name for name in there.shapes):
        return wanted
    return {name.replace(older, 'vision_tower.'): place for name, place in wanted.items()}


def _require_one_table(there: Tensors, layout: str) -> None:
    """Raises LayoutError where a file has a head that is not its embedding."""
    first, second = HEADS[layout]
    if first in there.shapes and second in there.shapes \
            and not torch.equal(there.read(first), there.read(second)):
        raise LayoutError(f'tensors {first} and {second} differ; valid: one table for both')


def tensors(path: Path) -> Tensors:
    """What a `.pt` or `.safetensors` file, or a folder of the latter, holds.

    Raises LayoutError that names the file.
    """
    if not path.exists():
        raise LayoutError(f'there is no {path}')
    if path.is_file() and path.suffix in ('.pt', '.pth'):
        return _torch(path)
    files = _parts(path) if path.is_dir() else [path]
    if not files:
        raise LayoutError(f'{path} holds no *.safetensors')
    return _safetensors(files)


def _parts(folder: Path) -> list[Path]:
    """A folder's weight files: those that its index names, where it has one."""
    index = folder / INDEX
    if not index.exists():
        return sorted(folder.glob('*.safetensors'))
    try:
        names = set(json.loads(index.read_text(encoding='utf-8'))['weight_map'].values())
    except (ValueError, KeyError, AttributeError) as error:
        raise LayoutError(f'{index} cannot be read: {error}') from None
    if any('/' in name or name.startswith('.') for name in names):
        raise LayoutError(f'{index} names files outside its folder')
    return [folder / name for name in sorted(names)]


def _safetensors(files: list[Path]) -> Tensors:
    found: dict[str, Shape] = {}
    opened: dict[str, Any] = {}
    for file in files:
        try:
            content: Any = safe_open(file, framework='pt')
            for name in content.keys():  # noqa: SIM118 - it is no mapping
                if name in found:
                    raise LayoutError(f'tensor {name} is in two files')
                found[name] = tuple(content.get_slice(name).get_shape())
                opened[name] = content
        except (OSError, SafetensorError) as error:
            raise LayoutError(f'{file} cannot be read: {error}') from None
    return Tensors(found, lambda name: opened[name].get_tensor(name))


def _torch(path: Path) -> Tensors:
    """Names of a file that holds `model: {part: {name: tensor}}`, or the parts themselves."""
    try:
        content = torch.load(path, map_location='cpu', weights_only=True, mmap=True)
    except Exception as error:  # noqa: BLE001 - a file that is no such file raises many kinds
        raise LayoutError(f'{path} cannot be read, or holds more than weights: {error}') from None
    content = content.get('model', content) if isinstance(content, Mapping) else content
    if not isinstance(content, Mapping):
        raise LayoutError(f'{path} holds a {type(content).__name__}; valid: tensors by name')
    flat = {f'{part}.{name}' if isinstance(inside, Mapping) else str(part): one
            for part, inside in content.items() if part != 'optimizer'
            for name, one in (inside.items() if isinstance(inside, Mapping) else [('', inside)])}
    odd = [name for name, one in flat.items() if not isinstance(one, Tensor)]
    if odd:
        raise LayoutError(f'{path}: {odd[0]} is no tensor')
    return Tensors({name: tuple(one.shape) for name, one in flat.items()}, flat.__getitem__)

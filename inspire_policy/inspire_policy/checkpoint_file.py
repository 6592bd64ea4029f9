# SPDX-License-Identifier: Apache-2.0
"""The JSON that says what a checkpoint's folder holds, whichever family's: read with suspicion."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar('T')


class CheckpointError(ValueError):
    """A folder that is no checkpoint of its family; the message names file and fault."""


def write(path: Path, description: Any) -> None:
    """Write a description, a dataclass, as JSON."""
    path.write_text(json.dumps(asdict(description), indent=2) + '\n', encoding='utf-8')


def content_of(path: Path, family: str, version: int) -> dict[str, Any]:
    """What a description's file says. Raises ValueError where it is of another family or format.
    """
    content = read_json(path)
    if content.get('family') != family or content.get('format') != version:
        raise ValueError(f'{path}: family {content.get("family")!r}, format '
                         f'{content.get("format")!r}; valid: {family}, {version}')
    return content


def read(kind: type[T], values: Mapping[str, Any], where: str) -> T:
    """A dataclass from JSON's values. Raises ValueError that names the field."""
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    if set(values) != known:
        odd = sorted(set(values) ^ known)
        raise ValueError(f'{where}: {", ".join(odd)} unknown or missing; fields: '
                         f'{", ".join(sorted(known))}')
    made = {name: tuple(value) if isinstance(value, list) else value
            for name, value in values.items()}
    try:
        return kind(**made)
    except (TypeError, ValueError) as error:
        raise ValueError(f'{where}: {error}') from None


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object. Raises ValueError that names the file."""
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError) as error:
        raise ValueError(f'{path} cannot be read: {error}') from None
    if not isinstance(content, dict):
        raise ValueError(f'{path}: expected an object, not {type(content).__name__}')
    return content

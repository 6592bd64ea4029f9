# SPDX-License-Identifier: Apache-2.0
"""The manifest beside an episode's bag: what was recorded, how it went, what was lost, with what.

`manifest.json` has a versioned schema, the dataclasses below. It is checked when it is read, so
that a wrong one is met with a sentence and not with a crash further on. At the start of an episode
it says `complete: false`; only a recorder that closed the bag says `true`.
"""

import json
import os
import types
import typing
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from inspire_bringup.bag import write_atomically

SCHEMA = 'inspire_episode/1'
NAME = 'manifest.json'
Outcome = Literal['unknown', 'success', 'failure']
OUTCOMES: tuple[Outcome, ...] = ('unknown', 'success', 'failure')  # by StopEpisode's numbers
T = TypeVar('T')


class ManifestError(ValueError):
    """A manifest that is missing, is no JSON, or does not follow the schema."""


@dataclass(frozen=True)
class TopicSummary:
    """One topic of the bag."""

    name: str
    type: str
    count: int
    rate: float  # Hz, between the first and the last message
    longest_interval: float  # s, between stamps that follow each other
    gaps: int  # intervals above 2.5 periods; 0 for topics without a period
    lost: int  # all losses, of which:
    lost_in_transport: int  # by sequence numbers or message-lost events
    lost_in_queue: int  # by a full queue of the recorder or a failed disk
    lost_before: int  # sent by a topic that appeared, before the recorder had subscribed to it


@dataclass(frozen=True)
class Viewer:
    """The frame in which left, right, front and back are meant."""

    frame: str
    parent: str
    yaw: float  # rad, about the parent's z axis


@dataclass(frozen=True)
class Bag:
    """The recorded file, relative to the manifest."""

    path: str
    bytes: int = 0
    messages: int = 0
    sha256: str = ''
    first_time: int = 0  # ns, log times of the bag
    last_time: int = 0


@dataclass(frozen=True)
class Repair:
    """That `./inspire repair` rewrote the bag, and what it met."""

    damage: list[str]
    original: str  # the file as it was found, relative to the manifest
    sha256: str = ''  # of that file


@dataclass(frozen=True)
class Manifest:
    """Everything about an episode that is not in its messages."""

    instruction: str
    task: str
    seed: int
    started: str  # UTC, ISO 8601
    bag: Bag
    schema: str = SCHEMA
    complete: bool = False
    outcome: Outcome = 'unknown'
    note: str = ''
    error: str = ''
    stopped: str = ''
    duration: float = 0.0  # s, on the clock of the bag
    simulated_time: bool = False  # log times are of /clock
    lost: int = 0
    viewer: Viewer | None = None
    topics: list[TopicSummary] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    recorder: dict[str, Any] = field(default_factory=dict)  # its parameters
    versions: dict[str, str] = field(default_factory=dict)
    machine: dict[str, str] = field(default_factory=dict)
    repair: Repair | None = None


def write(folder: Path, manifest: Manifest) -> Path:
    """Write the manifest into an episode's folder, whole or not at all."""
    path = folder / NAME
    write_atomically(path, _text(manifest))
    return path


def claim(folder: Path, manifest: Manifest) -> Path:
    """Write a new episode's first manifest; FileExistsError where the folder holds one already.

    Creating the file is what keeps two recorders out of one folder: exactly one of them succeeds.
    """
    path = folder / NAME
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    with open(descriptor, 'w', encoding='utf-8') as file:
        file.write(_text(manifest))
    return path


def read(folder: Path) -> Manifest:
    """Read and check the manifest of an episode's folder; ManifestError says what is wrong."""
    path = folder / NAME
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
    except OSError as error:
        raise ManifestError(f'{path}: {error.strerror}') from error
    except ValueError as error:
        raise ManifestError(f'{path} is no JSON: {error}') from error
    if not isinstance(content, dict):
        raise ManifestError(f'{path}: an object was expected, not {type(content).__name__}')
    if content.get('schema') != SCHEMA:
        raise ManifestError(
            f'{path}: schema is {content.get("schema")!r}; this version reads {SCHEMA!r}'
        )
    try:
        manifest = _parse(Manifest, content, 'manifest')
    except ManifestError as error:
        raise ManifestError(f'{path}: {error}') from None
    return manifest


def _text(manifest: Manifest) -> str:
    return json.dumps(asdict(manifest), indent=2, ensure_ascii=False) + '\n'


def _parse(kind: type[T], content: Any, place: str) -> T:
    """Build a dataclass from JSON, naming the place of the first thing that does not fit."""
    if not isinstance(content, dict):
        raise ManifestError(f'{place}: an object was expected, not {content!r}')
    hints = typing.get_type_hints(kind)
    names = {one.name for one in fields(kind)}  # type: ignore[arg-type]
    if unknown := sorted(set(content) - names):
        raise ManifestError(
            f'{place}.{unknown[0]} is not known; known: {", ".join(sorted(names))}'
        )
    values = {
        name: _value(hints[name], value, f'{place}.{name}') for name, value in content.items()
    }
    try:
        return kind(**values)
    except TypeError as error:
        raise ManifestError(f'{place}: {error}') from None


def _value(hint: Any, value: Any, place: str) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return None if value is None else _value(arguments[0], value, place)
    if origin is Literal:
        if value not in arguments:
            raise ManifestError(f'{place} is {value!r}; valid: {", ".join(map(repr, arguments))}')
        return value
    if origin is list:
        _expect(value, list, place)
        return [_value(arguments[0], one, f'{place}[{index}]') for index, one in enumerate(value)]
    if origin is dict:
        _expect(value, dict, place)
        return {key: _value(arguments[1], one, f'{place}.{key}') for key, one in value.items()}
    if is_dataclass(hint):
        return _parse(typing.cast(type, hint), value, place)
    if hint is float and type(value) is int:
        return float(value)
    if hint is not Any:
        _expect(value, hint, place)
    return value


def _expect(value: Any, kind: type, place: str) -> None:
    if type(value) is not kind:
        raise ManifestError(f'{place}: {kind.__name__} was expected, not {value!r}')

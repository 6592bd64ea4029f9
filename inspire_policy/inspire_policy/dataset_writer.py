# SPDX-License-Identifier: Apache-2.0
"""Writes a dataset episode by episode, so that a kill at any instant costs no finished episode.

Each episode is a file in `loose/` first. Those of a block of numbers are gathered into one part,
in order: which part an episode lies in, and so the dataset, does not depend on how many processes
made it. Every part carries what is said of its episodes; episodes.parquet is made from that.
What was tried, success or not, is a line of outcomes.jsonl.
"""

from __future__ import annotations

import io
import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from inspire_labeler.rule import RULE_VERSION
from inspire_policy.dataset_card import readme
from inspire_policy.dataset_format import (
    CARD_FILE,
    DATA_FOLDER,
    EPISODES,
    EPISODES_FILE,
    FORMAT,
    HORIZON,
    README_FILE,
    ROWS,
    DatasetError,
    Episode,
)
from inspire_policy.policy import STEP_DURATION

BLOCK = 64              # numbers of episodes that share a file
LOOSE_FOLDER = 'loose'
OUTCOMES_FILE = 'outcomes.jsonl'
EPISODES_KEY = b'episodes'      # of a file's metadata: JSON
ROW_GROUP = 512         # rows


def packed(episode: Episode, rows: pa.Table) -> bytes:
    """One episode as the bytes of a file."""
    buffer = io.BytesIO()
    _write_table(_described(rows, [episode]), buffer)
    return buffer.getvalue()


@dataclass(frozen=True)
class Outcome:
    """One episode that was tried. detail: what the success test said last; error: why it could
    not be finished, or empty; seconds: it took."""

    episode: int
    task: str
    instruction: str
    split: str
    seed: int
    success: bool
    steps: int = 0
    rows: int = 0
    pushes: int = 0
    seconds: float = 0.0
    detail: str = ''
    error: str = ''


@dataclass
class DatasetWriter:
    """A dataset's folder while it grows.

    settings: what must be the same where a started dataset goes on. about: what may differ (the
    command, the revision of the sources).
    """

    folder: Path
    settings: Mapping[str, Any]
    about: Mapping[str, Any]
    episodes: dict[int, Episode] = field(default_factory=dict)
    outcomes: dict[int, Outcome] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Begin, or go on. Raises DatasetError that names what differs, OSError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        card = self.folder / CARD_FILE
        if card.exists():
            _require_same(card, self.settings)
        elif any(self.folder.iterdir()):
            raise DatasetError(f'{self.folder} is not empty and holds no {CARD_FILE}; '
                               'valid: a new or empty folder, or a dataset to go on with')
        for name in (DATA_FOLDER, LOOSE_FOLDER):
            (self.folder / name).mkdir(exist_ok=True)
        for path in self.folder.rglob('.*.part'):   # what a kill cut off
            path.unlink()
        for path in [*self._parts(), *self._loose()]:
            self.episodes |= {each.episode: each for each in _episodes_of(path)}
        self.outcomes = {each.episode: each for each in _outcomes(self.folder / OUTCOMES_FILE)
                         if not each.success or each.episode in self.episodes}
        self._write_card(complete=False)

    @property
    def tried(self) -> frozenset[int]:
        """Numbers of the episodes that need not be run: kept, or failed. One that could not be
        finished (its process died) is worth another try."""
        failed = {number for number, each in self.outcomes.items() if not each.error}
        return frozenset(self.episodes) | failed

    def take(self, outcome: Outcome, data: bytes = b'') -> None:
        """Write down how an episode went, and keep what it gave (`packed`) where it succeeded.

        The line comes first: one without its episode is tried again.
        """
        with open(self.folder / OUTCOMES_FILE, 'a', encoding='utf-8') as file:
            file.write(json.dumps(asdict(outcome)) + '\n')
        self.outcomes[outcome.episode] = outcome
        if data:
            _replace(self.folder / LOOSE_FOLDER / f'{outcome.episode:06d}.parquet', data)
            self.episodes |= {each.episode: each for each in _episodes_of(io.BytesIO(data))}
        block = outcome.episode // BLOCK
        if self.tried.issuperset(range(block * BLOCK, (block + 1) * BLOCK)):
            self._gather(block)

    def finish(self, complete: bool = True) -> dict[str, Any]:
        """Gather what is loose, write the cards; gives the one for machines."""
        for block in sorted({int(path.stem) // BLOCK for path in self._loose()}):
            self._gather(block)
        listed = [asdict(each) for _, each in sorted(self.episodes.items())]
        buffer = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(listed, schema=EPISODES), buffer, compression='zstd')
        _replace(self.folder / EPISODES_FILE, buffer.getvalue())
        (self.folder / LOOSE_FOLDER).rmdir()
        return self._write_card(complete)

    def _gather(self, block: int) -> None:
        """Put what is loose of a block into its part."""
        part = self.folder / DATA_FOLDER / f'part-{block:05d}.parquet'
        loose = [path for path in self._loose() if int(path.stem) // BLOCK == block]
        tables = {} if not part.exists() else {block * BLOCK - 1: _read(part)}
        there = {each.episode for each in _episodes_of(part)} if part.exists() else set()
        tables |= {int(path.stem): _read(path) for path in loose if int(path.stem) not in there}
        if tables:
            whole = pa.concat_tables(tables[number] for number in sorted(tables))
            whole = whole.sort_by([('episode', 'ascending'), ('step', 'ascending')])
            known = sorted(set(whole.column('episode').to_pylist()))
            buffer = io.BytesIO()
            _write_table(_described(whole, [self.episodes[number] for number in known]), buffer)
            _replace(part, buffer.getvalue())
        for path in loose:
            path.unlink()

    def _parts(self) -> list[Path]:
        return sorted((self.folder / DATA_FOLDER).glob('part-*.parquet'))

    def _loose(self) -> list[Path]:
        return sorted((self.folder / LOOSE_FOLDER).glob('[0-9]*.parquet'))

    def _write_card(self, complete: bool) -> dict[str, Any]:
        card = {'format': FORMAT, 'complete': complete, **self.about, **self.settings,
                'step_duration': STEP_DURATION, 'horizon': HORIZON, 'rule_version': RULE_VERSION,
                'counts': counts(self.episodes.values(), self.outcomes.values())}
        _replace(self.folder / CARD_FILE, (json.dumps(card, indent=2) + '\n').encode())
        _replace(self.folder / README_FILE, readme(card).encode())
        return card


def counts(episodes: Iterable[Episode], outcomes: Iterable[Outcome]) -> dict[str, Any]:
    """How much there is, in total, by instruction and by split; and how much failed."""
    kept, tried = list(episodes), list(outcomes)
    instructions = dict.fromkeys([*(each.instruction for each in tried),
                                  *(each.instruction for each in kept)])
    return {'episodes': len(kept), 'rows': sum(each.rows for each in kept),
            'tried': len(tried), 'failed': sum(not each.success for each in tried),
            'splits': dict(Counter(each.split for each in kept)),
            'instructions': {
                name: {'episodes': sum(each.instruction == name for each in kept),
                       'rows': sum(each.rows for each in kept if each.instruction == name),
                       'failed': sum(not each.success for each in tried
                                     if each.instruction == name)}
                for name in sorted(instructions)}}


def _require_same(card: Path, settings: Mapping[str, Any]) -> None:
    try:
        found = json.loads(card.read_text(encoding='utf-8'))
        number = found['format']
    except (ValueError, KeyError, TypeError) as error:
        raise DatasetError(f'{card} is no card of a dataset: {error!r}') from None
    if number != FORMAT:
        raise DatasetError(f'{card}: format is {number!r}; valid: {FORMAT}')
    for key, value in json.loads(json.dumps(dict(settings))).items():
        if found.get(key) != value:
            raise DatasetError(f'{card.parent} was made with {key} {found.get(key)!r}, not '
                               f'{value!r}; go on with what it was made with, or name another '
                               'folder')


def _described(rows: pa.Table, episodes: Iterable[Episode]) -> pa.Table:
    text = json.dumps([asdict(each) for each in episodes])
    return rows.replace_schema_metadata({EPISODES_KEY: text.encode()})


def _write_table(rows: pa.Table, where: io.BytesIO) -> None:
    pq.write_table(rows, where, compression='zstd', use_dictionary=['phase'],
                   row_group_size=ROW_GROUP, write_statistics=False)


def _read(path: Path) -> pa.Table:
    table = pq.read_table(path)
    if not table.schema.equals(ROWS):
        raise DatasetError(f'{path} has other columns than this version writes')
    return table


def _episodes_of(path: Path | io.BytesIO) -> list[Episode]:
    """What a file says of its episodes."""
    try:
        text = (pq.read_schema(path).metadata or {})[EPISODES_KEY]
        return [Episode(**each) for each in json.loads(text)]
    except (KeyError, ValueError, TypeError, OSError) as error:
        raise DatasetError(f'{path} is no part of a dataset: {error!r}') from None


def _outcomes(path: Path) -> list[Outcome]:
    """Every whole line; a kill may have left half of one."""
    if not path.exists():
        return []
    found = []
    for line in path.read_text(encoding='utf-8').splitlines():
        try:
            found.append(Outcome(**json.loads(line)))
        except (ValueError, TypeError):
            continue
    return found


def _replace(path: Path, data: bytes) -> None:
    """The file appears whole or not at all."""
    beside = path.with_name(f'.{path.name}.part')
    with open(beside, 'wb') as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)

# SPDX-License-Identifier: Apache-2.0
"""Reads a dataset: everything small as arrays in memory, pictures as JPEG, decoded on demand.

    from inspire_policy import dataset
    data = dataset.open('datasets/seen')
    data.episodes[3].instruction
    data.columns['actions'][row], data.columns['valid'][row]    # (16, 7), how many count
    data.picture('camera', row)                                 # (size, size, 3) RGB
    data.offsets(row), data.grasped(row)                        # of data.episode_of(row).objects

Rows are in the order of episodes and steps, whatever order the files had.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from inspire_policy.dataset_format import (
    CAMERAS,
    CARD_FILE,
    DATA_FOLDER,
    EPISODES,
    EPISODES_FILE,
    FORMAT,
    HORIZON,
    ROWS,
    UNKNOWN,
    DatasetError,
    Episode,
)
from inspire_policy.pictures import Picture, decode
from inspire_policy.policy import ACTION_SIZE

Numbers = NDArray[Any]

# What each column is an array of, beside (rows,).
_SHAPES = {'joint_positions': (6,), 'joint_velocities': (6,), 'tcp': (7,), 'commanded': (7,),
           'actions': (HORIZON, ACTION_SIZE)}
_PLAIN = ('episode', 'step', 'stamp', 'gripper_width', 'gripper_velocity', 'commanded_width',
          'valid')


@dataclass(frozen=True, eq=False)
class Dataset:
    """A dataset in memory.

    card: dataset.json. columns: name -> array (rows, ...), read-only: episode (the number that it
    has in the dataset), step, stamp, joint_positions, joint_velocities, gripper_width,
    gripper_velocity, tcp, commanded, commanded_width, actions (rows, HORIZON, 7), valid.
    starts (episodes + 1,): where in the rows each of `episodes` begins. object_starts (rows + 1,):
    where in `all_offsets` (N, 3), `all_headings` (N,), `all_feet` (N, 3) and `all_grasped` (N,)
    the objects of each row begin.
    """

    folder: Path
    card: Mapping[str, Any]
    episodes: tuple[Episode, ...]
    columns: Mapping[str, Numbers]
    starts: NDArray[np.int64]
    object_starts: NDArray[np.int64]
    all_offsets: NDArray[np.float32]
    all_headings: NDArray[np.float32]
    all_feet: NDArray[np.float32]
    all_grasped: NDArray[np.bool_]
    phases: Sequence[str]
    _jpeg: Mapping[str, pa.ChunkedArray]

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.columns['step'])

    def rows(self, index: int) -> range:
        """The rows of the episode at `index` in `episodes`."""
        return range(int(self.starts[index]), int(self.starts[index + 1]))

    def episode_index(self, row: int) -> int:
        """Where in `episodes` the episode of a row is."""
        return int(np.searchsorted(self.starts, row, side='right')) - 1

    def episode_of(self, row: int) -> Episode:
        """The episode of a row."""
        return self.episodes[self.episode_index(row)]

    def offsets(self, row: int) -> NDArray[np.float32]:
        """Object minus tcp in the viewer frame [m] (objects, 3), as the episode lists them."""
        return self.all_offsets[self.object_starts[row]:self.object_starts[row + 1]]

    def grasped(self, row: int) -> NDArray[np.bool_]:
        """Whether each object is grasped (objects,)."""
        return self.all_grasped[self.object_starts[row]:self.object_starts[row + 1]]

    def jpeg(self, camera: str, row: int) -> bytes:
        """A picture as it is kept."""
        return bytes(self._jpeg[camera][row].as_py())

    def picture(self, camera: str, row: int) -> Picture:
        """A picture (image_size, image_size, 3), RGB. Raises DatasetError."""
        size = self.card['image_size']
        try:
            picture = decode(self.jpeg(camera, row))
        except ValueError as error:
            raise DatasetError(f'{self.folder}: {camera} of row {row}: {error}') from None
        if picture.shape != (size, size, 3):
            raise DatasetError(f'{self.folder}: {camera} of row {row} has shape {picture.shape}, '
                               f'not ({size}, {size}, 3)')
        return picture


def open(*folders: Path | str) -> Dataset:
    """Read and check a dataset, or several of one kind as one: their episodes one after the other,
    numbered anew. Raises DatasetError that names the file and the column.
    """
    read = [_one(Path(folder)) for folder in folders]
    return read[0] if len(read) == 1 else _joined(read)


def _one(folder: Path) -> Dataset:
    card = _card(folder / CARD_FILE)
    episodes = _episodes(folder / EPISODES_FILE)
    tables = [_part(path) for path in sorted((folder / DATA_FOLDER).glob('part-*.parquet'))]
    table = pa.concat_tables([ROWS.empty_table(), *tables])
    if (np.diff(table.column('episode').to_numpy()) < 0).any():
        table = table.sort_by([('episode', 'ascending'), ('step', 'ascending')])
    columns = {name: _frozen(table.column(name).to_numpy()) for name in _PLAIN}
    for name, shape in _SHAPES.items():
        columns[name] = _frozen(_flat(table.column(name), np.float32).reshape(-1, *shape))
    starts = _starts(folder / EPISODES_FILE, episodes, columns['episode'])
    counts = np.repeat([len(each.objects) for each in episodes], np.diff(starts)).astype(np.int64)
    object_starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    offsets = _ragged(folder, table, 'offsets', 3 * counts, np.float32).reshape(-1, 3)
    headings = _ragged(folder, table, 'headings', counts, np.float32)
    feet = _ragged(folder, table, 'feet', 3 * counts, np.float32).reshape(-1, 3)
    grasped = _ragged(folder, table, 'grasped', counts, np.bool_)
    return Dataset(folder, card, episodes, columns, starts, object_starts, _frozen(offsets),
                   _frozen(headings), _frozen(feet), _frozen(grasped),
                   table.column('phase').to_pylist(),
                   {name: table.column(name) for name in CAMERAS})


def _joined(parts: Sequence[Dataset]) -> Dataset:
    """Several datasets as one. Raises DatasetError where what is seen, or by whom, differs."""
    first = parts[0]
    for part in parts[1:]:
        for key in ('viewer', 'image_size', 'cameras'):
            if part.card.get(key) != first.card.get(key):
                raise DatasetError(f'{part.folder} has {key} {part.card.get(key)!r}, '
                                   f'{first.folder} {first.card.get(key)!r}: one network cannot '
                                   'learn from both')
    before = np.cumsum([0, *(len(part.episodes) for part in parts)])
    episodes = tuple(replace(one, episode=int(begin) + number)
                     for begin, part in zip(before, parts, strict=False)
                     for number, one in enumerate(part.episodes))
    columns = {name: np.concatenate([part.columns[name] for part in parts])
               for name in first.columns}
    starts = _chained([part.starts for part in parts])
    columns['episode'] = np.repeat(np.arange(len(episodes), dtype=np.int32), np.diff(starts))
    return Dataset(
        first.folder, {**first.card, 'folders': [str(part.folder) for part in parts],
                       'counts': [part.card.get('counts') for part in parts]},
        episodes, {name: _frozen(value) for name, value in columns.items()}, starts,
        _chained([part.object_starts for part in parts]),
        _frozen(np.concatenate([part.all_offsets for part in parts])),
        _frozen(np.concatenate([part.all_headings for part in parts])),
        _frozen(np.concatenate([part.all_feet for part in parts])),
        _frozen(np.concatenate([part.all_grasped for part in parts])),
        [phase for part in parts for phase in part.phases],
        {name: pa.chunked_array([chunk for part in parts for chunk in part._jpeg[name].chunks])
         for name in CAMERAS})


def _chained(starts: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Where things begin, when what each of `starts` counts comes one after the other."""
    ends = np.cumsum([0, *(each[-1] for each in starts)])
    return np.concatenate([*(each[:-1] + end for each, end in zip(starts, ends, strict=False)),
                           ends[-1:]]).astype(np.int64)


def _card(path: Path) -> dict[str, Any]:
    if not path.exists():
        raise DatasetError(f'{path.parent} is no dataset: it has no {path.name}')
    try:
        card = json.loads(path.read_text(encoding='utf-8'))
        found, size = card['format'], card['image_size']
    except (ValueError, KeyError, TypeError) as error:
        raise DatasetError(f'{path} is no card of a dataset: {error!r}') from None
    if found != FORMAT or card.get('horizon') != HORIZON or card.get('cameras') != list(CAMERAS):
        raise DatasetError(
            f'{path}: format {found!r}, horizon {card.get("horizon")!r}, cameras '
            f'{card.get("cameras")!r}; valid: {FORMAT}, {HORIZON}, {list(CAMERAS)}')
    if not isinstance(size, int) or size < 1:
        raise DatasetError(f'{path}: image_size is {size!r}; valid: a number of pixels')
    return dict(card)


def _episodes(path: Path) -> tuple[Episode, ...]:
    table = _read(path, EPISODES)
    episodes = sorted((Episode(**each) for each in table.to_pylist()), key=lambda e: e.episode)
    for each in episodes:
        if len(each.names) != len(each.objects):
            raise DatasetError(f'{path}: column names of episode {each.episode} has '
                               f'{len(each.names)} entries for {len(each.objects)} objects')
    return tuple(episodes)


def _part(path: Path) -> pa.Table:
    table = _read(path, ROWS)
    for name in ROWS.names:
        column = table.column(name)
        if column.null_count:
            raise DatasetError(f'{path}: column {name} has {column.null_count} empty entries')
        if pa.types.is_floating(_value_type(column.type)):
            values = _flat(column, np.float64)
            wrong = np.isinf(values) if name in UNKNOWN else ~np.isfinite(values)
            if wrong.any():
                raise DatasetError(f'{path}: column {name} has a value that is not finite')
    valid = table.column('valid').to_numpy()
    if len(valid) and not 0 <= valid.min() <= valid.max() <= HORIZON:
        raise DatasetError(f'{path}: column valid goes from {valid.min()} to {valid.max()}; '
                           f'valid: 0 to {HORIZON}')
    return table


def _read(path: Path, schema: pa.Schema) -> pa.Table:
    """A file with exactly the columns of the schema."""
    try:
        table = pq.read_table(path)
    except FileNotFoundError:
        raise DatasetError(f'{path} is missing; where collecting was cut off, the same command '
                           'goes on') from None
    except (OSError, pa.ArrowException) as error:
        raise DatasetError(f'{path} cannot be read: {error}') from None
    for name in sorted(set(UNKNOWN).intersection(schema.names).difference(table.schema.names)):
        table = table.append_column(name, _unknown(table.column(UNKNOWN[name])))
    for name in schema.names:
        if name not in table.schema.names:
            raise DatasetError(f'{path} has no column {name}')
        found, wanted = table.schema.field(name).type, schema.field(name).type
        if found != wanted:
            raise DatasetError(f'{path}: column {name} is {found}; valid: {wanted}')
    return table.select(schema.names).replace_schema_metadata()


def _unknown(like: pa.ChunkedArray) -> pa.ChunkedArray:
    """NaN for each value of a column of lists: a dataset from before these were noted."""
    parts = []
    for one in like.chunks:
        ends = np.cumsum([0, *one.value_lengths().to_pylist()]).astype(np.int32)
        parts.append(pa.ListArray.from_arrays(ends, np.full(ends[-1], np.nan, np.float32)))
    return pa.chunked_array(parts, pa.list_(pa.float32()))


def _value_type(kind: pa.DataType) -> pa.DataType:
    listed = pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind)
    return kind.value_type if listed else kind


def _flat(column: pa.ChunkedArray, kind: type[np.generic]) -> Numbers:
    """All values of a column, those of lists one after the other."""
    listed = _value_type(column.type) != column.type
    chunks = [chunk.flatten() if listed else chunk for chunk in column.chunks]
    arrays = [chunk.to_numpy(zero_copy_only=False) for chunk in chunks]
    return np.concatenate([np.empty(0, kind), *arrays]).astype(kind, copy=False)


def _ragged(folder: Path, table: pa.Table, name: str, lengths: NDArray[np.int64],
            kind: type[np.generic]) -> Numbers:
    """The values of a column of lists, whose lengths are known."""
    chunks = [chunk.value_lengths().to_numpy() for chunk in table.column(name).chunks]
    found = np.concatenate([np.empty(0, np.int32), *chunks])
    wrong = np.flatnonzero(found != lengths)
    if len(wrong):
        row = int(wrong[0])
        episode, step = (table.column(each)[row].as_py() for each in ('episode', 'step'))
        raise DatasetError(f'{folder / DATA_FOLDER}: column {name} of episode {episode}, step '
                           f'{step} has {found[row]} values; valid: {lengths[row]}')
    return _flat(table.column(name), kind)


def _starts(path: Path, episodes: Sequence[Episode],
            numbers: NDArray[np.int32]) -> NDArray[np.int64]:
    """Where each episode begins among the rows, whose episodes' numbers rise."""
    known = np.array([each.episode for each in episodes], dtype=np.int64)
    foreign = np.setdiff1d(numbers, known)
    if len(foreign):
        raise DatasetError(f'{path}: column episode has no {foreign[0]}, which has rows in '
                           f'{DATA_FOLDER}/')
    starts = np.searchsorted(numbers, known, side='left')
    ends = np.searchsorted(numbers, known, side='right')
    for each, count in zip(episodes, (ends - starts).tolist(), strict=True):
        if each.rows != count:
            raise DatasetError(f'{path}: column rows says {each.rows} of episode {each.episode}, '
                               f'{DATA_FOLDER}/ has {count}')
    return np.concatenate([starts, [len(numbers)]]).astype(np.int64)


def _frozen(values: Numbers) -> Numbers:
    values.setflags(write=False)
    return values

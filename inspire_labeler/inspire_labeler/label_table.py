# SPDX-License-Identifier: Apache-2.0
"""labels.parquet: what was computed about an episode, beside its bag, which is never changed.

One row per observation and object. Columns: stamp [ns], instruction, object, object_frame, the
word in each of the five formulations ('' where withheld), grasped, offset_x, offset_y, offset_z
(object minus tcp in the viewer frame [m], NaN where unknown), source (`tf` or `hindsight`), reason
(why it is withheld), bag_sha256, rule_version. Rows of one source are replaced together; those of
the other source stay if they are of the same bag and rule.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from inspire_labeler.episode_hindsight import HindsightLabel
from inspire_labeler.formulation import Formulation
from inspire_labeler.labelling import Labels
from inspire_labeler.rule import RULE_VERSION, codes, words

SCHEMA = pa.schema([
    ('stamp', pa.int64()), ('instruction', pa.string()), ('object', pa.string()),
    ('object_frame', pa.string()), *((each.value, pa.string()) for each in Formulation),
    ('grasped', pa.bool_()), ('offset_x', pa.float64()), ('offset_y', pa.float64()),
    ('offset_z', pa.float64()), ('source', pa.string()), ('reason', pa.string()),
    ('bag_sha256', pa.string()), ('rule_version', pa.int32()),
])
Row = tuple[int, str, str, str, tuple[float, float, float], bool | None, str]


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with path.open('rb') as file:
        return hashlib.file_digest(file, 'sha256').hexdigest()


def rows_of_labels(labels: Iterable[Labels]) -> Iterator[Row]:
    """Rows of labels from TF."""
    for each in labels:
        for label in each.labels:
            yield (each.stamp, each.instruction, label.question.object, label.frame, label.offset,
                   label.grasped, label.reason)


def rows_of_hindsight(labels: Iterable[HindsightLabel]) -> Iterator[Row]:
    """Rows of labels made in hindsight."""
    for each in labels:
        yield (each.stamp, each.instruction, each.object, '', each.offset,
               None if each.reason else each.grasped, each.reason)


def table(rows: Iterable[Row], source: str, bag_sha256: str) -> pa.Table:
    """The rows of one source as a table. The words come from offset and grasped by the rule."""
    listed = list(rows)
    offset = np.array([row[4] for row in listed], dtype=np.float64).reshape(-1, 3)
    held = np.array([bool(row[5]) for row in listed], dtype=np.bool_)
    withheld = np.array([bool(row[6]) for row in listed], dtype=np.bool_)
    columns: dict[str, Any] = {
        name: [row[index] for row in listed]
        for index, name in enumerate(('stamp', 'instruction', 'object', 'object_frame'))
    }
    for each in Formulation:
        code = np.where(withheld, -1, codes(offset, held, each))
        columns[each.value] = words(code, each).tolist()
    columns['grasped'] = [row[5] for row in listed]
    for axis, name in enumerate('xyz'):
        columns[f'offset_{name}'] = offset[:, axis]
    columns |= {'source': [source] * len(listed), 'reason': [row[6] for row in listed],
                'bag_sha256': [bag_sha256] * len(listed),
                'rule_version': [RULE_VERSION] * len(listed)}
    return pa.table(columns, schema=SCHEMA)


def write(path: Path, new: pa.Table) -> int:
    """Writes a table of one source in place of that source's old rows; gives the rows in the file.

    The file appears whole or not at all.
    """
    tables = [new]
    if path.exists() and new.num_rows:
        tables = [*_kept(path, new), new]
    whole = pa.concat_tables(tables).sort_by([('stamp', 'ascending')])
    beside = path.with_name(path.name + '.part')
    pq.write_table(whole, beside, compression='zstd')
    os.replace(beside, path)
    return int(whole.num_rows)


def _kept(path: Path, new: pa.Table) -> list[pa.Table]:
    """The rows of other sources, if they are of the same bag and rule."""
    try:
        old = pq.read_table(path)
    except (OSError, pa.ArrowInvalid):
        return []
    if old.schema != SCHEMA:
        return []
    names = ('source', 'bag_sha256', 'rule_version')
    first = {name: new.column(name)[0].as_py() for name in names}
    keep = [row['source'] != first['source'] and row['bag_sha256'] == first['bag_sha256']
            and row['rule_version'] == first['rule_version']
            for row in old.select(list(first)).to_pylist()]
    return [old.filter(pa.array(keep, pa.bool_()))]

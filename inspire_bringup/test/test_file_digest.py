# SPDX-License-Identifier: Apache-2.0
"""The hash of a folder changes with every content and every name in it, and with nothing else."""

from pathlib import Path

import pytest

from inspire_bringup.file_digest import digest


def test_the_digest_is_of_names_and_contents(tmp_path: Path) -> None:
    (tmp_path / 'sub').mkdir()
    (tmp_path / 'sub' / 'a').write_bytes(b'1')
    (tmp_path / 'b').write_bytes(b'2')
    first = digest(tmp_path)
    (tmp_path / 'sub' / 'a').touch()
    assert digest(tmp_path) == first
    (tmp_path / 'sub' / 'a').write_bytes(b'3')
    changed = digest(tmp_path)
    (tmp_path / 'sub' / 'a').write_bytes(b'1')
    (tmp_path / 'b').rename(tmp_path / 'c')
    assert len({first, changed, digest(tmp_path)}) == 3
    assert digest(tmp_path / 'c') == (
        'd4735e3a265e16eee03f59718b9b5d03019c07d8b6c51f90da3a666eec13ab35')


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match='nothing is not there'):
        digest(tmp_path / 'nothing')

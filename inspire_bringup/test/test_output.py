# SPDX-License-Identifier: Apache-2.0
"""A file that cannot be written is known before the work that fills it."""

import pytest

from inspire_bringup.output import require_writable


def test_a_folder_that_is_not_there_is_made_and_nothing_left_in_it(tmp_path):
    require_writable(tmp_path / 'new' / 'deep' / 'figures.json')
    assert not list((tmp_path / 'new' / 'deep').iterdir())


def test_a_file_that_is_there_keeps_its_content(tmp_path):
    path = tmp_path / 'figures.json'
    path.write_text('older')
    require_writable(path)
    assert path.read_text() == 'older'


def test_what_cannot_be_written_is_named(tmp_path):
    with pytest.raises(IsADirectoryError, match=str(tmp_path)):
        require_writable(tmp_path)

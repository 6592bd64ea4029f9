# SPDX-License-Identifier: Apache-2.0
"""The commands around episodes say what they did, and fail with a reason."""

import argparse
from pathlib import Path

import bags
import episodes
import pytest

from inspire_bringup.commands import record, repair, report
from inspire_bringup.recording import Status


def call(command, *words: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args(words))


def test_repair_says_what_it_met_and_where_the_original_is(tmp_path, capsys):
    bag = bags.write_bag(tmp_path, 100)
    bag.write_bytes(bag.read_bytes()[:-800])
    assert call(repair, str(tmp_path)) == 0
    said = capsys.readouterr().out
    assert 'cut off' in said
    assert '100 messages' in said
    assert f'{bag}.original' in said
    assert call(repair, str(tmp_path)) == 0
    assert 'is whole: 100 messages' in capsys.readouterr().out


def test_report_prints_the_page_it_wrote(tmp_path, capsys):
    run = episodes.write_episode(tmp_path / 'run')
    assert call(report, str(run)) == 0
    assert Path(capsys.readouterr().out.strip()).read_text().startswith('<!DOCTYPE html>')


@pytest.mark.parametrize(('lost', 'words'), [(0, 'nothing lost'), (1234, '1,234 lost')])
def test_the_live_line_says_how_long_how_much_and_what_is_lost(lost, words):
    status = Status(Path('runs/x'), 10.0, 12_000, 5_000_000, lost, (), '')
    assert words in record.line(status)
    assert '10.0 s  12,000 messages (1,200/s)  5.0 MB' in record.line(status)

# SPDX-License-Identifier: Apache-2.0
"""What `./inspire demo` runs where little is said."""

import argparse

import pytest

from inspire_bringup.commands import demo
from inspire_bringup.runner import Outcome


@pytest.mark.parametrize(('words', 'task', 'policy'), [
    ((), 'pick_ball', 'nano'),
    (('--seed', '3'), 'pick_ball', 'nano'),
    (('Pick up the ball.',), 'Pick up the ball.', 'nano'),
    (('--policy', 'expert'), 'pick_ball', 'expert'),
    (('pick up the plug',), 'pick up the plug', 'nano'),
    (('--task', 'ball_on_book'), 'ball_on_book', 'nano'),
    (('--task', 'stack_cubes'), 'stack_cubes', 'expert'),
    (('--task', 'stack_cubes', '--policy', 'nano'), 'stack_cubes', 'nano')])
def test_the_network_drives_what_it_can_be_relied_on_to_do(
        words, task, policy, monkeypatch, tmp_path, capsys):
    ran = []

    def act(arguments, told, folder, narrator):
        ran.append((told, arguments.policy))
        return Outcome(0)

    monkeypatch.setattr(demo, 'act', act)
    parser = argparse.ArgumentParser()
    demo.add_arguments(parser)
    assert demo.run(parser.parse_args([*words, '--no-record', '--runs', str(tmp_path)])) == 0
    assert ran == [(task, policy)]
    assert f'policy: {policy}\n' in capsys.readouterr().out

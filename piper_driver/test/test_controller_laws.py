# SPDX-License-Identifier: Apache-2.0
"""Law of the controller: no command, however hostile, gets a set-point out of its limits.

A short version of `./inspire bench hostile`.
"""

from dataclasses import replace

import pytest

from piper_driver.gate import Refusal
from piper_driver.hostile import attack
from piper_driver.limits import PIPER

COMMANDS = 20_000


def test_no_command_gets_a_set_point_out_of_its_limits():
    outcome = attack(COMMANDS, seed=0)
    assert not outcome.oracle.broken, outcome.oracle.worst
    # the hostile commander was heard, and the arm had its bad moments
    assert outcome.commands >= COMMANDS
    assert outcome.accepted > COMMANDS / 4
    assert outcome.refused.keys() == {*Refusal}
    assert outcome.trips > 10
    assert outcome.oracle.seen > COMMANDS / 4


@pytest.mark.parametrize(('loose', 'commands', 'seed', 'broken'), [
    ({'velocity': (9.0,) * 6, 'acceleration': (50.0,) * 6}, 6000, 1, 'velocity'),
    ({'acceleration': (6.0,) * 6}, 1500, 0, 'acceleration'),
    ({'deceleration': (40.0,) * 6}, 1500, 0, 'deceleration'),
    ({'lower': tuple(value - 0.05 for value in PIPER.lower)}, 1500, 8, 'position'),
    ({'workspace_upper': (0.70, 0.65, 0.75)}, 6000, 2, 'workspace box'),
    ({'workspace_lower': (-0.3, -0.6, -0.05), 'table_height': -0.05}, 6000, 2, 'table height'),
    ({'gripper_speed': 0.2}, 1500, 0, 'gripper speed'),
    ({'gripper_upper': 0.08}, 1500, 2, 'gripper width')])
def test_a_controller_with_a_looser_limit_is_found_out(loose, commands, seed, broken):
    found = attack(commands, seed, limits=replace(PIPER, **loose)).oracle.broken
    assert any(broken in name for name in found), found

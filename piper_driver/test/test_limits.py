# SPDX-License-Identifier: Apache-2.0
"""The table of limits is AgileX', and cannot be contradictory."""

from dataclasses import replace

import numpy as np
import pytest

from piper_driver.limits import PIPER


def test_the_joint_ranges_are_those_of_the_sdk():
    assert np.allclose(np.degrees(PIPER.lower), [-150, 0, -170, -100, -70, -120])
    assert np.allclose(np.degrees(PIPER.upper), [150, 180, 0, 100, 70, 120])
    assert PIPER.velocity == (3.0,) * 6
    assert PIPER.acceleration == (5.0,) * 6
    assert (PIPER.gripper_lower, PIPER.gripper_upper) == (0.0, 0.07)


def test_the_table_is_the_floor_of_the_tcps_box():
    assert PIPER.tcp_lower[2] == PIPER.table_height > 0
    raised = replace(PIPER, workspace_lower=(-0.3, -0.6, 0.1))
    assert raised.tcp_lower[2] == 0.1


@pytest.mark.parametrize(('change', 'words'), [
    ({'upper': (-3.0, *PIPER.upper[1:])}, 'joint1'),
    ({'gripper_upper': -0.01}, 'gripper'),
    ({'table_height': 0.9}, 'z: range'),
    ({'velocity': (0.0, *PIPER.velocity[1:])}, 'positive')])
def test_contradictions_are_refused(change, words):
    with pytest.raises(ValueError, match=words):
        replace(PIPER, **change)

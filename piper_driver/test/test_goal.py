# SPDX-License-Identifier: Apache-2.0
"""A goal is repeated until the arm is there, or it takes too long."""

from piper_driver.goal import PATIENCE, Goal
from piper_driver.kinematics import HOME, PARK
from piper_driver.limits import GRIPPER_NAME, JOINT_NAMES

AT_PARK = {**dict(zip(JOINT_NAMES, PARK, strict=True)), GRIPPER_NAME: 0.05}


def test_it_is_wanted_until_each_of_its_joints_is_there():
    goal = Goal()
    assert not goal and goal.wanted(AT_PARK, 1.0) == {}
    goal.aim(['joint2', 'gripper'], [0.5, 0.02], 1.0)
    wanted = {'joint2': 0.5, 'gripper': 0.02}
    assert goal and goal.wanted(AT_PARK, 2.0) == wanted
    assert goal.wanted({**AT_PARK, 'joint2': 0.498}, 2.0) == wanted
    assert goal.wanted({**AT_PARK, 'joint2': 0.498, 'gripper': 0.021}, 2.0) == {}
    assert not goal


def test_without_names_it_is_of_all_joints_and_with_seven_values_of_the_gripper_too():
    for values in (HOME, (*HOME, 0.03)):
        names, positions = Goal().aim([], values, 0.0)
        assert names == [*JOINT_NAMES, GRIPPER_NAME][:len(values)]
        assert tuple(positions) == values


def test_it_is_given_up_after_a_while_and_when_told_so():
    goal = Goal()
    goal.aim(['joint1'], [1.0], 5.0)
    assert goal.wanted(AT_PARK, 5.0 + PATIENCE)
    assert not goal.wanted(AT_PARK, 5.1 + PATIENCE)
    goal.aim(['joint1'], [1.0], 5.0)
    goal.forget()
    assert not goal

# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable

import numpy as np
import pytest

from inspire_sim.simulated_arm import SimulatedArm
from inspire_sim.world import TableWorld
from piper_driver.arm import ArmError
from piper_driver.arm_contract import CONTRACT, Bench
from piper_driver.kinematics import HOME


@pytest.fixture
def world(cube_scene: object) -> TableWorld:
    made = TableWorld(cameras=(), builder=cube_scene)
    made.reset('pick_ball', 0)
    return made


def run(world: TableWorld, seconds: float) -> None:
    for _ in range(round(seconds / 0.005)):
        world.tick()


def elbow_height(world: TableWorld) -> float:
    return float(world.data.body('link5').xpos[2])


@pytest.mark.parametrize('law', CONTRACT, ids=lambda law: law.__name__)
def test_the_simulated_arm_keeps_the_contract_of_arms(
        world: TableWorld, law: Callable[[Bench], None]) -> None:
    world.arm.close()
    law(Bench(world.arm, lambda seconds: run(world, seconds)))


def test_an_arm_in_no_world_says_so() -> None:
    with pytest.raises(ArmError, match='in no world'):
        SimulatedArm().connect()
    with pytest.raises(ArmError, match='not connected'):
        SimulatedArm().read()


def test_enabling_holds_the_present_pose(world: TableWorld) -> None:
    arm = world.arm
    arm.disable()
    run(world, 0.15)
    arm.enable()
    before = np.array(arm.read().position)
    run(world, 0.5)
    after = arm.read()
    assert after.enabled and np.abs(before - after.position).max() < 0.12   # it brakes, then holds
    held = np.array(after.position)
    run(world, 0.5)
    assert np.abs(held - arm.read().position).max() < 5e-3


def test_without_power_the_arm_falls(world: TableWorld) -> None:
    before = elbow_height(world)
    world.arm.disable()
    run(world, 1.0)
    assert elbow_height(world) < before - 0.1
    assert not world.arm.read().enabled and world.arm.read().fault == ''


def test_an_emergency_stop_descends_slower_than_a_fall_and_ignores_commands(
        world: TableWorld) -> None:
    before = elbow_height(world)
    world.arm.stop()
    run(world, 0.5)
    half_second = before - elbow_height(world)
    assert 0.002 < half_second < 0.08
    speeds = np.abs(world.arm.read().velocity)
    assert speeds.max() < 0.5
    world.arm.command(HOME, 0.0)
    run(world, 2.0)
    assert elbow_height(world) < before - half_second
    state = world.arm.read()
    assert state.fault == 'emergency stop' and not state.enabled
    assert state.gripper_width > 0.06


def test_a_stopped_arm_cannot_be_enabled_before_a_reset(world: TableWorld) -> None:
    world.arm.stop()
    with pytest.raises(ArmError, match='emergency stop.*reset'):
        world.arm.enable()
    world.arm.reset()
    state = world.arm.read()
    assert state.fault == '' and not state.enabled
    world.arm.enable()
    assert world.arm.read().enabled


def test_a_set_point_beyond_the_ranges_stops_at_the_range(world: TableWorld) -> None:
    world.arm.command((0.0, -1.0, 0.0, 0.0, 0.0, 0.0), 1.0)
    run(world, 3.0)
    state = world.arm.read()
    assert state.position[1] > -0.02 and state.gripper_width < 0.0705


@pytest.mark.parametrize('broken', [lambda arm: arm.command((0.0,) * 5, 0.0),
                                    lambda arm: arm.command((np.nan, *HOME[1:]), 0.0),
                                    lambda arm: arm.command(HOME, np.inf)])
def test_a_broken_set_point_is_refused(world: TableWorld,
                                       broken: Callable[[SimulatedArm], None]) -> None:
    with pytest.raises(ValueError, match='set-point'):
        broken(world.arm)
    run(world, 0.1)
    assert np.abs(np.subtract(world.arm.read().position, HOME)).max() < 1e-3


def test_an_arm_that_carries_its_weight_reports_the_torque(world: TableWorld) -> None:
    run(world, 0.2)
    effort = world.arm.read().effort
    assert abs(effort[1]) > 1.0 and abs(effort[0]) < 0.2


def test_a_reset_of_the_world_powers_the_arm_again(world: TableWorld) -> None:
    world.arm.stop()
    world.reset('pick_ball', 0)
    state = world.arm.read()
    assert state.enabled and state.fault == ''
    assert np.allclose(state.position, HOME, atol=1e-3)

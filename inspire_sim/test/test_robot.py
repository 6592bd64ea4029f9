# SPDX-License-Identifier: Apache-2.0
import mujoco
import numpy as np
import pytest

from inspire_sim.assembly import set_physics
from inspire_sim.robot import (
    ARM_JOINTS,
    FINGERS,
    MASSES,
    TCP,
    add_robot,
    arm_joint_addresses,
    place_robot,
)
from piper_driver.kinematics import HOME, frames
from piper_driver.limits import PIPER


@pytest.fixture(scope='module')
def model() -> mujoco.MjModel:
    spec = mujoco.MjSpec()
    set_physics(spec)
    add_robot(spec)
    return spec.compile()


def test_bodies_are_where_the_drivers_kinematics_say(model: mujoco.MjModel) -> None:
    random, data = np.random.default_rng(1), mujoco.MjData(model)
    for _ in range(200):
        position = random.uniform(PIPER.lower, PIPER.upper)
        width = random.uniform(0.0, 0.07)
        place_robot(model, data, position, width)
        mujoco.mj_kinematics(model, data)
        for name, expected in frames(position.tolist(), width).items():
            view = data.site(TCP) if name == 'tcp' else data.body(name)
            place, rotation = (view.xpos, view.xmat.reshape(3, 3))
            assert np.linalg.norm(place - expected[:3, 3]) < 2e-4, name
            assert np.abs(rotation - expected[:3, :3]).max() < 1e-6, name


def test_joint_ranges_are_those_of_the_limit_table(model: mujoco.MjModel) -> None:
    ranges = np.array([model.joint(name).range for name in ARM_JOINTS])
    assert np.allclose(ranges[:, 0], PIPER.lower) and np.allclose(ranges[:, 1], PIPER.upper)
    assert all(model.joint(name).limited for name in ARM_JOINTS)


def test_the_arm_weighs_what_its_table_says(model: mujoco.MjModel) -> None:
    assert np.isclose(model.body_mass.sum(), sum(link.mass for link in MASSES.values()))
    assert 4.0 < model.body_mass.sum() < 5.0    # the maker says 4.2 kg, without the gripper


def test_the_arm_does_not_collide_with_itself_but_with_everything_else() -> None:
    spec = mujoco.MjSpec()
    add_robot(spec)
    spec.worldbody.add_geom(name='table', type=mujoco.mjtGeom.mjGEOM_BOX, pos=[0.3, 0, -0.02],
                            size=[0.5, 0.6, 0.02])
    model = spec.compile()
    data = mujoco.MjData(model)
    random = np.random.default_rng(2)
    table, met = model.geom('table').id, False
    for _ in range(200):
        place_robot(model, data, random.uniform(PIPER.lower, PIPER.upper), 0.0)
        mujoco.mj_forward(model, data)
        pairs = data.contact.geom[:data.ncon]
        assert np.all((pairs == table).any(axis=1))
        met = met or len(pairs) > 0
    assert met


def test_servos_hold_the_arm_against_its_weight(model: mujoco.MjModel) -> None:
    data = mujoco.MjData(model)
    place_robot(model, data, np.array(HOME), 0.04)
    for _ in range(400):
        mujoco.mj_step(model, data)
    joints, _ = arm_joint_addresses(model)
    assert np.abs(data.qpos[joints] - HOME).max() < 1e-3


def test_both_fingers_open_by_half_the_width_each(model: mujoco.MjModel) -> None:
    data = mujoco.MjData(model)
    place_robot(model, data, np.array(HOME), 0.0)
    data.actuator('gripper').ctrl[0] = 0.05
    for _ in range(400):
        mujoco.mj_step(model, data)
    left, right = (data.body(name).xpos for name in FINGERS)
    across = data.site(TCP).xmat.reshape(3, 3)[:, 1]
    assert (right - left) @ across == pytest.approx(0.05, abs=5e-4)
    middle = (left + right) / 2 - data.site(TCP).xpos
    assert abs(middle @ across) < 1e-4

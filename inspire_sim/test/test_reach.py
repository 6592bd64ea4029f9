# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from inspire_sim import aims, reach
from inspire_sim.layout import MOVED_AREA
from piper_driver.kinematics import HOME, solve

AT = np.array([0.3, 0.1, 0.05])


def rotations() -> list[np.ndarray]:
    random = np.random.default_rng(6)
    return [reach.level_tool(random.normal(size=3) * [1, 1, 0.1], AT) for _ in range(50)]


def test_a_tool_is_a_right_handed_rotation_that_opens_where_it_was_asked_to() -> None:
    random = np.random.default_rng(7)
    for _ in range(100):
        opening = random.normal(size=3)
        rotation = reach.tool(opening, random.normal(size=3))
        np.testing.assert_allclose(rotation.T @ rotation, np.eye(3), atol=1e-12)
        assert np.linalg.det(rotation) == pytest.approx(1.0)
        np.testing.assert_allclose(rotation[:, 1], opening / np.linalg.norm(opening), atol=1e-12)


def test_taking_a_tool_nowhere_leaves_it_as_it_is() -> None:
    for rotation in rotations():
        leaning = reach.present_lean(rotation, AT)
        np.testing.assert_allclose(reach.carried(rotation, AT, AT, leaning), rotation, atol=1e-12)


def test_a_carried_tool_leans_as_it_was_told() -> None:
    rotation = reach.level_tool(reach.sideways(AT), AT)
    to = np.array([0.2, -0.3, 0.2])
    carried = reach.carried(rotation, AT, to, reach.lean(to))
    assert reach.present_lean(carried, to) == pytest.approx(reach.lean(to), abs=1e-9)


def test_turning_with_the_arm_turns_the_tool_by_as_much() -> None:
    rotation = reach.level_tool(reach.sideways(AT), AT)
    turned = reach.about(reach.UP, 0.7) @ AT
    expected = reach.about(reach.UP, 0.7) @ rotation
    leaning = reach.present_lean(rotation, AT)
    np.testing.assert_allclose(reach.carried(rotation, AT, turned, leaning), expected, atol=1e-12)


@pytest.mark.parametrize('height', [0.016, 0.05, 0.10, 0.15, 0.20])
@pytest.mark.parametrize('turn', [-50.0, 0.0, 50.0])
def test_the_arm_reaches_every_place_where_things_are_put(height: float, turn: float) -> None:
    near, far, side = MOVED_AREA
    for distance in np.linspace(near, far + 0.02, 4):
        for bearing in (-side, 0.0, side):
            position = np.array([distance * np.cos(bearing), distance * np.sin(bearing), height])
            opening = reach.about(reach.UP, np.radians(turn)) @ reach.sideways(position)
            rotation = reach.level_tool(opening, position)
            if height > 0.06:    # on the way, where the opening need not be level
                straight = reach.level_tool(opening, position * [1, 1, 0])
                rotation = reach.carried(straight, position, position, reach.lean(position))
            assert solve(aims.made(position, rotation), HOME).converged, (distance, bearing)

# SPDX-License-Identifier: Apache-2.0
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest

from inspire_sim.expert import PHASES, Expert
from inspire_sim.tasks import TASKS, find
from inspire_sim.world import TableWorld

CHUNK = 8
Disturb = Callable[[TableWorld, Expert, int], None]


def play(world: TableWorld, expert: Expert, disturb: Disturb | None = None, longest: int = 60,
         told: bool = True) -> list[np.ndarray]:
    """Let the expert act until it is done; the actions it took."""
    actions: list[np.ndarray] = []
    for number in range(longest):
        commanded = world.commanded if told else None
        for action in expert.plan(world.truth(), CHUNK, commanded):
            world.step(action)
            actions.append(action)
        if disturb:
            disturb(world, expert, number)
        if expert.done:
            break
    return actions


def begin(task: str, seed: int, yaw: float = 0.0) -> tuple[TableWorld, Expert]:
    world = TableWorld(cameras=(), viewer_yaw=yaw)
    world.reset(task, seed)
    return world, Expert(find(task, seed)[1], yaw)


@pytest.mark.parametrize('task', [entry.id for entry in TASKS])
def test_the_expert_solves_every_task(task: str) -> None:
    world, expert = begin(task, seed=3)
    actions = np.array(play(world, expert))
    assert world.success().achieved, (world.success().detail, expert.phase)
    assert expert.done and expert.phase in PHASES
    assert world.refused == ''
    # Slow and eased: no step is longer than 12 mm or turns by more than 0.06 rad.
    assert np.linalg.norm(actions[:, :3], axis=1).max() <= 0.0121
    assert np.linalg.norm(actions[:, 3:6], axis=1).max() <= 0.06
    assert actions[:, 6].min() >= 0.0 and actions[:, 6].max() <= 0.07


def test_left_and_right_are_those_of_the_viewer_at_the_robots_side() -> None:
    world, expert = begin('stack the left bowl on the right bowl', 1, yaw=-np.pi / 2)
    play(world, expert)
    assert world.success().achieved, world.success().detail


def test_the_same_seed_is_played_in_the_same_way_twice() -> None:
    first, second = (np.array(play(*begin('banana_in_plate', 4))) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_it_knows_where_its_own_actions_lead() -> None:
    world, expert = begin('pick_ball', 5)
    play(world, expert, told=False)
    assert world.success().achieved, world.success().detail


def test_what_is_dropped_is_fetched_again() -> None:
    taken: list[str] = []

    def take_away(world: TableWorld, expert: Expert, _: int) -> None:
        if expert.phase == 'carry' and not taken:
            taken.append(expert.moved)
            x, y, _ = world.scene.object(expert.moved).position
            joint = world.data.joint(f'{expert.moved}_free')
            joint.qpos[:7] = [x, y, 0.001, 1, 0, 0, 0]
            joint.qvel[:] = 0.0

    world, expert = begin('cookies_on_towel', 2)
    play(world, expert, take_away)
    assert taken == ['cookies']
    assert world.success().achieved, world.success().detail


def test_what_is_pushed_aside_is_followed() -> None:
    def push(world: TableWorld, expert: Expert, number: int) -> None:
        if number == 2:
            world.data.joint('ball_free').qpos[:2] += [0.0, 0.03]

    world, expert = begin('pick_ball', 6)
    play(world, expert, push)
    assert world.success().achieved, world.success().detail


def test_it_stays_where_it_is_when_it_is_done() -> None:
    world, expert = begin('ball_on_book', 0)
    play(world, expert)
    rest = expert.plan(world.truth(), CHUNK, world.commanded)
    assert np.abs(rest[:, :6]).max() < 1e-3


def test_an_object_that_is_missing_is_named() -> None:
    world, _ = begin('pick_ball', 0)
    expert = Expert(find('put the banana on the towel')[1])
    with pytest.raises(KeyError, match='banana is not among the objects'):
        expert.plan(world.truth())
    with pytest.raises(RuntimeError, match='has not planned yet'):
        _ = expert.moved


def test_it_runs_where_there_is_no_physics_engine() -> None:
    script = 'import sys, inspire_sim.expert; sys.exit("mujoco" in sys.modules)'
    assert subprocess.run([sys.executable, '-c', script], timeout=60).returncode == 0

# SPDX-License-Identifier: Apache-2.0
from collections.abc import Iterator

import numpy as np
import pytest

from inspire_sim.tasks import UnknownTask
from inspire_sim.world import NoTask, PhysicsError, TableWorld
from piper_driver.kinematics import HOME, downward, solve, tcp
from piper_driver.pose import Pose

STILL = (0.0,) * 6
OPEN, CLOSED = 0.07, 0.0


@pytest.fixture
def world(cube_scene: object) -> Iterator[TableWorld]:
    made = TableWorld(cameras=(), builder=cube_scene)
    made.reset('pick_ball', 0)
    yield made
    made.close()


def go(world: TableWorld, goal: Pose, width: float, steps: int) -> None:
    """Send actions that lead from the present tcp to `goal`."""
    start = world.truth().tcp
    translation, turn = start.difference(goal)
    for _ in range(steps):
        world.step([*np.divide(translation, steps), *np.divide(turn, steps), width])
        assert world.refused == ''


def pick_cube(world: TableWorld) -> None:
    x, y, _ = world.truth().objects['green_cube'].position
    go(world, downward((x, y, 0.08)), OPEN, 25)
    go(world, downward((x, y, 0.02)), OPEN, 12)
    for _ in range(10):
        world.step([*STILL, CLOSED])
    go(world, downward((x, y, 0.08)), CLOSED, 15)


def test_a_cube_is_lifted_and_held_by_friction_alone(world: TableWorld) -> None:
    pick_cube(world)
    for _ in range(10):
        world.step([*STILL, CLOSED])
    lifted = world.truth()
    assert lifted.objects['green_cube'].position[2] > 0.06
    assert lifted.grasped == {'green_cube'}
    assert lifted.gripper_width == pytest.approx(0.04, abs=1e-3)
    for _ in range(100):
        world.step([*STILL, CLOSED])
    held = world.truth()
    in_hand = [t.tcp.inverse() @ t.objects['green_cube'] for t in (lifted, held)]
    assert np.linalg.norm(in_hand[0].position - in_hand[1].position) < 1e-4


def test_an_opened_gripper_lets_go(world: TableWorld) -> None:
    pick_cube(world)
    for _ in range(12):
        world.step([*STILL, OPEN])
    truth = world.truth()
    assert truth.grasped == frozenset()
    assert truth.objects['green_cube'].position[2] == pytest.approx(0.02, abs=2e-3)


def test_what_is_in_the_hand_is_put_elsewhere_with_it_and_stays_held(world: TableWorld) -> None:
    pick_cube(world)
    before = world.truth()
    there = solve(downward((0.3, -0.15, 0.1)), HOME)
    assert there.converged
    assert world.place_arm(there.q, before.gripper_width, 'green_cube')
    for _ in range(4):
        world.step([*STILL, CLOSED])
    after = world.truth()
    assert after.grasped == {'green_cube'}
    assert np.linalg.norm(after.tcp.position - [0.3, -0.15, 0.1]) < 5e-3
    in_hand = [t.tcp.inverse() @ t.objects['green_cube'] for t in (before, after)]
    assert np.linalg.norm(in_hand[0].position - in_hand[1].position) < 1e-3


def test_what_is_in_the_hand_is_not_free_inside_the_table(world: TableWorld) -> None:
    pick_cube(world)
    low = solve(downward((0.3, -0.15, 0.012)), HOME)
    assert low.converged
    assert not world.place_arm(low.q, world.truth().gripper_width, 'green_cube')


def test_a_thing_is_put_where_it_is_said_at_rest(world: TableWorld) -> None:
    start = world.truth().objects['green_cube']
    goal = Pose(start.position + [0.02, 0.03, 0.0], start.quaternion)
    world.place_object('green_cube', goal)
    assert np.allclose(world.truth().objects['green_cube'].position, goal.position, atol=1e-9)
    with pytest.raises(KeyError, match='no red_cube here; there are green_cube'):
        world.place_object('red_cube', goal)


def test_a_cabinet_stands_fast() -> None:
    made = TableWorld(cameras=())
    made.reset('pull_plate', 0)
    before = made.data.qpos.copy()
    with pytest.raises(ValueError, match='cabinet stands fast'):
        made.place_object('cabinet', Pose.identity())
    assert np.array_equal(made.data.qpos, before)


def test_closing_on_nothing_grasps_nothing(world: TableWorld) -> None:
    for _ in range(15):
        world.step([*STILL, CLOSED])
    truth = world.truth()
    assert truth.grasped == frozenset() and truth.gripper_width < 1e-3


def test_pushing_with_a_closed_gripper_grasps_nothing(world: TableWorld) -> None:
    x, y, _ = world.truth().objects['green_cube'].position
    go(world, downward((x, y - 0.06, 0.08)), CLOSED, 30)
    go(world, downward((x, y - 0.06, 0.02)), CLOSED, 12)
    go(world, downward((x, y, 0.02)), CLOSED, 20)
    truth = world.truth()
    assert truth.objects['green_cube'].position[1] > y + 0.01
    assert truth.grasped == frozenset()


def test_the_arm_begins_at_home_with_an_open_gripper(world: TableWorld) -> None:
    state = world.arm.read()
    assert np.allclose(state.position, HOME, atol=1e-3)
    assert state.gripper_width == pytest.approx(OPEN, abs=1e-4) and state.enabled
    assert np.allclose(world.truth().tcp.position, tcp(HOME).position, atol=1e-3)


def test_an_action_is_a_change_of_the_commanded_pose(world: TableWorld) -> None:
    before = world.truth().tcp
    for _ in range(10):
        world.step([0.004, -0.002, -0.003, 0.0, 0.0, 0.02, OPEN])
    for _ in range(10):
        world.step([*STILL, OPEN])
    translation, turn = before.difference(world.truth().tcp)
    assert translation == pytest.approx([0.04, -0.02, -0.03], abs=1.5e-3)
    assert turn == pytest.approx([0.0, 0.0, 0.2], abs=5e-3)


def test_time_is_an_exact_multiple_of_the_physics_step(world: TableWorld) -> None:
    for count in range(1, 41):
        world.step([*STILL, OPEN])
        assert world.time == pytest.approx(0.05 * count, abs=1e-12)


def test_a_reset_at_a_start_time_goes_on_from_there(cube_scene: object) -> None:
    world = TableWorld(cameras=(), builder=cube_scene)
    world.reset('pick_ball', 0, start_time=12.5)
    assert world.time == 12.5 and world.arm.read().stamp == 12.5
    world.step([*STILL, OPEN])
    assert world.time == pytest.approx(12.55, abs=1e-12)


@pytest.mark.parametrize('action', [[0.0] * 6, [np.nan] * 7, [0, 0, 0, 0, 0, 0, np.inf]])
def test_a_malformed_action_is_refused_and_shown(world: TableWorld, action: list[float]) -> None:
    with pytest.raises(ValueError, match='an action is 7 finite numbers'):
        world.step(action)


def test_a_refused_command_is_held_and_named(world: TableWorld) -> None:
    before = world.truth().tcp.position
    world.step([0.0, 0.0, 2.0, 0.0, 0.0, 0.0, OPEN])
    assert 'pose z is' in world.refused
    for _ in range(5):
        world.step([*STILL, OPEN])
    assert world.refused == ''
    assert world.truth().tcp.position[2] < before[2] + 0.35


def test_a_world_without_a_task_says_what_to_do() -> None:
    with pytest.raises(NoTask, match='reset'):
        TableWorld().truth()
    with pytest.raises(ValueError, match="no camera \\['left'\\]; cameras: camera, wrist_camera"):
        TableWorld(cameras=('left',))


def test_an_unknown_task_lists_the_valid_ones_and_changes_nothing(world: TableWorld) -> None:
    with pytest.raises(UnknownTask, match='pick_ball'):
        world.reset('pick_bal', 1)
    assert world.task == 'pick_ball' and world.seed == 0
    world.step([*STILL, OPEN])


def test_physics_that_diverge_are_an_error_that_names_where(world: TableWorld) -> None:
    world.data.qvel[world.model.joint('joint3').dofadr[0]] = np.nan
    with pytest.raises(PhysicsError, match=r'diverged at 0\.003 s: .* \(joint\d\)'):
        world.tick()
    world.reset('pick_ball', 0)
    world.tick()


def test_the_same_seed_gives_bitwise_the_same_episode() -> None:
    runs = []
    for _ in range(2):
        world = TableWorld(image_size=(96, 96))
        world.reset('cup_in_plate', 7)
        seen = [world.observe()]
        for number in range(5):
            world.step([0.004, 0.002 * number, -0.004, 0.0, 0.01, 0.0, 0.05])
        seen.append(world.observe())
        runs.append((world.instruction, seen, world.truth()))
        world.close()
    (said, first, truth), (said_again, second, truth_again) = runs
    assert said == said_again
    for one, other in zip(first, second, strict=True):
        assert one.arm == other.arm and one.stamp == other.stamp
        for name, picture in one.images.items():
            assert np.array_equal(picture, other.images[name])
    for frame, pose in truth.objects.items():
        assert np.array_equal(pose.matrix, truth_again.objects[frame].matrix)


def test_another_seed_gives_another_world() -> None:
    world = TableWorld(cameras=())
    places = []
    for seed in (1, 2):
        world.reset('stack_cubes', seed)
        places.append(world.truth().objects['green_cube'].position)
    assert np.linalg.norm(places[0] - places[1]) > 1e-3

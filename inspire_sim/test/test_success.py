# SPDX-License-Identifier: Apache-2.0
"""Success as geometry, with things put by hand where they count and where they do not."""

from dataclasses import dataclass

import mujoco
import numpy as np
import pytest

from inspire_sim import shapes
from inspire_sim.assembly import assemble
from inspire_sim.robot import place_robot
from inspire_sim.scene import Scene, build_scene
from inspire_sim.success import Success, evaluate
from inspire_sim.tasks import find
from piper_driver.kinematics import HOME


@dataclass
class Stage:
    scene: Scene
    model: mujoco.MjModel
    data: mujoco.MjData

    @property
    def tcp(self) -> np.ndarray:
        return self.data.site('tcp').xpos.copy()

    def put(self, frame: str, position: object, yaw: float = 0.0, tilt: float = 0.0,
            velocity: object = (0, 0, 0)) -> None:
        """Body origin at position [m], turned about z, then tilted about its x."""
        turn, lean = np.zeros(4), np.zeros(4)
        mujoco.mju_axisAngle2Quat(turn, [0, 0, 1], yaw)
        mujoco.mju_axisAngle2Quat(lean, [1, 0, 0], tilt)
        quaternion = np.zeros(4)
        mujoco.mju_mulQuat(quaternion, turn, lean)
        joint = self.data.joint(f'{frame}_free')
        joint.qpos[:] = [*position, *quaternion]
        joint.qvel[:3] = velocity

    def result(self) -> Success:
        mujoco.mj_forward(self.model, self.data)
        return evaluate(self.scene, self.model, self.data)


def stage(instruction: str, width: float = 0.07) -> Stage:
    model, scene = assemble(find(instruction)[1], 0, 0.0, build_scene)
    data = mujoco.MjData(model)
    scene.place(model, data)
    place_robot(model, data, np.array(HOME), width)
    mujoco.mj_forward(model, data)
    return Stage(scene, model, data)


def missing(result: Success, words: str) -> bool:
    return not result.achieved and words in result.detail


def test_a_ball_in_the_closed_hand_above_the_table_is_picked_up() -> None:
    here = stage('pick up the ball', width=2 * shapes.BALL_RADIUS)
    here.put('ball', here.tcp - [0, 0, shapes.BALL_RADIUS])
    assert here.result() == Success(True, 'done')


def test_a_ball_that_is_thrown_past_the_hand_is_not() -> None:
    here = stage('pick up the ball', width=2 * shapes.BALL_RADIUS)
    here.put('ball', here.tcp - [0, 0, shapes.BALL_RADIUS], velocity=(0, 0, 1.5))
    assert missing(here.result(), 'moves in the hand at 1.50 m/s')
    here.put('ball', here.tcp + [0.1, 0, 0])
    assert missing(here.result(), 'not in the hand')


def test_a_ball_between_open_fingers_is_not_picked_up() -> None:
    here = stage('pick up the ball')
    here.put('ball', here.tcp - [0, 0, shapes.BALL_RADIUS])
    assert missing(here.result(), 'the gripper is 7.0 cm open')


def test_a_ball_is_on_the_book_when_it_lies_there_untouched() -> None:
    here = stage('put the ball on the book')
    book = here.data.body('book').xpos.copy()
    top = book + [0, 0, shapes.BOOK[2]]
    here.put('ball', top)
    assert here.result().achieved
    here.put('ball', top, velocity=(0.2, 0, 0))
    assert missing(here.result(), 'moves at 0.20 m/s')
    here.put('ball', top + [0, 0, 0.05])
    assert missing(here.result(), '5.0 cm from where it would rest')
    here.put('ball', top + [0.08, 0, 0])
    assert missing(here.result(), '8.0 cm from the middle of book')
    here.put('ball', book)
    assert not here.result().achieved


def test_what_the_hand_still_holds_is_not_placed() -> None:
    here = stage('put the ball on the book')
    here.put('book', here.tcp - [0, 0, shapes.BOOK[2] + shapes.BALL_RADIUS])
    here.put('ball', here.tcp - [0, 0, shapes.BALL_RADIUS])
    assert missing(here.result(), 'the gripper is still 0.0 cm from ball')


def test_a_cup_that_fell_over_in_the_plate_is_not_put_there() -> None:
    here = stage('put the blue cup in the plate')
    well = here.data.body('plate').xpos + [0, 0, shapes.PLATE_FLOOR]
    here.put('blue_cup', well)
    assert here.result().achieved
    here.put('blue_cup', well, tilt=0.5)
    assert not here.result().achieved


def test_a_can_is_near_when_it_stands_by_the_apple() -> None:
    here = stage('move the can near the apple')
    apple = here.data.body('apple').xpos.copy()
    edges = shapes.APPLE_RADIUS + shapes.CAN_RADIUS
    here.put('can', apple + [edges + 0.05, 0, 0])
    assert here.result().achieved
    here.put('can', apple + [edges + 0.07, 0, 0])
    assert missing(here.result(), '7.0 cm from apple, needs 6.0 cm')
    here.put('can', apple + [edges + 0.05, 0, shapes.CAN_RADIUS], tilt=np.pi / 2)
    assert not here.result().achieved


@pytest.mark.parametrize(('turn', 'aligned'), [(0, True), (15, True), (30, False), (45, False),
                                               (75, True), (90, True), (-90, True)])
def test_cubes_are_stacked_when_their_sides_agree(turn: float, aligned: bool) -> None:
    here = stage('stack the green cube on the blue cube')
    x, y, z = here.data.body('blue_cube').xpos
    yaw = here.scene.object('blue_cube').yaw
    here.put('green_cube', (x, y, z + shapes.CUBE), yaw + np.radians(turn))
    assert here.result().achieved is aligned


def test_bricks_are_stacked_lengthwise_only() -> None:
    here = stage('stack the green lego on the blue lego')
    on_top = here.data.body('blue_lego').xpos + [0, 0, shapes.LEGO[2]]
    yaw = here.scene.object('blue_lego').yaw
    here.put('green_lego', on_top, yaw + np.pi)
    assert here.result().achieved
    here.put('green_lego', on_top, yaw + np.pi / 2)
    assert missing(here.result(), 'turned by 90 degrees')


def test_the_bowls_of_the_instruction_count_and_no_others() -> None:
    here = stage('stack the left bowl on the right bowl')
    third = next(o.frame for o in here.scene.objects if o.frame.startswith('bowl')
                 and o.frame not in (here.scene.moved, here.scene.target))
    seat = [0, 0, shapes.SHAPES[third].seat]
    here.put(here.scene.moved, here.data.body(third).xpos + seat)
    assert not here.result().achieved
    here.put(here.scene.moved, here.data.body(here.scene.target).xpos + seat)
    assert here.result().achieved


def test_a_plate_is_pulled_out_when_it_has_come_five_centimetres() -> None:
    here = stage('pull out the middle plate from the cabinet')
    item = here.scene.object(here.scene.moved)
    outwards = -np.array([np.cos(item.yaw), np.sin(item.yaw), 0])
    for way, enough in ((0.045, False), (0.055, True)):
        here.put(item.frame, item.position + way * outwards, item.yaw)
        assert here.result().achieved is enough
    here.put(item.frame, item.position + 0.055 * outwards - [0, 0, 0.1], item.yaw)
    assert missing(here.result(), '10.0 cm below its shelf')


def test_a_plate_is_pushed_in_when_it_hardly_stands_out() -> None:
    here = stage('push the top plate into the cabinet')
    item, cabinet = here.scene.object(here.scene.moved), here.scene.object('cabinet')
    outwards = -np.array([np.cos(item.yaw), np.sin(item.yaw), 0])
    shelf = np.array([*cabinet.position[:2], item.position[2]])
    for out, far_enough in ((0.03, False), (0.014, False), (0.010, True), (0.0, True)):
        here.put(item.frame, shelf + out * outwards, item.yaw)
        assert here.result().achieved is far_enough

# SPDX-License-Identifier: Apache-2.0
import os
import subprocess
import sys

import numpy as np
import pytest

from inspire_sim.rendering import Renderer, RenderError, VideoRenderer
from inspire_sim.world import TableWorld


def test_a_black_picture_is_an_error(cube_scene: object, monkeypatch: pytest.MonkeyPatch) -> None:
    world = TableWorld(builder=cube_scene)
    world.reset('pick_ball', 0)
    with Renderer(world.model, 32, 32) as renderer:
        monkeypatch.setattr(renderer._renderer, 'render', lambda: np.zeros((32, 32, 3), np.uint8))
        with pytest.raises(RenderError, match='black picture'):
            renderer.render(world.data, 'camera')


def test_without_opengl_the_error_says_what_to_install(
        cube_scene: object, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError('Cannot initialize a EGL device display')

    world = TableWorld(builder=cube_scene)
    world.reset('pick_ball', 0)
    monkeypatch.setattr('mujoco.Renderer', fail)
    with pytest.raises(RenderError, match='EGL device.*install libegl1'):
        world.observe()


def test_the_way_to_opengl_is_chosen_before_mujoco_is_imported() -> None:
    environment = {key: value for key, value in os.environ.items() if key != 'MUJOCO_GL'}
    code = 'import inspire_sim, os; print(os.environ["MUJOCO_GL"])'
    printed = subprocess.run([sys.executable, '-c', code], env=environment, check=True,
                             capture_output=True, text=True).stdout
    assert printed.strip() in ('egl', 'osmesa')


def test_a_video_shows_the_recorded_state_not_the_initial_one() -> None:
    world = TableWorld(cameras=())
    world.reset('pick_ball', 3)
    start, state = world.truth(), world.arm.read()
    for _ in range(10):
        world.step([0.0, 0.008, -0.008, 0.0, 0.0, 0.0, 0.03])
    moved, later = world.truth(), world.arm.read()
    video = VideoRenderer('pick_ball', 3, size=(240, 180))
    first = video.render(state.position, state.gripper_width, start.objects)
    second = video.render(later.position, later.gripper_width, moved.objects)
    again = video.render(state.position, state.gripper_width, start.objects)
    assert first.shape == (180, 240, 3)
    assert np.abs(first.astype(int) - second).max() > 60
    assert np.array_equal(first, again)
    video.close()


@pytest.mark.parametrize('task', ['pick_ball', 'pull_plate'])
def test_a_video_puts_objects_where_their_recorded_frames_are(task: str) -> None:
    world = TableWorld(cameras=())
    world.reset(task, 4)
    truth, state = world.truth(), world.arm.read()
    video = VideoRenderer(task, 4, size=(64, 48))
    video.render(state.position, state.gripper_width, truth.objects)
    for item in video._scene.objects:
        body = world.data.body(item.body)
        assert np.allclose(video._data.body(item.body).xpos, body.xpos, atol=1e-6), item.frame
    video.close()

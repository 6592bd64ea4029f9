# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from inspire_sim.cameras import CAMERAS
from inspire_sim.photographer import Photographer
from inspire_sim.rendering import RenderError
from inspire_sim.sights import Picture
from inspire_sim.world import TableWorld

Delivery = tuple[float, dict[str, Picture]]


@pytest.fixture
def world(cube_scene: object) -> TableWorld:
    made = TableWorld(CAMERAS, image_size=(64, 48), builder=cube_scene)
    made.reset('pick_ball', 0)
    return made


def test_pictures_are_those_of_the_state_handed_over(world: TableWorld) -> None:
    delivered: list[Delivery] = []
    photographer = Photographer(CAMERAS, (64, 48), lambda *what: delivered.append(what))
    expected = world.observe().images
    photographer.take(world.model, world.data, 1.5)
    world.data.qpos[0] += 1.0          # what happens afterwards is not in the picture
    photographer.wait()
    photographer.close()
    [(stamp, pictures)] = delivered
    assert stamp == 1.5 and set(pictures) == set(CAMERAS)
    assert pictures['camera'].shape == (48, 64, 3)
    for name, picture in pictures.items():
        assert np.array_equal(picture, expected[name])
    world.close()


def test_a_rebuilt_world_gets_a_new_renderer(world: TableWorld) -> None:
    delivered: list[Delivery] = []
    photographer = Photographer(CAMERAS, (64, 48), lambda *what: delivered.append(what))
    for seed in (1, 2):
        world.reset('pick_ball', seed)
        photographer.take(world.model, world.data, float(seed))
        photographer.wait()
    photographer.close()
    assert [stamp for stamp, _ in delivered] == [1.0, 2.0]
    assert photographer.failure is None and not photographer._thread.is_alive()


def test_a_failure_to_render_reaches_the_owner(world: TableWorld,
                                               monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RenderError('no offscreen OpenGL')

    monkeypatch.setattr('inspire_sim.photographer.Renderer', fail)
    photographer = Photographer(CAMERAS, (64, 48), lambda *what: None)
    photographer.take(world.model, world.data, 0.0)
    with pytest.raises(RenderError, match='no offscreen OpenGL'):
        photographer.wait()
    photographer.close()

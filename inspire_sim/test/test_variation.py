# SPDX-License-Identifier: Apache-2.0
"""A variation changes what it names; everything else of a seed's scene stays, to the bit."""

import colorsys

import mujoco
import numpy as np
import pytest

from inspire_sim import colours, layout
from inspire_sim.assembly import assemble
from inspire_sim.cameras import CAMERA, SHIFT, TURN, intrinsics, optical_pose
from inspire_sim.scene import Scene, build_scene, builder_of
from inspire_sim.shapes import SHAPES
from inspire_sim.tasks import find, variants
from inspire_sim.variation import Variation
from piper_driver.pinhole import project

CHANGED = [one for one in Variation if one is not Variation.NONE]
CASES = [('cup_in_plate', 1), ('pull_plate', 2), ('stack_bowls', 4), ('pick_orange', 6)]
LOOKS = ('geom_rgba', 'mat_rgba', 'tex_data')
LIGHT = ('light_pos', 'light_dir', 'light_diffuse', 'light_specular')
VIEW = ('cam_pos', 'cam_quat', 'cam_fovy')


def made(task: str, seed: int, variation: Variation, yaw: float = 0.0
         ) -> tuple[mujoco.MjModel, Scene]:
    return assemble(find(task, seed)[1], seed, yaw, builder_of(variation))


def differs(first: mujoco.MjModel, second: mujoco.MjModel, names: tuple[str, ...]) -> bool:
    pairs = [(getattr(first, name), getattr(second, name)) for name in names]
    return any(one.shape != two.shape or (one != two).any() for one, two in pairs)


def look(model: mujoco.MjModel, body: str) -> list[float]:
    return model.geom_rgba[model.geom_bodyid == model.body(body).id].ravel().tolist()


@pytest.mark.parametrize('variation', CHANGED)
@pytest.mark.parametrize(('task', 'seed'), CASES)
def test_what_stands_there_stays_where_it_is_under_the_same_light(
        task: str, seed: int, variation: Variation) -> None:
    base, scene = made(task, seed, Variation.NONE)
    model, other = made(task, seed, variation)
    for item in scene.objects:
        same = other.object(item.frame)
        assert (same.position == item.position).all() and same.yaw == item.yaw
        assert (same.start.position == item.start.position).all()
        for name in ('pos', 'quat', 'mass', 'inertia'):
            np.testing.assert_array_equal(getattr(base.body(item.body), name),
                                          getattr(model.body(item.body), name))
    assert (other.moved, other.target) == (scene.moved, scene.target)
    assert not differs(base, model, LIGHT)
    assert differs(base, model, VIEW) == (variation is Variation.CAMERA)
    extra = {item.frame for item in other.objects} - {item.frame for item in scene.objects}
    assert bool(extra) == (variation is Variation.DISTRACTORS)
    if variation in (Variation.DISTRACTORS, Variation.BACKGROUND, Variation.CAMERA):
        assert all(look(base, item.body) == look(model, item.body) for item in scene.objects)
    if variation is Variation.CAMERA:
        assert not differs(base, model, LOOKS)


def test_no_variation_is_the_scene_itself() -> None:
    variant = find('cup_in_plate', 3)[1]
    plain = assemble(variant, 3, 0.0, build_scene)[0]
    assert not differs(plain, made('cup_in_plate', 3, Variation.NONE)[0], (*LOOKS, *VIEW))


@pytest.mark.parametrize('variation', CHANGED)
def test_equal_seeds_vary_equally_and_others_do_not(variation: Variation) -> None:
    first, again, other = (made('ball_on_book', seed, variation)[0] for seed in (5, 5, 6))
    assert not differs(first, again, (*LOOKS, *VIEW, 'body_pos'))
    assert differs(first, other, (*LOOKS, *VIEW, 'body_pos'))


def test_more_distractors_are_apart_and_cannot_be_meant() -> None:
    counts = []
    for variant in variants():
        spots = layout.laid_out(variant, np.random.default_rng(2), 0.0)
        spots |= layout.others(variant, spots, np.random.default_rng(3))
        added = layout.more(variant, spots, np.random.default_rng(4))
        counts.append(len(added))
        every = {**spots, **added}
        assert len(added) <= 6 and not set(added) & set(spots)
        assert not set(added) & {'cabinet', 'bowl_2', 'bowl_3', 'plate_1', 'plate_2', 'plate_3'}
        if {'orange', 'orange_cup'} & set(variant.present):
            assert not {'orange', 'orange_cup'} <= set(every)
        for frame in added:
            for other in (name for name in every
                          if name != frame and not name.startswith('plate_')):
                apart = np.hypot(*(every[frame].position - every[other].position)[:2])
                edges = SHAPES[frame].radius + SHAPES[other].radius
                assert apart - edges >= layout.GAP - 1e-9, (frame, other)
    assert np.median(counts) >= 4


# What people call these hues, in degrees; the borders are those of common charts of hue names.
CALLED = {'red': (345, 15), 'orange': (15, 40), 'yellow': (42, 66), 'green': (80, 170),
          'blue': (190, 255)}


@pytest.mark.parametrize('frame', [frame for frame in SHAPES
                                   if frame.split('_')[0] in CALLED])
def test_what_is_named_by_its_colour_keeps_a_colour_of_that_name(frame: str) -> None:
    low, high = CALLED[frame.split('_')[0]]
    drawn = [colours.recoloured(frame, np.random.default_rng(seed)) for seed in range(200)]
    shades = np.array([colorsys.rgb_to_hsv(*colour) for colour in drawn])
    hues = 360 * shades[:, 0]
    inside = (hues >= low) & (hues <= high) if low < high else (hues >= low) | (hues <= high)
    assert inside.all(), hues[~inside]
    assert shades[:, 1].min() >= 0.5 and shades[:, 2].min() >= 0.45   # neither grey nor black
    usual = [colorsys.rgb_to_hsv(*colours.drawn(frame, np.random.default_rng(seed)))
             for seed in range(200)]
    for column in range(3):    # wider than what is drawn otherwise
        reach = np.ptp((shades[:, column] + 0.5) % 1.0)
        assert reach > np.ptp((np.array(usual)[:, column] + 0.5) % 1.0)


@pytest.mark.parametrize('frame', ['ball', 'can', 'plug', 'plate', 'cookies', 'towel', 'book',
                                   'cabinet', 'bowl_1', 'plate_2', 'apple'])
def test_what_is_not_named_by_its_colour_takes_one_that_it_never_has(frame: str) -> None:
    usual, other = (np.array([colorsys.rgb_to_hsv(*draw(frame, np.random.default_rng(seed)))
                              for seed in range(300)])
                    for draw in (colours.drawn, colours.recoloured))
    for hue, saturation, _ in other:
        apart = np.abs((hue - usual[:, 0] + 0.5) % 1.0 - 0.5)
        alike = usual[np.abs(saturation - usual[:, 1]) < 0.2]
        assert apart.min() > 0.07 or not len(alike), (frame, hue)


def test_things_of_one_lot_stay_alike() -> None:
    model, scene = made('stack_bowls', 4, Variation.RECOLOURED)
    bowls = [look(model, item.body) for item in scene.objects if item.frame.startswith('bowl')]
    assert len(bowls) == 3 and bowls[0] == bowls[1] == bowls[2]


def test_another_background_changes_nothing_that_can_be_touched() -> None:
    base, model = (made('stack_cubes', 5, one)[0] for one in (Variation.NONE,
                                                             Variation.BACKGROUND))
    table = [one.geom('table') for one in (base, model)]
    for name in ('pos', 'size', 'friction', 'solref', 'solimp'):
        np.testing.assert_array_equal(*(getattr(one, name) for one in table))
    for one in (base, model):
        solid = one.geom_contype > 0
        assert solid.sum() == (base.geom_contype > 0).sum()
    assert differs(base, model, ('tex_data',))


@pytest.mark.parametrize('yaw', [0.0, -np.pi / 2])
def test_the_moved_camera_is_a_little_off_and_still_sees_what_matters(yaw: float) -> None:
    for seed in range(6):
        base, scene = made('stack_bowls', seed, Variation.NONE, yaw)
        model, _ = made('stack_bowls', seed, Variation.CAMERA, yaw)
        shift = np.linalg.norm(model.camera(CAMERA).pos - base.camera(CAMERA).pos)
        turned = abs(float(model.camera(CAMERA).quat @ base.camera(CAMERA).quat))
        assert SHIFT[0] <= shift <= SHIFT[1]
        assert TURN[0] <= 2 * np.arccos(min(1.0, turned)) <= TURN[1]
        data = mujoco.MjData(model)
        mujoco.mj_forward(model, data)
        starts = np.array([scene.object(frame).start.position
                           for frame in (scene.moved, scene.target)])
        pixels = project(starts, optical_pose(data, CAMERA),
                         intrinsics(model, CAMERA, 224, 224).matrix)
        assert (pixels > 0).all() and (pixels < 223).all()

# SPDX-License-Identifier: Apache-2.0
"""Laws of every scene: nothing touches what it should not, nothing is solved, all is in reach."""

import mujoco
import numpy as np
import pytest

from inspire_sim import aims, layout
from inspire_sim.assembly import assemble
from inspire_sim.robot import place_robot
from inspire_sim.scene import Scene, build_scene
from inspire_sim.shapes import SHAPES
from inspire_sim.success import evaluate
from inspire_sim.tasks import Goal, Variant, find, variants, viewer_right
from piper_driver.kinematics import HOME, solve

SEEDS = (0, 7)
VIEWERS = (0.0, -np.pi / 2)
CASES = [pytest.param(variant, seed, VIEWERS[seed % 2], id=f'{variant.instruction}, seed {seed}')
         for variant in variants() for seed in SEEDS]


def started(variant: Variant, seed: int, yaw: float = 0.0, builder=build_scene
            ) -> tuple[Scene, mujoco.MjModel, mujoco.MjData]:
    model, scene = assemble(variant, seed, yaw, builder)
    data = mujoco.MjData(model)
    place_robot(model, data, np.array(HOME), 0.07)
    scene.place(model, data)
    mujoco.mj_forward(model, data)
    return scene, model, data


def without_distractors(spec, variant, seed, yaw) -> Scene:
    return build_scene(spec, variant, seed, yaw, distractors=False)


@pytest.mark.parametrize(('variant', 'seed', 'yaw'), CASES)
def test_a_scene_is_at_rest_unsolved_and_in_reach(variant: Variant, seed: int, yaw: float) -> None:
    scene, model, data = started(variant, seed, yaw)
    frames = {item.frame for item in scene.objects}
    assert set(variant.present) <= frames and {scene.moved, scene.target} <= {*frames, None}

    assert data.contact.dist[:data.ncon].min(initial=0.0) > -0.002
    result = evaluate(scene, model, data)
    assert not result.achieved and any(c.isdigit() for c in result.detail), result

    before = {item.frame: data.body(item.body).xpos.copy() for item in scene.objects}
    for _ in range(80):
        mujoco.mj_step(model, data)
    for item in scene.objects:
        drift = np.linalg.norm(data.body(item.body).xpos - before[item.frame])
        assert drift < 0.002, f'{item.frame} moves by {1000 * drift:.1f} mm of itself'
    assert not evaluate(scene, model, data).achieved

    if variant.goal not in (Goal.PUSH, Goal.PULL):
        grasp = aims.grasp(SHAPES[scene.moved], scene.object(scene.moved).start)
        assert solve(grasp, HOME).converged


@pytest.mark.parametrize(('variant', 'seed', 'yaw'), CASES[::2])
def test_an_open_gripper_fits_between_any_two_things(variant: Variant, seed: int,
                                                     yaw: float) -> None:
    spots = layout.laid_out(variant, np.random.default_rng(seed), yaw)
    spots |= layout.others(variant, spots, np.random.default_rng(seed + 1))
    free = [frame for frame in spots if not frame.startswith('plate_')]
    for number, frame in enumerate(free):
        for other in free[:number]:
            apart = np.hypot(*(spots[frame].position - spots[other].position)[:2])
            edges = SHAPES[frame].radius + SHAPES[other].radius
            assert apart - edges >= layout.GAP - 1e-9, (frame, other)


@pytest.mark.parametrize('yaw', VIEWERS)
@pytest.mark.parametrize('seed', range(8))
def test_left_and_right_are_apart_for_the_viewer(seed: int, yaw: float) -> None:
    _, variant = find('stack the left bowl on the middle bowl')
    spots = layout.laid_out(variant, np.random.default_rng(seed), yaw)
    rims = sorted(float(spots[f].frame(f).position @ viewer_right(yaw)) for f in variant.present)
    assert np.diff(rims).min() >= 0.04


def test_which_point_of_a_rim_counts_follows_from_where_it_stands() -> None:
    """Nobody can see it: the one to the arm's left."""
    seen = 0
    for variant in variants():
        for seed in range(10):
            spots = layout.laid_out(variant, np.random.default_rng(seed), 0.0)
            spots |= layout.others(variant, spots, np.random.default_rng(seed + 1))
            for frame, spot in spots.items():
                if SHAPES[frame].grip == 'rim':
                    x, y, _ = spot.position
                    aside = (spot.frame(frame).position - spot.position)[:2]
                    np.testing.assert_allclose(
                        aside, SHAPES[frame].frame[0] * np.array([-y, x]) / np.hypot(x, y),
                        atol=1e-12)
                    seen += 1
    assert seen > 100


def test_no_distractor_can_be_meant_by_the_instruction() -> None:
    for variant in variants():
        for seed in range(40):
            spots = layout.laid_out(variant, np.random.default_rng(seed), 0.0)
            added = layout.others(variant, spots, np.random.default_rng(seed))
            assert len(added) <= 3
            frames = {*spots, *added}
            assert not {'plate'} & frames or not {'plate_1', 'plate_2', 'plate_3'} & frames
            if {'orange', 'orange_cup'} & set(variant.present):
                assert not {'orange', 'orange_cup'} <= frames
            assert not set(added) & {'cabinet', 'bowl_2', 'bowl_3', 'plate_1'}
            if 'bowl_2' not in spots:
                assert not {'bowl_2', 'bowl_3'} & frames


def test_distractors_are_none_to_three() -> None:
    _, variant = find('pick up the ball')
    counts = {len(layout.others(variant, {}, np.random.default_rng(seed))) for seed in range(60)}
    assert counts == {0, 1, 2, 3}


def test_equal_seeds_give_equal_worlds_and_others_do_not() -> None:
    _, variant = find('put the banana in the plate')
    first, again, other = (started(variant, seed)[1] for seed in (5, 5, 6))
    for name in ('body_pos', 'geom_rgba', 'mat_rgba', 'light_dir', 'light_diffuse', 'tex_data'):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))
    assert (first.body('banana').pos != other.body('banana').pos).any()
    assert (first.light_dir != other.light_dir).any()


def test_leaving_out_the_distractors_changes_nothing_else() -> None:
    for task in ('cup_in_plate', 'pull_plate'):
        seed = next(s for s in range(20) if len(started(find(task, s)[1], s)[0].objects)
                    > len(find(task, s)[1].present))
        _, variant = find(task, seed)
        _, full, _ = started(variant, seed)
        bare_scene, bare, _ = started(variant, seed, builder=without_distractors)
        assert {item.frame for item in bare_scene.objects} == set(variant.present)
        for item in bare_scene.objects:
            np.testing.assert_array_equal(full.body(item.body).pos, bare.body(item.body).pos)
            np.testing.assert_array_equal(full.body(item.body).quat, bare.body(item.body).quat)
            colours = [model.geom_rgba[model.geom_bodyid == model.body(item.body).id]
                       for model in (full, bare)]
            np.testing.assert_array_equal(*colours)
        np.testing.assert_array_equal(full.light_dir, bare.light_dir)


def test_plates_and_bowls_are_numbered_in_no_order() -> None:
    _, shelves = find('push the bottom plate into the cabinet')
    _, row = find('stack the left bowl on the right bowl')
    bottoms, lefts = set(), set()
    for seed in range(12):
        spots = layout.laid_out(shelves, np.random.default_rng(seed), 0.0)
        places = {frame: spot.position for frame, spot in spots.items()}
        bottoms.add(shelves.moved.resolve(places, 0.0))
        bowls = layout.laid_out(row, np.random.default_rng(seed), 0.0)
        lefts.add(row.moved.resolve({f: s.position for f, s in bowls.items()}, 0.0))
    assert bottoms == {'plate_1', 'plate_2', 'plate_3'} and lefts == {'bowl_1', 'bowl_2', 'bowl_3'}


def test_only_the_plate_that_is_to_be_pushed_stands_out() -> None:
    _, variant = find('push the middle plate into the cabinet')
    spots = layout.laid_out(variant, np.random.default_rng(3), 0.0)
    cabinet = spots['cabinet']
    inwards = np.array([np.cos(cabinet.yaw), np.sin(cabinet.yaw), 0.0])
    out = {frame: float((cabinet.position - spot.position) @ inwards)
           for frame, spot in spots.items()}
    moved = variant.moved.resolve({f: s.position for f, s in spots.items()}, 0.0)
    assert out[moved] > 0.06
    assert max(value for frame, value in out.items() if frame != moved) < 0.01


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(ValueError, match='seed is -1'):
        started(find('pick_ball')[1], -1)


def test_an_object_that_is_not_there_is_named() -> None:
    scene, _, _ = started(find('pick_ball')[1], 0, builder=without_distractors)
    with pytest.raises(KeyError, match='no can here; there are ball'):
        scene.object('can')

# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import numpy as np
import pytest

from inspire_sim import layout, success
from inspire_sim.shapes import SHAPES
from inspire_sim.tasks import TASKS, Goal, Role, UnknownTask, find, task, variants, viewer_right

# Contract: every frame that the simulation publishes.
FRAMES = [
    'ball', 'plug', 'can', 'apple', 'watermelon', 'cabinet', 'plate_1', 'plate_2', 'plate_3',
    'banana', 'plate', 'blue_cup', 'green_cup', 'red_cup', 'orange_cup', 'yellow_cup', 'cookies',
    'towel', 'green_cube', 'blue_cube', 'bowl_1', 'bowl_2', 'bowl_3', 'book', 'green_lego',
    'blue_lego', 'orange',
]
IDS = [
    'pick_ball', 'pick_plug', 'move_can_near', 'pull_plate', 'push_plate', 'banana_in_plate',
    'cup_in_plate', 'cookies_on_towel', 'stack_cubes', 'stack_bowls', 'cup_on_plate',
    'ball_on_book', 'stack_legos', 'banana_on_towel', 'pick_orange',
]
PIPER_REAL = -np.pi / 2


def at(**positions: tuple[float, float, float]) -> dict[str, np.ndarray]:
    return {frame: np.array(position) for frame, position in positions.items()}


def test_there_are_ten_seen_and_five_unseen_tasks_in_the_papers_order() -> None:
    assert [entry.id for entry in TASKS] == IDS
    assert [entry.number for entry in TASKS] == list(range(1, 16))
    assert [entry.split for entry in TASKS] == ['seen'] * 10 + ['unseen'] * 5


def test_every_variant_has_an_instruction_of_its_own() -> None:
    counts = [len(entry.variants) for entry in TASKS]
    assert counts == [1, 1, 2, 3, 3, 1, 3, 1, 1, 6, 2, 1, 1, 1, 1]
    assert len({variant.instruction for variant in variants()}) == 28


def test_instructions_are_worded_as_in_the_paper() -> None:
    worded = {variant.instruction for variant in variants()}
    assert {'pick up the ball', 'move the can near the watermelon',
            'put the blue cup in the plate',
            'pull out the bottom plate from the cabinet', 'push the top plate into the cabinet',
            'stack the left bowl on the middle bowl', 'put the orange cup on the plate',
            'stack the green lego on the blue lego', 'put the banana on the towel'} <= worded


def test_the_objects_of_the_tasks_are_the_catalogues_frames() -> None:
    assert sorted(SHAPES) == sorted(FRAMES)
    for variant in variants():
        assert set(variant.present) <= set(FRAMES), variant.instruction


def test_an_id_takes_its_variants_in_turn_with_the_seed() -> None:
    seeds = [find('pull_plate', seed)[1].moved.place for seed in range(4)]
    assert seeds == ['bottom', 'middle', 'top', 'bottom']


@pytest.mark.parametrize('said', [
    'put the ball on the book', 'Put the ball on the book.', '  PUT  the ball\ton the book '])
def test_an_instruction_is_found_however_it_is_written(said: str) -> None:
    found, variant = find(said)
    assert (found.id, variant.goal) == ('ball_on_book', Goal.PLACE)


def test_an_unknown_task_is_answered_with_near_and_with_valid_ones() -> None:
    with pytest.raises(UnknownTask) as error:
        find('put the bal on the book')
    assert "'put the ball on the book'" in str(error.value)
    assert all(identifier in str(error.value) for identifier in IDS)
    with pytest.raises(UnknownTask, match="no task 'fly'; valid ids: pick_ball"):
        task('fly')


@pytest.mark.parametrize('said', ['', '   ', '拿起球', 'x' * 10_000, '; rm -rf /'])
def test_strange_instructions_are_refused_briefly(said: str) -> None:
    with pytest.raises(UnknownTask, match='valid ids') as error:
        find(said)
    assert len(str(error.value)) < 800


def test_left_is_left_for_the_viewer() -> None:
    bowls = at(bowl_1=(0.2, -0.1, 0), bowl_2=(0.3, 0.0, 0), bowl_3=(0.4, 0.1, 0))
    left = Role(('bowl_1', 'bowl_2', 'bowl_3'), 'left', 'y')
    # Opposite the robot the viewer's right is base y; from the robot's right hand it is base x.
    assert left.resolve(bowls, 0.0) == 'bowl_1'
    np.testing.assert_allclose(viewer_right(PIPER_REAL), [1, 0, 0], atol=1e-12)
    mirrored = {frame: position * [-1, 1, 1] for frame, position in bowls.items()}
    assert left.resolve(mirrored, PIPER_REAL) == 'bowl_3'


def test_mirroring_the_scene_swaps_left_and_right_and_keeps_the_middle() -> None:
    random = np.random.default_rng(1)
    names = ('bowl_1', 'bowl_2', 'bowl_3')
    for _ in range(100):
        yaw = random.uniform(-np.pi, np.pi)
        bowls = {name: random.uniform(-0.4, 0.4, 3) for name in names}
        across = viewer_right(yaw)
        mirrored = {name: p - 2 * (p @ across) * across for name, p in bowls.items()}
        for place, other in (('left', 'right'), ('middle', 'middle'), ('right', 'left')):
            assert Role(names, place, 'y').resolve(bowls, yaw) == \
                Role(names, other, 'y').resolve(mirrored, yaw)


def test_bottom_and_top_go_by_height_whatever_the_numbers() -> None:
    plates = at(plate_1=(0, 0, 0.2), plate_2=(0, 0, 0.06), plate_3=(0, 0, 0.13))
    order = [find(f'push the {place} plate into the cabinet')[1].moved.resolve(plates, 0.0)
             for place in ('bottom', 'middle', 'top')]
    assert order == ['plate_2', 'plate_3', 'plate_1']


def test_a_missing_object_is_named() -> None:
    with pytest.raises(KeyError, match='book is not among the objects: ball, can'):
        Role(('book',)).resolve(at(ball=(0, 0, 0), can=(0, 0, 0)), 0.0)


def test_the_document_of_the_tasks_names_every_id_and_instruction() -> None:
    text = (Path(__file__).parents[1] / 'TASKS.md').read_text(encoding='utf-8')
    for entry in TASKS:
        row = next(line for line in text.splitlines() if f'| `{entry.id}` |' in line)
        assert row.startswith(f'| {entry.number} |') and entry.split in row
        assert all(variant.instruction in row for variant in entry.variants)


def test_the_document_of_the_tasks_has_the_success_tests_numbers() -> None:
    text = (Path(__file__).parents[1] / 'TASKS.md').read_text(encoding='utf-8')
    for number in (f'{100 * success.LIFT:.0f} cm above', f'at most {100 * success.NEAR:.0f} cm',
                   f'at least {100 * success.PULLED_OUT:.0f} cm',
                   f'at most {100 * success.PUSHED_IN:.1f} cm', f'{100 * layout.GAP:.1f} cm apart',
                   f'{100 * success.LET_GO:.1f} cm away'):
        assert number in text, number

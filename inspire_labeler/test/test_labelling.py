# SPDX-License-Identifier: Apache-2.0
"""Labels of observations: right, whatever order samples come in; withheld with a reason else."""

import math
import random

import numpy as np
import pytest

from inspire_labeler.catalogue import Catalogue
from inspire_labeler.formulation import Formulation
from inspire_labeler.instruction import InstructionError
from inspire_labeler.labelling import Labelling, LabelSettings
from inspire_labeler.transform_history import SECOND, Sample
from inspire_labeler.viewer import VIEWERS

MS = 1_000_000
CATALOGUE = Catalogue({'ball': ('ball',), 'book': ('book',), 'bowl': ('bowl_1', 'bowl_2'),
                       'plate': ('plate', 'plate_1')},
                      long=frozenset({'book', 'plug', 'banana'}), square=frozenset({'cube'}))
TASK = 'put the ball on the book'


class World:
    """Feeds a Labelling as the simulation would: TF at 100 Hz, images at 30 Hz."""

    def __init__(self, viewer='libero', **settings):
        self.labelling = Labelling(CATALOGUE, LabelSettings(**settings))
        self.places = {'ball': (.3, 0, 0), 'book': (0, -.3, .1)}
        self.touched = frozenset()
        self.labelling.add_static_transforms([
            Sample('world', 'base_link', 0, (0, 0, 0, 0, 0, 0, 1)),
            Sample('base_link', 'viewer', 0,
                   (0, 0, 0, *VIEWERS[viewer].quaternion_viewer_in_base)),
            Sample('link6', 'tcp', 0, (0, 0, .145, 0, 0, 0, 1))])

    def samples(self, at):
        """TF at `at` ms: link6 hangs 0.345 m up, pointing down, so that the tcp is 0.2 m up."""
        robot = [Sample('base_link', 'link6', at * MS, (0, 0, .345, 1, 0, 0, 0))]
        return robot, [Sample('world', frame, at * MS, (*place, 0, 0, 0, 1))
                       for frame, place in self.places.items()]

    def tick(self, at, contacts=True):
        for samples in self.samples(at):
            self.labelling.add_transforms(samples)
        if contacts:
            self.labelling.add_contacts(at * MS, self.touched)

    def run(self, begin, end, task=None, contacts=True):
        """Ticks every 10 ms and an image every 30 ms, 5 ms after a tick; gives the labels."""
        done = []
        for at in range(begin, end, 10):
            self.tick(at, contacts)
            if at % 30 == 0:
                self.labelling.observe((at + 5) * MS, [task] if task else [])
            done += self.labelling.take()
        return done


def texts(labels):
    return [label.text for label in labels.labels]


def test_words_and_offsets_are_those_of_the_rule_at_the_image_stamp():
    world = World()
    first = world.run(0, 100, world.labelling.give(TASK))[0]
    assert (first.stamp, first.instruction) == (5 * MS, TASK)
    ball, book = first.labels
    assert np.allclose(ball.offset, (.3, 0, -.2)) and ball.text == 'front'
    assert np.allclose(book.offset, (0, -.3, -.1)) and book.text == 'left'
    assert (ball.frame, ball.grasped, ball.reason) == ('ball', False, '')
    assert first.line == 'the ball: front, the book: left'


def test_the_viewer_at_the_side_says_other_words_about_the_same_table():
    world = World(viewer='piper_real')
    first = world.run(0, 100, world.labelling.give(TASK))[0]
    # What is ahead of the robot is to that viewer's right; the robot's right is towards them.
    assert texts(first) == ['right', 'front']


@pytest.mark.parametrize('asked, expected', [
    (Formulation.DIRECTION_3D, ['front left down', 'back left down']),
    (Formulation.PROXIMITY, ['far', 'far']), (Formulation.DISTANCE, ['3', '3'])])
def test_the_formulation_is_a_setting(asked, expected):
    world = World(formulation=asked)
    world.places['book'] = (-.001, -.3, .1)
    assert texts(world.run(0, 100, world.labelling.give(TASK))[0]) == expected


def test_moving_things_are_interpolated_at_the_stamp():
    world, done = World(), []
    task = world.labelling.give('pick up the ball')
    for at in range(0, 200, 10):
        world.places['ball'] = (.3 + at / 1000, 0, 0)
        world.tick(at)
        world.labelling.observe((at + 5) * MS, [task])
        done += world.labelling.take()
    for labels in done:
        assert labels.labels[0].offset[0] == pytest.approx(.3 + labels.stamp / SECOND, abs=1e-12)


@pytest.mark.parametrize('seed', range(20))
def test_the_order_in_which_topics_arrive_changes_no_label(seed):
    """Each topic keeps its own order; between topics anything goes within half the deadline."""
    generator = random.Random(seed)

    def labels_of(delays):
        world = World()
        world.places |= {'bowl_1': (0, .1, 0), 'bowl_2': (0, .3, 0)}
        task = world.labelling.give('stack the left bowl on the ball')
        events = []
        for at in range(0, 1000, 10):
            world.places['ball'] = (.3 * math.cos(at / 200), .2 * math.sin(at / 90), .1)
            robot, objects = world.samples(at)
            touched = frozenset(['ball'] if at > 500 else [])
            topics = [(world.labelling.add_transforms, (robot,)),
                      (world.labelling.add_transforms, (objects,)),
                      (world.labelling.add_contacts, (at * MS, touched))]
            if at % 30 == 0:
                topics.append((world.labelling.observe, ((at + 5) * MS, [task])))
            events += [(at + delays[index](), at, call, values)
                       for index, (call, values) in enumerate(topics)]
        done = []
        for *_, call, values in sorted(events, key=lambda event: event[:2]):
            call(*values)
            done += world.labelling.take()
        return done + world.labelling.finish()

    fixed = [generator.randrange(250) for _ in range(4)]
    expected = labels_of([lambda: 0] * 4)
    assert len(expected) == 34
    assert labels_of([lambda each=each: each for each in fixed]) == expected


@pytest.mark.parametrize(('viewer', 'seen'), [('libero', 0.6), ('piper_real', 0.6 + math.pi / 2)])
def test_a_heading_is_seen_by_the_viewer_and_what_is_upright_has_none(viewer, seen):
    world = World(viewer)
    world.run(0, 100)
    upright, turned = math.sin(math.pi / 4), (0, 0, math.sin(0.3), math.cos(0.3))
    for at in (100, 110):
        world.labelling.add_transforms([
            *world.samples(at)[0],
            Sample('world', 'book', at * MS, (0, -.3, .1, *turned)),
            Sample('world', 'cube', at * MS, (0, -.3, .1, *turned)),
            Sample('world', 'ball', at * MS, (.3, 0, 0, *turned)),
            Sample('world', 'plug', at * MS, (.3, 0, 0, 0, upright, 0, upright))])
    assert world.labelling.heading('book', 105 * MS) == pytest.approx(seen)
    # Of its sides the one that points away from the arm, which is at -90 degrees of libero's.
    assert world.labelling.heading('cube', 105 * MS) == pytest.approx(seen - math.pi / 2)
    assert math.isnan(world.labelling.heading('plug', 105 * MS))
    assert math.isnan(world.labelling.heading('ball', 105 * MS))    # nobody asks how it is turned
    assert math.isnan(world.labelling.heading('banana', 105 * MS))  # it is not there


def test_grasped_is_what_both_fingers_touched_at_the_stamp():
    world = World()
    task = world.labelling.give(TASK)
    before = world.run(0, 100, task)
    world.touched = frozenset({'ball'})
    after = world.run(100, 200, task)
    assert texts(before[0]) == ['front', 'left'] and texts(after[-1]) == ['grasped', 'left']
    assert after[-1].labels[0].grasped and np.allclose(after[-1].labels[0].offset, (.3, 0, -.2))


def test_without_contacts_nothing_is_said_but_where_it_is():
    world = World()
    done = world.run(0, 1000, world.labelling.give(TASK), contacts=False)
    ball = done[0].labels[0]
    assert ball.text == '' and ball.grasped is None
    assert 'no grasp_contacts at or before 0.005 s' in ball.reason
    assert np.allclose(ball.offset, (.3, 0, -.2))


def test_a_gripper_that_closed_holds_the_nearest_object_within_reach():
    world = World(grasp_source='gripper')
    world.places['ball'] = (.02, 0, .2)
    task = world.labelling.give(TASK)
    widths = np.interp(np.arange(0, 3000, 10), (0, 500, 800, 2000, 2200),
                       (.07, .07, .04, .04, .07))
    said = {}
    for at, width in zip(range(0, 3000, 10), widths.tolist(), strict=True):
        world.labelling.add_gripper(at * MS, width)
        for labels in world.run(at, at + 10, task):
            said[labels.stamp // MS] = texts(labels)
    assert said[485] == ['front', 'left']
    assert said[1505] == ['grasped', 'left']
    assert said[2405] == ['front', 'left']


def test_a_gripper_that_holds_what_is_no_object_of_the_catalogue_grasps_none():
    world = World(grasp_source='gripper')
    task = world.labelling.give(TASK)
    done = []
    for at, width in zip(range(0, 1500, 10), np.interp(
            np.arange(150), (0, 50, 80), (.07, .07, .04)).tolist(), strict=True):
        world.labelling.add_gripper(at * MS, width)
        done += world.run(at, at + 10, task)
    assert all(texts(labels) == ['front', 'left'] for labels in done)


def test_an_object_that_falls_silent_is_withheld_after_the_deadline_with_the_reason():
    world = World()
    task = world.labelling.give(TASK)
    world.run(0, 100, task)
    del world.places['book']
    done = world.run(100, 900, task)
    ball, book = next(labels for labels in done if labels.stamp == 125 * MS).labels
    assert ball.text == 'front'
    assert book.text == '' and book.frame == 'book' and math.isnan(book.offset[0])
    assert book.reason == ('no transform world -> book at 0.125 s: the last one is 0.035 s older')
    # Those that may still get their transforms wait: the deadline is counted in image stamps.
    assert done[-1].stamp == 365 * MS


def test_a_missing_viewer_or_tcp_withholds_every_object():
    world = World(viewer_frame='spectator')
    labels = world.run(0, 700, world.labelling.give(TASK))[0]
    assert texts(labels) == ['', '']
    assert {label.reason for label in labels.labels} == {
        "no transform of 'spectator' was ever published"}


def test_trees_that_are_not_connected_give_no_label():
    world = World()
    world.labelling.add_transforms([Sample('map', 'ball', at * MS, (0, 0, 0, 0, 0, 0, 1))
                                    for at in (0, 10)])
    del world.places['ball']
    world.run(0, 20, task := world.labelling.give('pick up the ball'))
    labels, = world.labelling.take() or world.run(20, 700, task)[:1]
    assert labels.labels[0].text == '' and 'ball' in labels.labels[0].reason


def test_a_transform_that_is_no_number_gives_no_word():
    world = World()
    world.places['ball'] = (math.nan, 0, 0)
    task = world.labelling.give(TASK)
    ball, book = world.run(0, 700, task)[0].labels
    assert ball.text == '' and ball.reason and book.text == 'left'


def test_a_reset_is_not_interpolated():
    world = World()
    task = world.labelling.give(TASK)
    world.run(0, 300, task)
    world.places['ball'] = (-.3, 0, 0)
    # The simulation leaves a gap of more than 0.1 s; an image falls into it.
    world.labelling.observe(350 * MS, [task])
    done = world.run(450, 700, task)
    in_gap = next(labels for labels in done if labels.stamp == 350 * MS)
    assert texts(in_gap) == ['', ''] and 'a gap of 0.160 s' in in_gap.labels[0].reason
    assert texts(done[-1]) == ['back', 'left']


def test_an_adjective_of_position_is_resolved_once_and_stays():
    world = World()
    world.places |= {'bowl_1': (0, -.1, 0), 'bowl_2': (0, .1, 0)}
    task = world.labelling.give('pick up the left bowl')
    world.run(0, 100, task)
    assert task.frames == {'the left bowl': 'bowl_1'}
    world.places |= {'bowl_1': (0, .4, 0)}  # carried past the other one
    done = world.run(100, 300, task)
    assert {label.frame for labels in done for label in labels.labels} == {'bowl_1'}
    # The same instruction, given again, means the bowl that is left now.
    again = world.labelling.give('pick up the left bowl')
    world.run(300, 400, again)
    assert again.frames == {'the left bowl': 'bowl_2'}


def test_left_is_the_viewers_left():
    world = World(viewer='piper_real')
    # That viewer's right is the robot's front: the bowl nearer to the robot is left.
    world.places |= {'bowl_1': (.4, -.1, 0), 'bowl_2': (.1, .1, 0)}
    task = world.labelling.give('pick up the left bowl')
    world.run(0, 100, task)
    assert task.frames == {'the left bowl': 'bowl_2'}


def test_absence_and_ambiguity_are_said_by_name_and_mended_when_the_world_is():
    world = World()
    world.places |= {'bowl_1': (0, -.1, 0), 'bowl_2': (0, .1, 0)}
    task = world.labelling.give('put the bowl in the plate')
    bowl, plate = world.run(0, 1000, task)[-1].labels
    assert bowl.reason.startswith("'the bowl' can be bowl_1, bowl_2: say which")
    assert plate.reason == ("'the plate' is not there: no transform of plate or plate_1; there is "
                            'now: ball, book, bowl_1, bowl_2')
    world.places['plate'] = (.5, 0, .2)
    del world.places['bowl_2']
    bowl, plate = world.run(1000, 2000, task)[-1].labels
    assert (bowl.frame, plate.frame, plate.text) == ('bowl_1', 'plate', 'front')


def test_an_unknown_name_is_said_without_delaying_the_others():
    world = World()
    done = world.run(0, 100, world.labelling.give('put the ball in the teapot'))
    assert [label.text for label in done[0].labels] == ['front', '']
    assert "the catalogue has no 'teapot'" in done[0].labels[1].reason


def test_a_frame_from_before_a_reset_delays_and_means_nothing():
    world = World()
    world.places['plate'] = (0, 0, 0)
    world.run(0, 100)
    del world.places['plate']
    world.places['plate_1'] = (.3, 0, .2)
    world.run(1000, 1100)
    done = world.run(1100, 1200, task := world.labelling.give('pick up the plate'))
    assert task.frames == {'the plate': 'plate_1'} and texts(done[0]) == ['front']


def test_the_image_before_the_instruction_is_answered_too():
    world = World()
    world.run(0, 100)
    task = world.labelling.give(TASK, [world.labelling.last_observation])
    done = world.run(100, 200, task)
    assert [labels.stamp // MS for labels in done[:2]] == [95, 125]
    assert texts(done[0]) == ['front', 'left']


def test_stamps_that_jump_back_give_up_what_was_waiting_and_go_on():
    world = World()
    task = world.labelling.give(TASK)
    world.run(5000, 5300, task)
    world.labelling.observe(5301 * MS, [task])
    done = world.run(0, 300, task)
    assert [labels.stamp // MS for labels in done[:3]] == [5, 35, 65]
    assert all(texts(labels) == ['front', 'left'] for labels in done)


def test_an_image_seen_twice_is_labelled_once():
    world = World()
    task = world.labelling.give(TASK)
    world.tick(0)
    for _ in range(2):
        world.labelling.observe(5 * MS, [task])
    world.tick(10)
    assert len(world.labelling.take()) == 1


def test_bad_instructions_and_settings_are_refused():
    with pytest.raises(InstructionError):
        World().labelling.give('')
    with pytest.raises(ValueError, match="grasp_source is 'magic', expected one of contacts, gri"):
        LabelSettings(grasp_source='magic')
    with pytest.raises(ValueError, match='max_gap is 20.0 s'):
        LabelSettings(max_gap=20.0)

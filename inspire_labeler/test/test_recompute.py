# SPDX-License-Identifier: Apache-2.0
"""Labels from a bag's bytes: recomputed, compared, made in hindsight, measured, tabled."""

import math
from dataclasses import replace
from itertools import pairwise

import pyarrow.parquet as pq
import pytest

from inspire_labeler import label_table
from inspire_labeler.catalogue import Catalogue
from inspire_labeler.episode_hindsight import hindsight, measure
from inspire_labeler.formulation import Formulation
from inspire_labeler.labelling import LabelSettings
from inspire_labeler.recompute import compare, recompute, survey

serialize_message = pytest.importorskip('rclpy.serialization').serialize_message
msgs = pytest.importorskip('inspire_msgs.msg')

from builtin_interfaces.msg import Time  # noqa: E402
from geometry_msgs.msg import Quaternion, Transform, TransformStamped, Vector3  # noqa: E402
from sensor_msgs.msg import CameraInfo, JointState  # noqa: E402
from std_msgs.msg import Header, String  # noqa: E402

from tf2_msgs.msg import TFMessage  # noqa: E402

MS = 1_000_000
START = 5_000 * MS
TASK = 'put the ball on the book'
CATALOGUE = Catalogue({'ball': ('ball',), 'book': ('book',)})
SETTINGS = LabelSettings()
BOOK = (.1, -.3, .05)


def header(stamp, frame='world'):
    return Header(stamp=Time(sec=stamp // 10**9, nanosec=stamp % 10**9), frame_id=frame)


def transforms(stamp, *edges):
    return serialize_message(TFMessage(transforms=[
        TransformStamped(header=header(stamp, parent), child_frame_id=child, transform=Transform(
            translation=Vector3(x=place[0], y=place[1], z=place[2]), rotation=Quaternion(w=1.)))
        for parent, child, place in edges]))


def between(time, *corners):
    """A point on straight lines through (s, point)."""
    for (t0, p0), (t1, p1) in pairwise(corners):
        if time <= t1:
            share = min(max((time - t0) / (t1 - t0), 0), 1)
            return tuple(a + share * (b - a) for a, b in zip(p0, p1, strict=True))
    return corners[-1][1]


def episode():
    """6 s: the gripper takes the ball at 1.5 s and opens 4 cm above the book's frame at 4 s."""
    up, ball, over = (.2, 0., .3), (.3, .2, .02), (.1, -.3, .09)
    path = [(0, up), (1, ball), (2, ball), (3, up), (4, over), (4.6, over), (5.6, up), (6, up)]
    width = [(0, (.07,)), (1, (.07,)), (1.5, (.03,)), (4, (.03,)), (4.4, (.07,)), (6, (.07,))]
    yield '/tf_static', transforms(0, ('world', 'base_link', (0., 0., 0.)),
                                   ('base_link', 'viewer', (0., 0., 0.)))
    yield '/instruction', serialize_message(String(data=TASK))
    for tick in range(600):
        at, time = START + tick * 10 * MS, tick / 100
        tcp = between(time, *path)
        held = 1.5 <= time < 4.1
        place = ball if time < 1.5 else tcp if held else over
        yield '/tf', transforms(at, ('base_link', 'tcp', tcp))
        yield '/tf', transforms(at, ('world', 'ball', place), ('world', 'book', BOOK))
        yield '/grasp_contacts', serialize_message(msgs.GraspContacts(
            header=header(at), objects=['ball'] if held else []))
        yield '/joint_states', serialize_message(JointState(
            header=header(at), name=['joint1', 'gripper'],
            position=[0., between(time, *width)[0]]))
        if tick % 3 == 0:
            yield '/camera/camera_info', serialize_message(CameraInfo(header=header(at + 3 * MS)))


def as_live(labels):
    return '/spatial_labels', serialize_message(msgs.SpatialReasoning(
        header=header(labels.stamp, 'viewer'), instruction=labels.instruction,
        answers=[msgs.SpatialAnswer(
            question=msgs.SpatialQuestion(
                formulation=label.question.formulation.value, object=label.question.object,
                object_frame=label.frame, text=label.question.text,
                options=list(label.question.options)),
            text=label.text, offset=Vector3(**dict(zip('xyz', label.offset, strict=True))),
            source=1, reason=label.reason) for label in labels.labels]))


@pytest.fixture(scope='module')
def bag():
    return list(episode())


@pytest.fixture(scope='module')
def recomputed(bag):
    return recompute(bag, survey(bag), CATALOGUE, SETTINGS)


@pytest.fixture(scope='module')
def recording(bag, recomputed):
    """The bag with live labels in it, each logged a little after its image."""
    return bag + [as_live(labels) for labels in recomputed.labels]


def test_every_image_is_labelled_in_order(recomputed):
    assert [labels.stamp for labels in recomputed.labels] == [
        START + tick * 10 * MS + 3 * MS for tick in range(0, 600, 3)]
    assert all(label.text for labels in recomputed.labels[:-1] for label in labels.labels)
    words = [labels.labels[0].text for labels in recomputed.labels]
    assert words[0] == 'down' and words.count('grasped') in range(85, 90)


def test_equal_live_labels_are_equal_every_one(recording):
    recorded = survey(recording)
    result = compare(recorded, recompute(recording, recorded, CATALOGUE, SETTINGS))
    assert (result.equal, result.unequal) == (400, []) and result.is_equal


def test_live_labels_may_lie_anywhere_in_the_bag(bag, recomputed):
    recording = [as_live(labels) for labels in recomputed.labels] + bag
    recorded = survey(recording)
    assert compare(recorded, recompute(recording, recorded, CATALOGUE, SETTINGS)).is_equal


def test_one_word_and_one_bit_of_an_offset_are_noticed(bag, recomputed):
    live = [as_live(labels) for labels in recomputed.labels]
    for index, change in ((7, {'text': 'left'}), (11, {'offset': 'next'})):
        first, *others = recomputed.labels[index].labels
        if change == {'offset': 'next'}:
            x, y, z = first.offset
            change = {'offset': (math.nextafter(x, 9), y, z)}
        live[index] = as_live(replace(recomputed.labels[index],
                                      labels=(replace(first, **change), *others)))
    recorded = survey(bag + live)
    result = compare(recorded, recompute(bag + live, recorded, CATALOGUE, SETTINGS))
    assert (result.equal, len(result.unequal)) == (398, 2) and not result.is_equal
    assert str(result.unequal[0]).startswith("5.213 s the ball: live 'left' (ball at ")


def test_what_the_live_node_withheld_is_counted_with_its_reason(bag, recomputed):
    first, *others = recomputed.labels
    withheld = replace(first, labels=tuple(
        replace(label, text='', offset=(math.nan,) * 3, reason=f'no transform at {index}.000 s')
        for index, label in enumerate(first.labels)))
    live = [as_live(labels) for labels in (withheld, *others)]
    recorded = survey(bag + live)
    result = compare(recorded, recompute(bag + live, recorded, CATALOGUE, SETTINGS))
    assert result.is_equal and result.equal == 398
    assert result.withheld_live == {'no transform at ... s': 2}


def test_a_bag_that_lost_transforms_in_its_middle_is_unequal(recording):
    lost = [message for index, message in enumerate(recording)
            if not (message[0] == '/tf' and 1000 < index < 1100)]
    recorded = survey(lost)
    result = compare(recorded, recompute(lost, recorded, CATALOGUE, SETTINGS))
    assert result.unequal and not result.is_equal
    assert any('a gap of' in str(each) or 'no transform' in str(each) for each in result.unequal)


def test_a_bag_that_is_cut_off_lists_what_it_cannot_know(bag, recomputed):
    # Live labels up to the end, transforms up to the half.
    cut = bag[:len(bag) // 2] + [m for m in bag[len(bag) // 2:] if m[0] == '/camera/camera_info']
    recording = cut + [as_live(labels) for labels in recomputed.labels]
    recorded = survey(recording)
    result = compare(recorded, recompute(recording, recorded, CATALOGUE, SETTINGS))
    assert result.unequal == [] and result.equal > 190
    assert result.equal + sum(result.withheld_bag.values()) == 400
    assert all(reason.startswith('outside the bag: no ') for reason in result.withheld_bag)


def test_no_live_labels_are_nothing_equal(bag, recomputed):
    assert not compare(survey(bag), recomputed).is_equal


def test_an_instruction_from_before_the_recording_is_known_from_the_live_labels(recording):
    without = [message for message in recording if message[0] != '/instruction']
    recorded = survey(without)
    assert compare(recorded, recompute(without, recorded, CATALOGUE, SETTINGS)).equal == 400


def test_an_instruction_that_was_logged_late_changes_no_label(recording):
    static, instruction, *others = recording
    late = [static, *others[:40], instruction, *others[40:]]
    recorded = survey(late)
    assert compare(recorded, recompute(late, recorded, CATALOGUE, SETTINGS)).equal == 400


def test_messages_that_are_broken_are_counted_and_left_out(bag):
    broken = bag[:50] + [('/tf', b'\0\1\0\0\xff'), ('/grasp_contacts', b'')] + bag[50:]
    result = recompute(broken, survey(broken), CATALOGUE, SETTINGS)
    assert result.malformed == {'/tf': 1, '/grasp_contacts': 1}
    assert len(result.labels) == 200


def test_the_formulation_of_the_live_labels_is_found(bag):
    settings = LabelSettings(formulation=Formulation.PROXIMITY)
    labels = recompute(bag, survey(bag), CATALOGUE, settings).labels
    assert survey([as_live(labels[0])]).formulation is Formulation.PROXIMITY
    assert survey(bag).formulation is None


def test_hindsight_finds_the_ball_and_is_above_the_book(bag, recomputed):
    without_objects = [(topic, data) for topic, data in bag if b'ball\0' not in data]
    made = hindsight(without_objects, SETTINGS)
    assert {each.object for each in made} == {'the ball', 'the book'} and len(made) == 400
    errors = {each.object: each for each in measure(recomputed.labels, made)}
    ball, book = errors['the ball'], errors['the book']
    assert ball.error < .005 and ball.words_equal == ball.words > 30
    # Laid 4 cm above the book's frame: that is the bias of placing.
    assert book.bias == pytest.approx((0, 0, .04), abs=.001)


def test_hindsight_of_an_arm_guided_by_hand_which_is_told_only_where_it_is(bag):
    """The driver reports the measured width as what was executed: that commands no stop."""
    by_hand = [*bag, *(('/executed_command', data) for topic, data in bag
                       if topic == '/joint_states')]
    assert hindsight(by_hand, SETTINGS) == hindsight(
        [message for message in bag if message[0] != '/executed_command'], SETTINGS)


def test_hindsight_without_instruction_or_gripper_is_refused(bag):
    with pytest.raises(ValueError, match='no message on /instruction'):
        hindsight([message for message in bag if message[0] != '/instruction'], SETTINGS)
    with pytest.raises(ValueError, match="no joint 'gripper' on /joint_states"):
        hindsight([message for message in bag if message[0] != '/joint_states'], SETTINGS)


def test_the_table_has_every_word_and_keeps_the_other_source(tmp_path, bag, recomputed):
    path = tmp_path / 'labels.parquet'
    from_tf = label_table.table(label_table.rows_of_labels(recomputed.labels), 'tf', 'abc')
    later = label_table.table(label_table.rows_of_hindsight(hindsight(bag, SETTINGS)),
                              'hindsight', 'abc')
    assert label_table.write(path, from_tf) == 400
    assert label_table.write(path, later) == 800
    assert label_table.write(path, from_tf) == 800
    rows = pq.read_table(path).to_pylist()
    first = next(row for row in rows if row['source'] == 'tf')
    assert first | {'offset_x': 0} == {
        'stamp': START + 3 * MS, 'instruction': TASK, 'object': 'the ball', 'object_frame': 'ball',
        'direction': 'down', 'direction_3d': 'front right down', 'proximity': 'far',
        'location_3d': '0 1 -2', 'distance': '3', 'grasped': False, 'offset_x': 0,
        'offset_y': pytest.approx(.1994), 'offset_z': pytest.approx(-.27916),
        'source': 'tf', 'reason': '', 'bag_sha256': 'abc', 'rule_version': 1}
    assert sorted(path.parent.iterdir()) == [path]


def test_rows_of_another_bag_are_replaced(tmp_path, recomputed):
    path = tmp_path / 'labels.parquet'
    for source, digest in (('hindsight', 'old'), ('tf', 'new')):
        rows = label_table.rows_of_labels(recomputed.labels)
        label_table.write(path, label_table.table(rows, source, digest))
    assert pq.read_table(path).num_rows == 400


def test_a_file_that_is_no_table_is_replaced(tmp_path, recomputed):
    path = tmp_path / 'labels.parquet'
    path.write_text('no table')
    rows = label_table.rows_of_labels(recomputed.labels)
    assert label_table.write(path, label_table.table(rows, 'tf', 'abc')) == 400

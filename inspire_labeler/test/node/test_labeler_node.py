# SPDX-License-Identifier: Apache-2.0
"""The nodes on a real graph: labels at images, reasons, agreement, live equal to recomputed."""

import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.node
rclpy = pytest.importorskip('rclpy')
msgs = pytest.importorskip('inspire_msgs.msg')

from builtin_interfaces.msg import Time  # noqa: E402
from diagnostic_msgs.msg import DiagnosticArray  # noqa: E402
from geometry_msgs.msg import Quaternion, Transform, TransformStamped, Vector3  # noqa: E402
from rclpy.executors import SingleThreadedExecutor  # noqa: E402
from rclpy.parameter import Parameter  # noqa: E402
from sensor_msgs.msg import CameraInfo, JointState  # noqa: E402
from std_msgs.msg import Header, String  # noqa: E402

from inspire_labeler import recompute  # noqa: E402
from inspire_labeler.agreement_node import AgreementNode  # noqa: E402
from inspire_labeler.catalogue import Catalogue  # noqa: E402
from inspire_labeler.labeler_node import LabelerNode  # noqa: E402
from inspire_labeler.labelling import LabelSettings  # noqa: E402
from piper_driver import qos  # noqa: E402
from tf2_msgs.msg import TFMessage  # noqa: E402

CONFIG = Path(__file__).parents[2] / 'config' / 'objects.yaml'
MS = 1_000_000
START = 1_000_000 * MS
TASK = 'put the ball on the book'


def header(stamp, frame='world'):
    return Header(stamp=Time(sec=stamp // 10**9, nanosec=stamp % 10**9), frame_id=frame)


def transform(stamp, parent, child, place=(0., 0., 0.), turn=(0., 0., 0., 1.)):
    return TransformStamped(
        header=header(stamp, parent), child_frame_id=child,
        transform=Transform(translation=Vector3(**dict(zip('xyz', place, strict=True))),
                            rotation=Quaternion(**dict(zip('xyzw', turn, strict=True)))))


class Graph:
    """A world that publishes what the simulation does, and a recorder that keeps every byte."""

    def __init__(self):
        self.executor = SingleThreadedExecutor()
        self.node = rclpy.create_node('world')
        self.executor.add_node(self.node)
        self.nodes = [self.node]
        make = self.node.create_publisher
        self.tf = make(TFMessage, '/tf', qos.TF)
        self.tf_static = make(TFMessage, '/tf_static', qos.TF_STATIC)
        self.camera = make(CameraInfo, 'camera/camera_info', qos.SENSOR)
        self.contacts = make(msgs.GraspContacts, 'grasp_contacts', qos.SENSOR)
        self.joints = make(JointState, 'joint_states', qos.SENSOR)
        self.instruction = make(String, 'instruction', qos.LATCHED)
        self.reasoning = make(msgs.SpatialReasoning, 'reasoning', qos.SENSOR)
        self.bag, self.labels, self.lines, self.agreements, self.diagnostics = [], [], [], [], []
        self.places = {'ball': (.3, .1, .02), 'book': (.1, -.2, .01)}
        self.touched, self.width, self.tick_at = [], .07, START
        hear = self.node.create_subscription
        deep = rclpy.qos.QoSProfile(depth=1000)
        for kind, topic, profile in (
                (TFMessage, '/tf', deep), (TFMessage, '/tf_static', qos.TF_STATIC_OF_ALL),
                (CameraInfo, '/camera/camera_info', deep), (JointState, '/joint_states', deep),
                (msgs.GraspContacts, '/grasp_contacts', deep),
                (String, '/instruction', qos.LATCHED),
                (msgs.SpatialReasoning, '/spatial_labels', deep)):
            hear(kind, topic, lambda data, topic=topic: self.bag.append((topic, data)), profile,
                 raw=True)
        hear(msgs.SpatialReasoning, 'spatial_labels', self.labels.append, deep)
        hear(String, 'spatial_labels/text', lambda m: self.lines.append(m.data), qos.LATCHED)
        hear(msgs.Agreement, 'agreement', self.agreements.append, qos.LATCHED)
        hear(DiagnosticArray, '/diagnostics', self.diagnostics.append, qos.EVENT)

    def start(self, kind, **parameters):
        node = kind(parameter_overrides=[Parameter(name, value=value)
                                         for name, value in parameters.items()])
        self.executor.add_node(node)
        self.nodes.append(node)
        if kind is LabelerNode:
            topics = [self.tf, self.tf_static, self.camera, self.instruction]
            by_gripper = parameters.get('grasp_source') == 'gripper'
            topics.append(self.joints if by_gripper else self.contacts)
            self.wait(lambda: all(topic.get_subscription_count() >= 2 for topic in topics)
                      and self.node.count_publishers('spatial_labels') == 1)
        return node

    def wait(self, condition, seconds=20.0):
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, 'the condition did not come true in time'
            self.executor.spin_once(timeout_sec=0.05)

    def give(self, instruction):
        before = sum(topic == '/instruction' for topic, _ in self.bag)
        self.instruction.publish(String(data=instruction))
        self.wait(lambda: sum(topic == '/instruction' for topic, _ in self.bag) > before)

    def publish_static(self):
        self.tf_static.publish(TFMessage(transforms=[
            transform(0, 'world', 'base_link'),
            transform(0, 'base_link', 'viewer'),
            transform(0, 'link6', 'tcp', (0., 0., .145))]))

    def tick(self, image):
        """10 ms of the world: robot, objects, contacts, joints; and an image 3 ms later."""
        at = self.tick_at
        swing = .2 * math.sin(at / 3e8)
        self.tf.publish(TFMessage(transforms=[
            transform(at, 'base_link', 'link6', (.2 + swing, swing, .345),
                      (math.cos(swing), math.sin(swing), 0., 0.))]))
        self.tf.publish(TFMessage(transforms=[
            transform(at, 'world', frame, place) for frame, place in self.places.items()]))
        self.contacts.publish(msgs.GraspContacts(header=header(at, 'tcp'), objects=self.touched))
        self.joints.publish(JointState(header=header(at, 'base_link'), name=['gripper'],
                                       position=[self.width]))
        if image:
            self.camera.publish(CameraInfo(header=header(at + 3 * MS, 'camera_optical_frame')))
        self.tick_at += 10 * MS

    def run(self, ticks):
        """As fast as everything is taken in, which is faster than time."""
        for index in range(ticks):
            before = len(self.bag)
            self.tick(image=index % 3 == 0)
            self.wait(lambda wanted=before + 4 + (index % 3 == 0): len(self.bag) >= wanted)
            for _ in range(10):
                self.executor.spin_once(timeout_sec=0.0)

    def label_at(self, stamp):
        return next((each for each in self.labels if each.header.stamp == header(stamp).stamp),
                    None)

    def close(self):
        self.executor.shutdown()
        for node in self.nodes:
            node.destroy_node()


@pytest.fixture
def graph(ros_domain):
    rclpy.init()
    graph = Graph()
    yield graph
    graph.close()
    rclpy.try_shutdown()


def images(begin, end):
    """Stamps of the images of ticks begin to end, where the first tick has one."""
    return [START + tick * 10 * MS + 3 * MS for tick in range(begin, end, 3)]


def test_every_image_is_labelled_once_at_its_own_stamp(graph):
    graph.start(LabelerNode)
    graph.publish_static()
    graph.give(TASK)
    graph.run(90)
    graph.wait(lambda: len(graph.labels) >= 30)
    stamps = [each.header.stamp.sec * 10**9 + each.header.stamp.nanosec for each in graph.labels]
    assert stamps == images(0, 90)
    first = graph.labels[0]
    assert (first.header.frame_id, first.instruction) == ('viewer', TASK)
    ball, book = first.answers
    assert (ball.question.object, ball.question.object_frame) == ('the ball', 'ball')
    assert ball.question.text == 'In which direction is the ball relative to the robot?'
    assert ball.source == msgs.SpatialAnswer.SOURCE_TF and ball.reason == ''
    assert list(ball.question.options) == ['left', 'right', 'up', 'down', 'front', 'back',
                                           'grasped']
    assert len(ball.probabilities) == 0 and book.text in ball.question.options
    assert graph.lines[0].startswith('the ball: ') and ', the book: ' in graph.lines[0]


def test_live_labels_and_labels_from_the_recording_are_identical(graph):
    graph.start(LabelerNode)
    graph.publish_static()
    graph.run(30)
    graph.give(TASK)
    graph.run(60)
    graph.touched = ['ball']
    graph.run(60)
    graph.touched = []
    graph.tick_at += 300 * MS  # a reset: everything is elsewhere, and a new instruction is given
    graph.places = {'ball': (.1, .3, .02), 'bowl_1': (.2, .2, 0.), 'bowl_2': (.2, -.2, 0.),
                    'bowl_3': (.2, 0., 0.)}
    graph.run(30)
    graph.give('stack the left bowl on the middle bowl')
    graph.run(60)
    last = images(0, 240)[-1] + 300 * MS
    graph.wait(lambda: graph.label_at(last) is not None)
    bag = list(graph.bag)
    recorded = recompute.survey(bag)
    again = recompute.recompute(bag, recorded, Catalogue.load(CONFIG), LabelSettings())
    result = recompute.compare(recorded, again)
    assert result.unequal == []
    assert result.equal >= 2 * 60 and result.is_equal
    texts = {answer.text for each in graph.labels for answer in each.answers}
    assert 'grasped' in texts
    # In the gap of the reset, and of the book that is gone, nothing was said by either.
    assert any('a gap of' in answer.reason or 'no transform' in answer.reason
               for each in graph.labels for answer in each.answers)
    frames = {answer.question.object: answer.question.object_frame
              for answer in graph.label_at(last).answers}
    assert frames == {'the left bowl': 'bowl_2', 'the middle bowl': 'bowl_3'}


def test_an_object_that_vanishes_is_withheld_with_its_reason(graph):
    graph.start(LabelerNode)
    graph.publish_static()
    graph.give(TASK)
    graph.run(30)
    del graph.places['book']
    graph.run(90)
    stamp = images(0, 60)[-1]
    graph.wait(lambda: graph.label_at(stamp) is not None)
    ball, book = graph.label_at(stamp).answers
    assert ball.text and ball.reason == ''
    assert book.text == '' and 'no transform world -> book' in book.reason
    assert math.isnan(book.offset.x)
    assert any(line.endswith('the book: withheld') for line in graph.lines)


def test_a_bad_instruction_gives_a_line_and_no_labels_and_the_next_one_works(graph):
    graph.start(LabelerNode)
    graph.publish_static()
    for bad in ('', 'stop', 'x' * 10_000, '把球放在书上'):
        graph.lines.clear()
        graph.give(bad)
        graph.run(9)
        graph.wait(lambda: graph.lines)
        assert graph.lines[-1].startswith('no labels: ')
    assert graph.labels == []
    graph.give('pick up the unicorn')
    graph.run(9)
    graph.wait(lambda: graph.labels)
    assert "the catalogue has no 'unicorn'" in graph.labels[-1].answers[0].reason
    graph.give(TASK)
    graph.run(30)
    graph.wait(lambda: graph.labels[-1].instruction == TASK)
    assert all(answer.text for answer in graph.labels[-1].answers)


def test_a_gripper_that_closes_on_the_ball_grasps_it(graph):
    graph.start(LabelerNode, grasp_source='gripper')
    graph.places['ball'] = (.2, .0, .2)
    graph.publish_static()
    graph.give('pick up the ball')
    graph.run(30)
    for step in range(15):
        graph.width = .07 - .002 * step
        graph.run(3)
    graph.run(60)
    graph.wait(lambda: any(each.answers[0].text == 'grasped' for each in graph.labels))
    words = [each.answers[0].text for each in graph.labels]
    assert words[0] != 'grasped'


def test_agreement_counts_answers_of_the_same_observation(graph):
    graph.start(LabelerNode)
    graph.start(AgreementNode)
    graph.wait(lambda: graph.reasoning.get_subscription_count() == 1
               and graph.node.count_publishers('agreement') == 1)
    graph.publish_static()
    graph.give(TASK)
    graph.run(90)
    graph.wait(lambda: len(graph.labels) >= 30)
    for index, label in enumerate(graph.labels[:10]):
        answers = list(label.answers)
        if index < 4:
            answers[1].text = 'grasped'
        graph.reasoning.publish(msgs.SpatialReasoning(
            header=label.header, instruction=TASK, answers=answers, chunk_id=index + 1))
    graph.wait(lambda: graph.agreements and graph.agreements[-1].compared == 20)
    latest = graph.agreements[-1]
    assert (latest.agreed, latest.unlabelled, latest.instruction) == (16, 0, TASK)
    assert [(each.object, each.compared, each.agreed) for each in latest.objects] == [
        ('the ball', 10, 10), ('the book', 10, 6)]
    assert latest.header.frame_id == 'viewer'
    graph.wait(lambda: any('16 of 20 answers equal the labels (80%)' in status.message
                           for each in graph.diagnostics for status in each.status))


@pytest.mark.parametrize('parameters, complaint', [
    ({'formulation': 'where'}, 'direction_3d'),
    ({'slip_margin': 0.05}, 'slip_margin is 0.05 m'),
    ({'catalogue': '/nowhere.yaml'}, '/nowhere.yaml cannot be read'),
    ({'max_gap': -1.0}, 'max_gap'),
])
def test_bad_parameters_are_refused_at_start_with_what_is_valid(ros_domain, parameters, complaint):
    rclpy.init()
    try:
        with pytest.raises(ValueError, match=complaint):
            LabelerNode(parameter_overrides=[Parameter(name, value=value)
                                             for name, value in parameters.items()])
    finally:
        rclpy.try_shutdown()


@pytest.mark.parametrize('name', ['labeler', 'agreement'])
@pytest.mark.parametrize('ending', [signal.SIGINT, signal.SIGTERM])
def test_the_executable_ends_cleanly_on_a_signal(graph, name, ending):
    process = subprocess.Popen(
        [sys.executable, '-c', f'import sys; from inspire_labeler.{name}_node import main; '
                               f'sys.exit(main())'],
        env=os.environ, stderr=subprocess.PIPE, text=True)
    topic = {'labeler': 'spatial_labels', 'agreement': 'agreement'}[name]
    try:
        graph.wait(lambda: graph.node.count_publishers(topic) == 1)
        process.send_signal(ending)
        _, errors = process.communicate(timeout=10)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, errors
    assert 'Traceback' not in errors

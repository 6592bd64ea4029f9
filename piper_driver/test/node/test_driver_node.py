# SPDX-License-Identifier: Apache-2.0
"""The driver on a real graph: what is commanded, measured, executed, refused and reported."""

import importlib.util
import threading
import time

import numpy as np
import pytest
import rclpy
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import PoseStamped
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from std_srvs.srv import SetBool, Trigger
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from piper_driver import qos
from piper_driver.driver_node import DriverNode
from piper_driver.kinematics import HOME, PARK, frames, tcp
from piper_driver.limits import PIPER
from piper_driver.pose import Pose, apply_delta
from tf2_msgs.msg import TFMessage

pytestmark = pytest.mark.node

DT = 0.005


class Graph:
    """The driver, ticked here at its arm's pace, and a client that commands and listens."""

    def __init__(self, arm, **parameters):
        self.arm = arm
        arm.connect()
        overrides = [rclpy.Parameter(name, value=value) for name, value in parameters.items()]
        self.driver = DriverNode(arm, parameter_overrides=overrides)
        self.client = Node('client')
        self.heard = {}
        for topic, kind, profile in (
                ('joint_states', JointState, qos.STATE),
                ('executed_command', JointState, qos.STATE),
                ('arm_status', DiagnosticStatus, qos.SENSOR), ('/tf', TFMessage, qos.TF),
                ('/diagnostics', DiagnosticArray, qos.EVENT),
                ('robot_description', String, qos.LATCHED)):
            self.heard[topic] = []
            self.client.create_subscription(kind, topic, self.heard[topic].append, profile)
        self.pose = self.client.create_publisher(PoseStamped, 'pose_command', qos.COMMAND)
        self.joints = self.client.create_publisher(JointTrajectory, 'joint_command', qos.COMMAND)
        self.gripper = self.client.create_publisher(JointTrajectory, 'gripper_command',
                                                    qos.COMMAND)
        self.services = {name: self.client.create_client(kind, name) for name, kind in (
            ('enable', SetBool), ('stop', Trigger), ('reset', Trigger), ('park', Trigger))}
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(self.driver)
        self.executor.add_node(self.client)
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self._spin)
        self.thread.start()
        self.until(lambda: self.pose.get_subscription_count() and self.joints.
                   get_subscription_count() and self.gripper.get_subscription_count()
                   and self.heard['joint_states'] and self.heard['robot_description'])

    def _spin(self):
        while not self.ending.is_set():
            self.executor.spin_once(timeout_sec=0.05)

    def tick(self):
        self.arm.advance(DT)
        self.driver.tick(self.arm.time)
        time.sleep(DT / 4)          # the graph has to keep up, four times faster than real time

    def until(self, condition, seconds=10.0, pose=None, every=2):
        """Tick, streaming `pose`, until the condition holds; fail at the deadline."""
        deadline, count = time.monotonic() + seconds, 0
        while not condition():
            assert time.monotonic() < deadline, 'the condition did not come true'
            if pose is not None and count % every == 0:
                self.send_pose(pose)
            self.tick()
            count += 1

    def stamp(self, age=0.0):
        nanoseconds = round((self.arm.time - age) * 1e9)
        return Time(sec=nanoseconds // 10 ** 9, nanosec=nanoseconds % 10 ** 9)

    def send_pose(self, pose, frame='base_link', age=0.0):
        message = PoseStamped()
        message.header.frame_id, message.header.stamp = frame, self.stamp(age)
        place, turn = message.pose.position, message.pose.orientation
        place.x, place.y, place.z = map(float, pose.position)
        turn.x, turn.y, turn.z, turn.w = map(float, pose.quaternion)
        self.pose.publish(message)

    def send_joints(self, publisher, names, *points):
        message = JointTrajectory(joint_names=names, points=[
            JointTrajectoryPoint(positions=point) for point in points])
        message.header.stamp = self.stamp()
        publisher.publish(message)

    def call(self, name, request=None):
        client = self.services[name]
        assert client.wait_for_service(10.0)
        future = client.call_async(request or client.srv_type.Request())
        self.until(future.done)
        return future.result()

    def status(self):
        return {value.key: value.value for value in self.heard['arm_status'][-1].values}

    def refused(self, kind):
        return int(self.status().get(f'refused_{kind}', 0)) if self.heard['arm_status'] else 0

    def close(self):
        self.ending.set()
        self.thread.join()
        self.executor.shutdown()
        self.driver.close()
        self.driver.destroy_node()
        self.client.destroy_node()


@pytest.fixture
def make_graph(ros_domain):
    rclpy.init()
    made = []

    def make(arm, **parameters):
        made.append(Graph(arm, **parameters))
        return made[-1]
    yield make
    for graph in made:
        graph.close()
    rclpy.shutdown()


@pytest.fixture
def graph(make_graph, ideal_arm):
    return make_graph(ideal_arm)


def _near(pose, arm, distance=2e-3):
    return np.linalg.norm(tcp(arm.position).position - pose.position) < distance


def test_a_streamed_pose_is_reached_and_the_way_is_published_as_sent(graph):
    target = apply_delta(tcp(HOME), (0.03, 0.05, -0.05), (0, 0, 0.2))
    graph.until(lambda: _near(target, graph.arm), pose=target)
    executed = graph.heard['executed_command']
    assert list(executed[0].name) == ['joint1', 'joint2', 'joint3', 'joint4', 'joint5',
                                      'joint6', 'gripper']
    assert np.allclose(executed[0].position, [*HOME, 0.05])
    assert np.allclose(tcp(executed[-1].position[:6]).position, target.position, atol=5e-3)
    assert not np.allclose(executed[0].position, executed[-1].position)


def test_states_executed_commands_and_transforms_keep_their_rates(graph):
    for topic in ('joint_states', 'executed_command', '/tf', 'arm_status'):
        graph.heard[topic].clear()
    begin = graph.arm.time
    graph.until(lambda: graph.arm.time > begin + 2.0 - DT / 2)
    expected = {'joint_states': 400, 'executed_command': 400, '/tf': 200, 'arm_status': 20}
    graph.until(lambda: all(len(graph.heard[topic]) >= count - 1
                            for topic, count in expected.items()))
    stamps = [m.header.stamp.sec + m.header.stamp.nanosec * 1e-9
              for m in graph.heard['joint_states']]
    assert np.allclose(np.diff(stamps), DT, atol=1e-9)
    stamps = [m.transforms[0].header.stamp.sec + m.transforms[0].header.stamp.nanosec * 1e-9
              for m in graph.heard['/tf']]
    assert np.allclose(np.diff(stamps), 0.01, atol=1e-9)


def test_transforms_are_those_of_the_measured_joints(graph):
    graph.arm.position, graph.arm.width = (0.3, 1.2, -1.4, 0.2, 0.7, -0.5), 0.04
    graph.arm.jammed = True     # what is measured counts, not the set-point
    graph.heard['/tf'].clear()
    graph.until(lambda: len(graph.heard['/tf']) > 5)
    poses = {'base_link': Pose.identity()}
    for transform in graph.heard['/tf'][-1].transforms:
        place, turn = transform.transform.translation, transform.transform.rotation
        poses[transform.child_frame_id] = poses[transform.header.frame_id] @ Pose(
            (place.x, place.y, place.z), (turn.x, turn.y, turn.z, turn.w))
    expected = frames(graph.arm.position, graph.arm.width)
    assert poses.keys() - {'base_link'} == expected.keys()
    for name, matrix in expected.items():
        assert np.allclose(poses[name].matrix, matrix, atol=1e-9), name


def test_a_command_beyond_the_limits_is_executed_clamped(graph):
    def wide():
        graph.send_joints(graph.gripper, ['gripper'], [0.078])
        graph.send_joints(graph.joints, ['joint5'], [1.30])
        graph.tick()
        last = graph.heard['executed_command'][-1].position
        return last[6] > 0.0699 and last[4] > PIPER.upper[4] - 1e-3
    graph.until(wide)
    for executed in graph.heard['executed_command']:
        assert executed.position[6] <= PIPER.gripper_upper
        assert executed.position[4] <= PIPER.upper[4] + 1e-9


@pytest.mark.parametrize(('kind', 'send'), [
    ('frame', lambda g: g.send_pose(tcp(HOME), frame='world')),
    ('stale', lambda g: g.send_pose(tcp(HOME), age=0.5)),
    ('future', lambda g: g.send_pose(tcp(HOME), age=-0.5)),
    ('out_of_range', lambda g: g.send_pose(apply_delta(tcp(HOME), (0.6, 0, 0), (0, 0, 0)))),
    ('out_of_range', lambda g: g.send_joints(g.joints, ['joint1'], [3.0])),
    ('not_finite', lambda g: g.send_joints(g.joints, ['joint1'], [float('nan')])),
    ('not_finite', lambda g: g.send_joints(g.gripper, ['gripper'], [float('inf')])),
    ('name', lambda g: g.send_joints(g.joints, ['joint9'], [0.0])),
    ('name', lambda g: g.send_joints(g.gripper, ['joint1'], [0.0])),
    ('name', lambda g: g.send_joints(g.joints, ['joint1'], [0.0], [0.1])),
    ('name', lambda g: g.send_joints(g.gripper, [])),
])
def test_bad_commands_are_refused_counted_and_move_nothing(graph, kind, send):
    send(graph)
    graph.until(lambda: graph.refused(kind) == 1)
    assert graph.status()['last_refusal']
    assert graph.status()['commands_accepted'] == '0'
    assert graph.arm.position == HOME


def test_a_pose_of_nan_is_refused(graph):
    class NotAPose:
        position, quaternion = (0.3, float('nan'), 0.2), (0, 0, 0, 1)
    graph.send_pose(NotAPose)
    graph.until(lambda: graph.refused('not_finite') == 1)
    assert 'nan' in graph.status()['last_refusal']


def test_a_stream_that_ends_is_held_and_reported(graph):
    graph.until(lambda: graph.status().get('holding') == '' if graph.heard['arm_status']
                else False, pose=tcp(HOME))
    graph.until(lambda: graph.status()['holding'].startswith('no command for more than'))
    assert graph.heard['arm_status'][-1].level == DiagnosticStatus.WARN
    assert graph.status()['watchdog_trips'] == '1'


def test_stop_latches_until_reset(graph):
    target = apply_delta(tcp(HOME), (0, 0.1, 0), (0, 0, 0))
    count = len(graph.heard['joint_states'])
    graph.until(lambda: len(graph.heard['joint_states']) > count + 40, pose=target)
    assert graph.call('stop').success
    graph.until(lambda: graph.heard['arm_status'][-1].level == DiagnosticStatus.ERROR)
    assert graph.status()['holding'] == 'stopped: by the service stop'
    held = graph.arm.position
    refused = graph.refused('state')
    graph.until(lambda: graph.refused('state') > refused + 20, pose=target)
    assert np.allclose(graph.arm.position, held, atol=0.02)
    assert graph.arm.enabled                    # a held arm drops nothing
    answer = graph.call('park')
    assert not answer.success and 'reset first' in answer.message
    assert graph.call('reset').success
    graph.until(lambda: _near(target, graph.arm), pose=target)


def test_the_stop_may_be_the_arms_own(make_graph, ideal_arm):
    graph = make_graph(ideal_arm, stop='emergency')
    assert graph.call('stop').success
    assert ideal_arm.fault == 'emergency stop'
    answer = graph.call('enable', SetBool.Request(data=True))
    assert not answer.success and 'reset first' in answer.message
    assert graph.call('reset').success
    assert not ideal_arm.enabled
    assert graph.call('enable', SetBool.Request(data=True)).success
    graph.until(lambda: graph.status()['holding'] == 'waiting for a command'
                or graph.status()['enabled'] == 'True')
    assert ideal_arm.enabled and not ideal_arm.fault


def test_disabling_is_said_and_enabling_moves_nothing(graph):
    assert graph.call('enable', SetBool.Request(data=False)).success
    graph.until(lambda: graph.heard['arm_status']
                and graph.status()['holding'] == 'the arm is not enabled')
    answer = graph.call('park')
    assert not answer.success and answer.message == 'the arm is not enabled; enable first'
    graph.arm.position = (0.2, 1.3, -1.1, 0.0, 1.0, 0.0)
    graph.tick()
    assert graph.call('enable', SetBool.Request(data=True)).success
    begin = graph.arm.time
    graph.until(lambda: graph.arm.time > begin + 0.5)
    assert np.allclose(graph.arm.position, (0.2, 1.3, -1.1, 0.0, 1.0, 0.0))


def test_park_goes_to_the_rest_pose(graph):
    assert graph.call('park').success
    graph.until(lambda: graph.heard['arm_status'] and graph.status()['holding'] == 'parked',
                seconds=30)
    assert np.allclose(graph.arm.position, PARK, atol=1e-3)


def test_an_arm_that_does_not_answer_is_an_error_and_gets_no_commands(graph):
    graph.arm.close()
    assert graph.driver.tick(graph.arm.time + DT) is None
    graph.until(lambda: graph.heard['arm_status']
                and graph.heard['arm_status'][-1].level == DiagnosticStatus.ERROR)
    assert 'not connected' in graph.heard['arm_status'][-1].message
    elsewhere = (0.2, 1.3, -1.1, 0.0, 1.0, 0.0)     # it sank meanwhile, and is held there
    graph.arm.position = graph.arm.aim = elsewhere
    graph.arm.connect()
    graph.until(lambda: graph.heard['arm_status'][-1].level == DiagnosticStatus.WARN)
    begin = graph.arm.time
    graph.until(lambda: graph.arm.time > begin + 0.3)
    assert graph.arm.position == elsewhere


def test_an_arm_that_reports_nan_is_an_error_and_gets_no_commands(graph):
    aim, graph.arm.jammed = graph.arm.aim, True
    graph.arm.position = (0.0, 1.0, float('nan'), 0.0, 0.5, 0.0)
    assert graph.driver.tick(graph.arm.time + DT) is None
    assert graph.arm.aim == aim
    graph.until(lambda: graph.heard['arm_status'] and 'nan' in graph.status()['fault'])
    graph.arm.position, graph.arm.jammed = HOME, False
    graph.until(lambda: graph.heard['arm_status'][-1].level == DiagnosticStatus.WARN)
    assert graph.arm.position == HOME


def test_a_reset_right_after_an_emergency_stop_clears_it(make_graph, ideal_arm):
    graph = make_graph(ideal_arm, stop='emergency')
    driver = graph.driver           # called here, so that no tick comes between
    assert driver._stop(Trigger.Request(), Trigger.Response()).success
    assert driver._reset(Trigger.Request(), Trigger.Response()).success
    assert not ideal_arm.fault and not driver.controller.stopped


def test_a_restart_holds_where_the_arm_was_put(graph):
    target = apply_delta(tcp(HOME), (0, 0.1, 0), (0, 0, 0))
    count = len(graph.heard['joint_states'])
    graph.until(lambda: len(graph.heard['joint_states']) > count + 40, pose=target)
    elsewhere = (0.2, 1.3, -1.1, 0.0, 1.0, 0.0)
    graph.arm.position = graph.arm.aim = elsewhere
    graph.driver.restart()
    begin = graph.arm.time
    graph.until(lambda: graph.arm.time > begin + 0.3)
    assert np.allclose(graph.arm.position, elsewhere)


def test_a_stream_from_before_a_restart_moves_nothing_and_a_new_one_is_followed(graph):
    target = apply_delta(tcp(HOME), (0, 0.1, 0), (0, 0, 0))
    count = len(graph.heard['joint_states'])
    graph.until(lambda: len(graph.heard['joint_states']) > count + 40, pose=target)
    elsewhere = (0.2, 1.3, -1.1, 0.0, 1.0, 0.0)
    graph.arm.time += 0.05          # nothing ticks meanwhile
    graph.arm.position = graph.arm.aim = elsewhere
    graph.driver.restart()
    accepted = graph.driver.controller.gate.accepted
    for _ in range(18):             # 90 ms, in which its sender does not know yet
        graph.send_pose(target)
        graph.tick()
    graph.until(lambda: graph.refused('before_restart'))
    assert graph.driver.controller.gate.accepted == accepted
    assert graph.arm.position == elsewhere
    graph.until(lambda: _near(target, graph.arm), pose=target)


def test_diagnostics_and_description_are_published(graph):
    graph.until(lambda: len(graph.heard['/diagnostics']) >= 2)
    status = graph.heard['/diagnostics'][-1].status[0]
    assert (status.name, status.hardware_id) == ('arm', 'piper')
    assert '<robot name="piper">' in graph.heard['robot_description'][0].data


def test_a_bad_parameter_stops_the_start_with_a_reason(ros_domain, ideal_arm):
    rclpy.init()
    try:
        with pytest.raises(ValueError, match=r'watchdog is 5\.0; valid is 0\.02\.\.0\.2'):
            DriverNode(ideal_arm, parameter_overrides=[rclpy.Parameter('watchdog', value=5.0)])
        with pytest.raises(ValueError, match="stop is 'fall'; valid is hold, emergency"):
            DriverNode(ideal_arm, parameter_overrides=[rclpy.Parameter('stop', value='fall')])
    finally:
        rclpy.shutdown()


@pytest.mark.skipif(importlib.util.find_spec('inspire_sim') is None, reason='needs the simulation')
def test_the_simulated_arm_follows_a_stream_that_came_over_the_graph(make_graph):
    from inspire_sim.world import TableWorld
    world = TableWorld(cameras=())
    world.reset('pick_ball', 0)

    class Arm:
        """The world's arm with the clock that the graph above asks for."""

        def __getattr__(self, name):
            return getattr(world.arm, name)

        @property
        def time(self):
            return world.time

        def advance(self, seconds):
            world.tick()

        @property
        def position(self):
            return world.arm.read().position
    graph = make_graph(Arm())
    target = apply_delta(tcp(HOME), (0.0, 0.06, 0.02), (0, 0, 0))
    graph.until(lambda: _near(target, graph.arm, 5e-3), seconds=20, pose=target)
    assert graph.status()['watchdog_trips'] == '0'

# SPDX-License-Identifier: Apache-2.0
"""The policy node on a real graph, with a robot of topics: it moves only when asked, and stops."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import rclpy
from action_msgs.msg import GoalStatus
from diagnostic_msgs.msg import DiagnosticStatus
from fakes import ForwardPolicy
from geometry_msgs.msg import PoseStamped, TransformStamped
from rclpy.action import ActionClient
from rclpy.action.client import ClientGoalHandle
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, Image, JointState
from std_msgs.msg import String
from trajectory_msgs.msg import JointTrajectory
from visualization_msgs.msg import MarkerArray

from inspire_msgs.action import FollowInstruction
from inspire_msgs.msg import ActionChunk, SpatialAnswer, SpatialReasoning
from inspire_policy.overlay import colour_of
from inspire_policy.policy import Decision, PolicyObservation
from inspire_policy.policy_node import PolicyNode
from inspire_policy.ros_messages import image_array
from piper_driver.qos import COMMAND, EVENT, LATCHED, SENSOR
from tf2_ros import TransformBroadcaster

pytestmark = pytest.mark.node
DEADLINE = 15.0  # s
START = (0.3, 0.0, 0.2)
Goal, Result, Feedback = (
    FollowInstruction.Goal,
    FollowInstruction.Result,
    FollowInstruction.Feedback,
)


class RobotOfTopics(Node):
    """Publishes what a robot and its cameras publish; its tcp is where it was last commanded."""

    def __init__(self) -> None:
        super().__init__('robot')
        self.seeing, self.following, self.width, self.place = True, True, 0.07, START
        self.level, self.message = DiagnosticStatus.OK, ''
        self.encoding = 'rgb8'
        self.poses: list[tuple[float, PoseStamped]] = []
        self.widths: list[float] = []
        self.heard: dict[str, list] = {}
        self._images = self.create_publisher(Image, 'camera/image_raw', SENSOR)
        self._infos = self.create_publisher(CameraInfo, 'camera/camera_info', SENSOR)
        self._joints = self.create_publisher(JointState, 'joint_states', SENSOR)
        self._status = self.create_publisher(DiagnosticStatus, 'arm_status', EVENT)
        self._transforms = TransformBroadcaster(self)
        self.instruction = self.create_publisher(String, 'instruction', LATCHED)
        self.create_subscription(PoseStamped, 'pose_command', self._on_pose, COMMAND)
        self.create_subscription(JointTrajectory, 'gripper_command', self._on_width, COMMAND)
        for topic, kind, qos in (
            ('reasoning', SpatialReasoning, EVENT),
            ('reasoning/text', String, EVENT),
            ('reasoning/markers', MarkerArray, EVENT),
            ('reasoning/image', Image, SENSOR),
            ('action_chunk', ActionChunk, EVENT),
            ('instruction', String, LATCHED),
        ):
            heard = self.heard[topic] = []
            self.create_subscription(kind, topic, lambda m, heard=heard: heard.append(m), qos)
        self.follow = ActionClient(self, FollowInstruction, 'follow_instruction')
        self.feedback: list[Feedback] = []
        self.create_timer(0.01, self._publish_state)
        self.create_timer(1 / 30, self._publish_image)
        self.create_timer(0.1, self._publish_status)

    def send(self, instruction: str, timeout: float = 0.0) -> GoalInProgress:
        assert self.follow.wait_for_server(DEADLINE)
        goal = Goal(instruction=instruction)
        goal.timeout.sec, goal.timeout.nanosec = int(timeout), int(timeout % 1 * 1e9)
        sent = ask(self, lambda: self.follow.send_goal_async(goal, self._on_feedback))
        return GoalInProgress(self, sent)

    def _on_feedback(self, message: object) -> None:
        self.feedback.append(message.feedback)

    def _publish_state(self) -> None:
        now = self.get_clock().now().to_msg()
        transform = TransformStamped()
        transform.header.stamp, transform.header.frame_id = now, 'base_link'
        transform.child_frame_id = 'tcp'
        move = transform.transform.translation
        move.x, move.y, move.z = self.place
        transform.transform.rotation.x, transform.transform.rotation.w = 1.0, 0.0
        self._transforms.sendTransform(transform)
        joints = JointState(
            name=['gripper', *(f'joint{index}' for index in range(1, 7))],
            position=[self.width, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6],
            velocity=[0.0] * 7,
        )
        joints.header.stamp = now
        self._joints.publish(joints)

    def _publish_image(self) -> None:
        if self.seeing:
            image = Image(height=64, width=64, step=192, data=bytes(64 * 192))
            image.encoding = self.encoding
            image.header.stamp = self.get_clock().now().to_msg()
            self._images.publish(image)
            # A camera at the tcp, which looks down: x of its picture is x of base_link.
            info = CameraInfo(header=image.header, width=64, height=64)
            info.header.frame_id = 'tcp'
            info.k = [32.0, 0.0, 31.5, 0.0, 32.0, 31.5, 0.0, 0.0, 1.0]
            self._infos.publish(info)

    def _publish_status(self) -> None:
        self._status.publish(DiagnosticStatus(level=self.level, message=self.message))

    def _on_pose(self, message: PoseStamped) -> None:
        self.poses.append((time.monotonic(), message))
        if self.following and self.level == DiagnosticStatus.OK:
            place = message.pose.position
            self.place = place.x, place.y, place.z

    def _on_width(self, message: JointTrajectory) -> None:
        assert list(message.joint_names) == ['gripper']
        self.widths.append(message.points[0].positions[0])


class GoalInProgress:
    """A goal that was sent, and what became of it."""

    def __init__(self, robot: RobotOfTopics, handle: ClientGoalHandle) -> None:
        assert handle.accepted
        self._robot = robot
        self._handle = handle
        self._result = on_executor(robot, handle.get_result_async)

    def cancel(self) -> None:
        ask(self._robot, self._handle.cancel_goal_async)

    def result(self) -> tuple[int, Result]:
        """(GoalStatus, result) at the end."""
        response = wait_for(lambda: self._result.done() and self._result.result())
        return response.status, response.result


def on_executor(node: Node, call: Callable) -> object:
    """Return what `call` returns on the executor's thread: on another one an action client of
    Jazzy may miss an answer that comes before it has noted its question.
    """
    task = node.executor.create_task(call)
    wait_for(task.done)
    return task.result()


def ask(node: Node, call: Callable) -> object:
    """Return the answer to a request."""
    future = on_executor(node, call)
    return wait_for(lambda: future.done() and future.result())


def wait_for(condition: Callable, what: str = '') -> object:
    limit = time.monotonic() + DEADLINE
    while not (value := condition()):
        assert time.monotonic() < limit, f'in {DEADLINE} s never: {what or condition}'
        time.sleep(0.005)
    return value


class Graph:
    """A policy node and a robot, spun in one thread."""

    def __init__(self, policy: ForwardPolicy, parameters: tuple[str, ...]) -> None:
        arguments = ['--ros-args', *(word for each in parameters for word in ('-p', each))]
        rclpy.init(args=arguments)
        self.robot = RobotOfTopics()
        self.node = PolicyNode(policy)
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(self.robot)
        self.executor.add_node(self.node)
        self.thread = threading.Thread(target=self._spin)
        self.closing = False
        self.thread.start()

    def _spin(self) -> None:
        while not self.closing:
            self.executor.spin_once(timeout_sec=0.1)

    def close(self) -> None:
        self.closing = True
        self.thread.join()
        self.executor.shutdown()
        self.node.close()
        self.node.destroy_node()
        self.robot.destroy_node()
        rclpy.shutdown()


@pytest.fixture
def graph(ros_domain: int) -> Iterator[Callable[..., RobotOfTopics]]:
    made: list[Graph] = []

    def make(policy: ForwardPolicy, *parameters: str) -> RobotOfTopics:
        made.append(Graph(policy, parameters))
        return made[-1].robot

    yield make
    for each in made:
        each.close()


def test_a_goal_moves_the_arm_is_reported_and_then_held(graph: Callable) -> None:
    robot = graph(ForwardPolicy(chunks=3, length=0.002))
    robot.follow.wait_for_server(DEADLINE)
    wait_for(lambda: robot.count_publishers('pose_command'))
    assert not robot.poses, 'nothing moves before an instruction'
    status, result = robot.send('put the ball on the book').result()
    assert (status, result.code) == (GoalStatus.STATUS_SUCCEEDED, Result.NONE)
    assert (result.chunks, result.steps) == (3, 24)

    assert standing(robot)
    reached = robot.poses[-1][1]
    assert reached.header.frame_id == 'base_link'
    assert reached.pose.position.x == pytest.approx(0.3 + 3 * 8 * 0.002)
    assert robot.widths[-1] == pytest.approx(0.05)
    first = robot.poses[0][1].pose.position
    assert (first.x, first.y, first.z) == pytest.approx(START, abs=5e-3), 'where it is'
    assert fastest(robot) < 0.041, '2 mm a step, never a leap'

    count = len(robot.poses)
    wait_for(lambda: len(robot.poses) > count + 20, 'the hold is repeated')
    assert robot.poses[-1][1].pose == reached.pose


def test_each_decision_can_be_tied_to_its_observation_and_its_chunk(graph: Callable) -> None:
    robot = graph(policy := ForwardPolicy(chunks=3))
    robot.send('put the ball on the book').result()
    wait_for(lambda: len(robot.heard['reasoning']) == 3 and len(robot.heard['action_chunk']) == 3)
    stamps = [seen.stamp for seen in policy.seen]
    for index in range(3):
        reasoning = robot.heard['reasoning'][index]
        chunk = robot.heard['action_chunk'][index]
        assert reasoning.chunk_id == chunk.chunk_id == index + 1
        assert reasoning.header.stamp == chunk.header.stamp
        stamp = reasoning.header.stamp
        assert stamp.sec + stamp.nanosec * 1e-9 == pytest.approx(stamps[index], abs=1e-6)
        assert (reasoning.header.frame_id, chunk.header.frame_id) == ('viewer', 'base_link')
        assert reasoning.instruction == 'put the ball on the book'
        assert [each.question.object for each in reasoning.answers] == ['the ball', 'the book']
        assert all(each.source == SpatialAnswer.SOURCE_POLICY for each in reasoning.answers)
        assert np.isnan(reasoning.answers[0].offset.x)
        assert len(chunk.steps) == 8
        assert chunk.step_duration.nanosec == 50_000_000
    assert robot.heard['reasoning/text'][0].data == 'the ball: left, the book: left'
    assert list(robot.feedback[-1].answers) == ['left', 'left']
    assert robot.feedback[-1].chunks == 3
    np.testing.assert_array_equal(policy.seen[0].joint_positions, np.arange(1, 7) / 10)
    assert wait_for(lambda: robot.heard['reasoning/image'])[-1].width >= 448


def test_a_ring_is_drawn_where_the_policy_believes_the_object_to_be(graph: Callable) -> None:
    robot = graph(ForwardPolicy(chunks=40, offset=(0.1, 0.0, -0.2)))   # right, in this picture
    robot.send('pick up the ball')
    wait_for(lambda: len(robot.heard['reasoning']) > 1)
    robot.heard['reasoning/image'].clear()
    picture = image_array(wait_for(lambda: robot.heard['reasoning/image'])[-1])
    blue = (np.abs(picture.astype(int) - colour_of('left')).max(axis=2) < 3)
    rows, columns = np.nonzero(blue[:400, 200:])    # the panel is below
    assert np.mean(columns) + 200 == pytest.approx(0.75 * 448, abs=4)
    assert np.mean(rows) == pytest.approx(0.5 * 448, abs=4)


def test_the_goals_instruction_is_published_for_everybody(graph: Callable) -> None:
    robot = graph(ForwardPolicy(chunks=1))
    robot.send('pick up the ball').result()
    wait_for(lambda: [m.data for m in robot.heard['instruction']] == ['pick up the ball'])
    assert len(robot.heard['action_chunk']) == 1, 'its own publication is no second request'


def test_an_instruction_on_the_topic_is_followed_and_an_empty_one_ends_it(
    graph: Callable,
) -> None:
    robot = graph(ForwardPolicy(chunks=99))
    wait_for(lambda: robot.instruction.get_subscription_count() == 2)
    robot.instruction.publish(String(data='pick up the ball'))
    wait_for(lambda: robot.heard['reasoning'])
    robot.instruction.publish(String(data=''))
    wait_for(lambda: standing(robot), 'it stands')


def fastest(robot: RobotOfTopics) -> float:
    """The greatest speed between two set-points [m/s]."""
    stamps = [message.header.stamp for _, message in robot.poses]
    times = [stamp.sec + stamp.nanosec * 1e-9 for stamp in stamps]
    ways = np.diff([message.pose.position.x for _, message in robot.poses])
    return float(np.max(np.abs(ways) / np.diff(times)))


def standing(robot: RobotOfTopics, count: int = 60) -> bool:
    """Whether the last set-points, for longer than a chunk's pause, were all the same."""
    before = len(robot.poses)
    wait_for(lambda: len(robot.poses) >= before + count)
    return all(message.pose == robot.poses[-1][1].pose for _, message in robot.poses[-count:])


def test_cancelling_slows_the_arm_down_and_holds_it(graph: Callable) -> None:
    robot = graph(ForwardPolicy(chunks=99))
    goal = robot.send('pick up the ball')
    wait_for(lambda: len(robot.heard['reasoning']) >= 2)
    goal.cancel()
    status, result = goal.result()
    assert (status, result.code) == (GoalStatus.STATUS_CANCELED, Result.CANCELED)
    wait_for(lambda: standing(robot), 'it stands')


def test_a_newer_goal_takes_over_without_a_leap(graph: Callable) -> None:
    robot = graph(ForwardPolicy(chunks=4))
    first = robot.send('pick up the ball')
    wait_for(lambda: robot.heard['reasoning'])
    second = robot.send('put the ball on the book')
    status, result = first.result()
    assert (status, result.code) == (GoalStatus.STATUS_ABORTED, Result.PREEMPTED)
    status, result = second.result()
    assert (status, result.code) == (GoalStatus.STATUS_SUCCEEDED, Result.NONE)
    assert fastest(robot) < 0.041


@pytest.mark.parametrize('instruction', ['', 'go', '棒' * 1024])
def test_a_bad_instruction_is_refused_by_name_and_nothing_moves(
    graph: Callable, instruction: str
) -> None:
    robot = graph(ForwardPolicy())
    status, result = robot.send(instruction).result()
    assert (status, result.code) == (GoalStatus.STATUS_ABORTED, Result.BAD_INSTRUCTION)
    assert result.message
    assert not robot.poses


def test_a_goal_has_its_own_timeout(graph: Callable) -> None:
    robot = graph(ForwardPolicy(chunks=99))
    begin = time.monotonic()
    status, result = robot.send('pick up the ball', timeout=0.6).result()
    assert (status, result.code) == (GoalStatus.STATUS_ABORTED, Result.TIMEOUT)
    assert time.monotonic() - begin < 3.0


def test_without_images_the_arm_holds_and_the_goal_ends_with_the_reason(graph: Callable) -> None:
    robot = graph(ForwardPolicy(chunks=99), 'stale_patience:=0.5')
    goal = robot.send('pick up the ball')
    wait_for(lambda: robot.heard['reasoning'])
    robot.seeing = False
    status, result = goal.result()
    assert (status, result.code) == (GoalStatus.STATUS_ABORTED, Result.STALE_OBSERVATION)
    assert 'camera/image_raw is' in result.message
    wait_for(lambda: standing(robot), 'it stands')


def test_an_image_that_cannot_be_read_ends_the_goal_and_not_the_node(graph: Callable) -> None:
    robot = graph(ForwardPolicy(chunks=1), 'stale_patience:=0.3')
    robot.send('pick up the ball').result()
    robot.encoding = 'mono8'
    status, result = robot.send('pick up the ball').result()
    assert (status, result.code) == (GoalStatus.STATUS_ABORTED, Result.STALE_OBSERVATION)
    assert "image encoding is 'mono8'; valid: rgb8, bgr8" in result.message
    robot.encoding = 'rgb8'
    robot.heard['reasoning/image'].clear()
    wait_for(lambda: robot.heard['reasoning/image'], 'painted again')


def test_an_arm_that_is_stopped_ends_the_goal(graph: Callable) -> None:
    robot = graph(ForwardPolicy(chunks=99))
    goal = robot.send('pick up the ball')
    wait_for(lambda: robot.heard['reasoning'])
    robot.level, robot.message = DiagnosticStatus.ERROR, 'stopped: by the user'
    status, result = goal.result()
    assert (status, result.code) == (GoalStatus.STATUS_ABORTED, Result.ARM_UNAVAILABLE)
    assert 'stopped: by the user' in result.message


def test_nan_actions_end_the_goal_and_never_reach_the_arm(graph: Callable) -> None:
    class Broken(ForwardPolicy):
        def decide(self, observation: PolicyObservation) -> Decision:
            if self.seen:
                self.action = self.action * np.nan
            return super().decide(observation)

    robot = graph(Broken(chunks=99))
    status, result = robot.send('pick up the ball').result()
    assert (status, result.code) == (GoalStatus.STATUS_ABORTED, Result.UNDECODABLE_ACTION)
    wait_for(lambda: standing(robot), 'it stands')
    assert np.isfinite([message.pose.position.x for _, message in robot.poses]).all()


def test_an_idle_arm_that_is_put_elsewhere_is_held_there(graph: Callable) -> None:
    robot = graph(ForwardPolicy(chunks=1))
    robot.send('pick up the ball').result()
    wait_for(lambda: standing(robot))
    robot.following = False
    robot.place, robot.width = (0.2, 0.2, 0.3), 0.02
    wait_for(lambda: robot.poses[-1][1].pose.position.y == 0.2)
    wait_for(lambda: robot.widths[-1] == 0.02)
    robot.following = True
    robot.send('pick up the ball').result()
    wait_for(lambda: robot.poses[-1][1].pose.position.x == pytest.approx(0.2 + 8 * 0.002))


def test_a_policy_that_breaks_down_ends_the_node_with_an_error(ros_domain: int) -> None:
    class Crashing(ForwardPolicy):
        def decide(self, observation: PolicyObservation) -> Decision:
            raise ZeroDivisionError('a bug')

    rclpy.init()
    robot, node = RobotOfTopics(), PolicyNode(Crashing())
    executor = SingleThreadedExecutor()
    executor.add_node(robot)
    executor.add_node(node)
    unhandled, threading.excepthook = threading.excepthook, lambda _: None
    try:
        subscribed = robot.instruction.get_subscription_count
        wait_for(lambda: executor.spin_once(0.1) or subscribed() == 2)
        robot.instruction.publish(String(data='pick up the ball'))
        with pytest.raises(RuntimeError, match='ZeroDivisionError: a bug'):
            wait_for(lambda: executor.spin_once(0.1))
    finally:
        executor.shutdown()
        node.close()
        node.destroy_node()
        robot.destroy_node()
        rclpy.shutdown()
        threading.excepthook = unhandled


def test_the_readme_lists_every_topic_of_the_node_and_no_other(graph: Callable) -> None:
    robot = graph(ForwardPolicy())
    readme = (Path(__file__).parents[2] / 'README.md').read_text()
    section = readme.split('### Topics')[1].split('###')[0]
    first_column = ' '.join(re.findall(r'^\|([^|]*)\|', section, re.MULTILINE))
    listed = set(re.findall(r'`(\S+)`', first_column))

    def present() -> set[str]:
        topics = robot.get_publisher_names_and_types_by_node('policy', '/')
        topics += robot.get_subscriber_names_and_types_by_node('policy', '/')
        names = {topic for topic, _ in topics if '/_action/' not in topic}
        return names - {'/rosout', '/parameter_events', '/clock'}

    otherwise = {'joint_command', 'grasp_contacts'}  # with command:=joint, with needs_truth
    expected = {'/' + name.removeprefix('/') for name in listed - otherwise}
    wait_for(lambda: present() == expected, f'{expected} are the topics, but {present()}')

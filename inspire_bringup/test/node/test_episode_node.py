# SPDX-License-Identifier: Apache-2.0
"""The conductor on a real graph whose other nodes are played by one."""

import threading
import time

import pytest
import rclpy
from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.executors import MultiThreadedExecutor, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter

from inspire_bringup.episode_node import EpisodeNode
from inspire_bringup.ros_conductor import Conductor, EpisodeError
from inspire_msgs.action import FollowInstruction
from inspire_msgs.msg import (
    Agreement,
    SpatialAnswer,
    SpatialQuestion,
    SpatialReasoning,
    TaskState,
)
from inspire_msgs.srv import ResetWorld, StartEpisode, StopEpisode
from piper_driver.qos import EVENT, SENSOR

pytestmark = pytest.mark.node

WORDS = ('left', 'left', 'down', 'grasped')
STEP = 0.25  # simulated seconds that pass in TICK seconds
TICK = 0.02


class Cast(Node):
    """Plays sim, labeler, agreement, policy and recorder: success comes after the last word."""

    def __init__(self, lacks=(), succeeds=True, code=0, refuses='', silent=False):
        super().__init__('cast')
        self.asked = []  # (what, details)
        self.succeeds, self.code, self.refuses, self.silent = succeeds, code, refuses, silent
        self.time, self.seed, self.success, self.said = 5.0, 0, 0.0, 0
        self.following = False
        group = ReentrantCallbackGroup()
        self.states = self.create_publisher(TaskState, 'task_state', SENSOR)
        self.reasoning = self.create_publisher(SpatialReasoning, 'reasoning', EVENT)
        self.agreement = self.create_publisher(Agreement, 'agreement', EVENT)
        if 'labeler' not in lacks:
            self.create_publisher(SpatialReasoning, 'spatial_labels', SENSOR)
        services = {
            'sim': (ResetWorld, 'reset_world', self.on_reset),
            'recorder': (StartEpisode, 'start_episode', self.on_start),
            'recorder too': (StopEpisode, 'stop_episode', self.on_stop),
        }
        for who, (kind, name, callback) in services.items():
            if who not in lacks:
                self.create_service(kind, name, callback)
        if 'policy' not in lacks:
            self.server = ActionServer(
                self, FollowInstruction, 'follow_instruction', self.on_follow,
                goal_callback=self.on_goal, callback_group=group,
                cancel_callback=lambda goal: CancelResponse.ACCEPT,
            )  # fmt: skip
        self.create_timer(TICK, self.on_tick, callback_group=group)

    def on_reset(self, request, response):
        self.asked.append(('reset', request.task, request.seed))
        self.seed, self.success, self.said = request.seed, 0.0, 0
        response.success = self.refuses != 'reset'
        response.message = "there is no task 'pick_bal'"
        response.task, response.instruction = 'pick_ball', 'pick up the ball'
        return response

    def on_start(self, request, response):
        self.asked.append(('start', request.directory, request.seed))
        response.success = self.refuses != 'start'
        response.message = 'that folder holds an episode'
        return response

    def on_stop(self, request, response):
        self.asked.append(('stop', request.keep, request.outcome))
        response.success, response.message = True, '3 s'
        return response

    def on_goal(self, request):
        self.asked.append(('follow', request.instruction))
        return GoalResponse.REJECT if self.refuses == 'goal' else GoalResponse.ACCEPT

    def on_follow(self, handle):
        self.following = True
        result = FollowInstruction.Result(code=self.code, message='no frame answers to it')
        while not handle.is_cancel_requested and not self.code:
            time.sleep(TICK)
        self.following = False
        self.asked.append(('end', handle.is_cancel_requested))
        if handle.is_cancel_requested:
            handle.canceled()
        else:
            handle.abort()
        return result

    def on_tick(self):
        self.time += STEP
        if self.following and not self.silent:
            self.speak()
        state = TaskState(task='pick_ball', seed=self.seed, detail='the ball is on the table')
        state.success_duration = self.success
        self.stamp(state)
        self.states.publish(state)

    def speak(self):
        word = WORDS[min(self.said, len(WORDS) - 1)]
        self.said += 1
        if self.said >= len(WORDS) and self.succeeds:
            self.success += STEP
        question = SpatialQuestion(object='the ball')
        message = SpatialReasoning(answers=[SpatialAnswer(question=question, text=word)])
        self.stamp(message)
        self.reasoning.publish(message)
        self.agreement.publish(Agreement(compared=self.said, agreed=self.said))

    def stamp(self, message):
        message.header.stamp.sec = int(self.time)
        message.header.stamp.nanosec = int(self.time % 1 * 1e9)


@pytest.fixture
def conducted(ros_domain):
    """Return a function that runs episodes against a cast: (status, what the cast was asked)."""
    rclpy.init()
    nodes, executors, threads = [], [], []

    def conduct(parameters=None, **cast):
        given = {
            'task': 'pick_ball', 'start_timeout': 5.0, 'answer_timeout': 5.0, **(parameters or {}),
        }  # fmt: skip
        played = Cast(**cast)
        others = MultiThreadedExecutor(4)
        others.add_node(played)
        thread = threading.Thread(target=others.spin)
        thread.start()
        overrides = [Parameter(name, value=value) for name, value in given.items()]
        node = EpisodeNode(parameter_overrides=overrides)
        own = SingleThreadedExecutor()
        own.add_node(node)
        nodes.extend((node, played))
        executors.extend((own, others))
        threads.append(thread)
        return Conductor(node, own), played.asked

    yield conduct
    for executor in executors:
        executor.shutdown()
    for thread in threads:
        thread.join()
    for node in nodes:
        node.destroy_node()
    rclpy.try_shutdown()


def test_an_episode_is_set_up_recorded_followed_and_ended(conducted, capsys):
    conductor, asked = conducted({'seed': 3, 'directory': '/runs/x'})
    assert conductor.run() == 0
    assert asked == [
        ('reset', 'pick_ball', 3),
        ('start', '/runs/x', 3),
        ('follow', 'pick up the ball'),
        ('end', True),
        ('stop', True, StopEpisode.Request.OUTCOME_SUCCESS),
    ]
    told = capsys.readouterr().out
    assert '"pick up the ball" (seed 3)' in told
    assert 'the ball: left, down, grasped' in told
    assert 'succeeded after' in told


def test_an_instruction_of_one_s_own_goes_to_the_policy(conducted):
    conductor, asked = conducted({'instruction': 'pick up the dragon'})
    conductor.run()
    assert ('follow', 'pick up the dragon') in asked


def test_several_episodes_count_the_seed_up_in_folders_of_their_own(conducted, capsys):
    conductor, asked = conducted({'episodes': 2, 'seed': 7, 'directory': '/runs/x'})
    assert conductor.run() == 0
    assert [one[1:] for one in asked if one[0] == 'start'] == [
        ('/runs/x/seed_7', 7),
        ('/runs/x/seed_8', 8),
    ]
    assert '2 of 2 episodes succeeded' in capsys.readouterr().out


def test_a_failure_is_status_1_and_is_thrown_away_where_only_successes_are_kept(conducted):
    conductor, asked = conducted({'timeout': 3.0, 'keep': 'successes'}, succeeds=False)
    assert conductor.run() == 1
    assert asked[-1] == ('stop', False, StopEpisode.Request.OUTCOME_FAILURE)


def test_without_recording_the_recorder_is_not_asked(conducted):
    conductor, asked = conducted({'record': False}, lacks=('recorder', 'recorder too'))
    assert conductor.run() == 0
    assert {one[0] for one in asked} == {'reset', 'follow', 'end'}


@pytest.mark.parametrize(
    ('who', 'missing'),
    [
        ('sim', 'the service reset_world of the node sim'),
        ('labeler', 'spatial_labels of the node labeler'),
        ('policy', 'the action follow_instruction of the node policy'),
        ('recorder', 'the service start_episode of the node recorder'),
    ],
)
def test_what_does_not_come_is_named_with_the_node_it_comes_from(conducted, who, missing):
    conductor, _ = conducted({'start_timeout': 1.5}, lacks=(who,))
    with pytest.raises(EpisodeError, match=f'{missing} did not come within'):
        conductor.run()


@pytest.mark.parametrize(
    ('cast', 'message'),
    [
        ({'refuses': 'reset'}, "sim refused .*reset_world: there is no task 'pick_bal'"),
        ({'refuses': 'start'}, 'recorder refused .*start_episode: that folder holds an episode'),
        ({'refuses': 'goal'}, 'policy refused the instruction "pick up the ball"'),
        ({'code': 100, 'silent': True}, 'policy gave up: no frame answers to it'),
        ({'silent': True}, 'reasoning of the node policy did not come within 1.5 s'),
    ],
)
def test_what_is_refused_is_said_with_the_reason(conducted, cast, message):
    conductor, asked = conducted({'answer_timeout': 1.5}, **cast)
    with pytest.raises(EpisodeError, match=message):
        conductor.run()
    if cast.get('refuses') not in ('reset', 'start'):
        assert asked[-1] == ('stop', True, StopEpisode.Request.OUTCOME_FAILURE)

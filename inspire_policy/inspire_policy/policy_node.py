# SPDX-License-Identifier: Apache-2.0
"""The policy node: takes an instruction, lets the policy answer and act, and streams the commands.

Three threads: the executor takes messages in and never thinks; `follow` observes, decides and
reports; `stream` sends set-points at 100 Hz whatever the others do.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import numpy as np
from geometry_msgs.msg import PoseStamped
from rclpy._rclpy_pybind11 import RCLError
from rclpy.action.server import ServerGoalHandle
from rclpy.duration import Duration
from rclpy.event_handler import PublisherEventCallbacks
from rclpy.node import Node
from sensor_msgs.msg import Image
from std_msgs.msg import String
from trajectory_msgs.msg import JointTrajectory
from visualization_msgs.msg import MarkerArray

from inspire_labeler.catalogue import Catalogue
from inspire_labeler.formulation import Formulation
from inspire_labeler.instruction import warm_up
from inspire_labeler.viewer import viewer
from inspire_msgs.action import FollowInstruction
from inspire_msgs.msg import ActionChunk, SpatialReasoning
from inspire_policy import families
from inspire_policy.catalogue_file import default_catalogue
from inspire_policy.following import Code, Follower, Outcome, Progress, Settings
from inspire_policy.overlay import Line, draw
from inspire_policy.policy import Answer, Policy
from inspire_policy.policy_parameters import PolicyParameters
from inspire_policy.ros_clock import RosClock
from inspire_policy.ros_goals import GoalServer
from inspire_policy.ros_messages import (
    BASE,
    chunk_message,
    fill_pose,
    image_array,
    image_message,
    joint_trajectory,
    marker_array,
    reasoning_message,
    text_of,
)
from inspire_policy.ros_scene import RosScene
from inspire_policy.stream import Stream
from inspire_policy.trajectory import SetPoint
from piper_driver.limits import GRIPPER_NAME
from piper_driver.parameters import declare
from piper_driver.qos import COMMAND, EVENT, LATCHED, SENSOR
from piper_driver.spinning import run

CAMERA = 'camera'  # its image's stamp is the observation's
ECHO_LIFE = 5.0  # s in which our own `instruction` comes back to us
# s in which the same instruction on the topic is a repetition: ros2 topic pub sends one a second
REPEATED = 3.0
MOVED = 0.05  # m; an idle arm this far from its set-point is being moved by something else
IDLE_PERIOD = 0.03  # s between looks at an idle arm
WELCOME = (Code.NONE, Code.CANCELED, Code.PREEMPTED, Code.SHUTDOWN)  # ends that somebody asked for
SETTLING = 0.5  # s that an arm may take to come to its set-point
# With the default of 5 ms a busy Python thread delays the stream by that much; measured in
# test/node.
SWITCH_INTERVAL = 0.0005
PRIORITY = -10  # niceness; lower is sooner


@dataclass
class Request:
    """An instruction to follow, by action goal or from the topic (goal None)."""

    instruction: str
    timeout: float
    goal: ServerGoalHandle | None
    dropped: bool = False


class PolicyNode(Node):
    """See inspire_policy/README.md for topics and parameters."""

    def __init__(self, policy: Policy | None = None) -> None:
        """`policy` in place of the family named by the parameters, for tests."""
        super().__init__('policy')
        self.parameters = p = declare(self, PolicyParameters)
        sys.setswitchinterval(SWITCH_INTERVAL)
        self._policy = families.create(p.family, viewer=p.viewer) if policy is None else policy
        self._rotation = viewer(p.viewer).rotation_base_to_viewer
        self._pace = RosClock(self.get_clock())
        self._closing = threading.Event()
        self._requests = threading.Condition()
        self._pending: Request | None = None
        self._current: Request | None = None
        self._latest: Progress | None = None
        self._echoes: deque[tuple[str, float]] = deque(maxlen=8)
        self._heard: tuple[str, float] = ('', -REPEATED)
        self._create_publishers()
        self._stream = Stream(self._pace, 1.0 / p.rate, self._send, self._stream_failed)
        self._scene = RosScene(
            self,
            self._pace,
            dict.fromkeys((CAMERA, *self._policy.cameras)),
            object_frames() if self._policy.needs_truth else (),
            p.stale_after,
            p.arm_silence,
        )
        self._follower = self._create_follower()
        self._goals = GoalServer(self, self._on_goal)
        self.create_subscription(String, 'instruction', self._on_instruction, EVENT)
        self._threads = [threading.Thread(target=self._follow, name='follow')]
        if p.image_rate > 0.0:
            self._threads.append(threading.Thread(target=self._paint, name='paint'))
        warm_up()  # the tagger's data takes seconds to load: not while somebody waits
        self._stream.start()
        for thread in self._threads:
            thread.start()
        self.get_logger().info(f'the policy "{p.family}" is ready')

    def close(self) -> None:
        """End following, then the stream: the arm holds where it was last told to be."""
        self._closing.set()
        with self._requests:
            self._requests.notify_all()
        for thread in self._threads:
            thread.join()
        self._stream.close()
        self._pace.close()
        self._goals.destroy()

    def _create_follower(self) -> Follower:
        p = self.parameters
        settings = Settings(
            Formulation(p.formulation),
            p.decide_ahead,
            p.stop_within,
            p.stale_patience,
            p.following_error,
            p.timeout,
        )
        return Follower(
            self._policy,
            self._scene,
            self._stream,
            self._pace,
            settings,
            self._report,
            self.get_logger().warning,
            time.perf_counter,
        )

    # Messages out

    def _create_publishers(self) -> None:
        quiet = PublisherEventCallbacks(use_default_callbacks=False)  # see NO_EVENTS in ros_scene
        publish = partial(self.create_publisher, event_callbacks=quiet)
        self._instruction = publish(String, 'instruction', LATCHED)
        self._reasoning = publish(SpatialReasoning, 'reasoning', EVENT)
        self._text = publish(String, 'reasoning/text', EVENT)
        self._markers = publish(MarkerArray, 'reasoning/markers', EVENT)
        self._image = publish(Image, 'reasoning/image', SENSOR)
        self._chunk = publish(ActionChunk, 'action_chunk', EVENT)
        self._pose_command = publish(PoseStamped, 'pose_command', COMMAND)
        self._gripper_command = publish(JointTrajectory, 'gripper_command', COMMAND)
        self._pose = PoseStamped()
        self._pose.header.frame_id = BASE
        self._width = joint_trajectory((GRIPPER_NAME,))

    def _send(self, point: SetPoint) -> None:
        """Publish one set-point. Called by the stream alone, which is the one place commands leave
        by.
        """
        stamp = self.get_clock().now().to_msg()
        self._pose.header.stamp = self._width.header.stamp = stamp
        fill_pose(self._pose, point.pose)
        self._width.points[0].positions = [point.width]
        try:
            self._pose_command.publish(self._pose)
            self._gripper_command.publish(self._width)
        except RCLError:
            if self.context.ok():
                raise

    def _stream_failed(self, error: Exception) -> None:
        self._die(f'the command stream failed: {error}')

    def _die(self, message: str) -> None:
        """End the process: silence makes the arm hold, and whoever started the node sees it end.
        """
        self.get_logger().fatal(message)

        def fail() -> None:
            raise RuntimeError(message)

        if not self._closing.is_set():
            self.executor.create_task(fail)  # raised where the executor spins

    def _report(self, progress: Progress) -> None:
        """Publish a decision: on the thread that follows."""
        self._latest = progress
        stamp, answers = self._scene.stamp, progress.decision.answers
        self._reasoning.publish(reasoning_message(progress, stamp))
        self._text.publish(String(data=text_of(answers)))
        self._markers.publish(marker_array(progress, stamp, self._rotation))
        if progress.chunk_id:
            self._chunk.publish(chunk_message(progress, stamp))
        if self._current is not None and self._current.goal is not None:
            feedback = FollowInstruction.Feedback(
                objects=[answer.question.object for answer in answers],
                answers=[answer.text for answer in answers],
                chunks=progress.chunks,
                elapsed=progress.elapsed,
            )
            self._current.goal.publish_feedback(feedback)

    # Instructions in, on the executor's thread

    def _on_goal(self, goal: ServerGoalHandle) -> None:
        wanted = goal.request
        if wanted.instruction:
            self._echoes.append((wanted.instruction, time.monotonic()))
            self._instruction.publish(String(data=wanted.instruction))
        timeout = Duration.from_msg(wanted.timeout).nanoseconds * 1e-9
        self._take(Request(wanted.instruction, timeout, goal))

    def _on_instruction(self, message: String) -> None:
        text, now = message.data, time.monotonic()
        for echo in self._echoes:
            if echo[0] == text and now - echo[1] < ECHO_LIFE:
                self._echoes.remove(echo)
                return
        repeated = text == self._heard[0] and now - self._heard[1] < REPEATED
        self._heard = text, now
        if repeated:
            return
        if text.strip():
            self._take(Request(text, 0.0, None))
        elif self._current is not None:
            self._current.dropped = True

    def _take(self, request: Request) -> None:
        """Hand a request to the thread that follows; it takes over from those before."""
        with self._requests:
            skipped, self._pending = self._pending, request
            self._requests.notify_all()
        if skipped is not None:
            self._finish(skipped, Outcome(Code.PREEMPTED, 'a newer instruction took over', 0, 0))

    # The thread that follows

    def _follow(self) -> None:
        while not self._closing.is_set():
            with self._requests:
                if self._pending is None:
                    self._requests.wait(IDLE_PERIOD)
                self._current, self._pending = self._pending, None
            try:
                if self._current is None:
                    self._yield_to_others()
                else:
                    self._finish(self._current, self._follow_one(self._current))
            except RCLError:
                if self.context.ok():
                    raise
                return
            except Exception as error:
                self._die(f'following failed: {type(error).__name__}: {error}')
                raise

    def _follow_one(self, request: Request) -> Outcome:
        self.get_logger().info(f'following "{shown(request.instruction)}"')
        return self._follower.follow(request.instruction, request.timeout, self._interruption)

    def _interruption(self) -> Code:
        request = self._current
        if self._closing.is_set() or not self.context.ok():
            return Code.SHUTDOWN
        if self._pending is not None:
            return Code.PREEMPTED
        if request is not None and (
            request.dropped or (request.goal is not None and request.goal.is_cancel_requested)
        ):
            return Code.CANCELED
        return Code.NONE

    def _finish(self, request: Request, outcome: Outcome) -> None:
        """Say how it ended, in the log and to whoever sent the goal."""
        log = self.get_logger()
        say = log.info if outcome.code in WELCOME else log.error
        say(f'"{shown(request.instruction)}": {outcome.code.name}: {outcome.message}')
        if request.goal is not None and outcome.code is not Code.SHUTDOWN:
            self._goals.finish(request.goal, outcome)  # at shutdown nobody could send the result

    def _yield_to_others(self) -> None:
        """Stop repeating the hold set-point when something else moves the arm: a reset, a park, a
        hand.
        """
        trajectory = self._stream.trajectory
        if trajectory is None or self._pace.now() < trajectory.end_time + SETTLING:
            return
        tcp = self._scene.present_tcp()
        if tcp is None:
            return
        moved = float(np.linalg.norm(tcp.position - trajectory.end.pose.position))
        if moved > MOVED:
            self._stream.release()
            self.get_logger().info(
                f'the idle arm is {moved:.2f} m from its set-point: '
                'something else moves it, and no commands are sent until the next instruction'
            )

    # The thread that draws

    def _paint(self) -> None:
        period, due, drawn = 1.0 / self.parameters.image_rate, self._pace.now(), None
        while not self._closing.is_set():
            if not self._pace.wait_until(due):
                continue
            due = self._pace.now() + period
            image = self._scene.latest_image()
            if image is None or image is drawn or not self._image.get_subscription_count():
                continue
            drawn = image
            try:
                self._image.publish(self._picture(image))
            except RCLError:
                if self.context.ok():
                    raise

    def _picture(self, image: Image) -> Image:
        """Return the camera's image with the latest answers on it."""
        latest = self._latest
        if latest is None:
            return image
        pixels = draw(
            image_array(image),
            [line_of(answer) for answer in latest.decision.answers],
            title=latest.observation.instruction,
        )
        return image_message(pixels, image.header)


def object_frames() -> tuple[str, ...]:
    """Return every frame that an object may have, from the labeler's catalogue."""
    return tuple(sorted(Catalogue.load(default_catalogue()).frames))


def line_of(answer: Answer) -> Line:
    """Return an answer as it is drawn."""
    options, probabilities = answer.question.options, answer.probabilities
    known = answer.text in options and len(probabilities) == len(options)
    probability = probabilities[options.index(answer.text)] if known else None
    return Line(answer.question.object, answer.text, probability)


def shown(text: str) -> str:
    """Return `text` short enough for a log."""
    return text if len(text) <= 80 else f'{text[:77]}...'


def hurry() -> None:
    """Ask to be scheduled before others, where that is allowed: the arm waits for this process.

    On a machine with more work than cores a stream at the common priority has gaps of 90 ms.
    """
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, PRIORITY)


def main() -> int:
    hurry()  # first, so that the threads of the middleware inherit it
    return run(PolicyNode)


if __name__ == '__main__':
    sys.exit(main())

# SPDX-License-Identifier: Apache-2.0
"""The policy node: takes an instruction, lets the policy answer and act, and streams the commands.

Its threads: the executor takes instructions in and never thinks; `clock` waits for the ticks of
simulated time; `follow` observes, decides and reports; `stream` sends set-points at 100 Hz
whatever the others do; `paint` draws.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rclpy._rclpy_pybind11 import RCLError
from rclpy.action.server import ServerGoalHandle
from rclpy.duration import Duration
from rclpy.node import Node
from std_msgs.msg import String

from inspire_labeler.catalogue import Catalogue
from inspire_labeler.formulation import Formulation
from inspire_labeler.instruction import warm_up
from inspire_labeler.viewer import viewer
from inspire_msgs.action import FollowInstruction
from inspire_policy import families
from inspire_policy.catalogue_file import default_catalogue
from inspire_policy.following import Code, Follower, Outcome, Progress, Settings
from inspire_policy.policy import Policy
from inspire_policy.policy_parameters import PolicyParameters
from inspire_policy.ros_clock import RosClock
from inspire_policy.ros_commands import JointCommands, PoseCommands
from inspire_policy.ros_goals import GoalServer
from inspire_policy.ros_reports import Painter, Reports
from inspire_policy.ros_scene import RosScene
from inspire_policy.stream import Stream
from piper_driver.parameters import declare
from piper_driver.qos import EVENT, LATCHED
from piper_driver.spinning import run

CAMERA = 'camera'  # its image's stamp is the observation's
ECHO_LIFE = 5.0  # s in which our own `instruction` comes back to us
# s in which the same instruction on the topic is a repetition: ros2 topic pub sends one a second
REPEATED = 3.0
MOVED = 0.05  # m; an idle arm this far from its set-point was moved by something else
SETTLING = 0.5  # s that an arm may take to come to its set-point
IDLE_PERIOD = 0.03  # s between looks at an idle arm
WELCOME = (Code.NONE, Code.CANCELED, Code.PREEMPTED, Code.SHUTDOWN)  # ends that somebody asked for
# With the default of 5 ms a busy Python thread delays the stream by that much each time.
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
        if policy is None:
            policy = families.create(p.family, viewer=p.viewer, **p.options)
        self._policy = policy
        self._closing = threading.Event()
        self._requests = threading.Condition()
        self._pending: Request | None = None
        self._current: Request | None = None
        self._echoes: deque[tuple[str, float]] = deque(maxlen=8)
        self._heard: tuple[str, float] = ('', -REPEATED)
        self._create_parts()
        self._goals = GoalServer(self, self._on_goal)
        self._instruction = self.create_publisher(String, 'instruction', LATCHED)
        self.create_subscription(String, 'instruction', self._on_instruction, EVENT)
        warm_up()  # the tagger's data takes seconds to load: not while somebody waits
        sys.setswitchinterval(SWITCH_INTERVAL)
        self._thread = threading.Thread(target=self._follow, name='follow')
        for part in (self._stream, self._painter, self._thread):
            part.start()
        self.get_logger().info(f'the policy "{p.family}" is ready')

    def close(self) -> None:
        """End following, then the stream: the arm holds where it was last told to be."""
        self._closing.set()
        with self._requests:
            self._requests.notify_all()
        self._thread.join()
        self._painter.close()
        self._stream.close()
        self._pace.close()
        self._goals.destroy()

    def _create_parts(self) -> None:
        p = self.parameters
        self._pace = RosClock(self)
        self._scene = RosScene(
            self,
            self._pace,
            dict.fromkeys((CAMERA, *self._policy.cameras)),
            object_frames() if self._policy.needs_truth else (),
            p.stale_after,
            p.arm_silence,
        )
        joint = p.command == 'joint'
        commands = (
            JointCommands(self, self._scene.joint_positions) if joint else PoseCommands(self)
        )
        self._stream = Stream(self._pace, 1.0 / p.rate, commands.send, self._stream_failed)
        self._reports = Reports(
            self, viewer(p.viewer).rotation_base_to_viewer, self._scene.spot
        )
        self._painter = Painter(
            self,
            self._pace,
            p.image_rate,
            self._scene.latest_image,
            lambda: self._reports.latest,
        )
        settings = Settings(
            Formulation(p.formulation),
            p.decide_ahead,
            p.stop_within,
            p.stale_patience,
            p.following_error,
            p.following_patience,
            p.timeout,
        )
        self._follower = Follower(
            self._policy,
            self._scene,
            self._stream,
            self._pace,
            settings,
            self._report,
            self.get_logger().warning,
            time.perf_counter,
        )

    def _stream_failed(self, error: Exception) -> None:
        self._die(f'the command stream failed: {error}')

    def _die(self, message: str) -> None:
        """End the process: silence makes the arm hold, and who started the node sees it end."""
        self.get_logger().fatal(message)

        def fail() -> None:
            raise RuntimeError(message)

        if not self._closing.is_set():
            self.executor.create_task(fail)  # raised where the executor spins

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

    def _report(self, progress: Progress) -> None:
        """Publish a decision, also as the goal's feedback."""
        self._reports.publish(progress, self._scene.stamp)
        if self._current is not None and self._current.goal is not None:
            answers = progress.decision.answers
            feedback = FollowInstruction.Feedback(
                objects=[answer.question.object for answer in answers],
                answers=[answer.text for answer in answers],
                chunks=progress.chunks,
                elapsed=progress.elapsed,
            )
            self._current.goal.publish_feedback(feedback)

    def _finish(self, request: Request, outcome: Outcome) -> None:
        """Say how it ended, in the log and to whoever sent the goal."""
        said = f'"{shown(request.instruction)}": {outcome.code.name}: {outcome.message}'
        if outcome.code in WELCOME:  # two calls: rclpy refuses another severity from one place
            self.get_logger().info(said)
        else:
            self.get_logger().error(said)
        if request.goal is not None and outcome.code is not Code.SHUTDOWN:
            self._goals.finish(request.goal, outcome)  # at shutdown nobody could send the result

    def _yield_to_others(self) -> None:
        """Hold an idle arm where it is once something else has moved it: a reset, a park, a hand.

        The old set-point would drive it back, and silence would look like a dead policy.
        """
        trajectory = self._stream.trajectory
        if trajectory is None or self._pace.now() < trajectory.end_time + SETTLING:
            return
        measured = self._scene.measured()
        if measured is None:
            return
        tcp, width = measured
        moved = float(np.linalg.norm(tcp.position - trajectory.end.pose.position))
        if moved > MOVED:
            self._stream.hold(tcp, width)
            self.get_logger().info(
                f'something else moved the idle arm by {moved:.2f} m: it is held where it is now',
                throttle_duration_sec=5.0,
            )


def object_frames() -> tuple[str, ...]:
    """Return every frame that an object may have, from the labeler's catalogue."""
    return tuple(sorted(Catalogue.load(default_catalogue()).frames))


def shown(text: str) -> str:
    """Return `text` short enough for a log."""
    return text if len(text) <= 80 else f'{text[:77]}...'


def hurry() -> None:
    """Ask to be scheduled before others, where that is allowed: the arm waits for this process.

    On a machine with more work than cores a stream at the common priority has gaps of 90 ms. Linux
    may weigh sessions against each other (autogroup) and niceness within one only, and the
    runner gives each stage a session: then it is the session that has to be put first.
    """
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, PRIORITY)
        if os.getsid(0) == os.getpid():
            Path('/proc/self/autogroup').write_text(str(PRIORITY))


def main() -> int:
    hurry()  # first, so that the threads of the middleware inherit it
    return run(PolicyNode)


if __name__ == '__main__':
    sys.exit(main())

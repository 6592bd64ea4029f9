# SPDX-License-Identifier: Apache-2.0
"""How an episode is conducted: what is asked of which node, in which order, and waited for.

Every wait has a deadline, and an error that says what did not come and from which node. It spins
only while it waits (never with spin_until_future_complete, which leaks in Jazzy).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rclpy
from rclpy._rclpy_pybind11 import RCLError
from rclpy.action.client import ClientGoalHandle
from rclpy.client import Client
from rclpy.duration import Duration
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.task import Future
from rclpy.time import Time

from inspire_bringup.ending import Ending, Outcome, View, judge
from inspire_bringup.narration import Narration, Tally, counted, progress
from inspire_msgs.action import FollowInstruction
from inspire_msgs.srv import ResetWorld, StartEpisode, StopEpisode

if TYPE_CHECKING:
    from inspire_bringup.episode_node import EpisodeNode

GRACE = 5.0  # s that the policy gets on top of our timeout, so that ours is the one that counts


class EpisodeError(RuntimeError):
    """An episode cannot be run: something did not come, or was refused."""


class Interrupted(Exception):
    """The node was told to end."""


class Conductor:
    """Runs the episodes of one node's parameters, one after the other."""

    def __init__(self, node: EpisodeNode, executor: SingleThreadedExecutor) -> None:
        self.node = node
        self.executor = executor
        self.parameters = node.parameters
        self.tally_before = Tally()

    # -- waiting ------------------------------------------------------------------------------

    def wait(self, condition: Callable[[], object], seconds: float, what: str) -> None:
        """Spin until the condition holds.

        Raises:
            EpisodeError: it did not within `seconds`; names `what`.
            Interrupted: the node was told to end.

        """
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise EpisodeError(f'{what} did not come within {seconds:g} s')
            self.spin(0.1)

    def spin(self, seconds: float) -> None:
        try:
            self.executor.spin_once(timeout_sec=seconds)
        except ExternalShutdownException:
            raise Interrupted from None
        except RCLError:
            if rclpy.ok():  # else Jazzy's way of saying that the context went away in mid-spin
                raise
        if not rclpy.ok():
            raise Interrupted

    def call(self, client: Client, request: object, whose: str) -> Any:
        """Return the service's answer, which says success."""
        future = client.call_async(request)
        name = client.srv_name
        self.wait(future.done, self.parameters.answer_timeout, f'the answer of {whose} to {name}')
        answer = future.result()
        if not answer.success:
            raise EpisodeError(f'{whose} refused {name}: {answer.message}')
        return answer

    # -- episodes -----------------------------------------------------------------------------

    def wait_for_everyone(self) -> None:
        """Wait for the nodes that an episode needs."""
        node, parameters = self.node, self.parameters
        needed: list[tuple[Callable[[], object], str]] = [
            (node.follow.server_is_ready, 'the action follow_instruction of the node policy'),
        ]
        if parameters.task:
            needed += [
                (node.reset.service_is_ready, 'the service reset_world of the node sim'),
                (lambda: node.task_state, 'task_state of the node sim'),
                (
                    lambda: node.count_publishers('spatial_labels'),
                    'spatial_labels of the node labeler',
                ),
                (lambda: node.count_publishers('agreement'), 'agreement of the node agreement'),
            ]
        if parameters.record:
            needed.append(
                (node.start.service_is_ready, 'the service start_episode of the node recorder')
            )
        begin = time.monotonic()
        for condition, what in needed:
            left = parameters.start_timeout - (time.monotonic() - begin)
            self.wait(condition, max(left, 0.1), what)

    def run(self) -> int:
        """Run all episodes; return 0 when each succeeded, 1 when some did not."""
        self.wait_for_everyone()
        succeeded = 0
        for index in range(self.parameters.episodes):
            ending = self.episode(self.parameters.seed + index)
            if ending.error and self.parameters.episodes == 1:
                raise EpisodeError(ending.note)
            succeeded += ending.outcome != Outcome.FAILURE
        if self.parameters.episodes > 1:
            say(f'{succeeded} of {self.parameters.episodes} episodes succeeded')
        return 0 if succeeded == self.parameters.episodes else 1

    def episode(self, seed: int) -> Ending:
        """Run one episode.

        Raises:
            EpisodeError: a node did not answer; whatever was recorded is closed before.

        """
        instruction = self.set_up(seed)
        say(f'"{instruction}"' + (f' (seed {seed})' if self.parameters.task else ''))
        self.record(instruction, seed)
        narration = Narration()
        try:
            ending = self.act(instruction, narration)
        except EpisodeError as error:
            self.stop_recording(Ending(Outcome.FAILURE, str(error), error=True))
            raise
        for line in narration.summary():
            say(line)
        self.stop_recording(ending)
        if not ending.error or self.parameters.episodes > 1:
            say(f'{ending.note}; {self.figures(narration)}')
        return ending

    def figures(self, narration: Narration) -> str:
        tally = self.tally()
        text = counted(narration.decisions, 'decision')
        return f'{text}, {tally}' if tally.compared else text

    def tally(self) -> Tally:
        """Return answers against the truth in this episode."""
        return self.node.tally.since(self.tally_before)

    def set_up(self, seed: int) -> str:
        """Reset the world where it is simulated; return what the robot is to be told."""
        parameters = self.parameters
        if not parameters.task:
            return parameters.instruction
        answer = self.call(
            self.node.reset, ResetWorld.Request(task=parameters.task, seed=seed), 'sim'
        )
        self.node.task_state = None

        def is_reset() -> bool:
            state = self.node.task_state
            return state is not None and (state.task, state.seed) == (answer.task, seed)

        self.wait(is_reset, parameters.answer_timeout, 'task_state of the node sim after a reset')
        return parameters.instruction or str(answer.instruction)

    def record(self, instruction: str, seed: int) -> None:
        if not self.parameters.record:
            return
        state = self.node.task_state
        directory = self.parameters.directory
        if directory and self.parameters.episodes > 1:
            directory = str(Path(directory) / f'seed_{seed}')
        request = StartEpisode.Request(
            instruction=instruction,
            task=state.task if state else '',
            seed=seed if state else 0,
            directory=directory,
        )
        self.call(self.node.start, request, 'recorder')

    def stop_recording(self, ending: Ending) -> None:
        if not self.parameters.record:
            return
        succeeded = ending.outcome == Outcome.SUCCESS
        request = StopEpisode.Request(
            keep=succeeded or self.parameters.keep == 'all',
            outcome=ending.outcome,
            note=ending.note[:1024],
        )
        say(f'recorded: {self.call(self.node.stop, request, "recorder").message}')

    # -- one instruction ----------------------------------------------------------------------

    def act(self, instruction: str, narration: Narration) -> Ending:
        """Give the instruction and listen until it is over."""
        node = self.node
        node.heard.clear()
        self.tally_before = node.tally
        goal = FollowInstruction.Goal(
            instruction=instruction,
            timeout=Duration(seconds=self.parameters.timeout + GRACE).to_msg(),
        )
        sent = node.follow.send_goal_async(goal)
        self.wait(
            sent.done, self.parameters.answer_timeout, 'the answer of policy to follow_instruction'
        )
        handle = sent.result()
        if not handle.accepted:
            return Ending(
                Outcome.FAILURE,
                f'policy refused the instruction "{instruction}": see its log',
                error=True,
            )
        result = handle.get_result_async()
        listening = Listening(self, narration, result)
        try:
            return listening.until_over()
        finally:
            if not result.done() and rclpy.ok():
                self.take_back(handle, result)

    def take_back(self, handle: ClientGoalHandle, result: Future) -> None:
        handle.cancel_goal_async()
        self.wait(
            result.done, self.parameters.answer_timeout, 'the end of follow_instruction of policy'
        )


class Listening:
    """From the instruction to its end: says what is heard, and notices when it is over."""

    def __init__(self, conductor: Conductor, narration: Narration, result: Future) -> None:
        self.conductor = conductor
        self.node = conductor.node
        self.parameters = conductor.parameters
        self.narration = narration
        self.result = result
        self.policy_done: float | None = None
        self.begin_wall = self.node.alive = time.monotonic()
        self.next_progress = self.begin_wall + self.parameters.progress_period
        self.begin = self.now()

    def now(self) -> float:
        """Return the time that counts: of the world, where it is simulated [s]."""
        state = self.node.task_state
        return seconds(state.header.stamp) if state else time.monotonic()

    def until_over(self) -> Ending:
        while True:
            self.conductor.spin(0.1)
            self.listen()
            ending = judge(self.view(), self.parameters.timeout, self.parameters.success_hold)
            if ending is not None:
                return ending
            self.require_life()

    def listen(self) -> None:
        heard, self.node.heard = self.node.heard, []
        for message in heard:
            elapsed = seconds(message.header.stamp) - self.begin
            answers = [(one.question.object, one.text, one.reason) for one in message.answers]
            for line in self.narration.hear(max(elapsed, 0.0), answers):
                say(line)
        if self.parameters.progress_period and time.monotonic() >= self.next_progress:
            self.next_progress += self.parameters.progress_period
            self.say_progress()

    def say_progress(self) -> None:
        state = self.node.task_state
        missing = state.detail if state else ''
        elapsed, decisions = self.now() - self.begin, self.narration.decisions
        say(progress(elapsed, decisions, self.conductor.tally(), missing))

    def view(self) -> View:
        state, elapsed = self.node.task_state, self.now() - self.begin
        error = ''
        if self.result.done():
            result = self.result.result().result
            error = '' if result.code == FollowInstruction.Result.NONE else result.message
            self.policy_done = elapsed if self.policy_done is None else self.policy_done
        return View(
            elapsed,
            state.success_duration if state else None,
            state.detail if state else '',
            error,
            self.policy_done,
        )

    def require_life(self) -> None:
        limit = self.parameters.answer_timeout
        silence = time.monotonic() - self.node.alive
        if self.node.task_state and silence > limit:
            raise EpisodeError(f'task_state of the node sim has not come for {silence:.0f} s')
        if not self.narration.decisions and time.monotonic() - self.begin_wall > limit:
            raise EpisodeError(f'reasoning of the node policy did not come within {limit:g} s')


def seconds(stamp: Any) -> float:
    return float(Time.from_msg(stamp).nanoseconds) * 1e-9


def say(line: str) -> None:
    print(line, flush=True)

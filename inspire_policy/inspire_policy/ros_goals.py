# SPDX-License-Identifier: Apache-2.0
"""An action server whose goals are carried out on a thread of the node, not in its executor.

In Jazzy an execute callback that blocks needs a pool of executor threads, and one that awaits a
future keeps the executor spinning at a full core. Here a goal is announced when it begins, and its
result is handed in later.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.node import Node

from inspire_msgs.action import FollowInstruction
from inspire_policy.following import Code, Outcome


class GoalServer(ActionServer):
    """`follow_instruction`: takes every goal and tells `begun`, which calls `finish` when it is
    over.
    """

    def __init__(self, node: Node, begun: Callable[[ServerGoalHandle], None]) -> None:
        self._begun = begun
        super().__init__(
            node,
            FollowInstruction,
            'follow_instruction',
            execute_callback=_never,
            goal_callback=lambda _: GoalResponse.ACCEPT,
            cancel_callback=lambda _: CancelResponse.ACCEPT,
        )

    def notify_execute(self, goal_handle: ServerGoalHandle, execute_callback: Any) -> None:
        """Announce the goal in place of carrying it out here. rclpy calls this when it is
        accepted.
        """
        self._begun(goal_handle)

    def finish(self, goal_handle: ServerGoalHandle, outcome: Outcome) -> None:
        """Hand in how it ended. May be called on any thread."""

        def end(handle: ServerGoalHandle) -> FollowInstruction.Result:
            if handle.is_cancel_requested and outcome.code is Code.CANCELED:
                handle.canceled()
            elif outcome.code is Code.NONE:
                handle.succeed()
            else:
                handle.abort()
            return FollowInstruction.Result(
                code=int(outcome.code),
                message=outcome.message,
                chunks=outcome.chunks,
                steps=outcome.steps,
            )

        super().notify_execute(goal_handle, end)


def _never(_: ServerGoalHandle) -> FollowInstruction.Result:
    raise RuntimeError('goals are carried out by the node')

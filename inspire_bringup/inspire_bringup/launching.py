# SPDX-License-Identifier: Apache-2.0
"""Stages as launch_ros actions: what the launch files return.

The same table, resolved by the same function as for the process runner. When a stage ends, the
policy is shut down before the rest, because the arm holds when the policy is silent.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import LaunchContext, LaunchDescription
from launch.action import Action
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    OpaqueFunction,
    RegisterEventHandler,
    SetEnvironmentVariable,
    Shutdown,
    TimerAction,
)
from launch.event_handlers import OnProcessExit
from launch.events import matches_action
from launch.events.process import ProcessExited, ShutdownProcess
from launch_ros.actions import Node

from inspire_bringup.runner import describe
from inspire_bringup.stages import (
    Argument,
    Loop,
    ResolvedStage,
    Stage,
    complete,
    resolve,
)

PAUSE = 0.5  # s between the policy's shutdown and that of the rest, as in the process runner


class StageEnded(RuntimeError):
    """A stage that the others need has ended."""


def loop_description(loop: Loop) -> LaunchDescription:
    """Return all stages of a loop, ending together."""
    return LaunchDescription(
        [
            SetEnvironmentVariable('PYTHONUNBUFFERED', '1'),
            *(declaration(argument) for argument in loop.arguments),
            OpaqueFunction(function=lambda context: start(loop, context)),
        ]
    )


def stage_description(stage: Stage, loop: Loop) -> LaunchDescription:
    """Return one stage alone, with the arguments of the loop that concern it."""
    concerned = {*stage.arguments()} - ({stage.condition.argument} if stage.condition else set())
    arguments = tuple(one for one in loop.arguments if one.name in concerned)
    alone = Loop(stage.name, stage.name, arguments, (replace(stage, condition=None),))
    return loop_description(alone)


def declaration(argument: Argument) -> DeclareLaunchArgument:
    """Return the launch argument, with its description, default and choices."""
    default = argument.default
    text = str(default).lower() if isinstance(default, bool) else default
    return DeclareLaunchArgument(
        argument.name,
        default_value=None if text is None else str(text),
        description=argument.description,
        choices=list(argument.choices) or None,
    )


def start(loop: Loop, context: LaunchContext) -> list[Action]:
    """Return the nodes of the loop, for the arguments that the user gave."""
    given = {
        argument.name: context.launch_configurations[argument.name] for argument in loop.arguments
    }
    stages = resolve(loop, complete(loop, given))
    nodes = {stage.name: node(stage) for stage in stages}
    first = [nodes[stage.name] for stage in stages if stage.stop_first]
    ended: list[str] = []
    handlers = [on_exit(stage, nodes[stage.name], first, ended) for stage in stages]
    return [*nodes.values(), *handlers]


def node(stage: ResolvedStage) -> Node:
    """Return the action that starts a stage."""
    parameters: list[object] = [dict(stage.parameters)]
    if stage.config:
        share = Path(get_package_share_directory(stage.package))
        parameters.insert(0, str(share / 'config' / stage.config))
    share = Path(get_package_share_directory('inspire_bringup'))
    files = [(option, str(share / file)) for option, file in stage.files.items()]
    return Node(
        package=stage.package,
        executable=stage.executable,
        parameters=parameters,
        remappings=list(stage.remappings.items()),
        arguments=[word for pair in files for word in pair],
        output='screen' if stage.foreground else {'stderr': 'screen', 'both': 'log'},
        exec_name=stage.name,
    )


def on_exit(
    stage: ResolvedStage, action: Node, first: list[Node], ended: list[str]
) -> RegisterEventHandler:
    """Return what ends the run when this stage ends first: the policy, then the rest."""

    def end(event: ProcessExited, context: LaunchContext) -> list[Action]:
        ended.append(stage.name)
        if len(ended) > 1 or context.is_shutdown:
            return []  # only the first is a cause
        silenced = [
            EmitEvent(event=ShutdownProcess(process_matcher=matches_action(policy)))
            for policy in first
            if policy is not action
        ]
        return [*silenced, TimerAction(period=PAUSE, actions=[finish(stage, event.returncode)])]

    return RegisterEventHandler(OnProcessExit(target_action=action, on_exit=end))


def finish(stage: ResolvedStage, status: int) -> Action:
    """Return what ends the launch: well when the conductor ended well, else with an exception.

    An exception, because it alone makes `ros2 launch` exit with a status other than 0.
    """
    reason = f'{stage.name} {describe(status)}'
    if stage.foreground and status == 0:
        return Shutdown(reason=reason)

    def fail(_context: LaunchContext) -> None:
        raise StageEnded(reason)

    return OpaqueFunction(function=fail)

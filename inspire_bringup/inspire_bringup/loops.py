# SPDX-License-Identifier: Apache-2.0
"""The stage table: what runs in the loop that acts, in the one that collects, and with an arm.

The first two are the same graph: the arm's world, the labels that are known because it is
simulated, a policy, a recorder, and a conductor that asks for episodes. They differ in how many
episodes are asked for and in which are kept. With a real arm there is no world: its driver, the
viewer's frame, and a recorder run until somebody ends them. Names are relative; nothing is
remapped.
"""

from __future__ import annotations

from dataclasses import Field, fields, replace
from typing import Any

from inspire_bringup.episode_parameters import EpisodeParameters
from inspire_bringup.stages import Argument, Loop, Stage, Use, Value, When
from inspire_labeler.formulation import Formulation
from inspire_labeler.viewer import VIEWERS, viewer
from inspire_policy.families import FAMILIES
from inspire_sim.sim_parameters import CAN_EMULATOR, SIMULATED, SimParameters
from inspire_sim.tasks import find

KEEP = ('all', 'successes')
SIM_TIME = {'use_sim_time': True}


def viewer_yaw(preset: Value) -> Value:
    """Return the yaw of a viewer's frame in base_link [rad]."""
    return viewer(str(preset)).yaw


def bounded(argument: Argument, parameters: type) -> Argument:
    """Return the argument with the bounds of the node's parameter that it becomes."""
    listed: dict[str, Field[Any]] = {field.name: field for field in fields(parameters)}
    bounds = listed[argument.name].metadata
    return replace(argument, lower=bounds['lower'], upper=bounds['upper'])


TASK = Argument(
    'task',
    'What the world is set up for: a task id (pick_ball, ball_on_book, stack_cubes, ...) or an '
    'instruction of the task table ("put the ball on the book").',
    check=find,
)
INSTRUCTION = Argument(
    'instruction', "What the robot is told. Empty: the task's own instruction.", default=''
)
SEED = bounded(
    Argument(
        'seed',
        'Seed of the first episode (poses, colours, distractors, light); it counts up by one.',
        default=0,
        kind=int,
    ),
    SimParameters,
)
EPISODES = bounded(
    Argument('episodes', 'How many episodes to run, one after the other.', default=1, kind=int),
    EpisodeParameters,
)
KEPT = Argument(
    'keep',
    'Which episodes to keep: all of them, or successes only (nobody should learn failures).',
    default='all',
    choices=KEEP,
)
TIMEOUT = bounded(
    Argument(
        'timeout',
        'Simulated time after which an episode counts as failed [s].',
        default=60.0,
        kind=float,
    ),
    EpisodeParameters,
)
POLICY = Argument('policy', 'Family of the policy.', default='expert', choices=tuple(FAMILIES))
CHECKPOINT = Argument(
    'checkpoint',
    'Folder of what a learned policy was made of; empty: the shipped one.',
    default='',
)
ADDRESS = Argument(
    'address',
    'Of the server of the policy remote: host:port or ws://host:port.',
    default='',
)
REASONING = Argument(
    'reasoning',
    'When a learned policy answers: at each decision, with its last answers as drafts, at every '
    "fourth decision, or never; empty: its family's own way.",
    default='',
    choices=('', 'full', 'drafted', 'every_n', 'off'),
)
FORMULATION = Argument(
    'formulation',
    'How a place is asked for and answered.',
    default=Formulation.DIRECTION.value,
    choices=tuple(formulation.value for formulation in Formulation),
)
VIEWER = Argument(
    'viewer',
    'Whose left is left, and where the camera stands: opposite the robot (libero) or at its '
    'right-hand side (piper_real).',
    default='libero',
    choices=tuple(VIEWERS),
)
ARM = Argument(
    'arm',
    'Which arm: the simulated one with its driver in one process (simulated), or the same on an '
    "emulated CAN bus, driven as a real arm is, by the vendor's SDK (can-emulator).",
    default=SIMULATED,
    choices=(SIMULATED, CAN_EMULATOR),
)
RATE = bounded(
    Argument(
        'real_time_factor',
        'Simulated seconds per second; 0: as fast as it goes.',
        default=1.0,
        kind=float,
    ),
    SimParameters,
)
RECORD = Argument('record', 'Record the episodes as bags.', default=True, kind=bool)
DIRECTORY = Argument(
    'directory',
    'Folder of the episode, or (several episodes) of a folder for each. '
    'Empty: a new folder in runs/, named by the time.',
    default='',
)
PROGRESS = bounded(
    Argument(
        'progress_period',
        'Seconds between two lines of progress; 0: none.',
        default=5.0,
        kind=float,
    ),
    EpisodeParameters,
)
WINDOW = Argument('window', "Show the world in MuJoCo's window.", default=False, kind=bool)
RVIZ = Argument(
    'rviz', 'Start RViz: the robot, its frames, images and reasoning.', default=False, kind=bool
)
ARGUMENTS = (
    TASK,
    INSTRUCTION,
    SEED,
    EPISODES,
    KEPT,
    TIMEOUT,
    POLICY,
    CHECKPOINT,
    ADDRESS,
    REASONING,
    FORMULATION,
    VIEWER,
    ARM,
    RATE,
    RECORD,
    DIRECTORY,
    PROGRESS,
    WINDOW,
    RVIZ,
)

SIM = Stage(
    'sim',
    'inspire_sim',
    'sim',
    config='sim.yaml',
    parameters={
        'task': Use('task'),
        'seed': Use('seed'),
        'viewer_yaw': Use('viewer', through=viewer_yaw),
        'real_time_factor': Use('real_time_factor'),
        'viewer_window': Use('window'),
        'arm': Use('arm'),
    },
)
DRIVER = Stage(
    'driver',
    'piper_driver',
    'driver',
    config='can_driver.yaml',
    parameters={
        **SIM_TIME,
        'can_interface': 'udp_multicast',
        'connect_timeout': 60.0,
        'autostart': 'active',
    },
    condition=When('arm', CAN_EMULATOR),
)
VIEWER_STAGE = Stage(
    'viewer',
    'inspire_bringup',
    'viewer',
    config='viewer.yaml',
    parameters={**SIM_TIME, 'viewer': Use('viewer')},
)
LABELER = Stage(
    'labeler',
    'inspire_labeler',
    'labeler',
    config='labeler.yaml',
    parameters={**SIM_TIME, 'formulation': Use('formulation')},
)
AGREEMENT = Stage(
    'agreement', 'inspire_labeler', 'agreement', config='agreement.yaml', parameters=SIM_TIME
)
POLICY_STAGE = Stage(
    'policy',
    'inspire_policy',
    'policy',
    config='policy.yaml',
    parameters={
        **SIM_TIME,
        'family': Use('policy'),
        'checkpoint': Use('checkpoint'),
        'address': Use('address'),
        'reasoning': Use('reasoning'),
        'formulation': Use('formulation'),
        'viewer': Use('viewer'),
    },
    stop_first=True,
)
RECORDER = Stage(
    'recorder',
    'inspire_bringup',
    'recorder',
    config='recorder.yaml',
    parameters=SIM_TIME,
    condition=When('record'),
)
EPISODE = Stage(
    'episode',
    'inspire_bringup',
    'episode',
    config='episode.yaml',
    parameters={
        **SIM_TIME,
        'task': Use('task'),
        'instruction': Use('instruction'),
        'seed': Use('seed'),
        'episodes': Use('episodes'),
        'keep': Use('keep'),
        'timeout': Use('timeout'),
        'record': Use('record'),
        'directory': Use('directory'),
        'progress_period': Use('progress_period'),
    },
    foreground=True,
)
RVIZ_STAGE = Stage(
    'rviz',
    'rviz2',
    'rviz2',
    parameters=SIM_TIME,
    files={'-d': 'rviz/inspire.rviz'},
    condition=When('rviz'),
)

STAGES = (
    SIM,
    DRIVER,
    VIEWER_STAGE,
    LABELER,
    AGREEMENT,
    POLICY_STAGE,
    RECORDER,
    EPISODE,
    RVIZ_STAGE,
)


def with_defaults(**defaults: Value) -> tuple[Argument, ...]:
    """Return ARGUMENTS with other defaults."""
    return tuple(
        replace(argument, default=defaults.get(argument.name, argument.default))
        for argument in ARGUMENTS
    )


ACT = Loop(
    'act',
    'Reason and act: a policy follows an instruction; answers, truth and motion are recorded.',
    ARGUMENTS,
    STAGES,
)
COLLECT = Loop(
    'collect',
    'Collect demonstrations: the scripted expert solves a task again and again.',
    with_defaults(episodes=20, keep='successes', directory='episodes'),
    STAGES,
)
CAN_PORT = Argument(
    'can_port',
    'The bus: a CAN interface as `ip link` shows it; of another kind its channel. Empty: the '
    "kind's own, which is can0 for socketcan.",
    default='',
)
CAN_INTERFACE = Argument(
    'can_interface',
    'Kind of bus: socketcan for an arm, udp_multicast for the emulator of one.',
    default='socketcan',
    choices=('socketcan', 'udp_multicast'),
)
AUTOSTART = Argument(
    'autostart',
    'How far the driver goes by itself: not at all, to reading the arm (inactive), or to powering '
    'it where it stands (active).',
    default='inactive',
    choices=('unconfigured', 'inactive', 'active'),
)
GRIPPER = Argument('gripper', 'A gripper is mounted.', default=True, kind=bool)
AGILEX_NAMES = Argument(
    'agilex_names',
    "Offer the names of AgileX' own ROS drivers, too, for tools that were made for those.",
    default=False,
    kind=bool,
)
PIPER_VIEWER = replace(VIEWER, description='Whose left is left.', default='piper_real')
PIPER_RECORD = replace(
    RECORD, description='Run the recorder, which waits for start_episode.', default=False
)
PIPER_DRIVER = replace(
    DRIVER,
    parameters={
        'can_interface': Use('can_interface'),
        'can_channel': Use('can_port'),
        'gripper': Use('gripper'),
        'autostart': Use('autostart'),
        'agilex_names': Use('agilex_names'),
    },
    condition=None,
)
PIPER = Loop(
    'piper',
    'Drive the PiPER on CAN: its driver, the frame of the viewer, and a recorder if wanted.',
    (CAN_PORT, CAN_INTERFACE, AUTOSTART, GRIPPER, AGILEX_NAMES, PIPER_VIEWER, PIPER_RECORD),
    (
        PIPER_DRIVER,
        replace(VIEWER_STAGE, parameters={'viewer': Use('viewer')}),
        replace(RECORDER, parameters={}),
    ),
)
LOOPS = {loop.name: loop for loop in (ACT, COLLECT, PIPER)}

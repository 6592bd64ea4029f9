# SPDX-License-Identifier: Apache-2.0
"""What a policy is: it is told an instruction and its questions, then answers and acts again and
again.

Everything that drives a policy (the node on a graph, the closed-loop evaluation without ROS) and
everything that extends one (chunking, remote serving, when to reason) speaks this protocol and
nothing else.

A decision that could not be executed cannot be made: `Decision` checks its actions when it is
built, so that no family, wrapper or caller has to. Nothing is clipped and nothing is replaced by
zeros.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from inspire_labeler.question import Question
    from inspire_sim.world import Truth
    from piper_driver.pose import Pose

ACTION_SIZE = 7  # dx dy dz [m], rotation vector [rad], gripper width [m]
LONGEST_CHUNK = 64  # steps; the bound of inspire_msgs/ActionChunk
STEP_DURATION = 0.05  # s; 20 actions a second, as in the paper's data

# The largest step that is believed. At 20 Hz these are 1 m/s and 10 rad/s, several times what the
# arm can do: a step beyond them is a decoding error, not a fast motion.
LARGEST_TRANSLATION = 0.05  # m
LARGEST_ROTATION = 0.5  # rad
WIDEST_GRIPPER = 0.07  # m, both fingers together
ROUNDING = 1e-6  # m; float32 cannot write 0.07 exactly


class PolicyError(Exception):
    """A policy cannot go on. The arm is to hold; the message says the thing, the value and what is
    valid.
    """


class UndecodableAction(PolicyError):
    """The model's output is not a sequence of steps that an arm could be asked to make."""


class PolicyUnavailable(PolicyError):
    """What decides, elsewhere, is away, too slow, or answers nothing that can be used."""


class UnknownObject(PolicyError):
    """The instruction is about an object that this policy cannot tell."""


class BadInstruction(PolicyError):
    """The instruction is empty, too long, or not one that this policy can follow."""


class Source(IntEnum):
    """Where an answer comes from; the numbers are those of inspire_msgs/SpatialAnswer."""

    UNKNOWN = 0
    TF = 1
    HINDSIGHT = 2
    POLICY = 3
    EXPERT = 4


@dataclass(frozen=True)
class PolicyObservation:
    """What a policy sees at one instant.

    `commanded` is the pose that the steps of the decision will be integrated on: where the arm
    will have been told to be when they begin. None: it stands at `tcp`. `truth` is given to
    families with `needs_truth` only.
    """

    stamp: float  # s, when the images were taken
    images: Mapping[str, NDArray[np.uint8]]  # camera name -> (H, W, 3) RGB
    joint_positions: NDArray[np.float64]  # (6,) rad
    joint_velocities: NDArray[np.float64]  # (6,) rad/s
    gripper_width: float  # m, both fingers together
    gripper_velocity: float  # m/s, of the width: below 0 while it closes
    tcp: Pose  # measured, in base_link
    instruction: str
    truth: Truth | None = None
    commanded: Pose | None = None


@dataclass(frozen=True)
class Answer:
    """One question with its answer and how sure the policy is.

    `probabilities` are those of `question.options`, in their order, summing to 1; empty where
    there is none for each option (an answer of several words). `offset` is object minus tcp in the
    viewer frame [m], (3,), of a family that reads the truth, or has learned to tell; `frame` the
    object's TF frame, known to the former only.
    """

    question: Question
    text: str
    probabilities: tuple[float, ...]
    offset: NDArray[np.float64] | None
    source: Source
    frame: str = ''


@dataclass(frozen=True)
class Decision:
    """Answers, and the steps that follow from them, all of which are to be executed.

    `actions` is (K, 7): change of the tcp's position [m] along base_link's axes, rotation vector
    [rad] in base_link's axes applied from the left (R' = exp(w) R), total gripper width [m],
    absolute. K may be 0 only when `done`: the policy says that the instruction has been followed.
    `timings` are seconds by stage.

    Raises UndecodableAction.
    """

    answers: tuple[Answer, ...]
    transcript: str
    actions: NDArray[np.float64]
    step_duration: float = STEP_DURATION
    timings: Mapping[str, float] = field(default_factory=dict)
    done: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, 'actions', checked_actions(self.actions, self.done))
        if not (np.isfinite(self.step_duration) and 0.001 <= self.step_duration <= 1.0):
            raise UndecodableAction(
                f'step_duration is {self.step_duration} s; valid: 0.001 to 1 s'
            )


class Policy(Protocol):
    """A family behind the two calls that everything else is built on."""

    needs_truth: bool  # whether observations must carry the simulation's truth
    cameras: tuple[str, ...]  # names of the images it looks at

    def reset(self, instruction: str, questions: Sequence[Question]) -> None:
        """Start on an instruction; `questions` are asked before each chunk. Raises PolicyError."""

    def decide(self, observation: PolicyObservation) -> Decision:
        """Answer the questions and give the next steps. Raises PolicyError."""


def checked_actions(actions: object, may_be_empty: bool = False) -> NDArray[np.float64]:
    """Return `actions` as a read-only (K, 7) float64 array, or raise UndecodableAction saying what
    is wrong.
    """
    try:
        array = np.array(actions, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise UndecodableAction(f'actions are not an array of numbers: {error}') from None
    shortest = 0 if may_be_empty else 1
    if array.ndim != 2 or array.shape[1] != ACTION_SIZE:
        raise UndecodableAction(f'actions have shape {array.shape}; valid: (K, {ACTION_SIZE})')
    if not shortest <= len(array) <= LONGEST_CHUNK:
        raise UndecodableAction(
            f'a chunk of {len(array)} steps; valid: {shortest} to {LONGEST_CHUNK}'
        )
    if not np.isfinite(array).all():
        step, column = np.argwhere(~np.isfinite(array))[0]
        raise UndecodableAction(
            f'step {step}, column {column} is {array[step, column]}; valid: a finite number'
        )
    _refuse_beyond(
        np.linalg.norm(array[:, :3], axis=1), 0.0, LARGEST_TRANSLATION, 'translation', 'm'
    )
    _refuse_beyond(np.linalg.norm(array[:, 3:6], axis=1), 0.0, LARGEST_ROTATION, 'rotation', 'rad')
    _refuse_beyond(array[:, 6], 0.0, WIDEST_GRIPPER, 'gripper width', 'm')
    array[:, 6] = array[:, 6].clip(0.0, WIDEST_GRIPPER)  # takes off the rounding let through above
    array.setflags(write=False)
    return array


def _refuse_beyond(
    values: NDArray[np.float64], lowest: float, highest: float, name: str, unit: str
) -> None:
    """Raise UndecodableAction when a step's value lies outside [lowest, highest]."""
    beyond = (values < lowest - ROUNDING) | (values > highest + ROUNDING)
    if beyond.any():
        step = int(np.argmax(beyond))
        raise UndecodableAction(
            f'step {step}: {name} is {values[step]:.6g} {unit}; '
            f'valid: {lowest:g} to {highest:g} {unit}'
        )

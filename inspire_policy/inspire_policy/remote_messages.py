# SPDX-License-Identifier: Apache-2.0
"""What goes to a policy server and what comes back: each message beside its inverse.

The keys are those of openpi's policies for two cameras. What is ours lies under `inspire`, a key
that an openpi server passes over, and without which an openpi client is served as well.

    to the server      observation/image, observation/wrist_image   (H, W, 3) uint8, RGB
                       observation/state    (7,) joints [rad], gripper width [m]
                       prompt               the instruction
                       inspire              episode, stamp [s], joint_velocities [rad/s],
                                            gripper_velocity [m/s], tcp and commanded (7,) xyz [m]
                                            xyzw in base_link, questions
    to the client      actions              (K, 7), as policy.Decision has them
                       inspire              answers, transcript, done, step_duration [s]
                       policy_timing, server_timing     milliseconds by stage
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspire_labeler.formulation import formulation
from inspire_labeler.question import Question, question
from inspire_policy import wire_fields as fields
from inspire_policy.answer_set import holds
from inspire_policy.policy import (
    STEP_DURATION,
    Answer,
    Decision,
    PolicyObservation,
    Source,
    checked_actions,
)
from inspire_policy.transcript import transcript
from inspire_policy.wire import Garbled
from piper_driver.kinematics import tcp
from piper_driver.pose import Pose

OURS, STATE, PROMPT, ACTIONS = 'inspire', 'observation/state', 'prompt', 'actions'
IMAGES = {'camera': 'observation/image', 'wrist_camera': 'observation/wrist_image'}
STAGES, SERVER = 'policy_timing', 'server_timing'
INFERENCE = 'infer_ms'
LONGEST_PHRASE, LONGEST_TEXT = 256, 16384    # characters
MOST_QUESTIONS, MOST_STAGES = 32, 16

Message = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """What a policy is told before it decides. questions: None where the client leaves them to the
    server; episode: another one means to start anew, even on the same instruction."""

    instruction: str
    questions: tuple[Question, ...] | None
    episode: str = ''


def image_key(camera: str) -> str:
    """Under which key a camera's picture is sent."""
    return IMAGES.get(camera, f'observation/{camera}')


def observation_message(seen: PolicyObservation, cameras: Sequence[str], asked: Asked) -> Message:
    """An observation with what is asked. Raises KeyError for a camera without a picture."""
    return {
        **{image_key(camera): seen.images[camera] for camera in cameras},
        STATE: np.append(seen.joint_positions, seen.gripper_width).astype(np.float64),
        PROMPT: asked.instruction,
        OURS: {
            'episode': asked.episode,
            'stamp': float(seen.stamp),
            'joint_velocities': np.asarray(seen.joint_velocities, np.float64),
            'gripper_velocity': float(seen.gripper_velocity),
            'tcp': _numbers_of(seen.tcp),
            'commanded': None if seen.commanded is None else _numbers_of(seen.commanded),
            'questions': [{'formulation': str(one.formulation), 'object': one.object}
                          for one in asked.questions or ()],
        },
    }


def observation_from(message: Mapping[str, Any], cameras: Sequence[str],
                     received: float) -> tuple[PolicyObservation, Asked]:
    """The observation of a message that came at `received` s, and what is asked.

    Of a client that knows nothing of us the tcp follows from the joints, which stand still and are
    where they were told to be. Raises Garbled.
    """
    state = fields.numbers(message, STATE, 7)
    instruction = fields.text(message, PROMPT, LONGEST_TEXT)
    ours = fields.mapping(message, OURS) if OURS in message else None
    joints, width = state[:6], float(state[6])
    velocities, width_velocity, stamp, commanded = np.zeros(6), 0.0, received, None
    asked = Asked(instruction, None)
    if ours is None:
        pose = tcp(joints.tolist())
    else:
        pose = fields.pose(ours, 'tcp')
        commanded = None if ours.get('commanded') is None else fields.pose(ours, 'commanded')
        velocities = fields.numbers(ours, 'joint_velocities', 6)
        width_velocity = fields.number(ours, 'gripper_velocity')
        stamp = fields.number(ours, 'stamp')
        asked = Asked(instruction, _questions(ours), fields.text(ours, 'episode', LONGEST_PHRASE))
    images = {camera: fields.picture(message, image_key(camera)) for camera in cameras}
    return PolicyObservation(stamp, images, joints, velocities, width, width_velocity, pose,
                             instruction, commanded=commanded), asked


def decision_message(decision: Decision, duration: float) -> Message:
    """A decision that took `duration` s."""
    stages = {f'{name}_ms': 1000 * seconds for name, seconds in decision.timings.items()}
    return {
        ACTIONS: decision.actions,
        OURS: {
            'answers': [{'object': one.question.object, 'text': one.text,
                         'probabilities': list(one.probabilities)} for one in decision.answers],
            'transcript': decision.transcript,
            'done': decision.done,
            'step_duration': decision.step_duration,
        },
        STAGES: {**stages, INFERENCE: 1000 * duration},
        SERVER: {INFERENCE: 1000 * duration},
    }


def decision_from(message: Mapping[str, Any], asked: Asked, duration: float) -> Decision:
    """The decision of a message that was waited for `duration` s.

    A server that gives actions only is no error: the decision has no answers, and its transcript
    says so. Raises Garbled, UndecodableAction.
    """
    actions = message.get(ACTIONS)
    if not isinstance(actions, np.ndarray):
        raise Garbled(f'{ACTIONS} is {fields.shown(actions)}; valid: an array (K, 7)')
    timings = _timings(message, duration)
    if OURS not in message:
        text = ('(This policy server gives no answers, only actions.)\n'
                + transcript(asked.instruction, ()))
        return Decision((), text, checked_actions(actions), STEP_DURATION, timings)
    ours = fields.mapping(message, OURS)
    done = ours.get('done')
    if not isinstance(done, bool):
        raise Garbled(f'done is {fields.shown(done)}; valid: true, false')
    return Decision(_answers(ours, asked.questions or ()),
                    fields.text(ours, 'transcript', LONGEST_TEXT), actions,
                    fields.number(ours, 'step_duration'), timings, done)


def _answers(ours: Mapping[str, Any], asked: Sequence[Question]) -> tuple[Answer, ...]:
    """The answers in the order of the questions; none where the server's policy gives none."""
    given = fields.items(ours, 'answers', MOST_QUESTIONS)
    if given and len(given) != len(asked):
        raise Garbled(f'{len(given)} answers to {len(asked)} questions')
    return tuple(_answer(fields.as_map(one, 'an answer'), question)
                 for one, question in zip(given, asked, strict=False))


def _answer(given: Mapping[str, Any], asked: Question) -> Answer:
    text, phrase = fields.text(given, 'text', LONGEST_PHRASE), given.get('object')
    if phrase != asked.object or not holds(asked.options, text):
        raise Garbled(f'the answer {fields.shown(text)} about {fields.shown(phrase)} to '
                      f'{asked.text!r}; valid: {", ".join(asked.options)}')
    chances = fields.items(given, 'probabilities', len(asked.options))
    if chances and not _are_chances(chances, len(asked.options)):
        raise Garbled(f'the probabilities {fields.shown(chances)} of {len(asked.options)} options')
    return Answer(asked, text, tuple(map(float, chances)), None, Source.POLICY)


def _are_chances(given: Sequence[Any], count: int) -> bool:
    return (len(given) == count and all(isinstance(one, float) and 0 <= one <= 1 for one in given)
            and abs(sum(given) - 1) < 1e-3)


def _timings(message: Mapping[str, Any], duration: float) -> dict[str, float]:
    """Seconds by stage: the server's own, and `network`, what is left of the time waited."""
    stages = fields.mapping(message, STAGES) if STAGES in message else {}
    server = fields.mapping(message, SERVER) if SERVER in message else {}
    found = {name.removesuffix('_ms'): fields.number(stages, name) / 1000
             for name in list(stages)[:MOST_STAGES]
             if isinstance(name, str) and name != INFERENCE}
    spent = fields.number(server, INFERENCE) / 1000 if INFERENCE in server else 0.0
    return {**found, 'network': max(duration - spent, 0.0)}


def _questions(ours: Mapping[str, Any]) -> tuple[Question, ...]:
    found = []
    for each in fields.items(ours, 'questions', MOST_QUESTIONS):
        one = fields.as_map(each, 'a question')
        try:
            form = formulation(fields.text(one, 'formulation', LONGEST_PHRASE))
        except ValueError as error:
            raise Garbled(str(error)) from None
        found.append(question(fields.text(one, 'object', LONGEST_PHRASE), form))
    return tuple(found)


def _numbers_of(pose: Pose) -> NDArray[np.float64]:
    return np.concatenate([pose.position, pose.quaternion])

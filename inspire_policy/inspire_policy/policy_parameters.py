# SPDX-License-Identifier: Apache-2.0
"""Parameters of the policy node."""

from __future__ import annotations

from dataclasses import dataclass, field

from inspire_labeler.formulation import Formulation
from inspire_labeler.viewer import VIEWERS
from inspire_policy.families import FAMILIES


@dataclass(frozen=True)
class PolicyParameters:
    """How the policy node chooses, observes and moves. Times are seconds of the node's clock."""

    family: str = field(
        default='expert',
        metadata={
            'description': 'which policy acts; expert reads the simulation\'s truth from TF',
            'choices': tuple(FAMILIES),
        },
    )
    formulation: str = field(
        default=Formulation.DIRECTION.value,
        metadata={
            'description': 'how the questions are asked',
            'choices': tuple(each.value for each in Formulation),
        },
    )
    viewer: str = field(
        default='libero',
        metadata={
            'description': 'for whom left is left: preset of the viewer frame',
            'choices': tuple(VIEWERS),
        },
    )
    command: str = field(
        default='pose',
        metadata={
            'description': 'what is streamed: pose_command and gripper_command, or joint_command',
            'choices': ('pose', 'joint'),
        },
    )
    rate: float = field(
        default=100.0,
        metadata={
            'description': 'set-points streamed a second; the arm holds when they stay away',
            'bounds': (40.0, 200.0),
        },
    )
    decide_ahead: float = field(
        default=0.05,
        metadata={
            'description': 'how long before a chunk ends the next decision is taken [s]; '
            '0: the arm waits for it at the end of the chunk',
            'bounds': (0.0, 0.4),
        },
    )
    stale_after: float = field(
        default=0.5,
        metadata={
            'description': 'an observation older than this is none: the arm holds [s]',
            'bounds': (0.1, 2.0),
        },
    )
    stale_patience: float = field(
        default=2.0,
        metadata={
            'description': 'how long the arm holds for want of observations before the '
            'instruction is given up [s]',
            'bounds': (0.0, 60.0),
        },
    )
    arm_silence: float = field(
        default=1.0,
        metadata={
            'description': 'an arm that has sent no arm_status for this long is gone [s]',
            'bounds': (0.2, 10.0),
        },
    )
    following_error: float = field(
        default=0.15,
        metadata={
            'description': 'an arm further from its commanded pose than this does not follow [m]',
            'bounds': (0.02, 1.0),
        },
    )
    stop_within: float = field(
        default=0.1,
        metadata={
            'description': 'a motion that is cut short slows down in this time [s]',
            'bounds': (0.0, 0.5),
        },
    )
    timeout: float = field(
        default=120.0,
        metadata={
            'description': 'an instruction is given up after this, if the goal says no other [s]',
            'bounds': (1.0, 3600.0),
        },
    )
    image_rate: float = field(
        default=10.0,
        metadata={
            'description': 'reasoning/image at most this often a second, and only when somebody '
            'looks; 0: never',
            'bounds': (0.0, 30.0),
        },
    )

    def __post_init__(self) -> None:
        """Refuse what cannot be: a chunk of 8 steps of 0.05 s is over before its decision is due.
        """
        if self.stale_after <= self.decide_ahead:
            raise ValueError(
                f'stale_after is {self.stale_after} s; valid: more than decide_ahead, '
                f'{self.decide_ahead} s'
            )

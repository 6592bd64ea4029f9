# SPDX-License-Identifier: Apache-2.0
"""Parameters of the policy node."""

from __future__ import annotations

from dataclasses import dataclass, field

from inspire_labeler.formulation import Formulation
from inspire_labeler.viewer import VIEWERS
from inspire_policy.families import FAMILIES
from piper_driver.parameters import described


@dataclass(frozen=True)
class PolicyParameters:
    """How the policy node chooses, observes and moves. Times are seconds of the node's clock."""

    family: str = field(
        default='expert',
        metadata=described(
            "which policy acts; expert reads the simulation's truth from TF", choices=(*FAMILIES,)
        ),
    )
    checkpoint: str = field(
        default='',
        metadata=described('folder of what a learned policy was made of; empty: the shipped one'),
    )
    address: str = field(
        default='',
        metadata=described('of the server of the family remote: host:port or ws://host:port'),
    )
    answer_within: float = field(
        default=0.0,
        metadata=described(
            "how long the family remote waits for its server's answer; 0: its own way [s]",
            0.0,
            600.0,
        ),
    )
    reasoning: str = field(
        default='',
        metadata=described(
            'when a learned policy answers: at each decision, with the last answers as drafts, at '
            "every fourth, never; empty: the family's own way",
            choices=('', 'full', 'drafted', 'every_n', 'off'),
        ),
    )
    kind: str = field(
        default='',
        metadata=described(
            'numbers in which minivla and pi0fast compute (int8 on a processor only); '
            "empty: the family's own way",
            choices=('', 'float32', 'bfloat16', 'int8'),
        ),
    )
    device: str = field(
        default='',
        metadata=described(
            "where the families minivla and pi0fast compute, as cuda; empty: the family's own way"
        ),
    )
    formulation: str = field(
        default=Formulation.DIRECTION.value,
        metadata=described(
            'how the questions are asked', choices=[each.value for each in Formulation]
        ),
    )
    viewer: str = field(
        default='libero',
        metadata=described(
            'for whom left is left: preset of the viewer frame', choices=(*VIEWERS,)
        ),
    )
    command: str = field(
        default='pose',
        metadata=described(
            'what is streamed: pose_command and gripper_command, or joint_command',
            choices=('pose', 'joint'),
        ),
    )
    rate: float = field(
        default=100.0,
        metadata=described(
            'set-points streamed a second; the arm holds when they stay away [1/s]', 40.0, 200.0
        ),
    )
    decide_ahead: float = field(
        default=0.05,
        metadata=described(
            'how long before a chunk ends the next decision is taken; 0: the arm waits for it at '
            'the end of the chunk [s]',
            0.0,
            0.4,
        ),
    )
    stale_after: float = field(
        default=0.5,
        metadata=described(
            'an observation older than this is none, and the arm holds [s]', 0.1, 2.0
        ),
    )
    stale_patience: float = field(
        default=2.0,
        metadata=described(
            'how long the arm holds for want of observations before the instruction is given up '
            '[s]',
            0.0,
            60.0,
        ),
    )
    arm_silence: float = field(
        default=1.0,
        metadata=described(
            'an arm that has sent no arm_status for this long is gone [s]', 0.2, 10.0
        ),
    )
    following_error: float = field(
        default=0.05,
        metadata=described(
            'an arm further than this from its commanded pose is waited for [m]', 0.02, 1.0
        ),
    )
    following_patience: float = field(
        default=2.0,
        metadata=described(
            'how long such an arm is waited for before the instruction is given up [s]', 0.0, 60.0
        ),
    )
    stop_within: float = field(
        default=0.1,
        metadata=described('a motion that is cut short slows down in this time [s]', 0.0, 0.5),
    )
    timeout: float = field(
        default=120.0,
        metadata=described(
            'an instruction is given up after this, if its goal says no other [s]', 1.0, 3600.0
        ),
    )
    image_rate: float = field(
        default=10.0,
        metadata=described(
            'reasoning/image at most this often, and only while somebody subscribes [1/s]',
            0.5,
            30.0,
        ),
    )

    @property
    def options(self) -> dict[str, object]:
        """What is handed to the family, of what was set."""
        chosen = {
            'checkpoint': self.checkpoint,
            'address': self.address,
            'answer_within': self.answer_within,
            'reasoning': self.reasoning,
            'kind': self.kind,
            'device': self.device,
        }
        return {name: value for name, value in chosen.items() if value}

    def __post_init__(self) -> None:
        """Refuse what cannot be together."""
        if self.stale_after <= self.decide_ahead:
            raise ValueError(
                f'stale_after is {self.stale_after} s; valid: more than decide_ahead, '
                f'{self.decide_ahead} s'
            )

# SPDX-License-Identifier: Apache-2.0
"""Parameters of the node `episode`."""

from __future__ import annotations

from dataclasses import dataclass, field

from piper_driver.parameters import described

KEEP = ('all', 'successes')
LAST_SEED = 2**32 - 1  # what ResetWorld.srv carries
LONGEST_INSTRUCTION = 1024  # characters; the bound of FollowInstruction.action


@dataclass(frozen=True)
class EpisodeParameters:
    """Which episodes to run, and how long to wait for what."""

    task: str = field(
        default='',
        metadata=described('task id or instruction of the task table; empty: a real world'),
    )
    instruction: str = field(
        default='', metadata=described("what the robot is told; empty: the task's instruction")
    )
    seed: int = field(
        default=0, metadata=described('seed of the first episode', lower=0, upper=LAST_SEED)
    )
    episodes: int = field(
        default=1,
        metadata=described('how many episodes; the seed counts up', lower=1, upper=1_000_000),
    )
    keep: str = field(default='all', metadata=described('which episodes to keep', choices=KEEP))
    record: bool = field(
        default=True, metadata=described('have each episode recorded by the recorder')
    )
    directory: str = field(
        default='',
        metadata=described(
            'folder of the episode, or (several) of one for each; empty: the recorder decides'
        ),
    )
    timeout: float = field(
        default=60.0,
        metadata=described(
            'time after which an episode counts as failed, simulated [s]', lower=1.0, upper=3600.0
        ),
    )
    success_hold: float = field(
        default=1.0,
        metadata=described(
            'success counts when it has held for this long, simulated [s]', lower=0.0, upper=60.0
        ),
    )
    start_timeout: float = field(
        default=60.0,
        metadata=described(
            'how long to wait for the other nodes at the start [s]', lower=1.0, upper=600.0
        ),
    )
    answer_timeout: float = field(
        default=20.0,
        metadata=described(
            'how long to wait for an answer or a sign of life later [s]', lower=1.0, upper=600.0
        ),
    )
    progress_period: float = field(
        default=5.0,
        metadata=described(
            'time between two lines of progress; 0: none [s]', lower=0.0, upper=3600.0
        ),
    )

    def __post_init__(self) -> None:
        if not (self.task or self.instruction):
            raise ValueError('task and instruction are empty; give one of them')
        if len(self.instruction) > LONGEST_INSTRUCTION:
            raise ValueError(
                f'instruction has {len(self.instruction)} characters; valid: at most '
                f'{LONGEST_INSTRUCTION}'
            )
        if self.success_hold >= self.timeout:
            raise ValueError(
                f'success_hold is {self.success_hold} s; valid: less than timeout, '
                f'{self.timeout} s'
            )
        if self.seed + self.episodes - 1 > LAST_SEED:
            raise ValueError(
                f'{self.episodes} episodes from seed {self.seed}; valid: the last seed at most '
                f'{LAST_SEED}'
            )
        if self.episodes > 1 and not self.task:
            raise ValueError(
                f'episodes is {self.episodes}, but there is no task to set up between them; '
                'valid: 1, or give a task'
            )

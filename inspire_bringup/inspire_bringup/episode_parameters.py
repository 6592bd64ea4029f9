# SPDX-License-Identifier: Apache-2.0
"""Parameters of the node `episode`."""

from __future__ import annotations

from dataclasses import dataclass, field

KEEP = ('all', 'successes')
LONGEST_INSTRUCTION = 1024  # characters; the bound of FollowInstruction.action


@dataclass(frozen=True)
class EpisodeParameters:
    """Which episodes to run, and how long to wait for what."""

    task: str = field(
        default='',
        metadata={
            'description': 'Task id or instruction of the task table; empty: the present world.'
        },
    )
    instruction: str = field(
        default='',
        metadata={'description': "What the robot is told; empty: the task's own instruction."},
    )
    seed: int = field(
        default=0,
        metadata={'description': 'Seed of the first episode.', 'bounds': (0, 2**32 - 1)},
    )
    episodes: int = field(
        default=1,
        metadata={
            'description': 'How many episodes; the seed counts up.',
            'bounds': (1, 1_000_000),
        },
    )
    keep: str = field(
        default='all', metadata={'description': 'Which episodes to keep.', 'choices': KEEP}
    )
    record: bool = field(
        default=True, metadata={'description': 'Have each episode recorded by the recorder.'}
    )
    directory: str = field(
        default='',
        metadata={
            'description': 'Folder of the episode, or (several) of a folder for each; '
            "empty: the recorder's choice."
        },
    )
    timeout: float = field(
        default=60.0,
        metadata={
            'description': 'Time after which an episode counts as failed [s], simulated.',
            'bounds': (1.0, 3600.0),
        },
    )
    success_hold: float = field(
        default=1.0,
        metadata={
            'description': 'Success counts when it has held for this long [s], simulated.',
            'bounds': (0.0, 60.0),
        },
    )
    start_timeout: float = field(
        default=60.0,
        metadata={
            'description': 'How long to wait for each of the other nodes at the start [s].',
            'bounds': (1.0, 600.0),
        },
    )
    answer_timeout: float = field(
        default=20.0,
        metadata={
            'description': 'How long to wait for an answer or a sign of life afterwards [s].',
            'bounds': (1.0, 600.0),
        },
    )
    progress_period: float = field(
        default=5.0,
        metadata={
            'description': 'Seconds between two lines of progress; 0: none.',
            'bounds': (0.0, 3600.0),
        },
    )

    def __post_init__(self) -> None:
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
        if self.episodes > 1 and self.task == '':
            raise ValueError('episodes > 1 needs a task: the world is reset for each')

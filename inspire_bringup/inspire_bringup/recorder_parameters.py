# SPDX-License-Identifier: Apache-2.0
"""Parameters of the recorder node."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class RecorderParameters:
    """What is recorded, where, and how much may wait."""

    directory: str = field(
        default='runs',
        metadata={'description': 'Folder below which episodes get folders named by their time.'},
    )
    include: tuple[str, ...] = field(
        default=('.*',),
        metadata={'description': 'Regular expressions of whole topic names to record.'},
    )
    exclude: tuple[str, ...] = field(
        default=('/parameter_events',),
        metadata={'description': 'Regular expressions of whole topic names to leave out.'},
    )
    expected: tuple[str, ...] = field(
        default=(),
        metadata={'description': 'Topics to warn about until a message of theirs comes.'},
    )
    compression: str = field(
        default='lz4',
        metadata={
            'description': 'Compression of the chunks of the bag.',
            'choices': ('none', 'lz4', 'zstd'),
        },
    )
    depth: int = field(
        default=1000,
        metadata={
            'description': 'Messages per topic that the middleware keeps until they are taken.',
            'lower': 1,
            'upper': 100_000,
        },
    )
    queue_megabytes: int = field(
        default=256,
        metadata={
            'description': 'Messages that may wait for the disk [MB]; more are lost and counted.',
            'lower': 1,
            'upper': 8192,
        },
    )
    minimum_free_megabytes: int = field(
        default=512,
        metadata={
            'description': 'Free disk below which no episode starts and a running one warns [MB].',
            'lower': 0,
            'upper': 1_000_000,
        },
    )
    matching_timeout: float = field(
        default=4.0,
        metadata={
            'description': 'Longest wait at the start until every publisher knows us [s].',
            'lower': 0.0,
            'upper': 30.0,
        },
    )
    meeting_time: float = field(
        default=2.5,
        metadata={
            'description': 'Age of the node from which it knows all others [s].',
            'lower': 0.0,
            'upper': 30.0,
        },
    )
    viewer_frame: str = field(
        default='viewer',
        metadata={'description': 'Static frame whose yaw is noted in the manifest.'},
    )

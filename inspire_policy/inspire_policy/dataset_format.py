# SPDX-License-Identifier: Apache-2.0
"""What a dataset on disk consists of: files, columns, and what they mean.

    dataset.json          the card for machines
    README.md             the card for people, written from it
    episodes.parquet      one row an episode
    data/part-*.parquet   one row an observed instant; an episode is never split over two files

An object's heading is the angle of its frame's x axis about up, from the viewer frame's x axis
[rad]; NaN where it is not known, or where it has none that counts: it says how fingers have to be
turned for things that are longer than wide, for which it counts modulo pi. Of what is square it is
the side that points away from the arm.

An object's foot is the middle of its underside minus its grasp frame; NaN where it is not known.
It says how a thing is taken hold of: a ball's is below where fingers go, a cup's below and to the
side of the point on its rim.

Words are not kept: the rule (inspire_labeler.rule) makes them from `offsets` and `grasped`.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from inspire_policy.policy import ACTION_SIZE

FORMAT = 1              # raised when a reader of the last one would read something else
HORIZON = 16            # actions kept with an instant
CAMERAS = ('camera', 'wrist_camera')

CARD_FILE, README_FILE, EPISODES_FILE = 'dataset.json', 'README.md', 'episodes.parquet'
DATA_FOLDER = 'data'

_FLOAT = pa.float32()

ROWS = pa.schema([
    ('episode', pa.int32()),
    ('step', pa.int32()),                           # actions carried out before
    ('stamp', pa.float64()),                        # s
    *((name, pa.binary()) for name in CAMERAS),     # JPEG, image_size x image_size
    ('joint_positions', pa.list_(_FLOAT, 6)),       # rad
    ('joint_velocities', pa.list_(_FLOAT, 6)),      # rad/s
    ('gripper_width', _FLOAT),                      # m, measured
    ('gripper_velocity', _FLOAT),                   # m/s, measured: below 0 while it closes
    ('tcp', pa.list_(_FLOAT, 7)),                   # base_link, measured: x y z m, xyzw, w >= 0
    ('commanded', pa.list_(_FLOAT, 7)),             # what the next action is integrated on
    ('commanded_width', _FLOAT),                    # m, as last told; at the start as measured
    ('actions', pa.list_(_FLOAT, HORIZON * ACTION_SIZE)),
    ('valid', pa.int16()),                          # leading actions that are to be imitated
    ('offsets', pa.list_(_FLOAT)),                  # 3 for each object of the episode, m, viewer
    ('headings', pa.list_(_FLOAT)),                 # one for each object, rad; see above
    ('feet', pa.list_(_FLOAT)),                     # 3 for each object, m, viewer; see above
    ('grasped', pa.list_(pa.bool_())),              # one for each object
    ('phase', pa.string()),                         # what the expert did; '' where unknown
])

# Columns that may be NaN, and missing from older datasets; and which one has as many values.
UNKNOWN = {'headings': 'grasped', 'feet': 'offsets'}

_WORDS = pa.list_(pa.string())

EPISODES = pa.schema([
    ('episode', pa.int32()),
    ('task', pa.string()),
    ('instruction', pa.string()),
    ('split', pa.string()),             # seen or unseen
    ('seed', pa.int64()),
    ('source', pa.string()),            # expert or bag
    ('success', pa.bool_()),
    ('steps', pa.int32()),
    ('rows', pa.int32()),
    ('objects', _WORDS),                # TF frames in the scene, sorted
    ('names', _WORDS),                  # a phrase for each that means it at the start, or ''
    ('asked_phrases', _WORDS),          # the instruction's objects in order of mention
    ('asked_frames', _WORDS),           # and the frames that they mean
])


@dataclass(frozen=True)
class Episode:
    """One row of episodes.parquet."""

    episode: int
    task: str
    instruction: str
    split: str
    seed: int
    source: str
    success: bool
    steps: int
    rows: int
    objects: tuple[str, ...]
    names: tuple[str, ...]
    asked_phrases: tuple[str, ...]
    asked_frames: tuple[str, ...]

    def __post_init__(self) -> None:
        """Give what comes from a file its types."""
        for each in ('objects', 'names', 'asked_phrases', 'asked_frames'):
            object.__setattr__(self, each, tuple(getattr(self, each)))


class DatasetError(ValueError):
    """A dataset cannot be read or written; the message names the file, and the column."""

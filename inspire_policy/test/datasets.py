# SPDX-License-Identifier: Apache-2.0
"""Small datasets for tests: numbers that one can tell at sight, pictures of one colour.

Imported by tests that put this folder on the path: tests are no package.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from inspire_policy import samples
from inspire_policy.dataset_writer import BLOCK, DatasetWriter, Outcome, packed
from inspire_policy.evaluation import Job
from inspire_policy.pictures import encode
from inspire_policy.samples import Demonstration, Instant, Scene
from piper_driver.pose import Pose

SIZE = 8
SETTINGS = {'source': 'expert', 'cameras': ['camera', 'wrist_camera'], 'viewer': 'libero',
            'image_size': SIZE, 'stride': 4}
SCENE = Scene(('ball', 'book'), ('the ball', 'the book'), ('the ball',), ('ball',))


def pose(x: float) -> Pose:
    return Pose(np.array([x, 0.0, 0.0]), np.array([0.0, 0.0, 0.0, 1.0]))


def instant(number: int, step: int) -> Instant:
    """Of episode `number`: its numbers are 100 times that, plus the step."""
    value = 100.0 * number + step
    shades = {'camera': number, 'wrist_camera': step}
    return Instant(
        step=step, stamp=step / 20,
        images={name: encode(np.full((SIZE, SIZE, 3), shade, np.uint8))
                for name, shade in shades.items()},
        joint_positions=value + np.arange(6), joint_velocities=-np.arange(6.0),
        gripper_width=0.07, gripper_velocity=-0.01, tcp=pose(value), commanded=pose(value + 1),
        commanded_width=0.06,
        offsets=np.array([[value, 0, 0], [0, value, 0]]), headings=np.array([np.nan, 0.5]),
        feet=np.array([[np.nan] * 3, [0.03, 0.0, -0.06]]),
        grasped=np.array([step > 4, False]), phase='hold')


def job(number: int) -> Job:
    return Job('pick_ball', 'pick up the ball', 'seen', 1000 + number)


def outcome(number: int, success: bool = True, error: str = '') -> Outcome:
    one = job(number)
    return Outcome(number, one.task, one.instruction, one.split, one.seed, success, 12,
                   3 if success else 0, error=error)


def episode(number: int) -> bytes:
    """Episode `number`, packed: 12 steps, observed at 0, 4 and 8."""
    actions = np.arange(12)[:, None] * np.ones(7) + number
    shown = Demonstration.of_steps([instant(number, step) for step in (0, 4, 8)], actions,
                                   np.arange(12) == 6)
    described = samples.described(number, job(number), 'expert', True, shown, SCENE)
    return packed(described, samples.rows(number, shown))


def writer(folder: Path, **changes: object) -> DatasetWriter:
    return DatasetWriter(folder, {**SETTINGS, **changes}, {'command': 'made by a test'})


def write(folder: Path, numbers: tuple[int, ...] = (0, 1, BLOCK)) -> Path:
    """A whole dataset of some episodes, in two files where the numbers are far apart."""
    growing = writer(folder)
    for number in numbers:
        growing.take(outcome(number), episode(number))
    growing.finish()
    return folder

# SPDX-License-Identifier: Apache-2.0
"""How fast the world runs without ROS: what one policy step costs, and a reset.

A frame is what a policy's evaluation does 20 times a simulated second: an action through the
controller, the physics of 0.05 s, one picture. Counted in processor time, so that a busy machine
does not change the result. Called by `./inspire bench world`.
"""

import os
import time

import numpy as np

from inspire_sim.cameras import CAMERA
from inspire_sim.world import TableWorld

TASKS = ('pick_ball', 'stack_bowls', 'pull_plate')   # few objects, hollow ones, an articulated one
SIZE = 128


def benchmark(runs: int = 5, frames: int = 100) -> list[tuple[str, list[float], str]]:
    """Frames a second and core on a third each of TASKS, and what they are made of.

    Returns (name of the figure, what each run gave, unit) for each.
    """
    # Before the first picture: one thread, so that a core's worth is measured.
    os.environ.setdefault('LP_NUM_THREADS', '1')
    world = TableWorld(cameras=(CAMERA,), image_size=(SIZE, SIZE))
    rows = [np.mean([_once(world, task, seed, frames) for task in TASKS], axis=0)
            for seed in range(runs)]
    world.close()
    reset, step, picture = np.array(rows).T
    return [('world_frames', (1.0 / (step + picture)).tolist(), 'frames/s/core'),
            ('world_step', (1e3 * step).tolist(), 'ms'),
            ('world_picture', (1e3 * picture).tolist(), 'ms'),
            ('world_reset', (1e3 * reset).tolist(), 'ms')]


def _once(world: TableWorld, task: str, seed: int, frames: int) -> tuple[float, float, float]:
    """Processor time of a reset, of one action, of one picture [s]."""
    start = time.process_time()
    world.reset(task, seed)
    reset = time.process_time() - start
    world.observe()      # opens the renderer
    start = time.process_time()
    _act(world, frames)
    step = time.process_time() - start
    start = time.process_time()
    for _ in range(frames):
        world.observe()
    return reset, step / frames, (time.process_time() - start) / frames


def _act(world: TableWorld, frames: int) -> None:
    """Sweep the tcp to and fro above the table."""
    for frame in range(frames):
        forth = 1.0 if (frame // 20) % 2 == 0 else -1.0
        world.step([0.0, 0.004 * forth, -0.002 * forth, 0.0, 0.0, 0.0, 0.05])

# SPDX-License-Identifier: Apache-2.0
"""A few demonstrations of the expert and a tiny network trained on them, made when a test first
asks.

Imported by tests that put this folder on the path: tests are no package.
"""

from __future__ import annotations

import atexit
import shutil
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from inspire_policy.collecting import Collecting, Collector, numbered
from inspire_policy.dataset_format import CAMERAS
from inspire_policy.dataset_writer import DatasetWriter, Outcome
from inspire_policy.evaluation import jobs
from inspire_policy.nano.recipe import Recipe, named

SETTINGS = {'source': 'expert', 'cameras': list(CAMERAS), 'viewer': 'libero', 'image_size': 112,
            'stride': 6}


@cache
def _folder() -> Path:
    made = Path(mkdtemp(prefix='inspire-test-'))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


@cache
def demonstrations() -> Path:
    """A dataset of two episodes of each of two tasks; the seeds end in 0 and 1."""
    made = DatasetWriter(_folder() / 'demonstrations', SETTINGS, {})
    collector = Collector(Collecting(stride=6))
    for job in numbered(jobs(['pick_ball', 'stack_cubes'], 2, 1000)):
        told, data = collector(job)
        made.take(Outcome(job.episode, job.task, job.instruction, job.split, job.seed, **told),
                  data)
    made.finish()
    return made.folder


def tiny(*changes: str) -> Recipe:
    """A recipe of seconds, every second seed held out."""
    return named('tiny', ['held_out=2', 'steps=8', 'save=4', 'validate=4', *changes])


@cache
def checkpoint_folder(*changes: str) -> Path:
    """A checkpoint of a network that has hardly learned anything."""
    from inspire_policy.nano.training import train
    out = _folder() / '-'.join(['run', *changes])
    train(tiny('teaching.others=true', *changes), [demonstrations()], out, threads=1)
    return out / 'checkpoint'

# SPDX-License-Identifier: Apache-2.0
"""Trainings whose batches are shared by two processes, as by two GPUs; here on processors."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip('torch', reason='the part `train` of the set-up is not installed')
sys.path.append(str(Path(__file__).parent))

import demonstrations  # noqa: E402
from checkpoints import folder_of  # noqa: E402
from safetensors.torch import load_file  # noqa: E402

from inspire_policy import large, nano  # noqa: E402
from inspire_policy.large import recipe as large_recipe  # noqa: E402
from inspire_policy.large import training as large_training  # noqa: E402
from inspire_policy.nano import recipe as nano_recipe  # noqa: E402
from inspire_policy.nano import training as nano_training  # noqa: E402
from inspire_policy.training_log import read_log  # noqa: E402

pytestmark = pytest.mark.timeout(300)


def shared(family: object, name: str, out: Path, changes: list[str], *arguments: str) -> None:
    """Train on two processes, from the command line."""
    done = subprocess.run(
        [sys.executable, '-m', 'torch.distributed.run', '--standalone', '--nproc_per_node', '2',
         '-m', f'{family.__name__}.training', '--threads', '1', '--out', str(out), '--data',
         str(demonstrations.demonstrations()), '--config', name, *arguments,
         *(part for change in changes for part in ('--set', change))],
        env={**os.environ, 'ACCELERATE_USE_CPU': 'true', 'OMP_NUM_THREADS': '1'},
        capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def assert_as_one(one: Path, two: Path) -> None:
    """They take the same rows; what is drawn for a row (a delay, say) is another."""
    alone, together = (read_log(folder / 'log.jsonl')[-1] for folder in (one, two))
    for name in ('answer_loss', 'action_loss', 'offset_loss'):
        assert together[name] == pytest.approx(alone[name], rel=0.05), name


def test_two_processes_learn_from_a_batch_what_one_learns(tmp_path):
    changes = ['steps=12', 'held_out=0', 'rate=0.01', 'save=12', 'validate=12']
    shared(nano, 'tiny', tmp_path / 'two', changes)
    nano_training.train(nano_recipe.named('tiny', changes), [demonstrations.demonstrations()],
                        tmp_path / 'one', threads=1)
    assert_as_one(tmp_path / 'one', tmp_path / 'two')


def test_two_processes_fine_tune_a_large_family_as_one_does_stopped_or_not(tmp_path):
    folder_of(tmp_path, 'prismatic', seed=3)
    changes = ['steps=4', 'held_out=0', 'batch=4', 'micro_batch=1', 'mixed_precision=no',
               'rate=0.003', 'save=2']
    for out, steps in (('two', 4), ('cut', 2), ('cut', 4)):
        shared(large, 'minivla', tmp_path / out, [*changes, f'steps={steps}'],
               '--from', str(tmp_path))
    large_training.train(large_recipe.named('minivla', changes),
                         [demonstrations.demonstrations()], tmp_path / 'one', threads=1,
                         start=tmp_path)
    assert_as_one(tmp_path / 'one', tmp_path / 'two')
    whole, again = (load_file(tmp_path / name / 'checkpoint' / large_training.WEIGHTS)
                    for name in ('two', 'cut'))
    for name, value in whole.items():
        assert torch.equal(again[name], value), name

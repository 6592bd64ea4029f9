# SPDX-License-Identifier: Apache-2.0
"""Closes the loop of hardware episodes: record, label in hindsight, export, train for a few steps.

Run by `./inspire bench hindsight`. The arm is on an emulated CAN bus, driven as a real one is, and
the viewer stands at its right-hand side. Labels come from the gripper's closing and opening alone,
of a bag from which the frames of all objects were left out; the simulated world's truth, which a
real robot does not have, is what they are measured against. Everything is done by the commands
that a user has.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from inspire_bringup.episode_reader import EpisodeReader
from inspire_bringup.figures import Measured
from inspire_labeler import cdr
from inspire_labeler.catalogue import Catalogue
from inspire_labeler.episode_hindsight import HindsightError, hindsight, measure
from inspire_labeler.labelling import LabelSettings
from inspire_labeler.recompute import TF, TOPICS, Message, recompute, survey
from inspire_labeler.roles import roles
from inspire_policy.catalogue_file import default_catalogue

TASKS = ('ball_on_book', 'stack_cubes')
EPISODES = 3        # of each
COMMAND = (sys.executable, '-P', '-m', 'inspire_bringup.command_line')


def benchmark() -> list[Measured]:
    """Measure labels in hindsight on hardware episodes, and what export and training make of them.
    """
    with tempfile.TemporaryDirectory(prefix='inspire-bench-') as made:
        place = Path(made)
        for task in TASKS:
            with contextlib.suppress(subprocess.CalledProcessError):    # one did not succeed
                run('run', 'collect', '--task', task, '--episodes', str(EPISODES), '--arm',
                    'can-emulator', '--viewer', 'piper_real', '--progress-period', '0',
                    '--directory', str(place / task), '--runs', str(place / 'runs'))
        episodes = sorted(path.parent for path in place.glob('*/*/manifest.json'))
        return [('hardware_episodes', [len(episodes)], ''), *errors(episodes),
                *trained(episodes, place)]


def errors(episodes: Sequence[Path]) -> list[Measured]:
    """Return how far off hindsight is: picked objects and, apart from them, targets."""
    picked: list[HindsightError] = []
    placed: list[HindsightError] = []
    for episode in episodes:
        reader = EpisodeReader(episode)
        taken = {role.object for role in roles(reader.manifest.instruction)}
        for each in compared(reader):
            (picked if each.object in taken else placed).append(each)
    compared_words = sum(each.words for each in picked)
    equal = sum(each.words_equal for each in picked)
    return [('picked_off', [1e3 * each.error for each in picked], 'mm'),
            ('picked_words_compared', [compared_words], ''),
            ('picked_words_equal_outside_3_cm', [equal / max(compared_words, 1)], 'share'),
            ('placed_off', [1e3 * each.error for each in placed], 'mm'),
            ('placed_too_high', [1e3 * each.bias[2] for each in placed], 'mm')]


def compared(reader: EpisodeReader) -> list[HindsightError]:
    """Return the error of one episode's labels in hindsight, made without any object's frame."""
    catalogue, settings = Catalogue.load(default_catalogue()), LabelSettings()
    messages = [(record.topic, record.data) for record in reader.records(TOPICS)]
    truth = recompute(messages, survey(messages), catalogue, settings).labels
    return measure(truth, hindsight(without(messages, catalogue.frames), settings))


def without(messages: Sequence[Message], frames: frozenset[str]) -> Iterator[Message]:
    """Yield what a robot without object tracking records."""
    for topic, data in messages:
        if topic != TF or not any(each.child in frames for each in cdr.read_transforms(data)):
            yield topic, data


def trained(episodes: Sequence[Path], place: Path) -> list[Measured]:
    """Return the rows that are exported, and the loss before and after a few steps of training."""
    data, out = place / 'data', place / 'trained'
    run('export', *map(str, episodes), '--labels', 'hindsight', '--split', 'all',
        '--outcome', 'any', '--out', str(data))     # as with an arm, of which nobody judges
    run('train', '--config', 'tiny', '--data', str(data), '--out', str(out), '--threads', '1')
    rows = [each['rows'] for each in lines(data / 'outcomes.jsonl')]
    losses = [each['action_loss'] for each in lines(out / 'log.jsonl') if 'action_loss' in each]
    return [('exported_rows', rows, 'rows an episode'),
            ('action_loss_at_first', losses[:1], ''), ('action_loss_at_last', losses[-1:], '')]


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of a file with one in each line."""
    for line in path.read_text(encoding='utf-8').splitlines():
        yield json.loads(line)


def run(*words: str) -> None:
    """Run a command of ours; what it says goes to stderr. Raises CalledProcessError."""
    subprocess.run([*COMMAND, *words], stdout=sys.stderr, check=True)

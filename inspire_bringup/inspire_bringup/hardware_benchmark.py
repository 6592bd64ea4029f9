# SPDX-License-Identifier: Apache-2.0
"""Closes the loop of hardware episodes: record, label in hindsight, export, train for a few steps.

Run by `./inspire bench hindsight`. The arm is on an emulated CAN bus, driven as a real one is, and
the viewer stands at its right-hand side. Labels come from the gripper's closing and opening alone,
of a bag from which the frames of all objects were left out; the simulated world's truth, which a
real robot does not have, is what they are measured against. Everything is done by the commands
that a user has.

A person's demonstrations go through the same: the arm is guided by hand (teach mode), or follows a
leader arm, past a driver that only reads. The person is the scripted expert, whose commands move
the emulated arm in the driver's place.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from inspire_bringup.domain import claimed_domain
from inspire_bringup.episode_reader import EpisodeReader
from inspire_bringup.figures import Measured
from inspire_bringup.loops import COLLECT
from inspire_bringup.session import choose_stages, run_stages
from inspire_bringup.stages import Loop, Stage
from inspire_labeler import cdr
from inspire_labeler.catalogue import Catalogue
from inspire_labeler.episode_hindsight import HindsightError, hindsight, measure
from inspire_labeler.labelling import LabelSettings
from inspire_labeler.recompute import TF, TOPICS, Message, recompute, survey
from inspire_labeler.roles import roles
from inspire_policy.catalogue_file import default_catalogue
from inspire_sim.sim_parameters import GUIDED, LEADER

TASKS = ('ball_on_book', 'stack_cubes')
EPISODES = 3        # of each
BY_HAND = {'guided': GUIDED, 'led': LEADER}
# What a policy takes from the arm it moves, and gives: of a person nothing of that is recorded.
HAND = ('arm_status', 'pose_command', 'gripper_command', 'action_chunk')
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
                *trained(episodes, place), *demonstrated(place / 'by_hand')]


def demonstrated(place: Path) -> list[Measured]:
    """Measure the same on a person's episodes, one of each way to move the arm past its driver."""
    episodes, figures = [], []
    for seed, (way, arm) in enumerate(BY_HAND.items(), 1):    # 0 would be held out
        stages = choose_stages(by_hand(arm), {
            'task': TASKS[0], 'seed': str(seed), 'viewer': 'piper_real', 'episodes': '1',
            'progress_period': '0', 'directory': str(place / way / 'episode')})
        with claimed_domain() as domain:
            run_stages(stages, place / way, lambda _, line: print(line, file=sys.stderr), domain)
        episodes.append(place / way / 'episode')
        figures += named(way, errors(episodes[-1:]))
    return [*figures, *named('by_hand', trained(episodes, place))]


def named(way: str, figures: Sequence[Measured]) -> list[Measured]:
    return [(f'{way}_{name}', samples, unit) for name, samples, unit in figures]


def by_hand(arm: str) -> Loop:
    """Return the loop that collects, in which the expert is the hand and the driver only reads."""
    def changed(stage: Stage) -> Stage:
        if stage.name == 'sim':
            return replace(stage, parameters={**stage.parameters, 'arm': arm})
        if stage.name == 'driver':
            return replace(stage, condition=None,
                           parameters={**stage.parameters, 'autostart': 'inactive'})
        if stage.name == 'policy':
            return replace(stage, remappings={name: f'hand/{name}' for name in HAND})
        return stage
    return replace(COLLECT, stages=tuple(map(changed, COLLECT.stages)))


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

# SPDX-License-Identifier: Apache-2.0
"""`./inspire export EPISODE...`: recorded episodes as a dataset, the same as `collect` makes.

It needs no ROS. Each bag is read, never changed; what makes no samples is said, with the reason.
"""

from __future__ import annotations

import argparse
import math
import shlex
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from inspire_bringup.episode_reader import EpisodeReader
from inspire_bringup.manifest import Manifest, ManifestError
from inspire_bringup.provenance import git_revision
from inspire_bringup.salvage import BagError
from inspire_labeler.catalogue import Catalogue
from inspire_labeler.viewer import VIEWERS, Viewer
from inspire_policy.catalogue_file import default_catalogue
from inspire_policy.dataset_format import CAMERAS
from inspire_policy.dataset_writer import DatasetWriter, Outcome, packed
from inspire_policy.evaluation import Job
from inspire_policy.exporting import LABELS, TOPICS, Exported, Exporting, export
from inspire_sim.tasks import UnknownTask, find

HELP = 'Turn recorded episodes into a dataset to train on, the same as collect makes.'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('episodes', nargs='+', type=Path, metavar='EPISODE',
                        help="runs/<time>, the bag's folder, or a .mcap file beside its manifest")
    parser.add_argument('--out', type=Path, required=True, metavar='DIR',
                        help='folder of the dataset; one of the same episodes goes on')
    parser.add_argument('--split', default='seen', choices=('seen', 'unseen', 'all'),
                        help='which tasks (default: seen; a policy that is to be measured on the '
                        'unseen ones must never be trained on them)')
    parser.add_argument('--outcome', default='success', choices=('success', 'any'),
                        help='which episodes (default: success; nobody should learn failures)')
    parser.add_argument('--labels', default=LABELS[0], choices=LABELS,
                        help='where objects are and what is held: from TF and contacts (default), '
                        "from TF and the gripper, or in hindsight from the gripper's closing and "
                        'opening alone')
    parser.add_argument('--image-size', type=int, default=Exporting.image_size, metavar='PIXELS',
                        help='side of the pictures (default: %(default)s)')
    parser.add_argument('--stride', type=int, default=Exporting.stride, metavar='STEPS',
                        help='from one observed instant to the next, 0.05 s each '
                        '(default: %(default)s)')


def run(arguments: argparse.Namespace) -> int:
    setting = Exporting(arguments.image_size, arguments.stride, arguments.labels)
    readers = [EpisodeReader(path) for path in arguments.episodes]
    viewer = common_viewer([reader.manifest for reader in readers])
    writer = DatasetWriter(arguments.out, {
        'source': 'bag', 'cameras': list(CAMERAS), 'viewer': viewer.name, **asdict(setting),
        'split': arguments.split, 'outcome': arguments.outcome,
        'bags': [reader.manifest.bag.sha256[:16] for reader in readers]},
        {'command': command(arguments), 'git': git_revision(Path(__file__).resolve().parent)})
    columns = (TextColumn('{task.description}'), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        for number, reader in progress.track(list(enumerate(readers)), description='episodes'):
            if number not in writer.tried:
                add(writer, number, reader, setting, arguments)
    writer.finish()
    failed = sum(not one.success for one in writer.outcomes.values())
    print(f'{arguments.out}: {len(writer.episodes)} episodes, '
          f'{sum(one.rows for one in writer.episodes.values())} rows; {failed} left out')
    return 0 if writer.episodes else 1


def command(arguments: argparse.Namespace) -> str:
    """The command that makes this dataset, with everything that decides what is in it."""
    words = ['./inspire', 'export', *map(str, arguments.episodes)]
    for name in ('out', 'split', 'outcome', 'labels', 'image_size', 'stride'):
        words += [f'--{name.replace("_", "-")}', str(getattr(arguments, name))]
    return shlex.join(words)


def add(writer: DatasetWriter, number: int, reader: EpisodeReader, setting: Exporting,
        arguments: argparse.Namespace) -> None:
    """Export one episode into the dataset, or say why not."""
    job = job_of(reader.manifest)
    begin, place = time.monotonic(), reader.place.folder
    try:
        reason = unwanted(job, reader.manifest, arguments)
        made = None if reason else exported(number, job, reader, setting)
    except (ValueError, BagError) as error:
        reason, made = str(error), None
    outcome = Outcome(**asdict(job), episode=number, success=made is not None,
                      seconds=round(time.monotonic() - begin, 3), detail=reason,
                      steps=made.episode.steps if made else 0,
                      rows=made.episode.rows if made else 0)
    writer.take(outcome, packed(made.episode, made.rows) if made else b'')
    for damage in reader.damage:
        print(f'{place}: the bag is damaged: {damage}', file=sys.stderr)
    if made is None:
        print(f'{place} is left out: {reason}', file=sys.stderr)
    for why, count in (made.left_out if made else {}).items():
        print(f'{place}: {count} instants are left out: {why}', file=sys.stderr)


def exported(number: int, job: Job, reader: EpisodeReader, setting: Exporting) -> Exported:
    """The samples of one episode."""
    def messages() -> Iterator[tuple[str, bytes]]:
        for record in reader.records(TOPICS):
            yield record.topic, record.data

    return export(number, job, reader.manifest.outcome == 'success', messages, setting,
                  Catalogue.load(default_catalogue()))


def job_of(manifest: Manifest) -> Job:
    """What was done; split and task are '' for an instruction that the simulation does not
    know."""
    try:
        task, _ = find(manifest.instruction)
    except UnknownTask:
        return Job(manifest.task, manifest.instruction, '', manifest.seed)
    return Job(task.id, manifest.instruction, task.split, manifest.seed)


def unwanted(job: Job, manifest: Manifest, arguments: argparse.Namespace) -> str:
    """Why an episode is not to be in the dataset, or ''."""
    if arguments.split != 'all' and (job.split == 'unseen') != (arguments.split == 'unseen'):
        return f'{job.task} is {job.split or "no task of the simulation"}; --split all takes it'
    if arguments.outcome == 'success' and manifest.outcome != 'success':
        return f'its outcome is {manifest.outcome}; --outcome any takes it'
    return ''


def common_viewer(manifests: Sequence[Manifest]) -> Viewer:
    """The preset in whose frame all were recorded. Raises ManifestError."""
    found = set()
    for each in manifests:
        yaw = each.viewer.yaw if each.viewer else None
        names = [preset.name for preset in VIEWERS.values()
                 if yaw is not None and math.isclose(preset.yaw, yaw, abs_tol=1e-6)]
        if not names:
            raise ManifestError(f"an episode's viewer has yaw {yaw} in base_link; presets: " +
                                ', '.join(f'{one.name} {one.yaw:.4f}' for one in
                                          VIEWERS.values()))
        found.add(names[0])
    if len(found) > 1:
        raise ManifestError(f'the episodes were recorded for several viewers: '
                            f'{", ".join(sorted(found))}; a dataset has one')
    return VIEWERS[found.pop()]

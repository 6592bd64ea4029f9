# SPDX-License-Identifier: Apache-2.0
"""Make a bag that was cut off or damaged a proper one again; the file as it was found is kept.

All whole messages go to a new file with index and metadata.yaml, so that every tool reads it, and
the manifest says what was met. A bag that is whole is left alone.
"""

import hashlib
import itertools
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from inspire_bringup import manifest as manifests
from inspire_bringup.bag import BagWriter
from inspire_bringup.definitions import leading_types
from inspire_bringup.episode_reader import EpisodePlace, locate
from inspire_bringup.losses import StampPlace, TopicLedger, stamp_place
from inspire_bringup.manifest import Bag, ManifestError, Repair
from inspire_bringup.recording import summary
from inspire_bringup.salvage import BagError, Salvage, is_whole

ORIGINAL_SUFFIX = '.original'
MISSING_METADATA = ('metadata.yaml was missing',)
_WORK_FOLDER = '.repairing'


@dataclass(frozen=True)
class Report:
    """What a repair found and did; `original` is None where there was nothing to do."""

    bag: Path
    messages: int
    seconds: float
    damage: tuple[str, ...]
    original: Path | None


def repair(path: Path | str, progress: Callable[[int], None] = lambda messages: None) -> Report:
    """Rewrite an episode's bag from what is readable of it; BagError where nothing is."""
    place = locate(path)
    if is_whole(place.bag) and (place.bag.parent / 'metadata.yaml').exists():
        report = _inspect(place)
        if not report.damage:
            return report
    return _rewrite(place, progress)


def _inspect(place: EpisodePlace) -> Report:
    """Read a bag with an index through: chunks whose checksum is wrong are damage too."""
    salvage = Salvage(place.bag)
    times = [record.log_time for record in salvage.records()]
    seconds = (max(times) - min(times)) * 1e-9 if times else 0.0
    return Report(place.bag, len(times), seconds, tuple(salvage.damage), None)


def _rewrite(place: EpisodePlace, progress: Callable[[int], None]) -> Report:
    work = place.bag.parent / _WORK_FOLDER
    shutil.rmtree(work, ignore_errors=True)
    salvage = Salvage(place.bag)
    writer = BagWriter(work, place.bag.name)
    ledgers: dict[str, TopicLedger] = {}
    stamps: dict[str, StampPlace | None] = {}
    try:
        for count, record in enumerate(salvage.records(), 1):
            topic = salvage.topics[record.topic]
            if topic.name not in ledgers:
                writer.add_topic(topic)
                ledgers[topic.name] = TopicLedger(topic.name, topic.type, max(len(topic.qos), 1))
                stamps[topic.name] = _stamp_place(topic.type, topic.definition)
            stamp = stamps[topic.name]
            ledgers[topic.name].receive(
                record.log_time,
                len(record.data),
                record.sequence or None,
                stamp.read(record.data) if stamp else None,
            )
            writer.write(*record)
            if count % 1000 == 0:
                writer.commit()
                progress(count)
        if not ledgers:
            raise BagError(f'{place.bag}: no whole message is left in it; the file is as it was')
        writer.close()
    except BaseException:
        shutil.rmtree(work)
        raise
    original = _exchange(place.bag, work)
    damage = tuple(salvage.damage) or MISSING_METADATA
    _update_manifest(place, writer, ledgers, damage, original)
    seconds = (writer.extent.last - writer.extent.first) * 1e-9
    return Report(place.bag, writer.extent.messages, seconds, damage, original)


def _exchange(bag: Path, work: Path) -> Path:
    """Put the new file where the old one was; the old one keeps its content under another name."""
    original = _second_name(bag)
    os.replace(work / bag.name, bag)
    os.replace(work / 'metadata.yaml', bag.parent / 'metadata.yaml')
    work.rmdir()
    return original


def _second_name(bag: Path) -> Path:
    """Keep the file under another name, beside what an earlier repair has kept or has begun."""
    for number in itertools.count(1):
        suffix = ORIGINAL_SUFFIX if number == 1 else f'{ORIGINAL_SUFFIX}-{number}'
        original = bag.with_name(bag.name + suffix)
        try:
            os.link(bag, original)
        except FileExistsError:
            if not original.samefile(bag):
                continue
        return original
    raise AssertionError('numbers do not end')


def _update_manifest(
    place: EpisodePlace,
    writer: BagWriter,
    ledgers: dict[str, TopicLedger],
    damage: tuple[str, ...],
    original: Path,
) -> None:
    """Write what the repaired bag holds into the manifest; a bag without one gets none."""
    try:
        old = manifests.read(place.folder)
    except ManifestError:
        return
    with open(original, 'rb') as file:
        digest = hashlib.file_digest(file, 'sha256').hexdigest()
    extent = writer.extent
    manifests.write(
        place.folder,
        replace(
            old,
            complete=old.complete and damage == MISSING_METADATA,
            duration=(extent.last - extent.first) * 1e-9,
            topics=old.topics or [summary(ledger) for ledger in ledgers.values()],
            lost=old.lost or sum(ledger.lost for ledger in ledgers.values()),
            bag=Bag(
                str(place.bag.relative_to(place.folder)),
                writer.bytes,
                extent.messages,
                writer.sha256,
                extent.first,
                extent.last,
            ),
            repair=Repair(list(damage), str(original.relative_to(place.folder)), digest),
        ),
    )


def _stamp_place(type_name: str, definition: str) -> StampPlace | None:
    """Find where a recorded type keeps its stamp, from the definition in the bag."""
    sections = definition.split('=' * 80 + '\nMSG: ')
    texts = {name: text for name, _, text in (part.partition('\n') for part in sections[1:])}
    package, message = type_name.split('/')[0], type_name.split('/')[-1]
    texts[f'{package}/{message}'] = sections[0]
    return stamp_place(leading_types(type_name, lambda name: texts.get(name, '')))

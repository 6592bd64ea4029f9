# SPDX-License-Identifier: Apache-2.0
"""Read an episode: its manifest and its messages, decoded, on any machine, whole or cut off.

No ROS is imported: the message definitions come from the bag itself, so a bare training machine
can export a dataset. A bag that a killed recorder left without an index is read all the same;
`damage` then says what was met.

    episode = EpisodeReader('runs/20260101-120000')
    for topic, time, message in episode.messages(['/joint_states']):
        print(time, message.position[:6])
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from mcap.records import Schema
from mcap_ros2.decoder import DecoderFactory

from inspire_bringup import manifest as manifests
from inspire_bringup.bag import Topic
from inspire_bringup.manifest import Manifest
from inspire_bringup.recording import BAG_FILE, BAG_FOLDER
from inspire_bringup.salvage import BagError, Record, Salvage

Decoder = Callable[[bytes], Any]


class Message(NamedTuple):
    """A decoded message: fields as attributes, named as in its definition; log time in ns."""

    topic: str
    time: int
    message: Any


@dataclass(frozen=True)
class EpisodePlace:
    """Where the parts of an episode lie."""

    folder: Path  # the run: manifest, video, report, labels
    bag: Path  # the MCAP file


def locate(path: Path | str) -> EpisodePlace:
    """Find an episode from its folder, from the bag's folder in it, or from the MCAP file."""
    path = Path(path)
    if path.is_file() and path.suffix == '.mcap':
        bag_folder = path.parent
        return EpisodePlace(
            bag_folder.parent if bag_folder.name == BAG_FOLDER else bag_folder, path
        )
    for bag_folder in (path / BAG_FOLDER, path):
        bags = sorted(bag_folder.glob('*.mcap'))
        preferred = bag_folder / BAG_FILE
        if bags:
            folder = bag_folder.parent if bag_folder.name == BAG_FOLDER else bag_folder
            return EpisodePlace(folder, preferred if preferred in bags else bags[0])
    raise BagError(
        f'{path} is no episode: a folder with {BAG_FOLDER}/{BAG_FILE} (runs/<time>), '
        'a bag folder or a .mcap file was expected'
    )


class EpisodeReader:
    """One episode. Each reading is from the beginning, in the order of the file (log time)."""

    def __init__(self, path: Path | str) -> None:
        self.place = locate(path)
        self.damage: tuple[str, ...] = ()
        self._decoders: dict[str, Decoder] = {}
        self._topics: dict[str, Topic] = {}

    @cached_property
    def manifest(self) -> Manifest:
        """The episode's manifest; ManifestError where it is missing or wrong."""
        return manifests.read(self.place.folder)

    @property
    def topics(self) -> dict[str, Topic]:
        """Topics met so far: all of them once the messages were read."""
        return self._topics

    def records(self, topics: Collection[str] | None = None) -> Iterator[Record]:
        """Yield messages as they lie in the bag, serialized; some topics only where named."""
        salvage = Salvage(self.place.bag)
        self._topics = salvage.topics
        yield from salvage.records(None if topics is None else frozenset(topics))
        self.damage = tuple(salvage.damage)

    def messages(self, topics: Collection[str] | None = None) -> Iterator[Message]:
        """Yield messages decoded; arrays of bytes come as bytes, others as lists or arrays."""
        for record in self.records(topics):
            decode = self._decoders.get(record.topic) or self._decoder(record.topic)
            yield Message(record.topic, record.log_time, decode(record.data))

    def _decoder(self, name: str) -> Decoder:
        topic = self._topics[name]
        schema = Schema(1, topic.definition.encode(), 'ros2msg', topic.type)
        decoder = DecoderFactory().decoder_for('cdr', schema)
        if decoder is None:
            raise BagError(f'{self.place.bag}: {name} has no readable definition of {topic.type}')
        self._decoders[name] = decoder
        return decoder


def stamp_nanoseconds(stamp: Any) -> int:
    """Turn a decoded builtin_interfaces/Time into ns."""
    return int(stamp.sec * 1_000_000_000 + stamp.nanosec)

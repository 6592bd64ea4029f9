# SPDX-License-Identifier: Apache-2.0
"""Write a rosbag2 bag (MCAP, metadata.yaml) that power loss can shorten but not spoil.

The MCAP library makes the records. `BagFile` below it holds them in memory until `commit`, and a
commit goes to disk whole or not at all, so what is on disk is always a sequence of whole chunks.
`ros2 bag info` and `ros2 bag play` read the result (rosbag2 metadata version 9, Jazzy).
"""

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from mcap.writer import CompressionType, Writer

COMPRESSIONS = {
    'none': CompressionType.NONE,
    'lz4': CompressionType.LZ4,
    'zstd': CompressionType.ZSTD,
}
METADATA_VERSION = 9
# Chunks are cut by time, in `commit`; this bound [bytes] only keeps a burst from making a giant.
CHUNK_BYTES = 8 << 20

QosProfile = Mapping[str, Any]


@dataclass(frozen=True)
class Topic:
    """A recorded topic: what a reader needs to decode it and a player to publish it again."""

    name: str
    type: str  # 'package/msg/Type'
    definition: str  # text with all dependencies, see definitions.py
    type_hash: str = ''  # 'RIHS01_...'
    qos: tuple[QosProfile, ...] = ()  # one per publisher, in rosbag2's words


@dataclass
class Extent:
    """How much a bag holds: message count per topic and the span of its log times [ns]."""

    counts: dict[str, int] = field(default_factory=dict)
    first: int = 0
    last: int = 0

    def add(self, topic: str, log_time: int) -> None:
        self.first = log_time if not self.messages else min(self.first, log_time)
        self.last = max(self.last, log_time)
        self.counts[topic] += 1

    @property
    def messages(self) -> int:
        return sum(self.counts.values())


class BagFile:
    """A file to append to, whose `commit` writes everything since the last one, or nothing."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(
            path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644
        )
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._digest = hashlib.sha256()
        self.committed = 0

    def write(self, data: bytes) -> int:
        if data:
            self._pending.append(bytes(data))
            self._pending_bytes += len(data)
        return len(data)

    def tell(self) -> int:
        return self.committed + self._pending_bytes

    def flush(self) -> None:
        """Do nothing: the MCAP writer flushes in the middle of things."""

    def commit(self) -> None:
        """Write what is pending; raises OSError with the file cut back to the last commit."""
        data = b''.join(self._pending)
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(self._descriptor, view) :]
        except OSError:
            os.ftruncate(self._descriptor, self.committed)
            os.lseek(self._descriptor, self.committed, os.SEEK_SET)
            raise
        self._digest.update(data)
        self.committed += len(data)
        self._pending.clear()
        self._pending_bytes = 0

    def sync(self) -> None:
        """Have what was committed survive a loss of power."""
        os.fdatasync(self._descriptor)

    def close(self) -> None:
        """Close; a second time changes nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()


class BagWriter:
    """One bag folder with one MCAP file, written by one thread."""

    def __init__(
        self, folder: Path, name: str, compression: str = 'lz4', distro: str = 'jazzy'
    ) -> None:
        """Create `folder` and `folder/name`; FileExistsError where either is there already."""
        folder.mkdir(parents=True)
        self.folder, self.path = folder, folder / name
        self.topics: dict[str, Topic] = {}
        self.extent = Extent()
        self._distro = distro
        self._file = BagFile(self.path)
        self._writer = Writer(
            self._file,  # type: ignore[arg-type]  # needs write and tell only
            chunk_size=CHUNK_BYTES,
            compression=COMPRESSIONS[compression],
        )
        self._writer.start(profile='ros2', library='inspire_bringup recorder')
        self._file.commit()
        self._schemas: dict[str, int] = {}
        self._channels: dict[str, int] = {}

    def add_topic(self, topic: Topic) -> None:
        """Make a topic known; a second time changes nothing."""
        if topic.name in self.topics:
            return
        if topic.type not in self._schemas:
            self._schemas[topic.type] = self._writer.register_schema(
                topic.type, 'ros2msg', topic.definition.encode()
            )
        self._channels[topic.name] = self._writer.register_channel(
            topic.name,
            'cdr',
            self._schemas[topic.type],
            {'offered_qos_profiles': qos_text(topic.qos), 'topic_type_hash': topic.type_hash},
        )
        self.topics[topic.name] = topic
        self.extent.counts[topic.name] = 0

    def write(
        self, topic: str, log_time: int, publish_time: int, sequence: int, data: bytes
    ) -> None:
        """Add a serialized message; times in ns, sequence as the publisher counts."""
        self._writer.add_message(
            self._channels[topic], log_time, data, publish_time, sequence & 0xFFFFFFFF
        )
        self.extent.add(topic, log_time)

    def commit(self) -> None:
        """End the chunk and write it: from here on a killed process loses nothing of it.

        After an OSError what was not written is still there: make room, and commit again.
        """
        self._writer.flush()  # type: ignore[no-untyped-call]
        self._file.commit()

    def sync(self) -> None:
        self._file.sync()

    def close(self) -> None:
        """End the file with its index and write metadata.yaml beside it."""
        self.commit()
        information = metadata(self.path.name, self.topics.values(), self.extent, self._distro)
        self._writer.add_metadata(
            'rosbag2', {'serialized_metadata': _dump(information['rosbag2_bagfile_information'])}
        )
        self._writer.finish()  # type: ignore[no-untyped-call]
        self._file.commit()
        self._file.sync()
        self._file.close()
        write_atomically(self.folder / 'metadata.yaml', _dump(information))

    def abandon(self) -> None:
        """Leave the file as committed, without an index: the reader and `repair` cope."""
        self._file.close()

    @property
    def bytes(self) -> int:
        return self._file.committed

    @property
    def sha256(self) -> str:
        return self._file.sha256


def qos_text(profiles: Sequence[QosProfile]) -> str:
    """Write QoS profiles as rosbag2 keeps them in a channel's metadata."""
    return _dump([dict(profile) for profile in profiles]) if profiles else ''


def metadata(
    file_name: str, topics: Any, extent: Extent, distro: str
) -> dict[str, dict[str, Any]]:
    """Build the content of rosbag2's metadata.yaml."""
    start = {'nanoseconds_since_epoch': extent.first}
    duration = {'nanoseconds': extent.last - extent.first}
    listed = [
        {
            'topic_metadata': {
                'name': topic.name,
                'type': topic.type,
                'serialization_format': 'cdr',
                'offered_qos_profiles': [dict(profile) for profile in topic.qos],
                'type_description_hash': topic.type_hash,
            },
            'message_count': extent.counts[topic.name],
        }
        for topic in topics
    ]
    return {
        'rosbag2_bagfile_information': {
            'version': METADATA_VERSION,
            'storage_identifier': 'mcap',
            'duration': duration,
            'starting_time': start,
            'message_count': extent.messages,
            'topics_with_message_count': listed,
            'compression_format': '',
            'compression_mode': '',
            'relative_file_paths': [file_name],
            'files': [
                {
                    'path': file_name,
                    'starting_time': start,
                    'duration': duration,
                    'message_count': extent.messages,
                }
            ],
            'custom_data': None,
            'ros_distro': distro,
        }
    }


def write_atomically(path: Path, text: str) -> None:
    """Replace a file: a reader, or a power loss, meets the old or the new one, never half."""
    part = path.with_name(f'.{path.name}.part')
    with open(part, 'w', encoding='utf-8') as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)


class _PlainDumper(yaml.SafeDumper):
    """YAML without anchors: rosbag2's reader is a plain one."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _dump(content: Any) -> str:
    return yaml.dump(content, Dumper=_PlainDumper, sort_keys=False)

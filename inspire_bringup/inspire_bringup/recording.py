# SPDX-License-Identifier: Apache-2.0
"""One episode being recorded: its folder, its bag, the thread that writes, and what was lost.

The caller hands over messages with `put` and is never held up by the disk: a bounded queue lies
between, and what does not fit is counted as lost. The writing thread ends a chunk every quarter of
a second and has it survive a loss of power every half, so that a killed recorder or a dead machine
costs less than a second. A full disk ends the writing, not the episode's file: a reserve is given
back to close it properly.
"""

import errno
import os
import shutil
import threading
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from inspire_bringup import manifest as manifests
from inspire_bringup.bag import COMPRESSIONS, BagWriter, Extent, Topic
from inspire_bringup.losses import StampPlace, TopicLedger
from inspire_bringup.manifest import Bag, Manifest, Outcome, TopicSummary, Viewer
from inspire_bringup.salvage import Salvage

BAG_FOLDER, BAG_FILE = 'episode', 'episode_0.mcap'
CHUNK_SECONDS = 0.25
SYNC_SECONDS = 0.5
# Kept free while recording, to close a bag on a full disk: a chunk, a long index, the manifest.
RESERVE_BYTES = 16 << 20
RESERVE_FILE = '.reserve'


class RecordingError(RuntimeError):
    """An episode that cannot be started or ended; the message says what would have been valid."""


class Message(NamedTuple):
    """A serialized message to record; times in ns, sequence None where the middleware has none."""

    topic: str
    log_time: int
    publish_time: int
    sequence: int | None
    data: bytes


@dataclass(frozen=True)
class Settings:
    """How an episode is written."""

    compression: str = 'lz4'
    queue_bytes: int = 256 << 20
    free_bytes: int = 512 << 20
    distro: str = 'jazzy'

    def __post_init__(self) -> None:
        if self.compression not in COMPRESSIONS:
            raise ValueError(
                f'compression is {self.compression!r}; valid: {", ".join(COMPRESSIONS)}'
            )


@dataclass(frozen=True)
class Status:
    """What the recorder is doing."""

    folder: Path
    duration: float  # s
    messages: int
    bytes: int
    lost: int
    warnings: tuple[str, ...]
    failure: str


class Recording:
    """Records one episode into `folder` until `stop`. `put` and `status` belong to one thread."""

    def __init__(self, folder: Path, manifest: Manifest, settings: Settings = Settings()) -> None:
        """Claim the folder and open the bag; RecordingError where that is not possible."""
        self.folder = folder
        self._settings = settings
        self._manifest = replace(manifest, bag=Bag(f'{BAG_FOLDER}/{BAG_FILE}'))
        self._bag = _open(folder, self._manifest, settings)
        self.ledgers: dict[str, TopicLedger] = {}
        self._stamps: dict[str, StampPlace | None] = {}
        self._expected: tuple[str, ...] = ()
        self._queue: deque[Topic | Message] = deque()
        self._queued_bytes = 0
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._failure = ''
        self._first = self._last = 0
        self._free_bytes = shutil.disk_usage(folder).free
        self._thread = threading.Thread(target=self._write_until_ended, name='bag writer')
        self._thread.start()

    def expect(self, topics: Iterable[str]) -> None:
        """Warn about these topics until a message of theirs comes."""
        self._expected = tuple(topics)

    def add_topic(
        self,
        topic: Topic,
        publishers: int = 1,
        stamp: StampPlace | None = None,
        late: bool = False,
    ) -> None:
        """Make a topic known before its first message.

        `stamp` says where its messages keep theirs; `late` that it appeared while recording, so
        that what was sent before the recorder knew it is missing.
        """
        self.ledgers[topic.name] = TopicLedger(topic.name, topic.type, publishers, late)
        self._stamps[topic.name] = stamp
        with self._lock:
            self._queue.append(topic)

    def put(self, messages: Iterable[Message]) -> None:
        """Hand over messages; what the queue cannot take is counted as lost."""
        is_writing = self._thread.is_alive()
        with self._lock:
            for message in messages:
                place, ledger = self._stamps[message.topic], self.ledgers[message.topic]
                stamp = place.read(message.data) if place else None
                ledger.receive(message.log_time, len(message.data), message.sequence, stamp)
                self._first = (
                    min(self._first, message.log_time) if self._last else message.log_time
                )
                self._last = max(self._last, message.log_time)
                size = len(message.data)
                full = self._queued_bytes + size > self._settings.queue_bytes
                if full or self._failure or not is_writing:
                    ledger.lost_in_queue += 1
                    continue
                self._queued_bytes += size
                self._queue.append(message)

    @property
    def failure(self) -> str:
        return self._failure

    @property
    def duration(self) -> float:
        return (self._last - self._first) * 1e-9

    def status(self) -> Status:
        """Sum up what was recorded and lost so far."""
        ledgers = self.ledgers.values()
        return Status(
            folder=self.folder,
            duration=self.duration,
            messages=sum(ledger.written for ledger in ledgers),
            bytes=self._bag.bytes,
            lost=sum(ledger.lost for ledger in ledgers),
            warnings=tuple(self._warnings()),
            failure=self._failure,
        )

    def _warnings(self) -> Iterable[str]:
        if self._failure:
            yield f'{self.folder}: {self._failure}'
        elif self._free_bytes < self._settings.free_bytes:
            yield f'{self.folder}: only {self._free_bytes >> 20} MiB of disk left'
        for name in self._expected:
            if name not in self.ledgers or not self.ledgers[name].count:
                yield f'{name}: no message yet'
        yield from filter(None, (ledger.warning() for ledger in self.ledgers.values()))

    def stop(
        self, outcome: Outcome = 'unknown', note: str = '', viewer: Viewer | None = None
    ) -> Manifest:
        """Write what is queued, close the bag and write the final manifest.

        RecordingError where the manifest cannot be written: the bag is closed all the same.
        """
        self._end_writing()
        final = replace(
            self._manifest,
            complete=not self._failure,
            outcome=outcome,
            note=note,
            error=self._failure,
            stopped=now_text(),
            duration=self.duration,
            lost=sum(ledger.lost for ledger in self.ledgers.values()),
            viewer=viewer,
            topics=[summary(ledger) for ledger in self.ledgers.values()],
            warnings=list(self._warnings()),
            bag=Bag(
                f'{BAG_FOLDER}/{BAG_FILE}',
                self._bag.bytes,
                self._bag.extent.messages,
                self._bag.sha256,
                self._bag.extent.first,
                self._bag.extent.last,
            ),
        )
        try:
            manifests.write(self.folder, final)
        except OSError as error:
            raise RecordingError(
                f'{self.folder / manifests.NAME}: {error.strerror}; the bag is closed, the '
                'manifest is the one of the start'
            ) from error
        return final

    def discard(self) -> None:
        """Delete what this recording wrote, and the folder where nothing else is in it."""
        self._end_writing()
        shutil.rmtree(self.folder / BAG_FOLDER)
        (self.folder / manifests.NAME).unlink()
        if not any(self.folder.iterdir()):
            self.folder.rmdir()

    def _end_writing(self) -> None:
        self._ending.set()
        self._thread.join()

    def _write_until_ended(self) -> None:
        try:
            self._write_chunks()
        except Exception as error:  # noqa: BLE001  a writer that died would look like one that ended
            self._fail(error)
        self._close()

    def _write_chunks(self) -> None:
        chunk_end = time.monotonic() + CHUNK_SECONDS
        sync = time.monotonic() + SYNC_SECONDS
        ending = False
        while not ending:
            ending = self._ending.wait(CHUNK_SECONDS / 5)  # first: the last pass empties the queue
            self._write_queued()
            if (now := time.monotonic()) >= chunk_end:
                self._bag.commit()
                chunk_end = now + CHUNK_SECONDS
            if now >= sync:
                self._bag.sync()
                self._free_bytes = shutil.disk_usage(self.folder).free
                sync = time.monotonic() + SYNC_SECONDS

    def _write_queued(self) -> None:
        with self._lock:
            taken, self._queue, self._queued_bytes = self._queue, deque(), 0
        for item in taken:
            if isinstance(item, Topic):
                self._bag.add_topic(item)
            else:
                self._bag.write(
                    item.topic, item.log_time, item.publish_time, item.sequence or 0, item.data
                )

    def _fail(self, error: Exception) -> None:
        """Say what happened; what is still queued is lost, and so is all that follows."""
        self._failure = self._words(error)
        with self._lock:
            for item in self._queue:
                if isinstance(item, Message):
                    self.ledgers[item.topic].lost_in_queue += 1
            self._queue.clear()

    def _close(self) -> None:
        """Give the reserve back and end the bag properly; without room even then, leave it."""
        (self.folder / RESERVE_FILE).unlink(missing_ok=True)
        try:
            self._bag.close()
        except Exception as error:  # noqa: BLE001  as above
            self._failure = self._words(error)
            self._bag.abandon()
            self._count_again()

    def _words(self, error: Exception) -> str:
        reason = error.strerror if isinstance(error, OSError) else repr(error)
        return f'{reason} while writing {self._bag.path}'

    def _count_again(self) -> None:
        """Take what lies on disk for what was written: the end of the bag did not get there."""
        extent = Extent(dict.fromkeys(self.ledgers, 0))
        for record in Salvage(self._bag.path).records():
            extent.add(record.topic, record.log_time)
        for name, ledger in self.ledgers.items():
            ledger.lost_in_queue = ledger.count - extent.counts[name]
        self._bag.extent = extent


def summary(ledger: TopicLedger) -> TopicSummary:
    """Turn a topic's ledger into its lines in the manifest."""
    return TopicSummary(
        name=ledger.name,
        type=ledger.type,
        count=ledger.written,
        rate=round(ledger.rate, 3),
        longest_interval=round(ledger.stamps.longest * 1e-9, 6),
        gaps=ledger.stamps.gaps,
        lost=ledger.lost,
        lost_in_transport=ledger.lost_in_transport,
        lost_in_queue=ledger.lost_in_queue,
        lost_before=ledger.lost_before,
    )


def now_text() -> str:
    """Return the present time in UTC, ISO 8601 to the millisecond."""
    return datetime.now(UTC).isoformat(timespec='milliseconds').replace('+00:00', 'Z')


def _open(folder: Path, manifest: Manifest, settings: Settings) -> BagWriter:
    """Claim the folder, lay the reserve by and open the bag, or leave no trace and say why not."""
    created = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
        if free < settings.free_bytes:
            raise RecordingError(
                f'{folder}: {free >> 20} MiB of disk are free, at least '
                f'{settings.free_bytes >> 20} MiB are needed to record'
            )
        if (folder / BAG_FOLDER).exists():
            raise FileExistsError
        manifests.claim(folder, manifest)
    except FileExistsError:
        raise RecordingError(
            f'{folder} holds an episode already; name a folder that does not, or none'
        ) from None
    except OSError as error:
        raise RecordingError(f'cannot record into {folder}: {error.strerror}') from error
    try:
        _lay_reserve_by(folder / RESERVE_FILE, min(RESERVE_BYTES, free // 4))
        return BagWriter(folder / BAG_FOLDER, BAG_FILE, settings.compression, settings.distro)
    except OSError as error:
        shutil.rmtree(folder / BAG_FOLDER, ignore_errors=True)
        (folder / manifests.NAME).unlink(missing_ok=True)
        (folder / RESERVE_FILE).unlink(missing_ok=True)
        if created and not any(folder.iterdir()):
            folder.rmdir()
        raise RecordingError(f'cannot record into {folder}: {error.strerror}') from error


def _lay_reserve_by(path: Path, size: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        os.posix_fallocate(descriptor, 0, max(size, 1))
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL, errno.EFBIG):
            raise  # of those three: there is no reserve to be had; recording goes on without
    finally:
        os.close(descriptor)

# SPDX-License-Identifier: Apache-2.0
"""Read a MCAP bag that may be cut off or damaged: each whole message, and what is damaged.

A recorder that was killed leaves a file without an index, perhaps with half a chunk at its end.
The file is read from its beginning, record by record; a chunk whose checksum is wrong is left out;
of a chunk that was cut off, the messages before the cut are taken.
"""

import struct
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import lz4.frame
import yaml
import zstandard
from mcap.opcode import Opcode

from inspire_bringup.bag import Topic

MAGIC = b'\x89MCAP0\r\n'
_HEAD = struct.Struct('<BQ')  # opcode, length of the record
_MESSAGE = struct.Struct('<HIQQ')  # channel, sequence, log time, publish time
_CHUNK = struct.Struct('<QQQII')  # first, last log time, size, checksum, name's length
# No record of ours comes near; a greater length is a damaged one.
LARGEST_RECORD = 1 << 32


class BagError(ValueError):
    """Not a bag, or one of which nothing can be read."""


class Record(NamedTuple):
    """A serialized message as it lies in the bag; times in ns."""

    topic: str
    log_time: int
    publish_time: int
    sequence: int
    data: bytes


class Salvage:
    """Reads one MCAP file. `topics` and `damage` fill up while `records` is consumed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.topics: dict[str, Topic] = {}
        self.damage: list[str] = []
        self.finished = False  # the end of the data was reached as its writer left it
        self._schemas: dict[int, tuple[str, str]] = {}
        self._channels: dict[int, str] = {}

    def records(self, topics: Collection[str] | None = None) -> Iterator[Record]:
        """Yield messages in the order of the file, of these topics only where some are named."""
        try:
            with open(self.path, 'rb') as file:
                if file.read(len(MAGIC)) != MAGIC:
                    raise BagError(f'{self.path} is no MCAP file: it does not begin as one')
                yield from self._file_records(file, topics)
        except OSError as error:
            raise BagError(f'{self.path}: {error.strerror}') from error

    def _file_records(self, file: BinaryIO, topics: Collection[str] | None) -> Iterator[Record]:
        while True:
            start = file.tell()
            head = file.read(_HEAD.size)
            if len(head) < _HEAD.size:
                self.damage.append(f'cut off at byte {start}: there is no index')
                return
            opcode, length = _HEAD.unpack(head)
            if opcode == Opcode.DATA_END:
                self.finished = True
                if not is_whole(self.path):
                    self.damage.append('cut off behind the messages: the index is not whole')
                return
            if length > LARGEST_RECORD or not Opcode.HEADER <= opcode <= Opcode.DATA_END:
                self.damage.append(f'unreadable from byte {start} on: no record starts there')
                return
            body = file.read(length)
            if len(body) < length:
                end = start + len(head) + len(body)
                self.damage.append(f'cut off at byte {end}, inside a record')
            try:
                if opcode == Opcode.CHUNK:
                    yield from self._chunk_records(body, start, len(body) < length, topics)
                elif len(body) == length:
                    yield from self._plain_records(_HEAD.pack(opcode, length) + body, topics)
            except (struct.error, ValueError, yaml.YAMLError) as error:
                self.damage.append(f'record at byte {start} left out: {error}')

    def _chunk_records(
        self, body: bytes, start: int, is_cut: bool, topics: Collection[str] | None
    ) -> Iterator[Record]:
        if len(body) < _CHUNK.size:
            return
        _, _, size, checksum, name_length = _CHUNK.unpack_from(body)
        name = body[_CHUNK.size : _CHUNK.size + name_length].decode('utf-8', 'replace')
        content = _decompress(body[_CHUNK.size + name_length + 8 :], name)
        if not is_cut and (len(content) != size or (checksum and zlib.crc32(content) != checksum)):
            self.damage.append(f'chunk at byte {start} left out: its checksum is wrong')
            return
        yield from self._plain_records(content, topics)

    def _plain_records(self, content: bytes, topics: Collection[str] | None) -> Iterator[Record]:
        """Yield the messages among whole records, and learn schemas and channels on the way."""
        position = 0
        while position + _HEAD.size <= len(content):
            opcode, length = _HEAD.unpack_from(content, position)
            position += _HEAD.size
            end = position + length
            if end > len(content):
                return
            if opcode == Opcode.MESSAGE:
                channel, sequence, log_time, publish_time = _MESSAGE.unpack_from(content, position)
                topic = self._channels.get(channel)
                if topic is None:
                    self.damage.append(f'a message of channel {channel}, never introduced')
                elif topics is None or topic in topics:
                    data = content[position + _MESSAGE.size : end]
                    yield Record(topic, log_time, publish_time, sequence, data)
            elif opcode == Opcode.SCHEMA:
                self._learn_schema(content[position:end])
            elif opcode == Opcode.CHANNEL:
                self._learn_channel(content[position:end])
            position = end

    def _learn_schema(self, body: bytes) -> None:
        (number,) = struct.unpack_from('<H', body)
        name, position = _text(body, 2)
        _, position = _text(body, position)
        definition, _ = _text(body, position)
        self._schemas[number] = (name, definition)

    def _learn_channel(self, body: bytes) -> None:
        number, schema = struct.unpack_from('<HH', body)
        name, position = _text(body, 4)
        _, position = _text(body, position)
        entries, (size,) = {}, struct.unpack_from('<I', body, position)
        position += 4
        end = position + size
        while position < end:
            key, position = _text(body, position)
            entries[key], position = _text(body, position)
        type_name, definition = self._schemas.get(schema, ('', ''))
        type_hash = entries.get('topic_type_hash', '')
        profiles = tuple(yaml.safe_load(entries.get('offered_qos_profiles', '')) or ())
        self._channels[number] = name
        self.topics.setdefault(name, Topic(name, type_name, definition, type_hash, profiles))


def is_whole(path: Path) -> bool:
    """Tell whether a file ends as a finished MCAP file does: index, footer, magic bytes."""
    with open(path, 'rb') as file:
        file.seek(0, 2)
        if file.tell() < 2 * len(MAGIC):
            return False
        file.seek(-len(MAGIC), 2)
        return file.read() == MAGIC


def _text(body: bytes, position: int) -> tuple[str, int]:
    """Read a length-prefixed string; return it and the position behind it."""
    (length,) = struct.unpack_from('<I', body, position)
    end = position + 4 + length
    return body[position + 4 : end].decode(), end


def _decompress(data: bytes, compression: str) -> bytes:
    """Decompress as much as there is: of data that was cut off, its beginning."""
    if compression == 'lz4':
        return _as_far_as_possible(lz4.frame.LZ4FrameDecompressor().decompress, data)
    if compression == 'zstd':
        return _as_far_as_possible(zstandard.ZstdDecompressor().decompressobj().decompress, data)
    if compression == '':
        return data
    raise BagError(f'chunk compression {compression!r} is not known; known: none, lz4, zstd')


def _as_far_as_possible(decompress: object, data: bytes) -> bytes:
    """Feed a decompressor; damaged input gives nothing, which the checksum then tells."""
    try:
        return decompress(data)  # type: ignore[operator]
    except (RuntimeError, zstandard.ZstdError):
        return b''

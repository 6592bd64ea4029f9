# SPDX-License-Identifier: Apache-2.0
"""Recordings keep what they took, say what they lost, and survive full disks and sudden death."""

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import bags
import pytest

from inspire_bringup import manifest as manifests
from inspire_bringup.bag import BagWriter
from inspire_bringup.episode_reader import EpisodeReader
from inspire_bringup.recording import Recording, RecordingError, Settings
from inspire_bringup.salvage import is_whole

ROOMY = Settings(free_bytes=0)


def record(folder: Path, messages: int = 100, **stop):
    recording = Recording(folder, bags.manifest(), ROOMY)
    recording.add_topic(bags.text_topic())
    recording.put(bags.text_message(index) for index in range(messages))
    return recording.stop(**stop)


def texts(folder: Path) -> list[str]:
    return [one.message.data.strip() for one in EpisodeReader(folder).messages()]


def test_what_was_put_is_read_and_summed_up(tmp_path):
    manifest = record(tmp_path / 'run', 100, outcome='success', note='well done')
    assert texts(tmp_path / 'run') == [str(index) for index in range(100)]
    assert manifest == manifests.read(tmp_path / 'run')
    assert (manifest.complete, manifest.outcome, manifest.note) == (True, 'success', 'well done')
    assert (manifest.bag.messages, manifest.lost, manifest.warnings) == (100, 0, [])
    assert manifest.duration == pytest.approx(0.99)
    (topic,) = manifest.topics
    assert (topic.name, topic.count, topic.rate) == ('/chatter', 100, 100.0)
    assert sorted(path.name for path in (tmp_path / 'run').iterdir()) == [
        'episode',
        'manifest.json',
    ]


def test_while_it_records_the_manifest_says_incomplete(tmp_path):
    recording = Recording(tmp_path / 'run', bags.manifest(), ROOMY)
    assert not manifests.read(tmp_path / 'run').complete
    recording.stop()
    assert manifests.read(tmp_path / 'run').complete


def test_thrown_away_nothing_is_left(tmp_path):
    recording = Recording(tmp_path / 'run', bags.manifest(), ROOMY)
    recording.discard()
    assert list(tmp_path.iterdir()) == []


def test_throwing_away_keeps_files_that_are_not_ours(tmp_path):
    (tmp_path / 'notes.txt').write_text('mine')
    Recording(tmp_path, bags.manifest(), ROOMY).discard()
    assert [path.name for path in tmp_path.iterdir()] == ['notes.txt']


def test_a_second_recorder_on_the_folder_is_refused_and_the_first_goes_on(tmp_path):
    first = Recording(tmp_path / 'run', bags.manifest(), ROOMY)
    first.add_topic(bags.text_topic())
    with pytest.raises(RecordingError, match='run holds an episode already'):
        Recording(tmp_path / 'run', bags.manifest(), ROOMY)
    first.put([bags.text_message(0)])
    assert first.stop().bag.messages == 1


def test_of_many_recorders_at_once_on_one_folder_one_succeeds(tmp_path):
    barrier, won, refused = threading.Barrier(8), [], []

    def compete():
        barrier.wait()
        try:
            won.append(Recording(tmp_path / 'run', bags.manifest(), ROOMY))
        except RecordingError:
            refused.append(1)

    threads = [threading.Thread(target=compete) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for recording in won:
        recording.stop()
    assert (len(won), len(refused)) == (1, 7)


def test_a_folder_that_cannot_be_made_is_refused_by_name(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(RecordingError, match=r'cannot record into .*file/run: Not a directory'):
        Recording(tmp_path / 'file' / 'run', bags.manifest(), ROOMY)


def test_a_disk_with_too_little_room_is_refused_with_both_figures(tmp_path):
    with pytest.raises(RecordingError, match=r'MiB of disk are free, at least 1099511627776 MiB'):
        Recording(tmp_path / 'run', bags.manifest(), Settings(free_bytes=1 << 60))


def test_a_compression_that_is_not_known_is_refused():
    with pytest.raises(ValueError, match="compression is 'gzip'; valid: none, lz4, zstd"):
        Settings(compression='gzip')


def test_what_the_queue_cannot_take_is_counted_and_said(tmp_path, monkeypatch):
    may_write = threading.Event()
    write = BagWriter.write

    def slow(self, *arguments):
        may_write.wait()
        write(self, *arguments)

    monkeypatch.setattr(BagWriter, 'write', slow)
    size = len(bags.text_message(0, size=1000).data)
    settings = Settings(free_bytes=0, queue_bytes=10 * size)
    recording = Recording(tmp_path / 'run', bags.manifest(), settings)
    recording.add_topic(bags.text_topic())
    recording.put([bags.text_message(0, size=1000)])
    deadline = time.monotonic() + 5
    while recording._queue and time.monotonic() < deadline:
        time.sleep(0.01)  # the writer holds message 0 in its hands
    recording.put(bags.text_message(index, size=1000) for index in range(1, 31))
    status = recording.status()
    may_write.set()
    manifest = recording.stop()
    assert status.lost == manifest.lost == 20
    assert '/chatter: 20 lost in the recorder' in status.warnings[0]
    assert manifest.topics[0].lost_in_queue == 20
    assert texts(tmp_path / 'run') == [str(index) for index in range(11)]


def test_losses_in_transport_are_counted_and_said(tmp_path):
    recording = Recording(tmp_path / 'run', bags.manifest(), ROOMY)
    recording.add_topic(bags.text_topic())
    recording.put(bags.text_message(index) for index in range(50) if index not in (7, 8, 30))
    assert '/chatter: 3 lost in transport' in recording.status().warnings[0]
    assert recording.stop().lost == 3


def test_an_expected_topic_is_missed_until_it_speaks(tmp_path):
    recording = Recording(tmp_path / 'run', bags.manifest(), ROOMY)
    recording.expect(['/chatter'])
    assert recording.status().warnings == ('/chatter: no message yet',)
    recording.add_topic(bags.text_topic())
    recording.put([bags.text_message(0)])
    assert recording.status().warnings == ()
    recording.stop()


FILL = """
import sys, time
sys.path.insert(0, sys.argv[2])
from pathlib import Path
import bags
from inspire_bringup.recording import Recording, Settings
recording = Recording(Path(sys.argv[1]) / 'run', bags.manifest(), Settings('none', free_bytes=0))
recording.add_topic(bags.text_topic())
index, deadline = 0, time.monotonic() + 20
while not recording.failure and time.monotonic() < deadline:
    recording.put(bags.text_message(index + i, size=10_000) for i in range(4))
    index += 4
    time.sleep(0.01)
recording.put([bags.text_message(index, size=10_000)])
index += 1
status = recording.status()
manifest = recording.stop()
print(index, manifest.bag.messages, manifest.lost, manifest.complete, sep='\\n')
print(manifest.error, status.warnings[0], sep='\\n')
"""
TEST = Path(__file__).parent


def fill(folder: Path, wrap: list[str], before=None) -> tuple[int, int, int, list[str]]:
    """Record in a process of its own until the disk fails; return put, kept, lost, and words."""
    command = [*wrap, sys.executable, '-c', FILL, str(folder), str(TEST)]
    run = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, preexec_fn=before
    )
    assert run.returncode == 0, run.stderr
    put, kept, lost, complete, *said = run.stdout.splitlines()
    assert complete == 'False'
    return int(put), int(kept), int(lost), said


def test_a_full_disk_is_said_and_what_was_written_is_a_whole_bag(tmp_path):
    mount = 'mount -t tmpfs -o size=8m none "$1" && shift'
    wrap = ['unshare', '-rm', 'sh', '-c', f'{mount} && "$@" && cp -r "$4/run" "$4.kept"', 'sh']
    if subprocess.run(['unshare', '-rm', 'true'], capture_output=True, check=False).returncode:
        pytest.skip('this machine lets nobody mount a small disk; the limit below stands in')
    disk = tmp_path / 'disk'
    disk.mkdir()
    put, kept, lost, said = fill(disk, [*wrap, str(disk)])
    assert kept + lost == put
    assert kept > 400  # of 10 kB each, on a disk of 8 MB with a reserve of 2 MB
    assert said[0].startswith('No space left on device while writing')
    assert 'No space left on device' in said[1]
    folder = tmp_path / 'disk.kept'
    assert is_whole(folder / 'episode' / 'episode_0.mcap')
    assert (folder / 'episode' / 'metadata.yaml').exists()
    assert [int(text) for text in texts(folder)] == list(range(kept))
    assert 'No space left' in manifests.read(folder).error


def test_a_file_that_may_not_grow_keeps_what_was_written(tmp_path):
    limit = 15 << 20
    put, kept, lost, said = fill(
        tmp_path,
        [],
        lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert kept + lost == put
    assert 'File too large while writing' in said[0]
    assert [int(text) for text in texts(tmp_path / 'run')] == list(range(kept))
    assert kept > 600


RECORD_AND_SAY = """
import sys, time
sys.path.insert(0, sys.argv[2])
from pathlib import Path
import bags
from inspire_bringup.recording import Recording, Settings
recording = Recording(Path(sys.argv[1]), bags.manifest(), Settings(free_bytes=0))
recording.add_topic(bags.text_topic())
start = time.monotonic()
for index in range(100_000):
    recording.put([bags.text_message(index)])
    print(index, flush=True)
    time.sleep(max(0.0, start + index * 0.01 - time.monotonic()))
"""


def test_killed_in_the_middle_less_than_a_second_is_missing(tmp_path):
    command = [sys.executable, '-c', RECORD_AND_SAY, str(tmp_path / 'run'), str(TEST)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if int(line) >= 230:
                os.kill(process.pid, signal.SIGKILL)
                break
        put = int([line, *process.stdout][-1]) + 1
    reader = EpisodeReader(tmp_path / 'run')
    read = [int(one.message.data) for one in reader.messages()]
    assert read == list(range(len(read)))
    assert put - len(read) < 100  # at 100 Hz
    assert 'cut off' in reader.damage[0]
    assert not manifests.read(tmp_path / 'run').complete


def test_an_episode_whose_writer_failed_in_any_way_is_not_complete(tmp_path):
    recording = Recording(tmp_path / 'run', bags.manifest(), Settings(free_bytes=0))
    recording.add_topic(bags.text_topic())
    recording.put([bags.text_message(0)._replace(log_time=-1)])  # no MCAP file can hold it
    manifest = recording.stop()
    assert not manifest.complete
    assert 'while writing' in manifest.error
    assert 'while writing' in manifests.read(tmp_path / 'run').error


def test_a_manifest_that_cannot_be_written_is_said_and_the_bag_is_whole(tmp_path):
    recording = Recording(tmp_path / 'run', bags.manifest(), Settings(free_bytes=0))
    recording.add_topic(bags.text_topic())
    recording.put([bags.text_message(0)])
    (tmp_path / 'run' / '.manifest.json.part').mkdir()
    with pytest.raises(RecordingError, match=r'manifest\.json: Is a directory'):
        recording.stop()
    assert is_whole(tmp_path / 'run' / 'episode' / 'episode_0.mcap')


def test_metadata_that_cannot_be_written_is_said_and_the_bag_is_whole(tmp_path):
    recording = Recording(tmp_path / 'run', bags.manifest(), Settings(free_bytes=0))
    recording.add_topic(bags.text_topic())
    recording.put([bags.text_message(0)])
    (tmp_path / 'run' / 'episode' / '.metadata.yaml.part').mkdir()
    manifest = recording.stop()
    assert (manifest.complete, manifest.bag.messages, manifest.lost) == (False, 1, 0)
    assert manifest.error.startswith('Is a directory while writing')
    assert is_whole(tmp_path / 'run' / 'episode' / 'episode_0.mcap')

# SPDX-License-Identifier: Apache-2.0
"""The recorder on a real graph: it gets all, counts what it does not, and is hard to kill."""

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rosbags.rosbag2 import Reader
from rosbags.typesys import Stores, get_typestore
from rosgraph_msgs.msg import Clock
from std_msgs.msg import String

from inspire_bringup import manifest as manifests
from inspire_bringup.episode_reader import EpisodeReader
from inspire_bringup.recorder_node import RecorderNode
from inspire_bringup.repair import repair
from inspire_msgs.msg import RecorderStatus
from inspire_msgs.srv import StartEpisode, StopEpisode

pytestmark = pytest.mark.node
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
BEST_EFFORT = QoSProfile(depth=10, reliability=ReliabilityPolicy.BEST_EFFORT)


QUICK = {'minimum_free_megabytes': 0, 'meeting_time': 0.2}


class Graph:
    """A context with a node of the test's own, and a recorder in this or another process."""

    def __init__(self) -> None:
        rclpy.init()
        self.node = rclpy.create_node('tester')
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(self.node)
        self.statuses: list[RecorderStatus] = []
        self.node.create_subscription(RecorderStatus, 'recorder_status', self.statuses.append, 10)
        self.recorder: RecorderNode | None = None

    def add_recorder(self, **parameters) -> RecorderNode:
        overrides = [
            Parameter(name, value=value) for name, value in {**QUICK, **parameters}.items()
        ]
        self.recorder = RecorderNode(parameter_overrides=overrides)
        self.executor.add_node(self.recorder)
        return self.recorder

    def publisher(self, topic: str, profile=10):
        return self.node.create_publisher(String, topic, profile)

    def spin_until(self, condition, seconds: float = 15.0) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, 'the condition did not come about'
            self.executor.spin_once(timeout_sec=0.02)

    def call(self, kind, name: str, **fields):
        client = self.node.create_client(kind, name)
        self.spin_until(client.service_is_ready)
        future = client.call_async(kind.Request(**fields))
        self.spin_until(future.done, 30.0)
        self.node.destroy_client(client)
        return future.result()

    def start(self, folder: Path | str, **fields) -> StartEpisode.Response:
        return self.call(StartEpisode, 'start_episode', directory=str(folder), **fields)

    def stop(self, **fields) -> StopEpisode.Response:
        return self.call(StopEpisode, 'stop_episode', **{'keep': True, **fields})

    def close(self) -> None:
        self.executor.shutdown()
        if self.recorder is not None:
            self.recorder.destroy_node()
        self.node.destroy_node()
        rclpy.try_shutdown()


@pytest.fixture
def graph(ros_domain):
    graph = Graph()
    yield graph
    graph.close()


def texts(folder: Path, topic: str) -> list[str]:
    return [one.message.data for one in EpisodeReader(folder).messages([topic])]


def test_everything_published_is_in_the_bag_and_what_was_latched_before_it_too(graph, tmp_path):
    latched, stream = graph.publisher('instruction', LATCHED), graph.publisher('stream')
    loose = graph.publisher('loose', BEST_EFFORT)
    latched.publish(String(data='pick up the ball'))
    graph.add_recorder()
    folder = tmp_path / 'run'
    answer = graph.start(folder, instruction='pick up the ball', task='pick_ball', seed=7)
    assert answer.success, answer.message
    for index in range(200):
        stream.publish(String(data=str(index)))
        loose.publish(String(data=str(index)))
        graph.executor.spin_once(timeout_sec=0.002)
    late = graph.publisher('late', LATCHED)
    late.publish(String(data='here I am'))
    ledgers = graph.recorder._recording.ledgers
    graph.spin_until(lambda: '/late' in ledgers and ledgers['/late'].count == 1)
    answer = graph.stop(outcome=StopEpisode.Request.OUTCOME_SUCCESS, note='fine')
    assert (answer.success, answer.directory, answer.lost) == (True, str(folder), 0)
    assert texts(folder, '/stream') == texts(folder, '/loose') == [str(i) for i in range(200)]
    assert texts(folder, '/instruction') == ['pick up the ball']
    assert texts(folder, '/late') == ['here I am']
    manifest = manifests.read(folder)
    assert (manifest.task, manifest.seed, manifest.outcome) == ('pick_ball', 7, 'success')
    assert manifest.complete and manifest.lost == 0 and not manifest.simulated_time
    store = get_typestore(Stores.ROS2_JAZZY)
    with Reader(folder / 'episode') as reader:
        connections = {one.topic: one for one in reader.connections}
        kept = connections['/instruction'].ext.offered_qos_profiles[0]
        assert kept.durability.name == 'TRANSIENT_LOCAL'
        assert connections['/loose'].ext.offered_qos_profiles[0].reliability.name == 'BEST_EFFORT'
        assert connections['/stream'].digest == store.hash_rihs01('std_msgs/msg/String')
        assert '/recorder_status' not in connections


def test_a_loss_made_on_purpose_is_counted_exactly(graph, tmp_path):
    stream = graph.publisher('stream')
    graph.add_recorder(depth=5)
    graph.start(tmp_path / 'run')
    stream.publish(String(data='first'))
    ledger = graph.recorder._recording.ledgers['/stream']
    graph.spin_until(lambda: ledger.count == 1)
    for index in range(100):  # nothing takes them meanwhile: the middleware keeps the last five
        stream.publish(String(data=str(index)))
    graph.spin_until(lambda: ledger.count == 6)
    graph.spin_until(lambda: graph.statuses and graph.statuses[-1].lost == 95)
    assert '/stream: 95 lost in transport' in graph.statuses[-1].warnings
    assert graph.stop().lost == 95
    manifest = manifests.read(tmp_path / 'run')
    (topic,) = [one for one in manifest.topics if one.name == '/stream']
    assert (topic.count, topic.lost_in_transport, manifest.lost) == (6, 95, 95)


def test_while_it_records_it_tells_and_after_that_it_says_so_once(graph, tmp_path):
    stream = graph.publisher('stream')
    graph.add_recorder(expected=['stream', 'missing'])
    graph.start(tmp_path / 'run')
    stream.publish(String(data='x' * 100))
    graph.spin_until(lambda: graph.statuses and graph.statuses[-1].messages >= 1)
    status = graph.statuses[-1]
    assert status.recording and status.episode == str(tmp_path / 'run')
    assert list(status.warnings) == ['/missing: no message yet']
    graph.stop()
    graph.spin_until(lambda: not graph.statuses[-1].recording)


def test_wrong_requests_are_refused_with_a_reason(graph, tmp_path):
    graph.add_recorder()
    assert 'nothing is being recorded' in graph.stop().message
    assert graph.start(tmp_path / 'run').success
    assert 'stop that episode first' in graph.start(tmp_path / 'other').message
    assert 'outcome is 9; valid: 0 unknown, 1 success, 2 failure' in graph.stop(outcome=9).message
    assert graph.stop().success
    answer = graph.start(tmp_path / 'run')
    assert not answer.success
    assert 'holds an episode already' in answer.message
    (tmp_path / 'file').write_text('')
    assert 'Not a directory' in graph.start(tmp_path / 'file' / 'run').message


def test_an_episode_thrown_away_leaves_nothing(graph, tmp_path):
    graph.add_recorder(directory=str(tmp_path))
    answer = graph.start('')
    assert Path(answer.directory).parent == tmp_path
    answer = graph.stop(keep=False)
    assert (answer.success, answer.directory) == (True, '')
    assert list(tmp_path.iterdir()) == []


def test_on_simulated_time_messages_are_logged_with_the_clock(graph, tmp_path):
    clock = graph.node.create_publisher(Clock, '/clock', 10)
    stream = graph.publisher('stream')
    graph.add_recorder(use_sim_time=True)
    graph.start(tmp_path / 'run')
    for second in range(1, 6):
        message = Clock()
        message.clock.sec = second
        clock.publish(message)
        time.sleep(0.01)  # reception times tell them apart
        stream.publish(String(data=str(second)))
        time.sleep(0.01)
    graph.spin_until(lambda: graph.recorder.status().messages >= 10)
    graph.stop()
    manifest = manifests.read(tmp_path / 'run')
    assert manifest.simulated_time
    assert manifest.duration == pytest.approx(4.0)
    logged = {
        one.message.data: one.time for one in EpisodeReader(tmp_path / 'run').messages(['/stream'])
    }
    assert logged == {str(second): second * 1_000_000_000 for second in range(1, 6)}


RECORDER = 'from inspire_bringup.recorder_node import main; raise SystemExit(main())'


@pytest.fixture
def recorder_process(graph, no_survivors, tmp_path):
    """A recorder in a process of its own, which may write files of 20 MB at most."""
    command = [sys.executable, '-c', RECORDER, '--ros-args', '-p', 'minimum_free_megabytes:=0']
    limit = 20 << 20
    process = subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    yield process
    process.kill()
    process.wait()
    process.stderr.close()


def test_killed_in_mid_episode_the_bag_is_readable_and_less_than_a_second_is_missing(
    graph, recorder_process, tmp_path
):
    stream = graph.publisher('stream')
    folder = tmp_path / 'run'
    assert graph.start(folder).success
    sent = 0

    def send():
        nonlocal sent
        stream.publish(String(data=str(sent)))
        sent += 1
        return sent

    timer = graph.node.create_timer(0.01, send)
    graph.spin_until(lambda: sent >= 250)
    os.kill(recorder_process.pid, signal.SIGKILL)
    timer.cancel()
    recorder_process.wait()
    read = texts(folder, '/stream')
    assert read == [str(index) for index in range(len(read))]
    assert sent - len(read) < 100  # at 100 Hz
    assert not manifests.read(folder).complete
    report = repair(folder)
    with Reader(folder / 'episode') as reader:
        assert reader.message_count == report.messages


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_told_to_end_it_closes_the_episode(graph, recorder_process, tmp_path, number):
    stream = graph.publisher('stream')
    assert graph.start(tmp_path / 'run').success
    for index in range(50):
        stream.publish(String(data=str(index)))
    graph.spin_until(lambda: graph.statuses and graph.statuses[-1].messages >= 50)
    recorder_process.send_signal(number)
    assert recorder_process.wait(10) == 0
    manifest = manifests.read(tmp_path / 'run')
    assert manifest.complete
    assert 'shut down' in manifest.note
    assert len(texts(tmp_path / 'run', '/stream')) == 50


def test_a_disk_that_takes_no_more_is_said_at_once_and_in_the_answer(
    graph, recorder_process, tmp_path
):
    stream = graph.publisher('stream')
    assert graph.start(tmp_path / 'run').success
    noise = os.urandom(75_000).hex()
    timer = graph.node.create_timer(0.01, lambda: stream.publish(String(data=noise)))
    graph.spin_until(
        lambda: graph.statuses and 'File too large' in ''.join(graph.statuses[-1].warnings)
    )
    timer.cancel()
    graph.spin_until(lambda: graph.statuses[-1].lost > 0)
    answer = graph.stop()
    assert not answer.success
    assert 'File too large while writing' in answer.message
    kept = texts(tmp_path / 'run', '/stream')
    manifest = manifests.read(tmp_path / 'run')
    assert not manifest.complete
    assert manifest.lost == answer.lost > 0
    (topic,) = [one for one in manifest.topics if one.name == '/stream']
    assert topic.count == len(kept) > 50


def test_the_command_records_the_graph_until_ctrl_c(graph, no_survivors, tmp_path):
    stream = graph.publisher('stream')
    command = [sys.executable, '-m', 'inspire_bringup.command_line', 'record']
    with subprocess.Popen(
        [*command, '--out', str(tmp_path / 'run'), '--instruction', 'wave'],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        graph.spin_until(lambda: stream.get_subscription_count() > 0)
        timer = graph.node.create_timer(0.01, lambda: stream.publish(String(data='x')))
        graph.spin_until(lambda: graph.statuses and graph.statuses[-1].messages >= 50)
        timer.cancel()
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=20)
    assert (process.returncode, said.strip()) == (0, str(tmp_path / 'run'))
    manifest = manifests.read(tmp_path / 'run')
    assert manifest.complete and manifest.instruction == 'wave'
    assert len(texts(tmp_path / 'run', '/stream')) >= 50

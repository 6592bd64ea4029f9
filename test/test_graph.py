# SPDX-License-Identifier: Apache-2.0
"""One demo, as a user runs it, looked at from all sides."""

import json
import re
from collections import defaultdict

import numpy as np
import pytest

from inspire_bringup.domain import claimed_domain
from inspire_bringup.episode_reader import EpisodeReader
from piper_driver.limits import PIPER

from .conftest import REAL_TIME_FACTOR, ROOT, inspire, running

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]

PATIENCE = 180.0  # s for a run on a busy machine
# Topic -> messages a simulated second; 0: any number, at least one.
TOPICS = {
    '/clock': 100,
    '/tf': 0,
    '/tf_static': 0,
    '/robot_description': 0,
    '/camera/image_raw': 30,
    '/camera/camera_info': 30,
    '/wrist_camera/image_raw': 30,
    '/wrist_camera/camera_info': 30,
    '/joint_states': 200,
    '/executed_command': 200,
    '/pose_command': 100,
    '/gripper_command': 100,
    '/grasp_contacts': 100,
    '/task_state': 10,
    '/arm_status': 10,
    '/instruction': 0,
    '/spatial_labels': 30,
    '/spatial_labels/text': 0,
    '/reasoning': 0,
    '/reasoning/text': 0,
    '/reasoning/markers': 0,
    '/reasoning/image': 0,
    '/action_chunk': 0,
    '/agreement': 0,
    '/diagnostics': 0,
}
# In docs/interfaces.md, and in no recording of a demo: an input that nobody gives, and what the
# recorder says of itself.
NOT_RECORDED = {'/joint_command', '/recorder_status'}
# In every recording, and of ROS itself.
OF_ROS = {'/rosout'}


@pytest.fixture(scope='module')
def demo(tmp_path_factory):
    """Return (status, stdout, stderr, folder of the run)."""
    runs = tmp_path_factory.mktemp('runs')
    arguments = ['put the ball on the book', '--seed', '1', '--no-video', '--runs', str(runs)]
    arguments += ['--rtf', REAL_TIME_FACTOR, '--policy', 'expert']
    with claimed_domain() as domain, running(domain, 'demo', *arguments) as run:
        status, output, errors = run.finish(PATIENCE)
    (folder,) = runs.iterdir()
    return status, output, errors, folder


@pytest.fixture(scope='module')
def episode(demo):
    return EpisodeReader(demo[3])


def messages(episode, topic):
    return [message.message for message in episode.messages([topic])]


def stamp(message):
    return message.header.stamp.sec + message.header.stamp.nanosec * 1e-9


def test_it_succeeds_and_says_so(demo):
    status, output, errors, _ = demo
    assert (status, errors) == (0, '')
    assert 'succeeded after' in output


def test_the_reasoning_is_told_line_by_line(demo):
    output = demo[1]
    told = re.findall(r'^ *\d+\.\d s  the ball: (\w+)$', output, re.MULTILINE)
    assert 'grasped' in told
    assert f'the ball: {", ".join(told)}' in output
    assert re.search(r'^ *\d+\.\d s  the book: \w+$', output, re.MULTILINE)


def test_the_run_s_folder_has_what_was_promised(demo):
    _, output, _, folder = demo
    assert str(folder) in output
    assert {'episode', 'log', 'manifest.json', 'report.html'} <= {
        path.name for path in folder.iterdir()
    }


def test_the_report_stands_alone(demo):
    html = (demo[3] / 'report.html').read_text()
    assert not re.search(r'(src|href)="(https?:)?//', html)
    assert 'put the ball on the book' in html


def test_the_manifest_tells_the_episode(demo):
    manifest = json.loads((demo[3] / 'manifest.json').read_text())
    assert manifest['instruction'] == 'put the ball on the book'
    assert (manifest['task'], manifest['seed']) == ('ball_on_book', 1)
    assert manifest['outcome'] == 'success'
    assert manifest['complete'] is True


def test_the_bag_has_every_topic_at_its_rate_and_lost_nothing(demo, episode):
    manifest = json.loads((demo[3] / 'manifest.json').read_text())
    assert sum(topic.get('lost', 0) for topic in manifest['topics']) == 0
    times = defaultdict(list)
    for record in episode.records():
        times[record.topic].append(record.log_time * 1e-9)
    counts = {topic: len(each) for topic, each in times.items()}
    assert set(TOPICS) - set(counts) == set()
    duration = times['/clock'][-1] - times['/clock'][0]
    # Commands begin when the policy has been told what to do, labels with an instruction.
    spans = {topic: each[-1] - each[0] for topic, each in times.items()}
    expected = {topic: rate * spans[topic] for topic, rate in TOPICS.items() if rate}
    assert [topic for topic in expected if spans[topic] < 0.7 * duration] == []
    wrong = {
        topic: (counts[topic], round(count))
        for topic, count in expected.items()
        if not 0.9 * count - 15 <= counts[topic] <= 1.1 * count + 15
    }
    assert wrong == {}


def documented_topics():
    """Return topic -> type of the tables in docs/interfaces.md."""
    text = (ROOT / 'docs' / 'interfaces.md').read_text(encoding='utf-8')
    tables, _, _ = text.partition('## Services')
    rows = re.findall(r'^\| `([a-z_/]+)`(?: \(in\))? \| (\w+/msg/\w+) \|', tables, re.MULTILINE)
    return {f'/{name}': kind for name, kind in rows}


def test_topics_and_their_types_are_those_of_the_documentation(demo):
    manifest = json.loads((demo[3] / 'manifest.json').read_text())
    recorded = {topic['name']: topic['type'] for topic in manifest['topics']}
    documented = documented_topics()
    assert set(documented) >= NOT_RECORDED
    assert {name: kind for name, kind in recorded.items() if name not in OF_ROS} == {
        name: kind for name, kind in documented.items() if name not in NOT_RECORDED
    }


def test_time_never_goes_back(episode):
    times = [stamp(message) for message in messages(episode, '/joint_states')]
    assert np.all(np.diff(times) > 0)


def test_live_labels_equal_those_recomputed_from_the_bag(demo):
    compared = inspire('label', str(demo[3]), '--compare')
    assert compared.returncode == 0, compared.stderr
    found = re.search(r'(\d+) equal, (\d+) unequal', compared.stdout)
    assert int(found[1]) > 100
    assert int(found[2]) == 0


def test_every_answer_is_tied_to_its_observation_and_to_its_actions(episode):
    images = {stamp(message) for message in messages(episode, '/camera/image_raw')}
    reasonings = messages(episode, '/reasoning')
    chunks = {message.chunk_id for message in messages(episode, '/action_chunk')}
    assert len(reasonings) > 5
    # the first observation may have been taken before the recording began
    assert all(stamp(message) in images for message in reasonings[1:])
    assert {message.chunk_id for message in reasonings} - {0} <= chunks
    for message in reasonings:
        for answer in message.answers:
            assert answer.text in answer.question.options
            assert sum(answer.probabilities) == pytest.approx(1.0, abs=1e-3)


def test_the_expert_s_answers_are_the_truth(episode):
    last = messages(episode, '/agreement')[-1]
    assert last.compared > 10
    assert last.agreed / last.compared >= 0.95


def test_what_was_executed_is_within_the_limits(episode):
    executed = messages(episode, '/executed_command')
    positions = np.array([message.position[:6] for message in executed])
    times = np.array([stamp(message) for message in executed])
    assert np.all(positions >= np.array(PIPER.lower) - 1e-9)
    assert np.all(positions <= np.array(PIPER.upper) + 1e-9)
    speed = np.abs(np.diff(positions, axis=0)) / np.diff(times)[:, None]
    assert np.all(speed <= np.array(PIPER.velocity) * 1.01)


def test_the_bag_is_read_by_a_reader_of_others(demo):
    """`rosbags` shares no code with our writer."""
    rosbags = pytest.importorskip('rosbags.rosbag2')
    with rosbags.Reader(demo[3] / 'episode') as reader:
        topics = {connection.topic for connection in reader.connections}
        assert set(TOPICS) <= topics
        assert reader.message_count > 1000

# SPDX-License-Identifier: Apache-2.0
"""`./inspire label`: an episode's bag gives labels.parquet; unequal live labels give exit 1."""

import json
import struct

import pyarrow.parquet as pq
import pytest

from inspire_bringup.bag import BagWriter, Topic
from inspire_bringup.command_line import main

MS = 1_000_000
START = 5_000 * MS
TASK = 'pick up the ball'


class Bytes:
    """Writes CDR by hand: the command is to read bags where there is no ROS."""

    def __init__(self):
        self.data = bytearray()

    def put(self, code, size, *values):
        self.data += bytes(-len(self.data) % size) + struct.pack(f'<{code}', *values)
        return self

    def text(self, text):
        encoded = text.encode() + b'\0'
        self.put('I', 4, len(encoded)).data += encoded
        return self

    def header(self, stamp, frame):
        return self.put('iI', 4, stamp // 10**9, stamp % 10**9).text(frame)

    def message(self):
        return b'\0\1\0\0' + bytes(self.data)


def transform(stamp, parent, child, x, y, z):
    message = Bytes().put('I', 4, 1).header(stamp, parent).text(child)
    return message.put('7d', 8, x, y, z, 0, 0, 0, 1).message()


def live_label(stamp, text, x, y, z):
    """A SpatialReasoning with one answer, as the labeler publishes it."""
    message = Bytes().header(stamp, 'viewer').text(TASK).put('I', 4, 1)
    for each in ('direction', 'the ball', 'ball', 'where?'):
        message.text(each)
    message.put('I', 4, 0).text(text).put('I', 4, 0).put('3d', 8, x, y, z).put('B', 1, 1).text('')
    return message.text('').put('I', 4, 0).put('iI', 4, 0, 0).message()


def messages(word='down', seconds=2.0):
    """The ball lies 0.3 m below and 0.1 m in front of a tcp at rest; the gripper closes on it."""
    yield '/tf_static', transform(0, 'world', 'viewer', 0, 0, 0)
    yield '/instruction', Bytes().text(TASK).message()
    for tick in range(int(seconds * 100)):
        at = START + tick * 10 * MS
        yield '/tf', transform(at, 'world', 'tcp', .2, 0, .5)
        yield '/tf', transform(at, 'world', 'ball', .3, 0, .2)
        yield '/grasp_contacts', Bytes().header(at, 'tcp').put('I', 4, 0).message()
        width = max(.03, .07 - .001 * tick)
        yield '/joint_states', Bytes().header(at, '').put('I', 4, 1).text('gripper').put(
            'I', 4, 1).put('d', 8, width).put('II', 4, 0, 0).message()
        if tick % 3 == 0 and tick:
            yield '/camera/camera_info', Bytes().header(at, 'camera').message()
            offset = (.3 - .2, 0., .2 - .5)
            yield '/spatial_labels', live_label(at, word, *offset)


@pytest.fixture
def write(tmp_path):
    def write(content):
        writer = BagWriter(tmp_path / 'run' / 'episode', 'episode_0.mcap')
        for index, (topic, data) in enumerate(content):
            writer.add_topic(Topic(topic, 'std_msgs/msg/String', 'string data\n'))
            writer.write(topic, index, index, index, data)
            if index % 100 == 99:
                writer.commit()
        writer.close()
        return tmp_path / 'run'

    return write


def test_labels_equal_to_the_live_ones_give_exit_0_and_a_table(write, capsys):
    run = write(messages())
    assert main(['label', str(run), '--compare']) == 0
    printed = capsys.readouterr().out
    assert '66 labels (tf) of 66 images, 0 withheld' in printed
    assert 'live against recomputed: 66 equal, 0 unequal' in printed
    rows = pq.read_table(run / 'labels.parquet').to_pylist()
    assert len(rows) == 66 and {row['direction'] for row in rows} == {'down'}
    assert {row['direction_3d'] for row in rows} == {'front left down'}


def test_an_unequal_live_label_gives_exit_1_and_is_shown(write, capsys):
    assert main(['label', str(write(messages(word='up'))), '--compare']) == 1
    printed = capsys.readouterr().out
    assert '0 equal, 66 unequal' in printed
    assert "unequal: 5.030 s the ball: live 'up' (ball at 0.09" in printed
    assert '... and 56 more' in printed


def test_hindsight_is_written_beside_and_measured_against_tf(write, capsys):
    run = write(messages())
    assert main(['label', str(run)]) == 0
    assert main(['label', str(run), '--hindsight', '--compare']) == 0
    # The gripper closed where the tcp was; the ball's frame is 0.316 m from there.
    assert 'the ball: hindsight is off by 316 mm (median of 66); bias -100 +0 +300 mm' in (
        capsys.readouterr().out)
    sources = pq.read_table(run / 'labels.parquet')['source'].to_pylist()
    assert (sources.count('tf'), sources.count('hindsight')) == (66, 66)


def test_a_bag_cut_off_at_any_place_is_labelled_as_far_as_it_goes(write, capsys):
    run = write(messages(seconds=6.0))
    path = run / 'episode' / 'episode_0.mcap'
    whole = path.read_bytes()
    path.write_bytes(whole[:int(len(whole) * .6)])
    assert main(['label', str(run), '--compare']) == 0
    printed = capsys.readouterr()
    assert 'the bag is damaged' in printed.err
    assert 20 < pq.read_table(run / 'labels.parquet').num_rows < 199
    assert '0 unequal' in printed.out


@pytest.mark.parametrize('missing, complaint', [
    ('/camera/camera_info', 'gives no labels: it needs camera_info and an instruction'),
    ('/instruction', None),
])
def test_a_bag_without_what_labels_need_is_an_error(write, capsys, missing, complaint):
    content = [each for each in messages() if each[0] not in (missing, '/spatial_labels')]
    assert main(['label', str(write(content))]) == 1
    assert (complaint or 'gives no labels') in capsys.readouterr().err


def test_the_bag_itself_is_not_changed(write):
    run = write(messages())
    before = {path: path.read_bytes() for path in (run / 'episode').iterdir()}
    assert main(['label', str(run), '--hindsight']) == 0
    assert {path: path.read_bytes() for path in (run / 'episode').iterdir()} == before


def test_what_is_no_episode_is_an_error_in_one_line(tmp_path, capsys):
    assert main(['label', str(tmp_path / 'nothing')]) != 0
    (tmp_path / 'file.mcap').write_text(json.dumps({}))
    assert main(['label', str(tmp_path / 'file.mcap')]) != 0
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2 and 'is no episode' in lines[0] and 'no MCAP file' in lines[1]

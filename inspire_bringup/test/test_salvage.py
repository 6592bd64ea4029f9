# SPDX-License-Identifier: Apache-2.0
"""A bag cut anywhere gives every message before the cut; a damaged chunk costs only itself."""

import bags
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inspire_bringup.salvage import MAGIC, BagError, Salvage, is_whole

MESSAGES, CHUNK = 200, 10


@pytest.fixture(scope='module', params=['none', 'lz4', 'zstd'])
def whole(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    return bags.write_bag(folder, MESSAGES, CHUNK, request.param)


def read(path):
    salvage = Salvage(path)
    return [record.sequence - 1 for record in salvage.records()], salvage


def test_a_whole_bag_gives_everything_and_no_damage(whole):
    messages, salvage = read(whole)
    assert messages == list(range(MESSAGES))
    assert salvage.finished and not salvage.damage
    assert is_whole(whole)
    assert salvage.topics['/chatter'] == bags.text_topic()


def test_only_the_topics_asked_for_come(whole):
    assert [one.topic for one in Salvage(whole).records({'/other'})] == ['/other'] * (
        MESSAGES // 2
    )


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0.0, 0.9999))
def test_cut_anywhere_it_gives_a_beginning_without_holes(whole, tmp_path, share):
    content = whole.read_bytes()
    cut = len(MAGIC) + int((len(content) - len(MAGIC)) * share)
    path = tmp_path / 'cut.mcap'
    path.write_bytes(content[:cut])
    messages, salvage = read(path)
    assert messages == list(range(len(messages)))
    assert len(messages) >= chunks_before(content, cut) * CHUNK
    assert not is_whole(path)
    assert salvage.finished or salvage.damage


def chunks_before(content, cut):
    """Count the chunks that end before `cut`, by walking the records with nothing of ours."""
    position, chunks = len(MAGIC), 0
    while position + 9 <= cut:
        opcode = content[position]
        end = position + 9 + int.from_bytes(content[position + 1 : position + 9], 'little')
        if end > cut:
            break
        chunks += opcode == 6
        position = end
    return chunks


def test_an_uncompressed_chunk_that_was_cut_gives_the_messages_before_the_cut(tmp_path):
    path = bags.write_bag(tmp_path, 10, 10, 'none')
    content = path.read_bytes()
    cut = content.index(b'5'.ljust(50) + b'\0')  # inside the message with number 5
    path.write_bytes(content[:cut])
    assert read(path)[0] == [0, 1, 2, 3, 4]


def test_a_chunk_with_a_wrong_checksum_is_left_out_and_named(tmp_path):
    path = bags.write_bag(tmp_path, 30, 10, 'none')
    content = bytearray(path.read_bytes())
    content[content.index(b'15'.ljust(50))] ^= 1
    path.write_bytes(content)
    messages, salvage = read(path)
    assert messages == [*range(10), *range(20, 30)]
    assert len(salvage.damage) == 1
    assert 'checksum' in salvage.damage[0]


@pytest.mark.parametrize('content', [b'', b'short', b'no bag at all, but longer than that'])
def test_what_is_no_bag_is_refused_by_its_path(tmp_path, content):
    path = tmp_path / 'x.mcap'
    path.write_bytes(content)
    with pytest.raises(BagError, match=r'x\.mcap is no MCAP file'):
        read(path)
    assert not is_whole(path)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_bag_with_any_byte_changed_is_read_without_a_crash(whole, tmp_path, data):
    content = bytearray(whole.read_bytes())
    content[data.draw(st.integers(len(MAGIC), len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path = tmp_path / 'changed.mcap'
    path.write_bytes(content)
    messages, _ = read(path)
    assert len(messages) <= MESSAGES

# SPDX-License-Identifier: Apache-2.0
import msgpack
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspire_policy.wire import LARGEST, Garbled, pack, unpack

KINDS = ('|u1', '|i1', '<i2', '<u4', '<i8', '<f2', '<f4', '<f8', '|b1', '>f8')


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('shape', [(), (0, 7), (5,), (2, 3, 4)])
def test_an_array_comes_back_as_it_was(kind, shape):
    array = np.random.default_rng(0).integers(0, 2, shape).astype(kind)
    again = unpack(pack({'it': array}))['it']
    assert again.dtype == array.dtype and again.shape == array.shape
    assert np.array_equal(again, array)


def test_a_view_that_is_not_contiguous_is_sent_in_its_own_order():
    array = np.arange(12).reshape(3, 4)[::-1, ::2].T
    assert np.array_equal(unpack(pack({'it': array}))['it'], array)


def test_scalars_texts_and_nested_maps_come_back():
    message = {'a': np.float32(0.25), 'b': {'c': ['x', None, True, 3]}, 'd': b'\x00'}
    assert unpack(pack(message)) == message
    assert isinstance(unpack(pack(message))['a'], np.float32)


def test_the_bytes_are_those_of_the_protocol():
    """Written down by hand from openpi's format."""
    data = pack({'actions': np.array([[1, 2]], np.uint8), 'n': np.int16(7)})
    assert msgpack.unpackb(data) == {
        'actions': {b'__ndarray__': True, b'data': b'\x01\x02', b'dtype': '|u1', b'shape': [1, 2]},
        'n': {b'__npgeneric__': True, b'data': 7, b'dtype': '<i2'}}


@pytest.mark.parametrize('value', [
    np.array([object()]), np.array(['text']), np.array([1j]), np.zeros(2, 'i4,f4'),
    np.zeros(1, 'M8[s]'), object(), {1, 2}], ids=lambda value: str(type(value)))
def test_what_is_no_number_is_not_sent(value):
    with pytest.raises(ValueError):
        pack({'it': value})


def test_a_message_beyond_the_limit_is_not_sent():
    with pytest.raises(ValueError, match='valid: up to'):
        pack({'it': np.zeros(LARGEST, np.uint8)})


def array(dtype='<f4', shape=(2,), data=bytes(8)):
    return {'it': {b'__ndarray__': True, b'data': data, b'dtype': dtype, b'shape': shape}}


@pytest.mark.parametrize(('message', 'reason'), [
    (array(dtype='|O'), r"type '\|O'"),
    (array(dtype='O'), "type 'O'"),
    (array(dtype='<U4'), 'valid: numbers'),
    (array(dtype='<f1'), 'which there is not'),
    (array(dtype='f4,f4'), 'valid: numbers'),
    (array(dtype=[['a', '<f4']]), 'valid: numbers'),
    (array(dtype=None), 'valid: numbers'),
    (array(shape=(3,)), r'shape \[3\] and type <f4 with 8 bytes'),
    (array(shape=(-1, -2)), 'lengths'),
    (array(shape=(2**62, 2**62, 0, 1), data=b'x'), 'with 1 bytes'),
    (array(shape=(2**62, 2**62, 0, 1), data=b''), 'no msgpack'),
    (array(shape=(2.0,)), 'lengths'),
    (array(shape=(True, 2)), 'lengths'),
    (array(shape=None), 'lengths'),
    (array(shape=(1,) * 9, data=bytes(4)), 'up to 8 lengths'),
    (array(data='text'), 'type str'),
    (array(data=None), 'type NoneType'),
    ({'it': {b'__npgeneric__': True, b'data': [1], b'dtype': '<f4'}}, 'that is a list'),
    ({'it': {b'__npgeneric__': True, b'data': 300, b'dtype': '|u1'}}, 'number of type'),
    ({'it': msgpack.ExtType(5, b'code')}, 'extension 5'),
    ([1, 2], 'is a map'),
], ids=repr)
def test_what_is_no_message_is_refused_with_the_reason(message, reason):
    with pytest.raises(Garbled, match=reason):
        unpack(msgpack.packb(message))


@pytest.mark.parametrize('data', [
    b'', b'\xc1', b'\x81\xa1', b'\x80\x80', b'\x91' * 5000, b'\xdd\xff\xff\xff\xff',
    b'\x81\xa1\xff\x01', b'\x81\x01\x01'], ids=lambda data: data[:6].hex())
def test_bytes_that_are_no_msgpack_are_refused(data):
    """Empty, reserved, cut off, with a tail, nested too deep, too long a list, no UTF-8, a key
    that is a number."""
    with pytest.raises(Garbled):
        unpack(data)


@given(st.binary(max_size=200))
def test_no_bytes_do_anything_but_be_read_or_refused(data):
    try:
        assert isinstance(unpack(data), dict)
    except Garbled:
        pass

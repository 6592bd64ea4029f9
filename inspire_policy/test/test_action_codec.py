# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from inspire_policy import action_codec
from inspire_policy.action_codec import CODECS
from inspire_policy.chunk_scale import Scale
from inspire_policy.policy import UndecodableAction

SEED = 5


def smooth_chunks(count: int, length: int = 8) -> np.ndarray:
    """Chunks as an arm makes them: eased motion along a line, a turn, a gripper that opens or
    shuts."""
    random = np.random.default_rng(SEED)
    angle = np.linspace(0, np.pi, length)[None] * random.uniform(0.3, 2, (count, 1))
    pace = 0.5 - 0.5 * np.cos(angle)
    direction = random.normal(0.0, 0.006, (count, 1, 3))
    turn = random.normal(0.0, 0.015, (count, 1, 3))
    width = np.where(random.random((count, 1)) < 0.5, 0.07, 0.02) * np.ones((1, length))
    return np.concatenate([pace[..., None] * direction, pace[..., None] * turn,
                           width[..., None]], -1)


@pytest.fixture(scope='module')
def chunks():
    return smooth_chunks(3000)


@pytest.fixture(scope='module', params=CODECS)
def codec(request, chunks):
    return action_codec.fitted(request.param, chunks[:2000], SEED)


def test_what_is_decoded_is_near_what_was_encoded(codec, chunks):
    found = action_codec.errors(codec, chunks[2000:2300])
    assert found['chunk_translation_m_mean'] < 0.004
    assert found['gripper_width_m_p99'] < 0.01


def test_codes_decode_to_a_chunk_that_encodes_to_the_same_motion(codec, chunks):
    first = codec.decode(codec.encode(chunks[0]).tolist())
    again = codec.decode(codec.encode(first).tolist())
    assert np.abs(again - first).max() < 0.004


def test_codes_are_those_that_are_allowed_until_the_chunk_is_complete(codec, chunks):
    for chunk in chunks[2000:2050]:
        codes = codec.encode(chunk).tolist()
        for number, code in enumerate(codes):
            assert code in codec.allowed(codes[:number])
        assert not codec.allowed(codes)
        assert len(codes) <= codec.longest


def test_a_codec_comes_back_from_what_is_kept_of_it(codec, chunks):
    import json
    settings = json.loads(json.dumps(codec.settings()))
    again = action_codec.opened(settings, codec.arrays())
    codes = codec.encode(chunks[7]).tolist()
    assert again.encode(chunks[7]).tolist() == codes
    assert np.abs(again.decode(codes) - codec.decode(codes)).max() < 1e-6
    assert (again.kind, again.chunk, again.codes, again.longest) == \
        (codec.kind, codec.chunk, codec.codes, codec.longest)


def test_codes_that_make_no_chunk_are_an_error_and_never_zeros(codec, chunks):
    codes = codec.encode(chunks[0]).tolist()
    for wrong in (codes[:-1], [*codes, codes[-1]], [*codes[:-1], codec.codes], [-1, *codes[1:]]):
        with pytest.raises(UndecodableAction, match='valid'):
            codec.decode(wrong)


def test_a_chunk_of_another_shape_is_refused(codec):
    with pytest.raises(ValueError, match=r'valid: \(8, 7\)'):
        codec.encode(np.zeros((7, 7)))


def test_more_levels_leave_a_smaller_error(chunks):
    from inspire_policy import residual_codec
    scale = Scale.of(chunks)
    errors = [action_codec.errors(residual_codec.fitted(chunks[:2000], scale, SEED, levels, 64),
                                  chunks[2000:2300])['step_translation_m_mean']
              for levels in (1, 3, 7)]
    assert errors[0] > errors[1] > errors[2]


def test_many_chunks_are_encoded_as_each_of_them_is(chunks):
    codec = action_codec.fitted('residual', chunks[:1000], SEED)
    many = codec.encode_many(chunks[:20])
    assert all((many[row] == codec.encode(chunks[row])).all() for row in range(20))


def test_an_unknown_codec_and_chunks_that_are_none_are_refused(chunks):
    with pytest.raises(ValueError, match='residual, fast, bins'):
        action_codec.fitted('morse', chunks)
    with pytest.raises(ValueError, match='valid'):
        action_codec.fitted('bins', chunks[0])
    with pytest.raises(ValueError, match='finite'):
        action_codec.fitted('bins', chunks * np.nan)


def test_the_scale_maps_quantiles_to_one_and_back():
    random = np.random.default_rng(SEED)
    values = random.normal(3.0, 2.0, (1000, 4))
    scale = Scale.of(values)
    found = np.quantile(scale.normal(values), [0.01, 0.99], axis=0)
    assert np.allclose(found, [[-1] * 4, [1] * 4])
    assert np.allclose(scale.units(scale.normal(values)), values)


def test_a_column_that_never_moves_has_a_scale():
    scale = Scale.of(np.zeros((10, 2)))
    assert np.isfinite(scale.normal([[0.0, 0.0]])).all()
    with pytest.raises(ValueError, match='below'):
        Scale((0.0,), (0.0,))

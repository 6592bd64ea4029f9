# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from inspire_policy.chunk_scale import Scale
from inspire_policy.large.codecs import (
    Autoencoder,
    Edges,
    UniversalFast,
    autoencoder_shapes,
    byte_letters,
    kept_while_training,
)
from inspire_policy.policy import UndecodableAction

SCALE = Scale((-0.01,) * 6 + (0.0,), (0.01,) * 6 + (0.07,))
RANDOM = np.random.default_rng(0)
CHUNKS = SCALE.units(np.clip(RANDOM.normal(0, 0.4, (300, 8, 7)).cumsum(1) / 3, -1, 1))
LEAST = -354


def universal():
    """A byte-level BPE like the published one: characters from `LEAST` on, in UTF-8."""
    from scipy.fft import dct
    rounded = np.rint(10 * dct(SCALE.normal(CHUNKS), axis=1, norm='ortho')).astype(int)
    found = Tokenizer(models.BPE())
    found.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    found.train_from_iterator(
        (''.join(chr(value - LEAST) for value in one.ravel()) for one in rounded),
        trainers.BpeTrainer(vocab_size=600, show_progress=False,
                            initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    return UniversalFast(SCALE, 8, LEAST, 10.0, found)


def test_fast_brings_a_chunk_back_but_for_rounding_and_says_when_it_is_whole():
    codec = universal()
    lengths = set()
    for chunk in CHUNKS[:60]:
        codes = codec.encode(chunk).tolist()
        lengths.add(len(codes))
        assert np.abs(SCALE.normal(codec.decode(codes)) - SCALE.normal(chunk)).max() < 0.2
        assert not codec.allowed(codes)
        assert all(codec.allowed(codes[:count]) for count in range(len(codes)))
    assert len(lengths) > 3 and max(lengths) < 56


def test_fast_refuses_what_is_no_whole_chunk():
    codec = universal()
    codes = codec.encode(CHUNKS[0]).tolist()
    for wrong in (codes[:-1], [*codes, codes[0]]):
        with pytest.raises(UndecodableAction, match='coefficients; valid: 56'):
            codec.decode(wrong)
    with pytest.raises(UndecodableAction, match='valid: 0 to'):
        codec.decode([codec.codes])
    lead = [code for code in range(codec.codes) if codec._bytes[code] == b'\xc5']
    with pytest.raises(UndecodableAction, match='apart'):
        codec.decode(lead)


def test_letters_of_bytes_are_those_of_the_library():
    assert set(byte_letters()) == set(pre_tokenizers.ByteLevel.alphabet())
    for byte in (0, 32, 65, 127, 173, 255):
        text = bytes([byte]).decode('latin-1')
        ((shown, _),) = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False
                                                 ).pre_tokenize_str(text)
        assert bytes(byte_letters()[one] for one in shown) == text.encode('utf-8')


def tables(seed=0):
    random = np.random.default_rng(seed)
    return {name: random.normal(0, shape[-1] ** -0.5, shape)
            for name, shape in autoencoder_shapes(8, 7, 128, 512).items()}


def test_the_autoencoder_is_that_of_the_published_library():
    """Against vector-quantize-pytorch, by whose older version the published ones were made."""
    torch = pytest.importorskip('torch')
    library = pytest.importorskip('vector_quantize_pytorch')
    layer = library.ResidualVQ(dim=512, num_quantizers=7, codebook_size=128)
    mine = tables()
    state = {f'vq_embedding.{name}': tuple(one.shape) for name, one in layer.state_dict().items()
             if '_codebook' in name and not name.endswith('initted')}   # a number, or one in a row
    wanted = {**autoencoder_shapes(8, 7, 128, 512), **kept_while_training(7, 128, 512)}
    assert state == {name: shape for name, shape in wanted.items()
                     if name.startswith('vq_embedding')}
    layer.load_state_dict({name: torch.from_numpy(mine[f'vq_embedding.{name}']).float()
                           for name in layer.state_dict() if name.endswith('embed')}, strict=False)
    layer.eval()
    codec = Autoencoder(SCALE, mine)
    for chunk in CHUNKS[:20]:
        codes = codec.encode(chunk)
        inside = codec._through('encoder', SCALE.normal(chunk).ravel())
        quantised, theirs, _ = layer(torch.from_numpy(inside).float()[None, None])
        assert theirs.ravel().tolist() == codes.tolist()
        decoded = codec._through('decoder', quantised.detach().numpy().ravel())
        assert np.allclose(SCALE.normal(codec.decode(codes)).ravel(), decoded, atol=1e-4)


def test_the_autoencoder_refuses_other_codes():
    codec = Autoencoder(SCALE, tables())
    for wrong in ([0] * 6, [0] * 6 + [128], [-1] * 7):
        with pytest.raises(UndecodableAction, match='7 of 0 to 127'):
            codec.decode(wrong)
    with pytest.raises(ValueError, match=r'decoder\.fc\.bias'):
        Autoencoder(SCALE, {**tables(), 'decoder.fc.bias': np.full(56, np.nan)})


def test_edges_bring_a_chunk_back_but_for_half_a_bin():
    codec = Edges(SCALE, 8)
    for chunk in CHUNKS[:20]:
        back = codec.decode(codec.encode(chunk).tolist())
        assert np.abs(SCALE.normal(back) - SCALE.normal(chunk)).max() <= 1 / 255 + 1e-9
    assert codec.encode(SCALE.units(np.ones((8, 7)))).tolist() == [255] * 56
    assert np.allclose(SCALE.normal(codec.decode([255] * 56)), 1 - 1 / 255)
    with pytest.raises(UndecodableAction, match='56 of 0 to 255'):
        codec.decode([256] * 56)

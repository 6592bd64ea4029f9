# SPDX-License-Identifier: Apache-2.0
"""Our decoders compute what the published modules compute, with the same random numbers.

transformers turns its rotary embedding in single precision, so they agree to that.
"""

import pytest

torch = pytest.importorskip('torch', reason='the part `train` of the set-up is not installed')
pytest.importorskip('transformers', reason='the part `train` of the set-up is not installed')

from checkpoints import published  # noqa: E402

from inspire_policy.large import untrained  # noqa: E402
from inspire_policy.large.decoder import causal  # noqa: E402

pytestmark = pytest.mark.timeout(600)   # importing transformers on a busy machine takes minutes
CLOSE = 3e-5


def network(family):
    return untrained.made(family, kind=torch.float64, seed=4).network


def ids(network, count, seed):
    source = torch.Generator().manual_seed(seed)
    return torch.randint(0, network.size.decoder.vocabulary - 1, (1, count), generator=source)


def test_qwen2():
    from transformers import Qwen2Config, Qwen2ForCausalLM
    ours = network('minivla')
    size = ours.size.decoder
    theirs = Qwen2ForCausalLM(Qwen2Config(
        vocab_size=size.vocabulary, hidden_size=size.width, intermediate_size=size.inner,
        num_hidden_layers=size.layers, num_attention_heads=size.heads, head_dim=size.head,
        num_key_value_heads=size.pairs, tie_word_embeddings=True,
        rope_parameters={'rope_theta': size.turn, 'rope_type': 'default'})).double().eval()
    state = {name.removeprefix('language_model.'): one
             for name, one in published(ours, 'openvla').items() if name.startswith('language')}
    theirs.load_state_dict(state)
    text = ids(ours, 17, 1)
    with torch.inference_mode():
        wanted = theirs(text).logits[0]
        found = ours.decoder(ours.decoder.words(text), causal(0, 17, text.device))[0]
        assert (found @ ours.place.T - wanted).abs().max() < CLOSE * wanted.abs().max()


def test_paligemma_with_its_prefix_that_attends_to_all_of_itself():
    from transformers import PaliGemmaConfig, PaliGemmaForConditionalGeneration
    ours = network('pi0fast')
    size, tower = ours.size.decoder, ours.size.towers[0]
    mark = size.vocabulary - 1
    theirs = PaliGemmaForConditionalGeneration(PaliGemmaConfig(
        image_token_index=mark, projection_dim=size.width, text_config={
            'model_type': 'gemma', 'vocab_size': size.vocabulary, 'hidden_size': size.width,
            'intermediate_size': size.inner, 'num_hidden_layers': size.layers,
            'num_attention_heads': size.heads, 'num_key_value_heads': size.pairs,
            'head_dim': size.head, 'hidden_activation': 'gelu_pytorch_tanh'},
        vision_config={
            'model_type': 'siglip_vision_model', 'hidden_size': tower.width,
            'intermediate_size': tower.inner, 'num_hidden_layers': tower.layers,
            'num_attention_heads': tower.heads, 'image_size': tower.picture,
            'patch_size': tower.patch, 'projection_dim': size.width,
            'vision_use_head': False})).double().eval()
    prefix = 'paligemma_with_expert.paligemma.'
    theirs.load_state_dict({
        name.removeprefix(prefix).replace('vision_tower.vision_model.', 'vision_tower.'): one
        for name, one in published(ours, 'openpi').items()})
    picture = torch.rand(1, 3, tower.picture, tower.picture, dtype=torch.float64,
                         generator=torch.Generator().manual_seed(2))
    before, after = ids(ours, 9, 3), ids(ours, 6, 4)
    patches = torch.full((1, ours.size.patches), mark)
    whole = torch.cat([patches, before, after], 1)
    kinds = torch.ones_like(whole)
    kinds[:, :-6] = 0
    with torch.inference_mode():
        wanted = theirs(input_ids=whole, pixel_values=picture * 2 - 1, token_type_ids=kinds,
                        attention_mask=torch.ones_like(whole), labels=whole).logits[0, -6:]
        found = ours(picture, before[:, :0], before, after) @ ours.place.T
        assert (found - wanted).abs().max() < CLOSE * wanted.abs().max()

# SPDX-License-Identifier: Apache-2.0
"""Laws of the network: reading in one pass, in many, and beside other texts is the same."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip('torch', reason='the part `train` of the set-up is not installed')

from inspire_policy.nano.network import Network  # noqa: E402
from inspire_policy.nano.recipe import TINY  # noqa: E402
from inspire_policy.nano.settings import Size  # noqa: E402

VOCABULARY = 50


@pytest.fixture(scope='module')
def network():
    torch.manual_seed(1)
    return Network(TINY, VOCABULARY).double().eval()


@pytest.fixture(scope='module')
def scene():
    torch.manual_seed(2)
    return [torch.rand(2, 3, side, side).double() for side in TINY.picture], \
        torch.randn(2, TINY.state).double()


@pytest.fixture(scope='module')
def ids():
    return torch.randint(0, VOCABULARY, (2, 9), generator=torch.Generator().manual_seed(3))


def through(network, scene, ids, branches=None):
    places = torch.arange(ids.shape[1]).expand(ids.shape)
    if branches is None:
        branches = torch.zeros_like(ids)
    with torch.no_grad():
        return network.head(network(*scene, ids, places, branches))


@pytest.mark.parametrize('finds', [False, True])
def test_reading_on_from_the_cache_gives_what_training_sees(scene, ids, finds):
    torch.manual_seed(1)
    network = Network(replace(TINY, finds=finds), VOCABULARY).double().eval()
    places, arm = torch.arange(9).expand(2, 9), torch.randn(2, TINY.state + 3).double()
    with torch.no_grad():
        past, parts, offsets = network.see(*scene), [], []
        for start, end in ((0, 1), (1, 5), (5, 9)):
            logits, past, where = network.extend(past, ids[:, start:end], torch.arange(start, end),
                                                 arm=arm)
            parts.append(logits)
            offsets.append(where)
        hidden = network(*scene, ids, places, torch.zeros_like(ids))
        told = network.told(hidden, arm[:, None].expand(-1, 9, -1))
    assert torch.allclose(torch.cat(parts, 1), network.head(hidden), atol=1e-10)
    assert torch.allclose(torch.cat(offsets, 1), told, atol=1e-10)
    assert torch.allclose(told, network.where(hidden)) is not finds


def test_a_place_read_from_the_cache_is_what_training_sees(scene, ids):
    torch.manual_seed(5)
    network = Network(replace(TINY, reads_places=True), VOCABULARY).double().eval()
    there = torch.full((2, 9, 3), torch.nan).double()
    there[:, 5] = torch.randn(2, 3).double()
    places, branches = torch.arange(9).expand(2, 9), torch.zeros_like(ids)
    with torch.no_grad():
        whole = network(*scene, ids, places, branches, there)
        blind = network(*scene, ids, places, branches)
        past, parts = network.see(*scene), []
        for start, end in ((0, 5), (5, 8), (8, 9)):
            logits, past, _ = network.extend(past, ids[:, start:end], torch.arange(start, end),
                                             there[:, start:end])
            parts.append(logits)
    assert torch.allclose(torch.cat(parts, 1), network.head(whole), atol=1e-10)
    assert torch.equal(whole[:, :5], blind[:, :5])
    assert not torch.allclose(whole[:, 5:], blind[:, 5:])


def test_a_token_depends_on_no_later_one(network, scene, ids):
    changed = ids.clone()
    changed[:, 6:] = (changed[:, 6:] + 1) % VOCABULARY
    one, two = through(network, scene, ids), through(network, scene, changed)
    assert torch.equal(one[:, :6], two[:, :6])
    assert not torch.allclose(one[:, 6:], two[:, 6:])


def test_a_branch_reads_the_scene_as_if_it_stood_alone(network, scene, ids):
    alone = through(network, scene, ids[:, :4])
    both = torch.cat([ids[:, 4:], ids[:, :4]], 1)
    places = torch.cat([torch.arange(5), torch.arange(4)]).expand(both.shape)
    branches = torch.tensor([0] * 5 + [1] * 4).expand(both.shape)
    with torch.no_grad():
        beside = network.head(network(*scene, both, places, branches))
    assert torch.allclose(beside[:, 5:], alone, atol=1e-10)
    assert torch.allclose(beside[:, :5], through(network, scene, ids[:, 4:]), atol=1e-10)


def test_samples_of_a_batch_do_not_see_each_other(network, scene, ids):
    pictures, state = scene
    whole = through(network, scene, ids)
    own = through(network, ([one[:1] for one in pictures], state[:1]), ids[:1])
    assert torch.allclose(whole[:1], own, atol=1e-10)


def test_both_pictures_and_the_state_matter(network, scene, ids):
    whole = through(network, scene, ids)
    pictures, state = scene
    for number in range(len(pictures)):
        other = [1.0 - one if number == place else one for place, one in enumerate(pictures)]
        assert not torch.allclose(through(network, (other, state), ids), whole)
    assert not torch.allclose(through(network, (pictures, -state), ids), whole)


def test_a_mirrored_picture_is_another_picture(network, scene, ids):
    """Left is left of the viewer: nothing in the network may be blind to it."""
    pictures, state = scene
    mirrored = [one.flip(3) for one in pictures]
    assert not torch.allclose(through(network, (mirrored, state), ids),
                              through(network, scene, ids))


@pytest.mark.parametrize('wrong', [{'width': 30, 'heads': 8}, {'channels': (1, 2)},
                                   {'picture': (110, 56)}])
def test_a_size_that_cannot_be_built_is_refused(wrong):
    with pytest.raises(ValueError, match='valid|entries'):
        Size(**wrong)


def test_tokens_of_a_picture_are_counted_as_the_eye_makes_them(network, scene):
    made = [eye(picture).shape[1] for eye, picture in zip(network.eyes, scene[0], strict=True)]
    assert made == list(TINY.tokens)
    assert np.sum(made) == 49 + 16


def test_muon_makes_a_matrix_whose_singular_values_are_about_one():
    from inspire_policy.nano.muon import orthogonal
    torch.manual_seed(4)
    for shape in ((8, 20), (20, 8)):
        values = torch.linalg.svdvals(orthogonal(torch.randn(shape)))
        assert values.min() > 0.6 and values.max() < 1.3

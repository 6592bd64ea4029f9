# SPDX-License-Identifier: Apache-2.0
"""Every number of the published layouts is accounted for, and what does not fit is named."""

import json
from pathlib import Path

import pytest

torch = pytest.importorskip('torch', reason='the part `train` of the set-up is not installed')

from checkpoints import LAYOUTS, folder_of, published, write  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

from inspire_policy.large import untrained, weights  # noqa: E402
from inspire_policy.large.layouts import HEADS, LayoutError, map_of, shapes  # noqa: E402
from inspire_policy.large.settings import MINIVLA, PI0FAST  # noqa: E402

pytestmark = pytest.mark.timeout(300)
PUBLISHED = json.loads((Path(__file__).parent / 'data' / 'published_tensors.json').read_text())
SIZES = {'minivla': MINIVLA, 'pi0fast': PI0FAST}
TINY = {family: untrained.SIZES[family, 'tiny'] for family in SIZES}


def listed(layout):
    """Name to shape of a published file; `#` counts layers."""
    return {pattern.replace('#', str(number)): tuple(shape)
            for pattern, count, shape in PUBLISHED[layout] for number in range(count or 1)}


@pytest.mark.parametrize('layout', LAYOUTS)
def test_every_tensor_of_the_published_layouts_has_its_place_and_no_other_is_there(layout):
    found = map_of(SIZES[LAYOUTS[layout]], layout)
    assert {name: place.shape for name, place in found.items()} == listed(layout)


@pytest.mark.parametrize('layout', LAYOUTS)
def test_every_number_of_a_network_comes_from_one_place(layout):
    size = SIZES[LAYOUTS[layout]]
    rows = {name: [0] * (shape[0] if len(shape) < 3 else 1)
            for name, shape in shapes(size).items()}
    for name, place in map_of(size, layout).items():
        if place.ours is not None and name != HEADS[layout][1]:
            whole = rows[place.ours]
            for row in range(place.start, min(len(whole), place.start + place.shape[0])):
                whole[row] += 1
    assert {name for name, counts in rows.items() if set(counts) != {1}} == set()


def test_the_published_model_has_as_many_numbers_as_its_parts():
    count = sum(torch.Size(shape).numel() for name, shape in listed('prismatic').items()
                if name != HEADS['prismatic'][1])
    projector = 2176 * 8704 + 8704 + 8704 * 896 + 896 + 896 * 896 + 896
    parts = 494.0 + 427.7 + 303.2    # Qwen2.5-0.5B, SigLIP-So400m, DINOv2-L, as published
    assert (count - projector) / 1e6 == pytest.approx(parts, abs=1.0)


@pytest.mark.parametrize('layout', LAYOUTS)
def test_a_network_comes_back_from_each_layout(layout, tmp_path):
    before, after = folder_of(tmp_path, layout)
    there = after.network.state_dict()
    for name, one in before.network.state_dict().items():
        assert torch.equal(one, there[name]), name


def test_a_tower_may_be_named_as_newer_libraries_do(tmp_path):
    before = untrained.made('pi0fast').network
    tensors = {name.replace('vision_tower.vision_model.', 'vision_tower.'): one
               for name, one in published(before, 'lerobot').items()}
    write(tensors, tmp_path, 'lerobot')
    after = weights.network(tmp_path, TINY['pi0fast'], 'pi0fast')
    assert torch.equal(after.towers[0].pos_embed, before.towers[0].pos_embed)


def faulty(layout, tmp_path, change):
    """Read a file after `change` of its tensors; the message of the error."""
    family = LAYOUTS[layout]
    tensors = published(untrained.made(family).network, layout)
    change(tensors)
    path = tmp_path / write(tensors, tmp_path, layout)
    with pytest.raises(LayoutError) as caught:
        weights.network(path, TINY[family], family)
    return str(caught.value)


@pytest.mark.parametrize('layout', LAYOUTS)
def test_a_tensor_that_is_missing_beside_or_misshaped_is_named(layout, tmp_path):
    names = [name for name in map_of(TINY[LAYOUTS[layout]], layout) if name not in HEADS[layout]]
    for number, name in enumerate((names[0], names[len(names) // 2], names[-1])):
        (folder := tmp_path / str(number)).mkdir()
        (one := folder / 'a').mkdir()
        assert f'{name} is missing' in faulty(layout, one, lambda all, name=name: all.pop(name))
        (one := folder / 'b').mkdir()
        said = faulty(layout, one,
                      lambda all, name=name: all.update({name: torch.zeros(2, 3, 5)}))
        assert f'{name} has shape (2, 3, 5); valid: ' in said
    (one := tmp_path / 'more').mkdir()
    said = faulty(layout, one, lambda all: all.update(
        {f'{names[0]}_extra': torch.zeros(1)}))
    assert f'{names[0]}_extra is not one of this family' in said


def test_a_head_of_its_own_is_refused(tmp_path):
    said = faulty('prismatic', tmp_path, lambda all: all[HEADS['prismatic'][1]].add_(1.0))
    assert 'lm_head' in said and 'differ' in said


def test_a_checkpoint_of_another_family_is_told_by_name(tmp_path):
    other = published(untrained.made('pi0fast').network, 'openpi')
    write(other, tmp_path, 'openpi')
    with pytest.raises(LayoutError, match='this is one of pi0fast'):
        weights.network(tmp_path, TINY['minivla'], 'minivla')
    save_file({'paligemma_with_expert.gemma_expert.model.norm.weight': torch.zeros(3)},
              tmp_path / 'model.safetensors')
    with pytest.raises(LayoutError, match='flow matching'):
        weights.network(tmp_path, TINY['pi0fast'], 'pi0fast')
    save_file({'blocks.0.norm1.weight': torch.zeros(3)}, tmp_path / 'model.safetensors')
    with pytest.raises(LayoutError, match=r'has none of .* but blocks\.0'):
        weights.network(tmp_path, TINY['pi0fast'], 'pi0fast')


class Trap:
    """What would run if a file could run something."""

    def __reduce__(self):
        return (print, ('it ran',))


def test_nothing_in_a_file_runs(tmp_path, capsys):
    torch.save({'model': {'llm_backbone': {'x': Trap()}}}, tmp_path / 'step.pt')
    with pytest.raises(LayoutError, match='more than weights'):
        weights.network(tmp_path / 'step.pt', TINY['minivla'], 'minivla')
    assert 'it ran' not in capsys.readouterr().out


def test_what_is_no_file_of_weights_is_named(tmp_path):
    for name, content in (('a.pt', b'no'), ('a.safetensors', b'no')):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(LayoutError, match=name):
            weights.network(tmp_path / name, TINY['minivla'], 'minivla')
    for path in (tmp_path / 'nowhere', tmp_path / 'empty'):
        (tmp_path / 'empty').mkdir(exist_ok=True)
        with pytest.raises(LayoutError, match=path.name):
            weights.network(path, TINY['minivla'], 'minivla')

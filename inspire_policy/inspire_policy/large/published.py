# SPDX-License-Identifier: Apache-2.0
"""What the weights of the two families do not say, as it is of those that were published: a
checkpoint's description with little left to be named by hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from inspire_labeler.formulation import Formulation
from inspire_policy.checkpoint_file import CheckpointError
from inspire_policy.chunk_scale import Scale
from inspire_policy.families import pi0fast
from inspire_policy.large.checkpoint import Description, tokenizer_of
from inspire_policy.large.settings import MINIVLA, PI0FAST, Size
from inspire_policy.large.words import taken_in
from inspire_policy.prompt import Layout
from inspire_policy.recipe_settings import changed


@dataclass(frozen=True)
class Autoencoder:
    """Residual VQ, of MiniVLA with VQ and InspireVLA-1B (codecs.Autoencoder)."""

    chunk: int = 8
    levels: int = 7
    size: int = 128          # codes of a level
    latent: int = 512
    strength: float = 1.0


@dataclass(frozen=True)
class Edges:
    """Bins, of MiniVLA without VQ (codecs.Edges)."""

    chunk: int = 1


@dataclass(frozen=True)
class UniversalFast:
    """FAST, of pi0-FAST (codecs.UniversalFast). chunk: InSpire's; openpi has 10 for LIBERO."""

    chunk: int = 5
    least: int = -354
    fineness: float = 10.0


@dataclass(frozen=True)
class Family:
    """What is the same of all that was published of a family. codecs: by kind, the usual first;
    after: tokens of the tokenizer that come after the actions'."""

    size: Size
    layout: Layout
    codecs: Mapping[str, Autoencoder | Edges | UniversalFast]
    said: Mapping[str, str]
    after: int = 0
    spaced: bool = False
    ends: tuple[str, ...] = ()


FAMILIES = {
    'minivla': Family(MINIVLA, Layout.VQA_FIRST,
                      {'autoencoder': Autoencoder(), 'edges': Edges()}, {'grasped': 'catch'}),
    'pi0fast': Family(PI0FAST, Layout.INSTRUCT_FIRST, {'universal_fast': UniversalFast()},
                      {'grasped': 'catch'}, 128, True, (pi0fast.BAR, pi0fast.END)),
}
FILES = {'autoencoder': 'file', 'universal_fast': 'tokenizer'}   # the setting that names a file


@dataclass(frozen=True)
class Named:
    """What has to be named by hand. weights, codec_file: in the checkpoint's folder. codec: ''
    for the usual one. said: words in place of others; None: as published. begin: see
    `Description`. size: None: as published.
    """

    weights: str
    scale: Scale
    codec: str = ''
    codec_file: str = ''
    codec_changes: Sequence[str] = ()
    state: Scale | None = None
    cameras: tuple[str, ...] = ('camera',)
    viewer: str = 'libero'
    formulation: Formulation = Formulation.DIRECTION
    questions: bool = True
    said: Mapping[str, str] | None = None
    split: bool = False
    begin: str = 'first'
    size: Size | None = None


def description(folder: Path, family: str, named: Named) -> Description:
    """The description of what lies in a folder, for `take_in`. Raises CheckpointError."""
    known = FAMILIES[family]
    kind = named.codec or next(iter(known.codecs))
    if kind not in known.codecs:
        raise CheckpointError(f'{family} has no codec {kind!r}; valid: {", ".join(known.codecs)}')
    if (kind in FILES) != bool(named.codec_file):
        raise CheckpointError(f'codec_file is {named.codec_file or "missing"}: the codec {kind} '
                              f'reads {"one" if kind in FILES else "none"}')
    try:
        codec = changed(known.codecs[kind], named.codec_changes)
        words = tokenizer_of(folder)
        top = words.get_vocab_size(with_added_tokens=True) - 1 - known.after
        spelling = taken_in(words, named.formulation, top,
                            known.said if named.said is None else named.said, known.spaced,
                            named.split, known.ends)
    except ValueError as error:
        raise CheckpointError(f'{folder}: {error}') from None
    file = {FILES[kind]: named.codec_file} if named.codec_file else {}
    return Description(
        family, named.size or known.size, known.layout if named.questions else Layout.NONE,
        str(named.formulation), named.viewer, named.cameras, spelling,
        {'kind': kind, **file, **asdict(codec), 'low': named.scale.low,
         'high': named.scale.high}, named.weights, named.state, named.begin)

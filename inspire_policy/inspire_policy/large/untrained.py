# SPDX-License-Identifier: Apache-2.0
"""Models of both families that have learned nothing: for tests, laws and benchmarks.

What they say costs what a trained one's words cost. Their tokenizers are made here, and so small
that each answer is one token, as in the real ones.
"""

from __future__ import annotations

import numpy as np
import torch
from tokenizers import (
    AddedToken,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    trainers,
)

from inspire_labeler.formulation import Formulation
from inspire_labeler.question import question
from inspire_policy.chunk_scale import Scale
from inspire_policy.families import minivla, pi0fast
from inspire_policy.large.checkpoint import Checkpoint, Description
from inspire_policy.large.codecs import (
    Autoencoder,
    UniversalFast,
    autoencoder_shapes,
    byte_letters,
)
from inspire_policy.large.network import empty, randomised
from inspire_policy.large.settings import MINIVLA, PI0FAST, Decoder, Size, Tower
from inspire_policy.large.words import PretrainedWords, answer_words, taken_in
from inspire_policy.nano.tokens import TokenizerError
from inspire_policy.nano.vocabulary import sentences
from inspire_policy.prompt import Layout

LAYOUTS = {'minivla': Layout.VQA_FIRST, 'pi0fast': Layout.INSTRUCT_FIRST}
CODEC = {'chunk': 8, 'levels': 7, 'size': 128, 'latent': 64}    # the published latent is 512
CHUNK, LEAST = 5, -64      # of pi0fast: InSpire's chunk; every code here is one coefficient
SCALE = Scale((-0.001,) * 6 + (0.034,), (0.001,) * 6 + (0.036,))
STATE = Scale((-1.0,) * 8, (1.0,) * 8)

SIZES = {
    ('minivla', 'tiny'): Size(
        (Tower(32, 3, 2, 48, 28, registers=2, scaled=True), Tower(48, 2, 4, 64, 28, pooled=True)),
        Decoder(48, 3, 4, 2, 16, 96, 1024, 1e6), True, False),
    ('minivla', 'small'): Size(
        (Tower(192, 7, 6, 768, registers=4, scaled=True), Tower(192, 7, 6, 768, pooled=True)),
        Decoder(256, 8, 8, 2, 32, 1024, 8192, 1e6), True, False),
    ('minivla', 'published'): MINIVLA,
    ('pi0fast', 'tiny'): Size(
        (Tower(48, 2, 4, 64, 28, tanh=True, final=True),),
        Decoder(48, 3, 4, 1, 16, 96, 1024, gemma=True), False, True),
    ('pi0fast', 'small'): Size(
        (Tower(192, 7, 6, 768, tanh=True, final=True),),
        Decoder(256, 8, 4, 1, 64, 1024, 8192, gemma=True), False, True),
    ('pi0fast', 'published'): PI0FAST,
}


def made(family: str, size: str | Size = 'tiny', seed: int = 0,
         kind: torch.dtype = torch.float32, formulation: Formulation = Formulation.DIRECTION,
         aliases: dict[str, str] | None = None) -> Checkpoint:
    """A whole checkpoint of random numbers. Raises ValueError for a size that there is not."""
    found = size if isinstance(size, Size) else SIZES.get((family, size))
    if found is None:
        raise ValueError(f'there is no {family} of size {size!r}; valid: '
                         f'{", ".join(one for kin, one in SIZES if kin == family)}')
    words = tokenizer(family)
    codec = autoencoder(seed) if family == 'minivla' else fast()
    special = family == 'pi0fast'
    top = words.get_vocab_size(with_added_tokens=True) - 1 - (128 if special else 0)
    spelling = taken_in(words, formulation, top, aliases, spaced=special,
                        ends=(pi0fast.BAR, pi0fast.END) if special else ())
    description = Description(
        family, found, LAYOUTS[family], str(formulation), 'libero', ('camera',), spelling,
        codec.settings(), '', STATE if special else None)
    if found.decoder.vocabulary < spelling.size:
        raise TokenizerError(f'{found.decoder.vocabulary} rows of words; valid: {spelling.size} '
                             'or more')
    there = Checkpoint(description, empty(found, kind),
                       PretrainedWords(words, spelling, formulation, codec.codes), codec)
    return redrawn(there, seed)


def redrawn(there: Checkpoint, seed: int) -> Checkpoint:
    """With other random numbers. It never ends a chunk by itself, as one that has learned would
    only where it is whole.
    """
    randomised(there.network, seed)
    with torch.no_grad():
        there.network.decoder.embed_tokens.weight[list(there.words.ends)] = 0.0
    return there


def tokenizer(family: str) -> Tokenizer:
    """A small tokenizer of the family's kind."""
    if family == 'pi0fast':
        return _pieces()
    return _bytes()


def corpus(family: str) -> list[str]:
    """Texts in which everything occurs that a prompt is made of."""
    said = [f'{word} {word}' for form in Formulation for word, _ in answer_words(form)]
    said += sentences()
    said += [question('the banana', form).text for form in Formulation]
    chat = [*minivla.SYSTEM, 'user\nWhat action should the robot take to put?', 'assistant\n',
            'user\nIn which direction is the']
    task = ['Task: put, State: ' + ' '.join(map(str, range(256))) + ';\n',
            'Question: In which direction is', 'robot? Answer:', 'Action: ', '|']
    return sorted({*said, *(chat if family == 'minivla' else task)})


def _bytes() -> Tokenizer:
    """Byte-level BPE, as Qwen's; action tokens are the last ones."""
    found = Tokenizer(models.BPE())
    found.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    found.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=840, min_frequency=1, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    found.train_from_iterator(corpus('minivla'), trainer)
    found.add_tokens([AddedToken(one, normalized=False) for word in _all_words()
                      for one in (word, f' {word}') if len(_ids(found, one)) > 1])
    found.add_special_tokens(['<|endoftext|>', minivla.START, minivla.END])
    found.add_tokens([f'<|extra_{number}|>' for number in range(CODEC['size'])])
    return found


def _pieces() -> Tokenizer:
    """BPE on words that begin with their space, as Gemma's; the last 128 tokens mean nothing."""
    found = Tokenizer(models.BPE(unk_token='<unk>'))
    found.normalizer = normalizers.Replace(' ', '▁')
    found.pre_tokenizer = pre_tokenizers.Split('▁', 'merged_with_next')
    trainer = trainers.BpeTrainer(vocab_size=640, min_frequency=1, show_progress=False,
                                  special_tokens=['<unk>', pi0fast.END, pi0fast.BEGIN])
    found.train_from_iterator(corpus('pi0fast'), trainer)
    found.add_tokens([AddedToken(f' {word}', normalized=False) for word in _all_words()
                      if len(_ids(found, f' {word}')) > 1])
    found.add_tokens([f'<seg{number:03d}>' for number in range(256)])
    return found


def _all_words() -> list[str]:
    return sorted({word for form in Formulation for word, _ in answer_words(form)})


def _ids(tokens: Tokenizer, text: str) -> list[int]:
    return list(tokens.encode(text, add_special_tokens=False).ids)


def autoencoder(seed: int = 0) -> Autoencoder:
    """The published codec with random tables, and a smaller latent vector."""
    random = np.random.default_rng(seed)
    shapes = autoencoder_shapes(**CODEC)
    return Autoencoder(SCALE, {name: random.normal(0.0, shape[-1] ** -0.5, shape)
                               for name, shape in shapes.items()})


def fast() -> UniversalFast:
    """FAST with a code for each coefficient, so that every chunk has as many."""
    letters = {byte: letter for letter, byte in byte_letters().items()}
    codes = Tokenizer(models.BPE({letters[byte]: byte for byte in range(128)}, []))
    codes.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    return UniversalFast(SCALE, CHUNK, LEAST, 10.0, codes)

# SPDX-License-Identifier: Apache-2.0
"""A pretrained tokenizer with what a prompt needs of it: marks, answers, action tokens.

Nothing is assumed about it: its size and the ids of every answer's word stand in the checkpoint's
description, written when the checkpoint was taken in, and are compared with when it is opened. A
word that it splits is taken only where that is asked for; else another word can be said in its
place (`catch` for `grasped`: Qwen's tokenizer splits the latter).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tokenizers import Tokenizer

from inspire_labeler.formulation import OPTIONS, Formulation
from inspire_policy.answer_set import places
from inspire_policy.nano.tokens import TokenizerError


@dataclass(frozen=True)
class Spelling:
    """How answers and actions are written.

    aliases: what is said in place of a word. spaced: whether an answer's first word has a space
    before it, as the later ones have. split: whether a word may be several tokens. top: id of the
    action code 0; code 1 has the id before it, and so on. ends: tokens by which the model ends a
    chunk. size: tokens of the whole tokenizer. ids: of each word at each place of an answer, as
    `word@place`.
    """

    aliases: Mapping[str, str]
    spaced: bool
    split: bool
    top: int
    ends: tuple[str, ...]
    size: int
    ids: Mapping[str, Sequence[int]]


class PretrainedWords:
    """See the module's docstring."""

    def __init__(self, tokenizer: Tokenizer, spelling: Spelling, formulation: Formulation,
                 codes: int) -> None:
        """codes: action codes. Raises TokenizerError that names what does not fit."""
        self._tokenizer, self._spelling = tokenizer, spelling
        there = tokenizer.get_vocab_size(with_added_tokens=True)
        if there != spelling.size:
            raise TokenizerError(f'the tokenizer has {there} tokens, the checkpoint was made with '
                                 f'{spelling.size}: it is another vocabulary')
        if spelling.top - codes < -1:
            raise TokenizerError(f'{codes} action codes from id {spelling.top} downwards go below '
                                 '0')
        self.ends = tuple(self.one(end) for end in spelling.ends)
        self._ids: dict[tuple[str, int], tuple[int, ...]] = {}
        for word, place in answer_words(formulation):
            known = tuple(spelling.ids.get(f'{word}@{place}', ()))
            found = spelled(tokenizer, spelling, word, place)
            if found != known:
                raise TokenizerError(
                    f'the answer {word!r} is {list(found)} in this tokenizer and {list(known)} in '
                    'the one that the checkpoint was made with: it is another vocabulary')
            self._ids[word, place] = found

    def encode(self, marks: Sequence[str]) -> list[int]:
        """Ids of pieces of text, each by itself; a special token is a piece, too."""
        return [one for piece in marks
                for one in self._tokenizer.encode(piece, add_special_tokens=False).ids]

    def word(self, text: str, place: int) -> tuple[int, ...]:
        """Ids of a word of an answer. Raises KeyError for a word that is none there."""
        return self._ids[text, place]

    def actions(self, codes: range) -> range:
        """Ids of a codec's codes."""
        top = self._spelling.top
        return range(top - codes.start, top - codes.stop, -1)

    def one(self, token: str) -> int:
        """The id of a token. Raises TokenizerError."""
        number = self._tokenizer.token_to_id(token)
        if number is None:
            raise TokenizerError(f'the tokenizer has no token {token!r}')
        return int(number)


def answer_words(formulation: Formulation) -> list[tuple[str, int]]:
    """Each word that an answer can be made of, with the place at which it may stand."""
    return [(word, place) for place, words in enumerate(places(OPTIONS[formulation]))
            for word in words]


def spelled(tokenizer: Tokenizer, spelling: Spelling, word: str, place: int) -> tuple[int, ...]:
    """Ids of a word at its place. Raises TokenizerError where it is split and may not be."""
    said = spelling.aliases.get(word, word)
    text = f' {said}' if place or spelling.spaced else said
    ids = tuple(tokenizer.encode(text, add_special_tokens=False).ids)
    if len(ids) == 1 or (ids and spelling.split):
        return ids
    pieces = [tokenizer.id_to_token(one) for one in ids]
    raise TokenizerError(f'the tokenizer splits the answer {said!r} into {len(ids)} tokens, '
                         f'{pieces}; say another word in its place (aliases), or take it as it is '
                         '(split)')


def taken_in(tokenizer: Tokenizer, formulation: Formulation, top: int,
             aliases: Mapping[str, str] | None = None, spaced: bool = False, split: bool = False,
             ends: tuple[str, ...] = ()) -> Spelling:
    """The spelling of a tokenizer as it is now. Raises TokenizerError."""
    size = tokenizer.get_vocab_size(with_added_tokens=True)
    bare = Spelling(dict(aliases or {}), spaced, split, top, ends, size, {})
    words = answer_words(formulation)
    seen: dict[tuple[int, tuple[int, ...]], str] = {}
    for word, place in words:
        ids = spelled(tokenizer, bare, word, place)
        if (place, ids) in seen:
            raise TokenizerError(f'the answers {seen[place, ids]!r} and {word!r} are the same '
                                 f'tokens, {list(ids)}')
        seen[place, ids] = word
    ids_by_name = {f'{word}@{place}': list(spelled(tokenizer, bare, word, place))
                   for word, place in words}
    return Spelling(bare.aliases, spaced, split, top, ends, size, ids_by_name)

# SPDX-License-Identifier: Apache-2.0
"""Words to numbers: a small byte-level BPE for text, marks and answers, then the action tokens.

Any text can be encoded. What the tasks say is a token a word; the marks and the words of
answers are one token each by construction, which is checked when a tokenizer is opened.
Ids from `text_size` on are action tokens, which have no text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

from inspire_labeler.formulation import Formulation
from inspire_labeler.rule import VOCABULARY
from inspire_policy.prompt import Mark

PAD = '<pad>'
MERGES = 400      # most tokens beside the 256 bytes


class TokenizerError(ValueError):
    """A tokenizer that cannot be used; the message says which word it splits or lacks."""


class Words:
    """A `tokenizers` tokenizer with what a prompt needs of it."""

    ends: tuple[int, ...] = ()    # a codec says when a chunk is whole

    def __init__(self, tokenizer: Tokenizer) -> None:
        """Raises TokenizerError when a mark or an answer's word is not one token."""
        self._tokenizer = tokenizer
        self.text_size: int = tokenizer.get_vocab_size()
        self.pad = self._one(PAD)
        self._answers = {word: self._one(spelled(word)) for word in answer_words()}

    @classmethod
    def trained(cls, sentences: Iterable[str]) -> Words:
        """A tokenizer for what is said in `sentences`."""
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
        tokenizer.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=256 + MERGES, min_frequency=1, show_progress=False,
            special_tokens=[PAD, *map(str, Mark)],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
        tokenizer.train_from_iterator(sorted(set(sentences)), trainer)
        tokenizer.add_tokens([AddedToken(spelled(word), single_word=False, normalized=False)
                              for word in answer_words()])
        return cls(tokenizer)

    @classmethod
    def parsed(cls, text: str) -> Words:
        """Read what `text` gave. Raises TokenizerError."""
        try:
            return cls(Tokenizer.from_str(text))
        except TokenizerError:
            raise
        except Exception as error:  # noqa: BLE001 - the library raises plain Exception
            raise TokenizerError(f'the tokenizer cannot be read: {error}') from None

    @property
    def text(self) -> str:
        """The whole tokenizer as JSON."""
        return str(self._tokenizer.to_str())

    def encode(self, marks: Sequence[str]) -> list[int]:
        """Ids of marks and plain text in turn."""
        ids: list[int] = []
        for piece in marks:
            if piece.startswith('<') and piece in _MARKS:
                ids.append(self._one(piece))
            else:
                ids += self._tokenizer.encode(piece, add_special_tokens=False).ids
        return ids

    def answer(self, text: str) -> list[int]:
        """Ids of an answer, one for each of its words. Raises KeyError for a word that is none."""
        return [self._answers[word] for word in text.split()]

    def word(self, text: str, place: int) -> tuple[int, ...]:
        """Ids of a word of an answer: one, wherever it stands. Raises KeyError as `answer`."""
        return (self._answers[text],)

    def actions(self, codes: range) -> range:
        """Ids of a codec's codes."""
        return range(self.text_size + codes.start, self.text_size + codes.stop)

    def _one(self, token: str) -> int:
        number = self._tokenizer.token_to_id(token)
        if number is None:
            raise TokenizerError(f'the tokenizer has no token {token!r}')
        return int(number)


_MARKS = frozenset(map(str, Mark))


def answer_words() -> list[str]:
    """Every word that an answer can be made of, in any formulation."""
    return sorted({word for one in Formulation for answer in VOCABULARY[one]
                   for word in answer.split()})


def spelled(word: str) -> str:
    """An answer's word as a token of its own: `left` in a name stays another token."""
    return f'<={word}>'

# SPDX-License-Identifier: Apache-2.0
"""An instruction's words with their parts of speech, chunked into names of objects.

NLTK does the work: its word tokeniser, its part-of-speech tagger and its chunk parser. Between
tagger and parser stand rules for what the tagger, trained on newspapers, gets wrong in imperatives
("the can" is no verb, "stack the ..." is one) and for words of position.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from inspire_labeler.lexicon import (
    ADVERBS,
    COLOURS,
    DETERMINERS,
    PARTICLES,
    PREPOSITIONS,
    PRONOUNS,
    REGIONS,
    VERBS,
)

# AT is at/on/in, OF is "of", LOC a word of position that modifies no noun, ADJ a modifier.
_GRAMMAR = r"""
  REGION: {<IN|AT><NOUN>+<LOC>}
  PAIR:   {<DT><ADJ>+(?=<CC><DT><ADJ>+<NOUN>)}
  NAME:   {<DT>*<NUM>?(<ADJ>(<CC><ADJ>)*)*<NOUN>+}
  REGION: {<AT|IN>?<DT>?<ADJ>*<LOC>+<OF>}
  NAME:   {<NAME>(<OF><NAME>)+}
  PLACED: {<NAME><AT><DT><LOC>}
"""

# A chunk's name (NAME, PLACED, PAIR, REGION) or a word's tag, and its (word, tag)s.
Part = tuple[str, list[tuple[str, str]]]


def parsed(text: str) -> list[Part]:
    """The parts of a text in lower case, in order.

    Raises RuntimeError where NLTK's tagger data is missing.
    """
    _, _, parser = _tools()
    return [(part.label(), list(part.leaves())) if hasattr(part, 'label') else (part[1], [part])
            for part in parser.parse(_tagged(text))]


@lru_cache(maxsize=1)
def _tools() -> tuple[Any, Any, Any]:
    """(tokeniser, tagger, chunk parser) of NLTK, loaded at the first use only."""
    from nltk import RegexpParser, pos_tag
    from nltk.tokenize import NLTKWordTokenizer

    return NLTKWordTokenizer(), pos_tag, RegexpParser(_GRAMMAR)


def _tagged(text: str) -> list[tuple[str, str]]:
    """(word, tag) with the tags of `_GRAMMAR`."""
    tokeniser, tag, _ = _tools()
    tokens = tokeniser.tokenize(re.sub(r'([.,;:!?])', r' \1 ', text))
    try:
        penn = tag(tokens)
    except LookupError:
        raise RuntimeError(
            "NLTK's tagger data 'averaged_perceptron_tagger_eng' is not on NLTK_DATA: run "
            "./inspire setup, or nltk.download('averaged_perceptron_tagger_eng')") from None
    return _retag(penn)


def _retag(penn: list[tuple[str, str]]) -> list[tuple[str, str]]:
    words = [word for word, _ in penn]
    tags: list[str] = []
    for index, (word, tag) in enumerate(penn):
        tags.append(_closed_class(words, tags, index, word) or _open_class(tags, word, tag))
    _settle_modifiers(words, tags)
    return list(zip(words, tags, strict=True))


def _closed_class(words: list[str], tags: list[str], index: int, word: str) -> str:
    """The tag of a word that is known by itself and its neighbours; '' for any other."""
    before = tags[index - 1] if index else 'START'
    following = words[index + 1] if index + 1 < len(words) else ''
    if not any(character.isalnum() for character in word):
        return 'STOP'
    if word in ('and', 'or', '&', 'and/or'):
        return 'CC'
    if word in ADVERBS and before != 'DT':
        return 'RB'
    if word == 'of':
        return 'OF'
    if word not in DETERMINERS | PRONOUNS | PREPOSITIONS and _commands(before, word, following):
        return 'VB'
    if word in DETERMINERS:
        return 'DT'
    if word == 'can' and before != 'PRP' and following not in PRONOUNS:
        return 'NOUN'
    if word in PRONOUNS:
        return 'PRP'
    if before == 'VB' and word in PARTICLES:
        return 'RP'
    if word in REGIONS and word not in ('inside', 'outside'):
        return 'LOC'
    if word in PREPOSITIONS:
        return 'AT' if word in ('at', 'on', 'in') else 'IN'
    return ''


def _commands(before: str, word: str, following: str) -> bool:
    """Whether a word that begins a clause is its verb."""
    if before == 'START':
        return word in VERBS or following in DETERMINERS | PRONOUNS | PARTICLES
    if before == 'CC':
        return following in DETERMINERS | PRONOUNS or (word in VERBS and _takes_object(following))
    return before in ('STOP', 'RB') and word in VERBS


def _takes_object(following: str) -> bool:
    """Whether a word after "and <verb>" can begin the verb's object: "and drop balls"."""
    return following.isalnum() and following not in (PREPOSITIONS - PARTICLES) | {'of', 'and'}


def _open_class(tags: list[str], word: str, tag: str) -> str:
    """Noun, modifier or something else, from the tagger's tag and the word before."""
    inside = bool(tags) and tags[-1] in ('DT', 'ADJ', 'NUM', 'LOC', 'NOUN')
    if word in COLOURS or '/' in word:
        return 'ADJ'
    if word in ('one', 'ones') and inside:
        return 'NOUN'
    if tag == 'CD':
        return 'NUM'
    if tag.startswith('NN') or tag == 'FW':
        return 'NOUN'
    if tag.startswith('JJ'):
        return 'ADJ'
    if inside and tags[-1] != 'NOUN':
        # After "the", a verb, a modal or an adverb is a noun or a modifier of one: "the can".
        return 'ADJ' if tag in ('VBN', 'VBD', 'VBG', 'RB', 'RP') else 'NOUN'
    if tag.startswith(('VB', 'MD')):
        return 'VB'
    return 'RB' if tag != 'POS' else 'POS'


def _settle_modifiers(words: list[str], tags: list[str]) -> None:
    """From the right: LOC before a noun modifies it; ADJ before none is one ("the orange")."""
    for index in range(len(tags) - 1, -1, -1):
        following = tags[index + 1] if index + 1 < len(tags) else 'STOP'
        modifies = following in ('ADJ', 'NOUN', 'NUM') or (
            following == 'CC' and tags[index + 2:index + 3] == ['ADJ'])
        before = tags[index - 1] if index else 'START'
        if tags[index] == 'LOC' and modifies and before != 'NOUN':
            tags[index] = 'ADJ'
        elif tags[index] == 'ADJ' and not modifies and _heads(words, tags, index):
            tags[index] = 'NOUN'


def _heads(words: list[str], tags: list[str], index: int) -> bool:
    """Whether a modifier without a noun stands for one: "the orange", not "slide it open"."""
    if words[index] in COLOURS and _is_ellipsis(words, tags, index):
        return False
    before = tags[index - 1] if index else 'START'
    follows_region = index + 1 < len(tags) and tags[index + 1] == 'LOC'
    if before in ('IN', 'AT') and ('/' in words[index] or words[index] == 'orange'):
        return True
    return before in ('DT', 'ADJ', 'NUM', 'VB', 'RP') and not follows_region


def _is_ellipsis(words: list[str], tags: list[str], index: int) -> bool:
    """ "the red and the blue cup": the noun comes later."""
    ahead = slice(index + 1, index + 5)
    after = list(zip(words[ahead], tags[ahead], strict=True))
    return (len(after) > 3 and after[0][1] == 'CC' and after[1][1] == 'DT'
            and after[2][0] in COLOURS and after[3][1] == 'NOUN')

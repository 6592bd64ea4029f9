# SPDX-License-Identifier: Apache-2.0
"""Which objects an instruction names: "put the blue cup in the plate" -> the blue cup, the plate.

NLTK does the work: its word tokeniser, its part-of-speech tagger and its chunk parser. Between
tagger and parser stand rules for what the tagger, trained on newspapers, gets wrong in imperatives
("the can" is no verb, "stack the ..." is one) and for words of position.

What comes out is one phrase per object, "the" + the words as given, in the order of mention, each
once. Decisions where English leaves a choice:

- "the top drawer of the cabinet" is one object; "the left of the plate" is a region of an object,
  which is the plate.
- "the butter at the back", "the bowl on the left", "the cup in the middle": at/on/in, the, and a
  word of position belong to the name. "to the left" does not: it says where to move.
- "the yellow and white mug" is one object; "the red and the blue cup" are two.
- "a/b" is one object, given as alternatives: "the apple/watermelon", "the top/bottom plate". The
  catalogue takes the alternative that is there, and refuses when several are. The task table gives
  every variant as a concrete instruction; the raw form is for people who paste it.
- "both moka pots" is "the moka pots": one question, as one phrase names them.
- "the middle one" repeats the noun before: "the middle bowl".
- The same phrase twice is one object: nothing tells the two apart.
- The robot's own parts are no objects.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
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
    SELF,
    VERBS,
)

MAX_LENGTH = 1024
# What the messages hold.
MAX_PHRASE = 256
MAX_OBJECTS = 32
EXAMPLE = "valid is English text such as 'put the ball on the book'"

# AT is at/on/in, OF is "of", LOC a word of position that modifies no noun, ADJ a modifier.
_GRAMMAR = r"""
  REGION: {<IN|AT><NOUN>+<LOC>}
  PAIR:   {<DT><ADJ>+(?=<CC><DT><ADJ>+<NOUN>)}
  NAME:   {<DT>*<NUM>?(<ADJ>(<CC><ADJ>)*)*<NOUN>+}
  REGION: {<AT|IN>?<DT>?<ADJ>*<LOC>+<OF>}
  NAME:   {<NAME>(<OF><NAME>)+}
  PLACED: {<NAME><AT><DT><LOC>}
"""


class InstructionError(ValueError):
    """The instruction cannot be asked about; the message says what is wrong and what is valid."""


def objects_in(instruction: str) -> tuple[str, ...]:
    """The objects an instruction names, in the order of mention: ("the blue cup", "the plate").

    Raises InstructionError for an empty, overlong (more than 1024 characters) or non-English
    instruction, for control characters, and where no object is named.
    """
    return _objects(_checked(instruction))


@dataclass(frozen=True)
class Mention:
    """One mention of an object: its phrase, the verb of its clause, the preposition before it.

    preposition: '' for what the verb acts on; of several words ("on top of") the first.
    """

    phrase: str
    verb: str
    preposition: str


def mentions(instruction: str) -> tuple[Mention, ...]:
    """Every mention of an object in order, with the words that govern it.

    Raises InstructionError as objects_in does.
    """
    return _mentions(_checked(instruction))


@lru_cache(maxsize=512)
def _objects(text: str) -> tuple[str, ...]:
    phrases = tuple(dict.fromkeys(mention.phrase for mention in _mentions(text)))
    if len(phrases) > MAX_OBJECTS:
        raise InstructionError(f'the instruction names {len(phrases)} objects, at most '
                               f"{MAX_OBJECTS} are valid: '{text[:80]}...'")
    longest = max(phrases, key=len)
    if len(longest) > MAX_PHRASE:
        raise InstructionError(f'the instruction names an object in {len(longest)} characters, at '
                               f"most {MAX_PHRASE} are valid: '{longest[:80]}...'")
    return phrases


@lru_cache(maxsize=512)
def _mentions(text: str) -> tuple[Mention, ...]:
    found: list[Mention] = []
    verb = preposition = noun = ''
    parts = _parsed(_tagged(text))
    for index, (label, leaves) in enumerate(parts):
        if label in ('NAME', 'PLACED', 'PAIR'):
            if label == 'PAIR':
                leaves = leaves + _nouns(parts[index + 1:])
            phrase, noun = _phrase(leaves, noun)
            if phrase:
                found.append(Mention(phrase, verb, preposition))
        elif label == 'VB':
            verb, preposition = leaves[0][0], ''
        elif label in ('AT', 'IN'):
            preposition = preposition if _joins(parts[index - 1]) else leaves[0][0]
        elif label == 'REGION':
            preposition = leaves[0][0] if leaves[0][1] in ('AT', 'IN') else preposition
    if not found:
        raise InstructionError(f"no object is named in the instruction '{text}': {EXAMPLE}")
    return tuple(found)


def _checked(instruction: str) -> str:
    """The instruction in lower case with single spaces, or InstructionError."""
    if not isinstance(instruction, str):
        raise InstructionError(f'the instruction is {type(instruction).__name__}: {EXAMPLE}')
    if len(instruction) > MAX_LENGTH:
        raise InstructionError(
            f"the instruction has {len(instruction)} characters, at most {MAX_LENGTH} are valid: "
            f"'{shown(instruction[:40])}...'")
    text = unicodedata.normalize('NFC', instruction)
    for character in text:
        if not _readable(character):
            raise InstructionError(
                f"the instruction '{shown(text[:80])}' has the character {shown(character)!r} "
                f'({unicodedata.name(character, "a control character")}): {EXAMPLE}')
    text = ' '.join(text.lower().replace('_', ' ').split())
    if not text:
        raise InstructionError(f'the instruction is empty: {EXAMPLE}')
    return re.sub(r'\s*/\s*', '/', text)


def _readable(character: str) -> bool:
    """Latin letters with their accents, ASCII digits, punctuation and white space."""
    if character in '\t\n\r ':
        return True
    category = unicodedata.category(character)
    if category[0] in 'LM':
        return unicodedata.name(character, '').startswith(('LATIN', 'COMBINING'))
    if category[0] == 'N':
        return character in '0123456789'
    return category[0] == 'P' or character in '+=$<>|~^`'


def shown(text: str) -> str:
    """The text with characters that a terminal would act on made visible."""
    return ''.join(c if c.isprintable() else f'\\u{ord(c):04x}' for c in text)


def warm_up() -> None:
    """Loads NLTK and the tagger (about a second), so that the first instruction need not wait."""
    _objects('put the ball on the book')


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


def _parsed(tagged: list[tuple[str, str]]) -> list[tuple[str, list[tuple[str, str]]]]:
    """(chunk or tag, its (word, tag)s) in order."""
    _, _, parser = _tools()
    return [(part.label(), list(part.leaves())) if hasattr(part, 'label') else (part[1], [part])
            for part in parser.parse(tagged)]


def _nouns(parts: list[tuple[str, list[tuple[str, str]]]]) -> list[tuple[str, str]]:
    """The nouns of the next name: those that "the red" of "the red and the blue cup" lacks."""
    leaves = next(leaves for label, leaves in parts if label in ('NAME', 'PLACED'))
    return [leaf for leaf in leaves if leaf[1] == 'NOUN']


def _joins(part: tuple[str, list[tuple[str, str]]]) -> bool:
    """Whether the preposition after this part only continues it: "next to", "onto the"."""
    return part[0] in ('AT', 'IN')


def _phrase(leaves: list[tuple[str, str]], noun_before: str) -> tuple[str, str]:
    """("the " + words, head noun) of a name; ('', noun_before) of what is no object."""
    end = next((i for i, (_, tag) in enumerate(leaves) if tag in ('OF', 'AT')), len(leaves))
    head = leaves[end - 1][0]
    if head in ('one', 'ones'):
        if not noun_before:
            return '', noun_before
        head = noun_before
    if head in SELF:
        return '', noun_before
    first = [word for word, tag in leaves[:end - 1] if tag != 'DT']
    rest = ['the' if tag == 'DT' else word for word, tag in leaves[end:]]
    return ' '.join(['the', *first, head, *rest]), head

# SPDX-License-Identifier: Apache-2.0
"""Which objects an instruction names: "put the blue cup in the plate" -> the blue cup, the plate.

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

from inspire_labeler.lexicon import SELF
from inspire_labeler.tagging import Part, parsed

MAX_LENGTH = 1024
# What the messages hold.
MAX_PHRASE = 256
MAX_OBJECTS = 32
EXAMPLE = "valid is English text such as 'put the ball on the book'"

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
    parts = parsed(text)
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


def _nouns(parts: list[Part]) -> list[tuple[str, str]]:
    """The nouns of the next name: those that "the red" of "the red and the blue cup" lacks."""
    leaves = next(leaves for label, leaves in parts if label in ('NAME', 'PLACED'))
    return [leaf for leaf in leaves if leaf[1] == 'NOUN']


def _joins(part: Part) -> bool:
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

# SPDX-License-Identifier: Apache-2.0
"""Which TF frame an object's phrase means: "the left bowl" -> bowl_3.

The catalogue (config/objects.yaml) lists the candidate frames of each name. Of the candidates,
those count that are on TF when the instruction is given. One: it is meant. Several: the phrase's
words of position choose among them, as the viewer sees them then:

    left/right  smallest/largest y      front/back  largest/smallest x      top/bottom  z
    middle      the median along the axis on which the candidates spread most, or the axis that the
                catalogue gives for that name; of an odd number of candidates only

Two words ("the top left cup") add up: the largest sum of the two coordinates wins. A choice that
hangs on less than 5 mm is refused as ambiguous. "a/b" means the alternative that is there, and is
refused when several are.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from inspire_labeler.lexicon import POSITIONS

AXES = {'x': 0, 'y': 1, 'z': 2}
SYNONYMS = {'rear': 'back', 'center': 'middle', 'centre': 'middle'}
# Unit vectors of the viewer's frame.
TOWARDS = {'left': (0, -1, 0), 'right': (0, 1, 0), 'front': (1, 0, 0), 'back': (-1, 0, 0),
           'top': (0, 0, 1), 'bottom': (0, 0, -1)}
# Below this the choice between two objects hangs on noise [m].
SEPARATION = 0.005

Positions = Mapping[str, Sequence[float]]


class CatalogueError(ValueError):
    """A phrase means no frame; the message names the phrase and what is there."""


class AbsentObject(CatalogueError):
    """Nothing by that name is there."""


class AmbiguousObject(CatalogueError):
    """Several frames are meant equally well."""


@dataclass(frozen=True)
class Name:
    """A phrase taken apart: "the left bowl" is the name "bowl" at the positions ("left",)."""

    phrase: str
    name: str
    positions: tuple[str, ...]


@dataclass(frozen=True)
class Catalogue:
    """Candidate frames by name, the axis of "middle" where it is given, the frames of things that
    are longer (along x) than wide, and of those whose four sides are alike."""

    objects: Mapping[str, tuple[str, ...]]
    middle: Mapping[str, str] = field(default_factory=dict)
    long: frozenset[str] = frozenset()
    square: frozenset[str] = frozenset()

    def has_heading(self, frame: str) -> bool:
        """Whether it counts how the thing is turned."""
        return frame in self.long or frame in self.square

    @classmethod
    def load(cls, path: str | Path) -> Catalogue:
        """Reads a YAML file. Raises ValueError that names the file and the entry."""
        try:
            content = yaml.safe_load(Path(path).read_text(encoding='utf-8'))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise ValueError(f'the catalogue {path} cannot be read: {error}') from None
        return cls(*_checked(content, path))

    @property
    def frames(self) -> frozenset[str]:
        """Every frame that some name can mean."""
        return frozenset(frame for frames in self.objects.values() for frame in frames)

    def candidates(self, phrase: str) -> tuple[str, ...]:
        """The frames that a phrase can mean, whether they are there or not.

        Raises AbsentObject for a name that is not in the catalogue.
        """
        keys = [self._key(name, {}) for name in _alternatives(phrase)]
        found = [frame for key in keys for frame in self.objects[key]]
        return tuple(dict.fromkeys(found))

    def resolve(self, phrase: str, positions: Positions) -> str:
        """The frame that a phrase means.

        positions: frame -> (x, y, z) in the viewer frame [m] of what is on TF now. Raises
        AbsentObject or AmbiguousObject.
        """
        alternatives = _alternatives(phrase)
        if len(alternatives) == 1:
            return self._resolve(alternatives[0], positions)
        found, reasons = {}, []
        for name in alternatives:
            try:
                found[name.phrase] = self._resolve(name, positions)
            except CatalogueError as error:
                reasons.append(error)
        if len(set(found.values())) == 1:
            return next(iter(found.values()))
        if not found:
            raise reasons[0]
        listed = ', '.join(f"'{each}' ({frame})" for each, frame in found.items())
        raise AmbiguousObject(f"'{phrase}' names alternatives that are all there: {listed}; "
                              f'give the instruction with one of them')

    def _key(self, name: Name, positions: Positions) -> str:
        """The catalogue's entry: "plate of the cabinet" is a plate."""
        for key in (name.name, name.name.partition(' of ')[0]):
            if key in self.objects:
                return key
        close = difflib.get_close_matches(name.name, self.objects, n=3, cutoff=0.6)
        close += [key for key in self.objects
                  if key not in close and key.split()[-1] == name.name.split()[-1]]
        hint = f"; did you mean: {', '.join(close[:5])}" if close else ''
        raise AbsentObject(f"the catalogue has no '{name.name}' (of '{name.phrase}'){hint}; "
                           f'{self._there(positions)}')

    def _resolve(self, name: Name, positions: Positions) -> str:
        key = self._key(name, positions)
        frames = self.objects[key]
        here = [frame for frame in frames if frame in positions]
        if not here:
            raise AbsentObject(f"'{name.phrase}' is not there: no transform of "
                               f"{' or '.join(frames)}; {self._there(positions)}")
        if len(here) == 1:
            return here[0]
        if not name.positions:
            raise AmbiguousObject(
                f"'{name.phrase}' can be {', '.join(here)}: say which, by left, right, middle, "
                f'front, back, top or bottom')
        places = np.array([positions[frame] for frame in here], dtype=np.float64)
        return self._choose(name, here, places, self.middle.get(key))

    def _choose(
        self, name: Name, frames: list[str], places: NDArray[np.float64], middle: str | None
    ) -> str:
        if 'middle' in name.positions:
            if len(frames) % 2 == 0:
                raise AmbiguousObject(f"'{name.phrase}': {len(frames)} have no middle one: "
                                      f"{', '.join(frames)}")
            axis = AXES[middle] if middle else int(np.argmax(np.ptp(places, axis=0)))
            score = -np.abs(places[:, axis] - np.median(places[:, axis]))
        else:
            score = places @ np.sum([TOWARDS[word] for word in name.positions], axis=0)
        order = np.argsort(-score, kind='stable')
        best, second = order[0], order[1]
        if not score[best] - score[second] >= SEPARATION:
            raise AmbiguousObject(f"'{name.phrase}' can be {frames[best]} or {frames[second]}: "
                                  f'they differ by less than {SEPARATION * 1000:g} mm')
        return frames[best]

    def _there(self, positions: Positions) -> str:
        known = sorted(frame for frame in positions if frame in self.frames)
        return f"there is now: {', '.join(known) or 'nothing of the catalogue'}"


def _alternatives(phrase: str) -> list[Name]:
    """A phrase taken apart, once for each combination of its "a/b" alternatives."""
    choices = product(*(word.split('/') for word in phrase.split()))
    return [_name(' '.join(word for word in words if word)) for words in choices]


def _name(phrase: str) -> Name:
    words = phrase.lower().removeprefix('the ').split()
    positions = []
    if len(words) > 3 and words[-3] in ('at', 'on', 'in') and words[-1] in POSITIONS:
        positions = [words[-1]]
        words = words[:-3]
    end = words.index('of') if 'of' in words else len(words)
    # The head itself may be one: "the top" names nothing else.
    positions += [word for word in words[:end - 1] if word in POSITIONS]
    kept = [word for index, word in enumerate(words)
            if index >= end - 1 or word not in POSITIONS]
    return Name(phrase, ' '.join(kept), tuple(SYNONYMS.get(word, word) for word in positions))


_KEYS = {'objects', 'middle', 'long', 'square'}


def _checked(content: Any, path: str | Path,
             ) -> tuple[dict[str, tuple[str, ...]], dict[str, str], frozenset[str],
                        frozenset[str]]:
    if not isinstance(content, dict) or not set(content) <= _KEYS:
        raise ValueError(f'{path}: expected the keys objects, middle, long and square')
    objects, middle = content.get('objects'), content.get('middle') or {}
    if not isinstance(objects, dict) or not objects:
        raise ValueError(f'{path}: objects is empty, expected name: [frame, ...]')
    for name, frames in objects.items():
        valid = isinstance(frames, list) and frames and all(isinstance(f, str) for f in frames)
        if not isinstance(name, str) or not valid or len(set(frames)) != len(frames):
            raise ValueError(f'{path}: objects: {name}: {frames!r}, expected a list of frames')
        if name != ' '.join(name.lower().split()) or POSITIONS & set(name.split()[:-1]):
            raise ValueError(f"{path}: objects: '{name}' can never be asked for: names are lower "
                             f'case and without words of position')
    for name, axis in middle.items():
        if name not in objects or axis not in AXES:
            raise ValueError(f"{path}: middle: {name}: {axis!r}, expected a name of objects and "
                             f'x, y or z')
    known = {frame for frames in objects.values() for frame in frames}
    turned = {key: content.get(key) or [] for key in ('long', 'square')}
    for key, listed in turned.items():
        if not isinstance(listed, list) or not all(isinstance(f, str) and f in known
                                                   for f in listed):
            raise ValueError(f'{path}: {key}: {listed!r}, expected a list of frames of objects')
    if both := sorted(set(turned['long']) & set(turned['square'])):
        raise ValueError(f'{path}: long and square: {", ".join(both)}, expected in one of them')
    return ({name: tuple(frames) for name, frames in objects.items()}, dict(middle),
            frozenset(turned['long']), frozenset(turned['square']))

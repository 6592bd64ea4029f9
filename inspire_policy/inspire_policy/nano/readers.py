# SPDX-License-Identifier: Apache-2.0
"""Two ways to run the network for acting: torch, and ONNX Runtime where there is no torch.

Both keep what was read as one array of keys and values: (layers, 2, 1, heads, scene + text, D /
heads). They give the same logits but for rounding; a test compares them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from inspire_policy.nano.network import Network

REACH = 0.1     # m that are 1 for the network
_UNITS = np.array([REACH] * 3 + [1.0] * 2 + [REACH] * 3)     # of a place
SEE, EXTEND = 'see.onnx', 'extend.onnx'
Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Past:
    """What was seen and read; `length` counts the text, `scene` what was seen [tokens]. offsets
    (tokens last read, 3, 5 or 8): where an answer begins after a token, its object's place: minus
    the tcp in the viewer frame [m], how it is turned, and its foot. felt: how the arm stands, as
    if nothing else was seen; arm: the numbers of it from which places are told."""

    kept: Any
    scene: int
    length: int
    offsets: NDArray[Any] | None = None
    felt: Any = None
    arm: Any = None

    def cut(self, length: int) -> Past:
        """Only the first `length` tokens of text."""
        if length >= self.length:
            return self
        return replace(self, kept=self.kept[:, :, :, :, :self.scene + length], length=length,
                       offsets=None)

    def blind(self) -> Past:
        """Nothing but how the arm stands, and no text."""
        return Past(self.felt, self.felt.shape[4], 0, felt=self.felt, arm=self.arm)


class TorchReader:
    """The network itself, on whatever device and in whatever precision it is."""

    def __init__(self, network: Network) -> None:
        self._network = network.eval()
        self.place = network.size.place if network.size.reads_places else 0

    def see(self, pictures: Sequence[Picture], state: NDArray[np.float32],
            arm: NDArray[np.float32]) -> Past:
        """The past that begins with pictures (H, H, 3) and a scaled state. arm: see `arm_numbers`.
        """
        import torch
        kind = next(self._network.parameters())
        with torch.inference_mode():
            seen = [torch.from_numpy(np.ascontiguousarray(one)).to(kind.device).to(kind.dtype)
                    .permute(2, 0, 1)[None] / 255 for one in pictures]
            numbers = torch.from_numpy(state)[None].to(kind.device, kind.dtype)
            kept, felt = self._network.see(seen, numbers), self._network.see([], numbers)
            own = torch.from_numpy(arm)[None, :self._network.size.arm].to(numbers)
        return Past(kept, kept.shape[4], 0, felt=felt, arm=own)

    def read(self, past: Past, ids: Sequence[int],
             there: NDArray[Any] | None = None) -> tuple[NDArray[Any], Past]:
        """See speaking.Reader."""
        import torch
        kind, device = past.kept.dtype, past.kept.device
        more = ({'there': torch.from_numpy(_read(there, ids, self.place)).to(device, kind)}
                if self.place else {})
        with torch.inference_mode():
            places = torch.arange(past.length, past.length + len(ids), device=device)
            logits, kept, where = self._network.extend(
                past.kept, torch.tensor([list(ids)], device=device), places,
                arm=past.arm, **more)
        exact = np.float64 if kind is torch.float64 else np.float32
        return (logits[0].double().cpu().numpy().astype(exact),
                replace(past, kept=kept, length=past.length + len(ids),
                        offsets=told(where[0].double().cpu().numpy())))


class OnnxReader:
    """The two graphs that a checkpoint carries, on the processor."""

    def __init__(self, folder: Path, threads: int) -> None:
        """Raises ValueError where a graph is missing or broken."""
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        # Threads that spin while they wait would take the cores from the rest of the graph.
        options.add_session_config_entry('session.intra_op.allow_spinning', '0')
        try:
            self._see, self._extend = (
                onnxruntime.InferenceSession(str(folder / name), options,
                                             providers=['CPUExecutionProvider'])
                for name in (SEE, EXTEND))
        except Exception as error:  # noqa: BLE001 - the library's own kinds are not public
            raise ValueError(f'{folder}: {SEE} or {EXTEND} cannot be run: {error}') from None
        self._pictures = [each.name for each in self._see.get_inputs()[:-1]]
        inputs = {each.name: each.shape for each in self._extend.get_inputs()}
        self.place = inputs['there'][2] if 'there' in inputs else 0
        self._arm = inputs['arm'][1] if 'arm' in inputs else 0

    def see(self, pictures: Sequence[Picture], state: NDArray[np.float32],
            arm: NDArray[np.float32]) -> Past:
        """As TorchReader's."""
        inputs = {name: picture[None] for name, picture
                  in zip(self._pictures, pictures, strict=True)}
        kept, *felt = self._see.run(None, {**inputs, 'state': state[None]})
        return Past(kept, kept.shape[4], 0, felt=felt[0] if felt else None,
                    arm=arm[None, :self._arm])

    def read(self, past: Past, ids: Sequence[int],
             there: NDArray[Any] | None = None) -> tuple[NDArray[Any], Past]:
        """See speaking.Reader."""
        more = ({'there': _read(there, ids, self.place).astype(np.float32)}
                if self.place else {})
        if self._arm:
            more['arm'] = past.arm
        places = np.arange(past.length, past.length + len(ids), dtype=np.int64)
        logits, kept, where = self._extend.run(None, {
            'past': past.kept, 'ids': np.array([ids], np.int64), 'places': places, **more})
        return logits[0], replace(past, kept=kept, length=past.length + len(ids),
                                  offsets=told(where[0].astype(np.float64)))


def scaled(places: NDArray[Any]) -> NDArray[Any]:
    """Places (..., 3, 5 or 8), offsets [m] first, as the network says and reads them."""
    return places / _UNITS[:places.shape[-1]].astype(places.dtype)


def arm_numbers(state: NDArray[Any], ahead: NDArray[Any],
                axes: NDArray[Any]) -> NDArray[np.float32]:
    """From what places are told (..., size.arm; older networks take the first of them): a scaled
    state; how far the pose that the next action counts from is ahead of the tcp (..., 3) [m]; and
    the tcp's x and y axes (..., 6). Both in the viewer frame."""
    return np.concatenate([state, ahead / REACH, axes], -1).astype(np.float32)


def _read(there: NDArray[Any] | None, ids: Sequence[int], place: int) -> NDArray[np.float64]:
    """What is read of places with ids (1, T, place)."""
    return scaled(np.full((len(ids), place), np.nan) if there is None else there)[None]


def told(places: NDArray[Any]) -> NDArray[Any]:
    """The reverse of `scaled`, of places as they are told (..., size.told)."""
    places = single(places)
    return places * _UNITS[:places.shape[-1]]


def single(places: NDArray[Any]) -> NDArray[Any]:
    """Places (..., 3, 5 or 8) as they are read, of places as they are told (..., size.told).

    The last two of ten are cosine and sine of four times the heading: exactly known, of squares,
    too, but not which of two directions across each other. The one nearer to what is said of
    twice the heading is meant, as far as it is known."""
    if places.shape[-1] == 10:
        twice, fourfold = (places[..., at] + 1j * places[..., at + 1] for at in (3, 8))
        root = np.exp(0.5j * np.angle(fourfold))
        root *= np.where((root * twice.conj()).real < 0.0, -1.0, 1.0)
        sure = np.minimum(1.0, np.abs(fourfold))
        twice = (1.0 - sure) * twice + sure * root
        places = np.concatenate([places[..., :3], twice.real[..., None], twice.imag[..., None],
                                 places[..., 5:8]], -1)
    return places

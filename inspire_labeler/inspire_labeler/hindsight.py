# SPDX-License-Identifier: Apache-2.0
"""Where objects were, known afterwards: where the gripper closed on them, or opened.

For robots without object tracking. An object that is taken was, until the gripper closed on it,
where the gripper then closed; while held it is at the tcp; afterwards it is where the gripper
opened. Between two grasps of one object (dropped and taken again) it is where it will be taken
again. The target is where the gripper opened for the last time with the object laid there.

Known biases, measured by `./inspire label --hindsight --compare` where the truth is known too: the
opening is above the target (by the height of what is laid there), and "near" or "to the left of"
means beside it.

Pure: series in, positions out. Nothing here aborts an episode: what cannot be known is NaN, with
the reason.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inspire_labeler.grasp import ClosureSettings, GripperClosure
from inspire_labeler.instruction import objects_in
from inspire_labeler.roles import roles

# A closing this near to the last opening takes the same object again [m].
AGAIN_RADIUS = 0.06
# Before an opening was noticed, for so long it is looked at how wide what was held is [ns].
HELD = 500_000_000

Array = NDArray[np.float64]
Stamps = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Grasp:
    """The gripper held something from sample `closed` until before sample `opened`.

    opened: None where it still held at the end. slipped: it did not open, it lost what it held.
    """

    closed: int
    opened: int | None
    slipped: bool = False


@dataclass(frozen=True)
class Track:
    """One object through an episode.

    stamps: (N,) [ns]. position: (N, 3) in the viewer frame's axes [m], NaN where unknown. grasped:
    (N,). reason: why it is unknown where it is.
    """

    object: str
    stamps: Stamps
    position: Array
    grasped: Mask
    reason: str

    def seen_from(self, stamps: Stamps, tcp: Array) -> tuple[Array, Mask]:
        """(offset (M, 3) [m], grasped (M,)) at other instants, given the tcp (M, 3) there.

        The state is that of the latest sample at or before each instant.
        """
        index = np.clip(np.searchsorted(self.stamps, stamps, side='right') - 1, 0, None)
        grasped = self.grasped[index]
        offset = np.where(grasped[:, None], 0.0 * tcp, self.position[index] - tcp)
        return offset, grasped


def find_grasps(
    stamps: Stamps,
    widths: ArrayLike,
    settings: ClosureSettings | None = None,
    commands: ArrayLike | None = None,
) -> tuple[Grasp, ...]:
    """When the gripper held something.

    stamps: (N,) [ns], rising. widths: (N,) total opening [m]. commands: (N,) commanded opening
    [m], NaN where unknown, or None. Closing on nothing, pushing with a closed gripper and stopping
    where it was told to are no grasps.
    """
    used = settings or ClosureSettings()
    width = np.asarray(widths, dtype=np.float64)
    command = np.full(len(width), np.nan) if commands is None else np.asarray(commands, float)
    closure = GripperClosure(used)
    grasps: list[Grasp] = []
    closed: int | None = None
    for index, stamp in enumerate(stamps.tolist()):
        told = float(command[index])
        holding = closure.update(stamp, float(width[index]), None if np.isnan(told) else told)
        if holding and closed is None:
            closed = int(np.searchsorted(stamps, closure.held_since))
        elif not holding and closed is not None:
            slipped = width[index] < used.empty_width + used.slip_margin
            opened = index if slipped else _opening(stamps, width, closed, index, used.release)
            grasps.append(Grasp(closed, opened, slipped))
            closed = None
    if closed is not None:
        grasps.append(Grasp(closed, None))
    return tuple(grasps)


def label_episode(
    instruction: str,
    stamps: ArrayLike,
    tcp: ArrayLike,
    widths: ArrayLike,
    settings: ClosureSettings | None = None,
    commands: ArrayLike | None = None,
) -> tuple[Track, ...]:
    """A track for each object of the instruction, in the order of mention.

    stamps: (N,) [ns], rising. tcp: (N, 3) in the viewer frame's axes [m]. widths, commands: (N,)
    [m]. Raises InstructionError, and ValueError where the lengths differ.
    """
    times = np.asarray(stamps, dtype=np.int64)
    places = np.asarray(tcp, dtype=np.float64)
    if places.shape != (len(times), 3) or np.shape(widths) != times.shape:
        raise ValueError(f'{len(times)} stamps, tcp {places.shape}, widths {np.shape(widths)}: '
                         f'expected (N,), (N, 3), (N,)')
    grasps = find_grasps(times, widths, settings, commands)
    taken = roles(instruction)
    shared = _share(grasps, places, len(taken))
    tracks = {}
    laid: dict[str, list[Grasp]] = {}
    for role, own in zip(taken, shared, strict=True):
        tracks[role.object] = _taken_track(role.object, times, places, own, len(grasps))
        if role.target and own:
            laid.setdefault(role.target, []).append(own[-1])
    unknown = np.full_like(places, np.nan)
    never = np.zeros(len(times), dtype=np.bool_)
    for phrase in objects_in(instruction):
        if phrase in tracks:
            continue
        if phrase in {role.target for role in taken}:
            position, reason = _target_position(places, laid.get(phrase, []))
        else:
            position, reason = unknown, 'the gripper neither takes it nor opens at it'
        tracks[phrase] = Track(phrase, times, position, never, reason)
    return tuple(tracks[phrase] for phrase in objects_in(instruction))


def _opening(stamps: Stamps, width: Array, closed: int, found: int, release: float) -> int:
    """The sample at which the opening that was noticed at sample `found` began.

    It was held as wide as it was for most of the time just before: fingers that met it fast were
    narrower for an instant.
    """
    before = max(closed, int(np.searchsorted(stamps, stamps[found] - HELD)))
    limit = float(np.median(width[before:found + 1])) + 0.2 * release
    index = found
    while index > closed + 1 and width[index - 1] > limit:
        index -= 1
    return index


def _share(grasps: tuple[Grasp, ...], tcp: Array, count: int) -> list[list[Grasp]]:
    """The grasps of each of `count` objects: in order, those taken up again with their first."""
    shared: list[list[Grasp]] = [[] for _ in range(count)]
    at = -1
    for index, grasp in enumerate(grasps):
        before = grasps[index - 1].opened if index else None
        again = before is not None and bool(
            np.linalg.norm(tcp[grasp.closed] - tcp[before]) <= AGAIN_RADIUS)
        if not again or at < 0:
            at = min(at + 1, count - 1)
        if count:
            shared[at].append(grasp)
    return shared


def _taken_track(phrase: str, stamps: Stamps, tcp: Array, grasps: list[Grasp],
                 total: int) -> Track:
    position = np.full_like(tcp, np.nan)
    grasped = np.zeros(len(stamps), dtype=np.bool_)
    if not grasps:
        reason = ('the gripper closed on nothing' if total == 0 else
                  f'the gripper closed on {total} object{"s" if total > 1 else ""}, none of them '
                  f'this one')
        return Track(phrase, stamps, position, grasped, reason)
    start, reason = 0, ''
    for grasp in grasps:
        position[start:grasp.closed] = tcp[grasp.closed]
        end = len(stamps) if grasp.opened is None else grasp.opened
        position[grasp.closed:end] = tcp[grasp.closed:end]
        grasped[grasp.closed:end] = True
        start = end
    last = grasps[-1]
    if last.slipped:
        reason = 'it slipped out of the gripper'
    elif last.opened is not None:
        position[last.opened:] = tcp[last.opened]
    if not reason and not np.isfinite(position).all():
        reason = 'the tcp is not known where the gripper closed or opened'
    return Track(phrase, stamps, position, grasped, reason)


def _target_position(tcp: Array, grasps: list[Grasp]) -> tuple[Array, str]:
    """At each sample, where the gripper opens next (or did last) to lay something there."""
    position = np.full_like(tcp, np.nan)
    opened = [grasp.opened for grasp in grasps if grasp.opened is not None and not grasp.slipped]
    if not opened:
        return position, 'the gripper never opened at it'
    start = 0
    for index in opened:
        position[start:index] = tcp[index]
        start = index
    position[start:] = tcp[opened[-1]]
    return position, '' if np.isfinite(position).all() else 'the tcp is not known where it opened'

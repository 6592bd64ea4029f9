# SPDX-License-Identifier: Apache-2.0
"""The tree of frames over time, without ROS: what tf2::BufferCore does, for tf2's rules.

Each child frame has a history of (stamp, parent, transform). A lookup walks from the source up to
its root, then from the target up until it meets that path, with every transform interpolated at
the time asked for. Nothing is extrapolated. Times are integer nanoseconds; 0 means "the latest
time at which the whole path is known". Every method may be called from any thread.
"""

from __future__ import annotations

import threading
from bisect import bisect_right, insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import isfinite
from time import monotonic

from tf2_ros.exceptions import (
    ConnectivityException,
    ExtrapolationException,
    InvalidArgumentException,
    LookupException,
    TransformException,
)
from tf2_ros.geometry import IDENTITY, Transform, compose, interpolate, invert

DEFAULT_CACHE_NS = 10_000_000_000
NORM_TOLERANCE = 0.01  # tf2's own: on the squared norm of the quaternion


def display(stamp: int) -> str:
    """A time as tf2 writes it."""
    return f'{stamp / 1e9:.6f}'


@dataclass(slots=True)
class History:
    """What one child frame's parent and transform were, oldest first."""

    static: bool
    authority: str = ''
    stamps: list[int] = field(default_factory=list)
    parents: dict[int, str] = field(default_factory=dict)  # by stamp
    transforms: dict[int, Transform] = field(default_factory=dict)  # by stamp

    def insert(self, stamp: int, parent: str, transform: Transform, cache_ns: int) -> bool:
        """False if the stamp is older than what the cache still holds."""
        stamps = self.stamps
        if self.static:
            self.clear()
        elif stamps and stamp < stamps[-1] - cache_ns:
            return False
        if stamp not in self.transforms:
            if not stamps or stamp > stamps[-1]:
                stamps.append(stamp)
            else:
                insort(stamps, stamp)
        self.parents[stamp] = parent  # a repeated stamp: the last one wins
        self.transforms[stamp] = transform
        while stamps[0] < stamps[-1] - cache_ns:
            oldest = stamps.pop(0)
            del self.parents[oldest], self.transforms[oldest]
        return True

    def clear(self) -> None:
        self.stamps.clear()
        self.parents.clear()
        self.transforms.clear()

    def latest(self) -> tuple[int, str]:
        """(stamp, parent) of the newest entry; ('' where there is none)."""
        if not self.stamps:
            return 0, ''
        stamp = self.stamps[-1]
        return stamp, self.parents[stamp]

    def at(self, time: int) -> tuple[str, Transform]:
        """(parent, parent_from_child) at that time."""
        exact = self.transforms.get(time)
        if exact is not None:
            return self.parents[time], exact
        stamps = self.stamps
        if self.static and stamps:
            stamp = stamps[-1]
            return self.parents[stamp], self.transforms[stamp]
        if len(stamps) < 2:
            only = stamps[0] if stamps else 0
            raise ExtrapolationException(
                f'extrapolation refused: time {display(time)} was asked for, '
                f'and the only transform known is of {display(only)}'
            )
        if time > stamps[-1]:
            raise ExtrapolationException(
                f'extrapolation into the future refused: time {display(time)} was asked for, '
                f'and the newest transform is of {display(stamps[-1])}'
            )
        if time < stamps[0]:
            raise ExtrapolationException(
                f'extrapolation into the past refused: time {display(time)} was asked for, '
                f'and the oldest transform is of {display(stamps[0])}'
            )
        index = bisect_right(stamps, time)
        before, after = stamps[index - 1], stamps[index]
        parent, older = self.parents[before], self.transforms[before]
        if parent != self.parents[after]:  # reparented in between: there is no path to walk
            return parent, older
        ratio = (time - before) / (after - before)
        return parent, interpolate(older, self.transforms[after], ratio)


class BufferCore:
    """Frames, their histories and the lookups between them."""

    def __init__(self, cache_ns: int = DEFAULT_CACHE_NS) -> None:
        if cache_ns <= 0:
            raise InvalidArgumentException(f'cache time is {cache_ns} ns, must be positive')
        self._cache_ns = cache_ns
        self._histories: dict[str, History] = {}
        self._frames: set[str] = set()
        self._changed = threading.Condition(threading.RLock())
        self._waiting = 0

    def insert(
        self,
        parent: str,
        child: str,
        stamp: int,
        transform: Transform,
        *,
        authority: str = '',
        static: bool = False,
    ) -> str | None:
        """Takes parent_from_child at that time; gives the reason if it is refused."""
        parent, child = parent.removeprefix('/'), child.removeprefix('/')
        reason = refusal(parent, child, transform, authority)
        if reason is not None:
            return reason
        with self._changed:
            history = self._histories.get(child)
            if history is None or history.static != static:
                history = self._histories[child] = History(static)
                self._frames.add(child)
            self._frames.add(parent)
            if not history.insert(stamp, parent, transform, self._cache_ns):
                return (
                    f'TF_OLD_DATA: transform of {child} at {display(stamp)}, sent by {authority}, '
                    'is older than the cache reaches; it is not kept'
                )
            history.authority = authority
            if self._waiting:
                self._changed.notify_all()
        return None

    def clear(self) -> None:
        """Forgets every moving transform. Frames and static transforms stay, as in tf2."""
        with self._changed:
            for history in self._histories.values():
                if not history.static:
                    history.clear()

    def lookup(self, target: str, source: str, time: int) -> tuple[Transform, int]:
        """(target_from_source, its time). Raises a TransformException that says why not."""
        with self._changed:
            if target == source:
                history = self._histories.get(target)
                moving = history is not None and not history.static
                return IDENTITY, time or (history.latest()[0] if history and moving else 0)
            self._check('target_frame', target)
            self._check('source_frame', source)
            if time == 0:
                time = self._latest_common_time(target, source)
            return self._walk(target, source, time), time

    def lookup_full(
        self, target: str, target_time: int, source: str, source_time: int, fixed: str
    ) -> tuple[Transform, int]:
        """(target at its time from source at its time, target_time), by way of a fixed frame."""
        with self._changed:
            self._check('fixed_frame', fixed)
            fixed_from_source, _ = self.lookup(fixed, source, source_time)
            target_from_fixed, time = self.lookup(target, fixed, target_time)
            return compose(target_from_fixed, fixed_from_source), time

    def wait(self, target: str, source: str, time: int, timeout_s: float) -> tuple[bool, str]:
        """(True, '') as soon as the lookup succeeds, (False, why) when the time is up."""
        deadline = monotonic() + timeout_s
        with self._changed:
            while True:
                try:
                    self.lookup(target, source, time)
                    return True, ''
                except TransformException as error:
                    why = str(error)
                left = deadline - monotonic()
                if left <= 0.0:
                    return False, why
                self._waiting += 1
                try:
                    self._changed.wait(left)
                finally:
                    self._waiting -= 1

    def latest_common_time(self, target: str, source: str) -> int:
        """The latest time at which the path is known; 0 where everything on it is static."""
        with self._changed:
            self._check('target_frame', target)
            self._check('source_frame', source)
            return 0 if target == source else self._latest_common_time(target, source)

    def frame_exists(self, frame: str) -> bool:
        return frame in self._frames

    def all_frames_as_string(self) -> str:
        """One line a frame that has a parent."""
        with self._changed:
            return ''.join(
                f'{child}: child of {history.latest()[1] or "nothing"}\n'
                for child, history in self._histories.items()
            )

    def all_frames_as_yaml(self) -> str:
        """Each child frame with its parent, broadcaster, rate and times, as tf2 writes them."""
        with self._changed:
            entries = [
                ''.join(yaml_lines(child, history))
                for child, history in self._histories.items()
                if history.stamps
            ]
        return ''.join(entries) or '[]'

    def _check(self, argument: str, frame: str) -> None:
        if not frame:
            raise InvalidArgumentException(
                f'{argument} is empty; valid: the name of a frame on /tf or /tf_static'
            )
        if frame.startswith('/'):
            raise InvalidArgumentException(
                f"{argument} is '{frame}'; a tf2 frame has no leading slash: '{frame[1:]}'"
            )
        if frame not in self._frames:
            raise LookupException(f"{argument} '{frame}' does not exist on TF")

    def _ancestors(self, frame: str) -> Iterator[tuple[str, int]]:
        """(ancestor, least stamp of the moving steps below it or 0), by the latest parents."""
        least, seen = 0, {frame}
        yield frame, least
        while (history := self._histories.get(frame)) is not None and history.stamps:
            stamp, frame = history.latest()
            if frame in seen:
                raise LookupException('The tf tree is invalid because it contains a loop.')
            seen.add(frame)
            if not history.static:
                least = min(least, stamp) if least else stamp
            yield frame, least

    def _latest_common_time(self, target: str, source: str) -> int:
        above_source = dict(self._ancestors(source))
        for frame, least in self._ancestors(target):
            if frame in above_source:
                other = above_source[frame]
                return min(least, other) if least and other else least or other
        raise ConnectivityException(unconnected(target, source))

    def _walk(self, target: str, source: str, time: int) -> Transform:
        """target_from_source: up from the source, then up from the target until they meet."""
        frame, to_frame = source, IDENTITY
        above_source = {source: IDENTITY}  # ancestor -> ancestor_from_source
        broken: ExtrapolationException | None = None
        while (history := self._histories.get(frame)) is not None:
            try:
                parent, step = history.at(time)
            except ExtrapolationException as error:
                broken = error  # the target may still lie below this frame
                break
            to_frame = compose(step, to_frame)
            if parent in above_source:
                raise LookupException('The tf tree is invalid because it contains a loop.')
            above_source[parent] = to_frame
            if parent == target:
                return to_frame
            frame = parent

        frame, to_frame = target, IDENTITY
        seen = {target}
        while frame not in above_source:
            history = self._histories.get(frame)
            if history is None:
                if broken is not None:
                    raise extrapolation(broken, target, source) from None
                raise ConnectivityException(unconnected(target, source))
            try:
                frame, step = history.at(time)
            except ExtrapolationException as error:
                raise extrapolation(error, target, source) from None
            if frame in seen:
                raise LookupException('The tf tree is invalid because it contains a loop.')
            seen.add(frame)
            to_frame = compose(step, to_frame)
        return compose(invert(to_frame), above_source[frame])


def refusal(parent: str, child: str, transform: Transform, authority: str) -> str | None:
    """Why such a transform is not taken, as in tf2; None if it is."""
    if not child:
        return f'TF_NO_CHILD_FRAME_ID: {authority} sent a transform without a child_frame_id'
    if not parent:
        return f"TF_NO_FRAME_ID: {authority} sent a transform of '{child}' without a frame_id"
    if child == parent:
        return f"TF_SELF_TRANSFORM: {authority} sent '{child}' as its own parent"
    x, y, z, qx, qy, qz, qw = transform
    norm = qx * qx + qy * qy + qz * qz + qw * qw
    if isfinite(x + y + z) and abs(norm - 1.0) < NORM_TOLERANCE:
        return None
    values = ' '.join(f'{value:f}' for value in transform)
    if all(isfinite(value) for value in transform):
        return (
            f"TF_DENORMALIZED_QUATERNION: {authority} sent '{child}' with a quaternion whose "
            f'norm is not 1 ({values})'
        )
    return f"TF_NAN_INPUT: {authority} sent '{child}' with values that are not finite ({values})"


def extrapolation(error: Exception, target: str, source: str) -> ExtrapolationException:
    return ExtrapolationException(f"{error} (transform from '{source}' to '{target}')")


def unconnected(target: str, source: str) -> str:
    return f"no chain of transforms connects '{source}' with '{target}': two separate trees"


def yaml_lines(child: str, history: History) -> Iterator[str]:
    oldest, newest = history.stamps[0], history.stamps[-1]
    span = (newest - oldest) / 1e9
    rate = len(history.stamps) / max(span, 0.0001)
    yield f'{child}: \n'
    yield f"  parent: '{history.latest()[1]}'\n"
    yield f"  broadcaster: '{history.authority}'\n"
    yield f'  rate: {rate:.3f}\n'
    yield f'  most_recent_transform: {display(newest)}\n'
    yield f'  oldest_transform: {display(oldest)}\n'
    yield f'  buffer_length: {span:.3f}\n'

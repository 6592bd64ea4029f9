# SPDX-License-Identifier: Apache-2.0
"""Whether the gripper holds something: from contacts, or from how far it closed.

In simulation: what both fingers touch. On hardware `GripperClosure` watches how far it is open:
it holds something when it was closing and stopped while wider than when it closes on nothing.
`StateHistory` gives either for an instant, and only once a sample at or after that instant has
come: so the answer does not depend on when messages arrive.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from inspire_labeler.transform_history import SECOND, MissingTransform, seconds

State = TypeVar('State')


class StateHistory(Generic[State]):
    """A state that is sampled, and holds from one sample to the next.

    name: of its topic, for reasons. max_gap: the longest time that a sample counts for [ns].
    """

    def __init__(self, name: str, window: int, max_gap: int) -> None:
        self._name, self._window, self._max_gap = name, window, max_gap
        self._stamps: list[int] = []
        self._states: list[State] = []

    def add(self, stamp: int, state: State) -> bool:
        """Takes a sample; False where it is late and dropped.

        Time that jumps back by more than max_gap starts the history anew.
        """
        if self._stamps and stamp <= self._stamps[-1]:
            if self._stamps[-1] - stamp <= self._max_gap:
                return False
            self.clear()
        self._stamps.append(stamp)
        self._states.append(state)
        if stamp - self._stamps[0] > 2 * self._window:
            keep = bisect_left(self._stamps, stamp - self._window) - 1
            del self._stamps[:keep], self._states[:keep]
        return True

    def clear(self) -> None:
        """Forgets every sample."""
        self._stamps.clear()
        self._states.clear()

    @property
    def newest(self) -> int | None:
        """The latest stamp; None before the first sample."""
        return self._stamps[-1] if self._stamps else None

    def at(self, stamp: int) -> State:
        """The state of the latest sample at or before an instant.

        Raises MissingTransform where no sample is at, or just before, or none after the instant.
        """
        index = bisect_right(self._stamps, stamp) - 1
        if index < 0:
            raise MissingTransform(f'no {self._name} at or before {seconds(stamp)}')
        if stamp - self._stamps[index] > self._max_gap:
            age = (stamp - self._stamps[index]) / SECOND
            raise MissingTransform(f'no {self._name} at {seconds(stamp)}: the last one is '
                                   f'{age:.3f} s older')
        if self._stamps[-1] < stamp:
            raise MissingTransform(f'no {self._name} at or after {seconds(stamp)}')
        return self._states[index]


@dataclass(frozen=True)
class ClosureSettings:
    """When a gripper has closed on something. Lengths are total openings [m], times [s].

    empty_width: how wide it is when it has closed on nothing.
    grip_margin, slip_margin: it can hold something when wider than empty_width + grip_margin, and
        has lost it when narrower than empty_width + slip_margin (hysteresis).
    still: it has stopped when its opening changed by less than this over settle_time.
    travel: it was closing when it came down by this much from where it was last widest.
    release: it has let go when it opened by this much from its narrowest while holding.
    command_margin: where the commanded width is known, it must be narrower than the opening by
        this: a gripper that stops where it was told to has met nothing.
    """

    empty_width: float = 0.0
    grip_margin: float = 0.003
    slip_margin: float = 0.0015
    still: float = 0.001
    settle_time: float = 0.1
    travel: float = 0.004
    release: float = 0.003
    command_margin: float = 0.002

    def __post_init__(self) -> None:
        if not 0 <= self.slip_margin < self.grip_margin:
            raise ValueError(f'slip_margin is {self.slip_margin} m, expected from 0 to below '
                             f'grip_margin {self.grip_margin} m')
        for name in ('still', 'settle_time', 'travel', 'release'):
            if not getattr(self, name) > 0:
                raise ValueError(f'{name} is {getattr(self, name)}, expected more than 0')


@dataclass
class GripperClosure:
    """Follows the gripper's opening and says whether it holds something.

    Feed it every sample by rising stamp. `holding` is the verdict; `held_since` the stamp [ns] at
    which the gripper came to rest on what it holds, which is earlier than the verdict by
    settle_time.
    """

    settings: ClosureSettings = field(default_factory=ClosureSettings)
    holding: bool = False
    held_since: int = 0
    _recent: deque[tuple[int, float]] = field(default_factory=deque)
    _widest: float = float('-inf')
    _narrowest: float = float('inf')

    def update(self, stamp: int, width: float, command: float | None = None) -> bool:
        """Takes a sample of the opening [m] and, if known, the commanded one. Gives `holding`.

        A width that is not finite is skipped.
        """
        if not -1.0 < width < 1.0:
            return self.holding
        if self._recent and stamp < self._recent[-1][0]:
            self.__init__(self.settings)  # type: ignore[misc]
        self._recent.append((stamp, width))
        settle = int(self.settings.settle_time * SECOND)
        while len(self._recent) > 1 and self._recent[1][0] <= stamp - settle:
            self._recent.popleft()
        if self.holding:
            self._check_release(width)
        else:
            self._check_grip(stamp, width, command, stamp - self._recent[0][0] >= settle)
        return self.holding

    def _check_release(self, width: float) -> None:
        self._narrowest = min(self._narrowest, width)
        opened = width >= self._narrowest + self.settings.release
        if opened or width < self.settings.empty_width + self.settings.slip_margin:
            self.holding = False
            self._widest = width

    def _check_grip(self, stamp: int, width: float, command: float | None, full: bool) -> None:
        self._widest = max(self._widest, width)
        widths = [each for _, each in self._recent]
        still = full and max(widths) - min(widths) < self.settings.still
        if not still:
            return
        stopped_early = command is None or width - command >= self.settings.command_margin
        closed = self._widest - width >= self.settings.travel
        wide = width >= self.settings.empty_width + self.settings.grip_margin
        if closed and wide and stopped_early:
            self.holding = True
            self.held_since = self._recent[0][0]
            self._narrowest = width
        elif not closed or not wide:
            # Where it rests open, or closed on nothing, the next closing is counted from.
            self._widest = width

# SPDX-License-Identifier: Apache-2.0
"""What a person sees while the machine is set up: one line a step, alive while it runs.

On a terminal a step's line is redrawn with a bar, the present item and the time. In a log file a
step is one line when it is done. All of it goes to stderr: stdout belongs to the command.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

WIDTH = 22
REDRAW_S = 0.1


class Step:
    """One line of work under way; `show` moves its bar and names what is worked on."""

    def __init__(self, title: str, stream: TextIO) -> None:
        self.title = title
        self.summary = ''
        self._stream = stream
        self._live = stream.isatty() and os.environ.get('TERM', '') != 'dumb'
        self._fancy = 'utf' in (stream.encoding or '').lower()
        self._started = time.monotonic()
        self._drawn = 0.0

    def show(self, fraction: float, item: str = '') -> None:
        """Fraction done, 0 to 1, and the present item's name."""
        now = time.monotonic()
        if not self._live or now - self._drawn < REDRAW_S:
            return
        self._drawn = now
        fraction = min(max(fraction, 0.0), 1.0)
        full, empty = ('━', '─') if self._fancy else ('#', '.')
        done = round(fraction * WIDTH)
        bar = full * done + empty * (WIDTH - done)
        line = f'    {self.title:<26} {bar} {100 * fraction:3.0f} %  {item}'
        columns = shutil.get_terminal_size().columns
        self._stream.write(f'\r\x1b[2K{line[: columns - 1]}')
        self._stream.flush()

    def finish(self, *, failed: bool = False) -> None:
        """Leaves the step's closing line."""
        mark = ('✗' if failed else '✓') if self._fancy else ('x' if failed else '+')
        took = time.monotonic() - self._started
        text = f'  {mark} {self.title:<26} {self.summary}'
        clear = '\r\x1b[2K' if self._live else ''
        self._stream.write(f'{clear}{text:<66}{took:6.1f} s\n')
        self._stream.flush()


@contextmanager
def step(title: str, stream: TextIO | None = None) -> Iterator[Step]:
    """Runs a block as a step: its line closes with a tick, or a cross if the block raises."""
    current = Step(title, stream or sys.stderr)
    current.show(0.0)
    try:
        yield current
    except BaseException:
        current.finish(failed=True)
        raise
    current.finish()


def say(text: str, stream: TextIO | None = None) -> None:
    """A line of its own, outside the steps."""
    print(text, file=stream or sys.stderr, flush=True)

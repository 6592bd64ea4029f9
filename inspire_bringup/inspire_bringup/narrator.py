# SPDX-License-Identifier: Apache-2.0
"""Shows a run in a terminal: lines as they come, and one line of progress redrawn in place.

Without a terminal (a file, a pipe, CI) it prints plain lines. It starts no threads, because the
process that shows also starts processes.
"""

from __future__ import annotations

import re
import sys
import time
from typing import IO

from rich.console import Console
from rich.text import Text

from inspire_bringup.narration import ERROR, PROGRESS

ANSWER = re.compile(r'^(?P<time> *\d+\.\d s)  (?P<thing>.+?): (?P<answer>.+)$')
PLAIN_PERIOD = 4.0  # s between two lines of progress where they cannot be redrawn
CLEAR_LINE = '\r\x1b[2K'


class Narrator:
    """Prints what happens; `show` is what a runner calls."""

    def __init__(self, output: IO[str] | None = None) -> None:
        self.console = Console(file=output or sys.stdout, highlight=False, soft_wrap=True)
        self.errors: list[str] = []  # what the conductor gave up for
        self._progress = ''
        self._next_plain = 0.0

    def show(self, name: str, line: str) -> None:
        """Show a line that the process `name` printed."""
        if name != 'episode':
            self.say(f'{name}: {line}', 'red')
        elif line.startswith(ERROR):
            self.errors.append(line.removeprefix(ERROR))
        elif line.startswith(PROGRESS):
            self.progress(line.removeprefix(PROGRESS))
        else:
            self._print(answer(line))

    def say(self, line: str, style: str = '') -> None:
        """Print a line above the progress."""
        self._print(Text(line, style))

    def progress(self, text: str) -> None:
        """Redraw the line of progress; without a terminal, print it now and then."""
        if not self.console.is_terminal:
            if time.monotonic() >= self._next_plain:
                self._next_plain = time.monotonic() + PLAIN_PERIOD
                self.console.print(Text(text))
            return
        self._progress = text
        self._draw()

    def finish(self) -> None:
        """Take the line of progress away."""
        self._clear()
        self._progress = ''
        self._next_plain = 0.0

    def _print(self, text: Text) -> None:
        self._clear()
        self.console.print(text)
        self._draw()

    def _clear(self) -> None:
        if self._progress:
            self.console.file.write(CLEAR_LINE)

    def _draw(self) -> None:
        if self._progress:
            width = max(self.console.width - 2, 10)
            self.console.file.write(f'{CLEAR_LINE}\x1b[2m{self._progress[:width]}\x1b[0m')
            self.console.file.flush()


def answer(line: str) -> Text:
    """Return a line of the conductor's, an answer in it set off."""
    found = ANSWER.match(line)
    if found is None:
        return Text(line)
    return Text.assemble(
        (found['time'], 'dim'), '  ', (found['thing'], 'cyan'), ': ', (found['answer'], 'bold')
    )

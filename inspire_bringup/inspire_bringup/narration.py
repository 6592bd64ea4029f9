# SPDX-License-Identifier: Apache-2.0
"""What a person reads while a robot works: its answers as they change, and how it goes.

The lines are read by people in a terminal and by `./inspire demo`, which knows a line of progress
by its first word and redraws it in place.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

PROGRESS = 'progress: '
ERROR = 'episode: '  # on stderr
WITHHELD = 'no answer'


@dataclass(frozen=True)
class Tally:
    """How many answers were compared with the truth, and how many of them were equal to it."""

    compared: int = 0
    agreed: int = 0

    def since(self, before: Tally) -> Tally:
        """Return what was added; all, where counting has begun anew in between."""
        if self.compared < before.compared:
            return self
        return Tally(self.compared - before.compared, self.agreed - before.agreed)

    def __str__(self) -> str:
        return f'{self.agreed} of {self.compared} answers as the truth'


@dataclass
class Narration:
    """The answers of one episode, per object in the order of mention, repetitions left out."""

    answers: dict[str, list[str]] = field(default_factory=dict)
    decisions: int = 0

    def hear(self, elapsed: float, answers: Iterable[tuple[str, str, str]]) -> list[str]:
        """Take one observation's answers; return a line for each object whose answer changed.

        Args:
            elapsed: time since the instruction was given [s].
            answers: (object, answer, reason); an empty answer is withheld for that reason.

        """
        self.decisions += 1
        lines = []
        for thing, answer, reason in answers:
            said = answer or WITHHELD
            history = self.answers.setdefault(thing, [])
            if not history or history[-1] != said:
                history.append(said)
                because = f' ({reason})' if reason and not answer else ''
                lines.append(f'{elapsed:6.1f} s  {thing}: {said}{because}')
        return lines

    def summary(self) -> list[str]:
        """Return a line for each object with all that was said of it."""
        return [f'{thing}: {", ".join(history)}' for thing, history in self.answers.items()]


def progress(elapsed: float, decisions: int, tally: Tally, missing: str) -> str:
    """Return the line that says how far an episode is.

    Args:
        elapsed: time since the instruction was given [s].
        decisions: decisions made so far.
        tally: answers against the truth, in this episode.
        missing: what the task's success still lacks.

    """
    parts = [f'{elapsed:.1f} s', counted(decisions, 'decision')]
    if tally.compared:
        parts.append(str(tally))
    if missing:
        parts.append(missing)
    return PROGRESS + ', '.join(parts)


def counted(number: int, noun: str) -> str:
    """Return '1 decision', '2 decisions'."""
    return f'{number} {noun}' if number == 1 else f'{number} {noun}s'

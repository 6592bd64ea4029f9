# SPDX-License-Identifier: Apache-2.0
"""Which objects of an instruction are taken, and where each one goes.

Hindsight knows objects only by what the gripper did: it closed on the one, it opened at the other.

- What a verb acts on is taken: "put the ball on the book" takes the ball, "put both the soup and
  the box in the basket" takes two. What is pushed, pressed, turned or closed counts only where
  nothing else is taken: a drawer may be pushed shut with the gripper closed.
- Where a verb lays things down (put, place, stack, move ... on, in, near ...), the object named
  there is the target of what was taken: the gripper opens at it. "Pick up the can and place it on
  the plate" has its target in the second clause.
- The cabinet of "pull the plate from" and "push the plate into" is no target: nothing opens there.
"""

from __future__ import annotations

from dataclasses import dataclass

from inspire_labeler.instruction import mentions

PUSHING = frozenset({'push', 'press', 'turn', 'close', 'shut', 'open', 'touch', 'poke', 'flip',
                     'switch', 'wipe', 'rotate', 'slide'})
LAYING = frozenset({'put', 'place', 'stack', 'move', 'set', 'drop', 'lay', 'bring', 'store',
                    'insert', 'hang', 'carry', 'give', 'pour', 'stow', 'arrange', 'sort', 'throw'})
TOWARDS = frozenset({'on', 'onto', 'in', 'into', 'near', 'to', 'at', 'beside', 'under', 'over',
                     'atop', 'by', 'inside', 'against', 'behind', 'upon', 'above', 'below',
                     'underneath', 'beneath', 'toward', 'towards', 'with'})


@dataclass(frozen=True)
class Taken:
    """An object that is taken, and the one at which it is laid down ('' for none), as phrases."""

    object: str
    target: str = ''


def roles(instruction: str) -> tuple[Taken, ...]:
    """The objects that an instruction has taken, in order. Raises InstructionError."""
    pushed: list[str] = []
    taken: dict[str, str] = {}
    waiting: list[str] = []
    verb = ''
    for mention in mentions(instruction):
        if not mention.preposition:
            if mention.verb in PUSHING:
                pushed.append(mention.phrase)
                continue
            if mention.verb != verb:
                waiting = []
            taken.setdefault(mention.phrase, '')
            waiting.append(mention.phrase)
        elif mention.verb in LAYING and mention.preposition in TOWARDS:
            for phrase in waiting:
                taken[phrase] = taken[phrase] or mention.phrase
        verb = mention.verb
    return tuple(Taken(*each) for each in (taken or dict.fromkeys(pushed, '')).items())

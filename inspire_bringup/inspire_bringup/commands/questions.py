# SPDX-License-Identifier: Apache-2.0
"""`./inspire questions "pick up the ball"`: what will be asked, and the allowed answers."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from inspire_labeler.formulation import Formulation

HELP = 'Print what is asked about an instruction, and the allowed answers.'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument('instruction', help='what the robot is told: "put the ball on the book"')
    parser.add_argument('--formulation', choices=[each.value for each in Formulation],
                        default=Formulation.DIRECTION.value,
                        help='how a place is asked for and answered (default: direction)')
    parser.add_argument('--json', action='store_true',
                        help='print a list of {object, question, options}')


def run(arguments: argparse.Namespace) -> int:
    """Prints the questions; 1 with an error on stderr where there is nothing to ask about."""
    from inspire_labeler.instruction import InstructionError
    from inspire_labeler.question import questions

    try:
        asked = questions(arguments.instruction, Formulation(arguments.formulation))
    except (InstructionError, RuntimeError) as error:
        print(f'error: {error}', file=sys.stderr)
        return 1
    if arguments.json:
        print(json.dumps([
            {'object': each.object, 'question': each.text, 'options': list(each.options)}
            for each in asked], indent=2, ensure_ascii=False))
    else:
        rows = [('object', 'question', 'options')]
        rows += [(each.object, each.text, ' '.join(map(_short, each.options))) for each in asked]
        print(_table(rows))
    return 0


def _short(option: str) -> str:
    """The 19 alternatives of a decimetre, as a range."""
    alternatives = option.split('|')
    return option if len(alternatives) < 4 else f'{alternatives[0]}..{alternatives[-1]}'


def _table(rows: Sequence[tuple[str, str, str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ['  '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
             for row in rows]
    return '\n'.join([lines[0], '-' * len(lines[0].ljust(sum(widths) + 4)), *lines[1:]])

# SPDX-License-Identifier: Apache-2.0
"""The commands of `./inspire`: finds the one that was asked for, and runs it.

A command is a module in `commands/` with `HELP` (one line), `add_arguments(parser)` and
`run(arguments) -> int`. Only the module that is used is imported: the list of commands, which is
read from the sources, works on a machine where nothing is set up yet.

Errors that a user can understand are one line on stderr and exit status 1 (2: wrong usage);
`--debug` shows where they come from.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import difflib
import importlib
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

COMMANDS = Path(__file__).parent / 'commands'
WIDTH = 11

# Done by the shell script `inspire` itself, before there is a Python to run this with.
OF_THE_SHELL = {
    'setup': 'Set up what is missing (every command does it by itself).',
    'doctor': 'Say what is missing, wrong or old on this machine, and how to mend it.',
    'shell': 'Open a shell with the workspace sourced (with arguments: run them in it).',
}
SECTIONS = {
    'Start here': ('demo', 'test'),
    'Run': ('run', 'echo', 'record', 'evaluate', 'serve', 'compare', 'bench'),
    'Learn': ('collect', 'export', 'train', 'adopt'),
    'Ask': ('questions',),
    'Episodes': ('label', 'report', 'video', 'repair'),
    'Machine': ('setup', 'doctor', 'shell'),
}
EXAMPLES = (
    './inspire demo "put the banana on the towel" --seed 3 --viewer',
    './inspire questions "stack the left bowl on the middle bowl"',
)

USAGE_ERROR = 2
INTERRUPTED = 130

# What a user can bring about, with a text that says what is wrong. Everything else is a defect
# of ours and keeps its traceback.
EXPECTED_ERRORS = (OSError, ValueError, RuntimeError)


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, without the usage, which hides it."""

    def error(self, message: str) -> NoReturn:
        line = f'{self.prog.removeprefix("./")}: {message} ({self.prog} --help says more)'
        self.exit(USAGE_ERROR, line + '\n')


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that `argv` (default: sys.argv[1:]) names; return the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] in ('-h', '--help', 'help'):
        print(overview())
        return 0
    name = words[0]
    if name in OF_THE_SHELL:
        print(f'inspire: {name} is done by ./inspire itself, in the repository', file=sys.stderr)
        return USAGE_ERROR
    if name not in names():
        print(f'inspire: {unknown(name)}', file=sys.stderr)
        return USAGE_ERROR
    return run(name, words[1:])


def run(name: str, words: Sequence[str]) -> int:
    """Run a command with its arguments."""
    with dying_of_interrupts():
        module = importlib.import_module(f'inspire_bringup.commands.{name}')
    parser = Parser(prog=f'./inspire {name}', description=module.HELP)
    module.add_arguments(parser)
    parser.add_argument('--debug', action='store_true', help='show where an error comes from')
    arguments, rest = parser.parse_known_args(words)
    if rest and not getattr(module, 'PASSES_ON', False):
        parser.error(f'unrecognized arguments: {" ".join(rest)}')
    arguments.rest = rest
    try:
        return int(module.run(arguments))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # `./inspire ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except EXPECTED_ERRORS as error:
        if arguments.debug or not str(error):
            raise
        print(f'inspire {name}: {error}', file=sys.stderr)
        return 1


@contextlib.contextmanager
def dying_of_interrupts() -> Iterator[None]:
    """End at once on Ctrl-C while modules are imported.

    There is nothing to clean up then, and Python loses a KeyboardInterrupt that is raised inside a
    callback of the import system or of a C extension (seen: a demo that ran on).
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def names() -> list[str]:
    """Return the commands that are modules."""
    return sorted(path.stem for path in COMMANDS.glob('*.py') if path.stem != '__init__')


def help_line(name: str) -> str:
    """Return a command's `HELP`, read from its source: importing it may need what is not there."""
    if name in OF_THE_SHELL:
        return OF_THE_SHELL[name]
    for statement in ast.parse((COMMANDS / f'{name}.py').read_text(encoding='utf-8')).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == 'HELP':
            return str(ast.literal_eval(statement.value))
    raise RuntimeError(f'commands/{name}.py has no HELP')


def overview() -> str:
    """Return the list of all commands."""
    lines = ['InSpire for ROS 2: a robot that says where things are before it moves.', '']
    lines += ['usage: ./inspire COMMAND [...]      (./inspire COMMAND --help says more)']
    available = {*names(), *OF_THE_SHELL}
    for section, members in SECTIONS.items():
        lines += ['', f'{section}:']
        lines += [f'  {one:{WIDTH}}{help_line(one)}' for one in members if one in available]
    lines += ['', 'Examples:', *(f'  {example}' for example in EXAMPLES)]
    return '\n'.join(lines)


def unknown(name: str) -> str:
    """Return what is said of a command that does not exist."""
    valid = [*names(), *OF_THE_SHELL]
    near = difflib.get_close_matches(name[:100], valid, n=3, cutoff=0.5)
    hint = f'did you mean {" or ".join(near)}?' if near else f'commands: {", ".join(valid)}'
    shown = repr(name) if len(name) <= 60 else f'{name[:60]!r}...'
    return f'there is no command {shown}; {hint}'


if __name__ == '__main__':
    sys.exit(main())

# SPDX-License-Identifier: Apache-2.0
"""A loop run as processes: in a ROS domain of its own, with logs and parameters in one folder."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from inspire_bringup.domain import claimed_domain
from inspire_bringup.processes import processes
from inspire_bringup.runner import Outcome, Show, run
from inspire_bringup.stages import (
    Argument,
    ArgumentError,
    Loop,
    ResolvedStage,
    Value,
    complete,
    resolve,
    valid_value,
)

DOMAIN = 'ROS_DOMAIN_ID'
LOGS = 'log'


def choose_stages(
    loop: Loop, given: Mapping[str, str], without: Collection[str] = ()
) -> tuple[ResolvedStage, ...]:
    """Return the stages to run: before anything is made or started, for what is wrong is said.

    Args:
        loop: which stages.
        given: the arguments that differ from their defaults.
        without: names of stages to leave out.

    Raises:
        ArgumentError: an argument or a stage's name is not valid.

    """
    names = [stage.name for stage in loop.stages]
    for name in without:
        if name not in names:
            raise ArgumentError(f'{loop.name} has no stage {name!r}; it has {", ".join(names)}')
    resolved = resolve(loop, complete(loop, given))
    return tuple(stage for stage in resolved if stage.name not in without)


def run_stages(
    stages: Sequence[ResolvedStage], folder: Path, show: Show, domain: int
) -> Outcome:
    """Run stages as processes until one ends.

    Args:
        stages: which; see `choose_stages`.
        folder: of the run; logs and parameters go into its folder `log`.
        show: receives the conductor's lines and everybody's errors.
        domain: ROS domain of the graph.

    Raises:
        StageUnavailable: a stage is not installed.

    """
    logs = folder / LOGS
    return run(processes(stages, logs), logs, show, {DOMAIN: str(domain)})


@contextmanager
def own_domain() -> Iterator[tuple[int, bool]]:
    """Yield the ROS domain to use, and whether the user chose it; else it is a free one."""
    chosen = os.environ.get(DOMAIN, '')
    if chosen:
        if not chosen.isdigit() or int(chosen) > 232:
            raise ValueError(f'{DOMAIN} is {chosen!r}; valid: 0 to 232, or unset')
        yield int(chosen), True
    else:
        with claimed_domain() as domain:
            yield domain, False


def new_folder(runs: Path) -> Path:
    """Make a folder in `runs`, named by the time, and return it."""
    name = datetime.now().strftime('%Y%m%d-%H%M%S')
    for candidate in (name, *(f'{name}-{number}' for number in range(2, 1000))):
        try:
            (runs / candidate).mkdir(parents=True)
        except FileExistsError:
            continue
        return (runs / candidate).resolve()
    raise RuntimeError(f'{runs} has too many runs of this second')


def option(name: str) -> str:
    """Return the command line's spelling of an argument."""
    return '--' + name.replace('_', '-')


def option_type(argument: Argument) -> Callable[[str], Value]:
    """Return what turns an option's text into a value, and what is wrong with it into an error."""

    def value(text: str) -> Value:
        try:
            return valid_value(argument, text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return value


def add_options(parser: argparse.ArgumentParser, arguments: Collection[Argument]) -> None:
    """Add an option for each argument of a loop."""
    for argument in arguments:
        shown = '' if argument.default in (None, '') else f' (default: {argument.default})'
        text = (argument.description + shown).replace('%', '%%')
        if argument.kind is bool:
            parser.add_argument(
                option(argument.name),
                action=argparse.BooleanOptionalAction,
                default=argument.default,
                help=text,
            )
        else:
            parser.add_argument(
                option(argument.name),
                type=option_type(argument),
                required=argument.required,
                default=None if argument.required else str(argument.default),
                choices=argument.choices or None,
                metavar=None if argument.choices else argument.kind.__name__.upper(),
                help=text,
            )


def given_options(parsed: argparse.Namespace, arguments: Collection[Argument]) -> dict[str, str]:
    """Return the arguments' texts, as a launch file would get them."""
    return {argument.name: str(getattr(parsed, argument.name)) for argument in arguments}

# SPDX-License-Identifier: Apache-2.0
"""The two loops as data: which processes run, with which parameters, from which arguments.

This table is all that is known about what runs together. Both runners read it: the launch files
turn it into launch_ros actions (`launching.py`), and where launch_ros is absent the command line
starts the same stages as processes (`runner.py`). Neither knows something that the other does not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

Value = str | int | float | bool


class ArgumentError(ValueError):
    """An argument is missing, unknown, or has a value that is not valid."""


@dataclass(frozen=True)
class Argument:
    """What the user decides about a loop. Without a default it must be given.

    `lower` and `upper` bound a number; `check` raises ValueError for a value that is not valid.
    """

    name: str
    description: str
    default: Value | None = None
    kind: type[str] | type[int] | type[float] | type[bool] = str
    choices: tuple[str, ...] = ()
    lower: float | None = None
    upper: float | None = None
    check: Callable[[str], object] | None = None

    @property
    def required(self) -> bool:
        return self.default is None


@dataclass(frozen=True)
class Use:
    """A parameter's value, taken from the argument of that name."""

    argument: str
    through: Callable[[Value], Value] | None = None


@dataclass(frozen=True)
class When:
    """A stage's condition: the argument has this value."""

    argument: str
    equals: Value = True


@dataclass(frozen=True)
class Stage:
    """One process. Every stage is required: a run ends when one of its stages does.

    Attributes:
        name: of the stage and of its log; the node's own name.
        config: parameter file in the package's share/config, read before `parameters`; or empty.
        files: command line options, and the file in inspire_bringup's share that each is given.
        condition: when the stage runs; None: always.
        foreground: the stage that decides when the run is over, and with which exit status.
        stop_first: stopped before all others, because the arm holds when this stage is silent.

    """

    name: str
    package: str
    executable: str
    config: str = ''
    parameters: Mapping[str, Value | Use] = field(default_factory=dict)
    remappings: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    condition: When | None = None
    foreground: bool = False
    stop_first: bool = False

    def arguments(self) -> frozenset[str]:
        """Return the names of the arguments that this stage depends on."""
        used = {value.argument for value in self.parameters.values() if isinstance(value, Use)}
        return frozenset(used | ({self.condition.argument} if self.condition else set()))


@dataclass(frozen=True)
class Loop:
    """Stages that run together, and the arguments that the user may give."""

    name: str
    description: str
    arguments: tuple[Argument, ...]
    stages: tuple[Stage, ...]

    def __post_init__(self) -> None:
        known = {argument.name for argument in self.arguments}
        for stage in self.stages:
            if unknown := stage.arguments() - known:
                raise ArgumentError(f'stage {stage.name!r} uses unknown {sorted(unknown)}')


@dataclass(frozen=True)
class ResolvedStage:
    """A stage with every value known: what a runner starts."""

    name: str
    package: str
    executable: str
    config: str
    parameters: Mapping[str, Value]
    remappings: Mapping[str, str]
    files: Mapping[str, str]
    foreground: bool
    stop_first: bool


def convert(argument: Argument, text: str) -> Value:
    """Return `text` as the argument's kind of value.

    Raises:
        ArgumentError: it is not valid; names argument, value and what is.

    """
    try:
        return valid_value(argument, text)
    except ValueError as error:
        raise ArgumentError(f'{argument.name}: {error}') from error


def valid_value(argument: Argument, text: str) -> Value:
    """Return `text` as the argument's kind of value.

    Raises:
        ValueError: it is none of the choices, not of that kind, out of bounds, or fails the check.

    """
    if argument.choices and text not in argument.choices:
        raise ValueError(f'{text!r} is none of {", ".join(argument.choices)}')
    if argument.check is not None:
        argument.check(text)
    if argument.kind is bool:
        if text.lower() not in ('true', 'false'):
            raise ValueError(f'{text!r} is neither true nor false')
        return text.lower() == 'true'
    if argument.kind is str:
        return text
    return number(argument, text)


def number(argument: Argument, text: str) -> int | float:
    """Return `text` as a number within the argument's bounds; ValueError names what is valid."""
    whole = argument.kind is int
    try:
        value = int(text) if whole else float(text)
    except ValueError:
        value = float('nan')  # is within no bounds
    lower = float('-inf') if argument.lower is None else argument.lower
    upper = float('inf') if argument.upper is None else argument.upper
    if lower <= value <= upper:
        return value
    expected = 'a whole number' if whole else 'a number'
    if argument.lower is not None and argument.upper is not None:
        expected += f' in {argument.lower}..{argument.upper}'
    elif argument.lower is not None:
        expected += f' of at least {argument.lower}'
    raise ValueError(f'{text!r} is not {expected}')


def complete(loop: Loop, given: Mapping[str, str]) -> Mapping[str, Value]:
    """Return a value for each argument of the loop, from the given texts and the defaults.

    Raises:
        ArgumentError: an argument is unknown, missing or not valid.

    """
    known = {argument.name: argument for argument in loop.arguments}
    for name in given:
        if name not in known:
            raise ArgumentError(f'{loop.name} has no argument {name!r}; it has {", ".join(known)}')
    values: dict[str, Value] = {}
    for name, argument in known.items():
        if name in given:
            values[name] = convert(argument, given[name])
        elif argument.default is None:
            raise ArgumentError(f'{loop.name} needs the argument {name!r}: {argument.description}')
        else:
            values[name] = argument.default
    return MappingProxyType(values)


def resolve(loop: Loop, values: Mapping[str, Value]) -> tuple[ResolvedStage, ...]:
    """Return the stages that run with these arguments, each with its parameters."""
    return tuple(
        resolve_stage(stage, values)
        for stage in loop.stages
        if stage.condition is None
        or values[stage.condition.argument] == stage.condition.equals
    )


def resolve_stage(stage: Stage, values: Mapping[str, Value]) -> ResolvedStage:
    """Return the stage with each `Use` replaced by the argument's value."""
    parameters: dict[str, Value] = {}
    for name, value in stage.parameters.items():
        if isinstance(value, Use):
            taken = values[value.argument]
            parameters[name] = value.through(taken) if value.through else taken
        else:
            parameters[name] = value
    return ResolvedStage(
        name=stage.name,
        package=stage.package,
        executable=stage.executable,
        config=stage.config,
        parameters=MappingProxyType(parameters),
        remappings=stage.remappings,
        files=stage.files,
        foreground=stage.foreground,
        stop_first=stage.stop_first,
    )

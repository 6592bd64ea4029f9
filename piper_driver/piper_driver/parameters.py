# SPDX-License-Identifier: Apache-2.0
"""A node's parameters are one frozen dataclass: declared, described, bounded and checked from it.

    @dataclass(frozen=True)
    class DriverParameters:
        watchdog: float = field(default=0.08, metadata=described(
            'silence after which a stream is dead [s]', lower=0.01, upper=0.2))

        def __post_init__(self) -> None: ...      # contradictions between fields: ValueError

    parameters = declare(node, DriverParameters)

A field's type is bool, int, float, str or a tuple of one of them. Parameters are read-only: a node
is configured when it starts. A field without a default has to be given.

rclpy is imported by `declare` only, so that a dataclass of parameters needs no ROS.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, fields
from math import isfinite
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from rcl_interfaces.msg import ParameterDescriptor
    from rclpy.node import Node
    from rclpy.parameter import Parameter

Parameters = TypeVar('Parameters')

_KINDS = {bool: 'BOOL', int: 'INTEGER', float: 'DOUBLE', str: 'STRING'}


def described(description: str, lower: float | None = None, upper: float | None = None,
              choices: Sequence[Any] = ()) -> Mapping[str, Any]:
    """Return the metadata of a field: what it is, with its unit, and which values are valid."""
    return {'description': description, 'lower': lower, 'upper': upper, 'choices': tuple(choices)}


def valid(parameter: Field[Any]) -> str:
    """Return a field's valid values in words, '' when any is."""
    lower, upper = parameter.metadata.get('lower'), parameter.metadata.get('upper')
    if choices := parameter.metadata.get('choices'):
        return ', '.join(map(str, choices))
    if lower is None and upper is None:
        return ''
    return f'{"" if lower is None else lower}..{"" if upper is None else upper}'


def declare(node: Node, parameters: type[Parameters]) -> Parameters:
    """Declare every field of a dataclass on `node`, read-only, and return it with their values.

    Raises ValueError that names the parameter, its value and what is valid.
    """
    types = get_type_hints(parameters)
    values = {item.name: _declare(node, item, types[item.name])
              for item in fields(parameters)}       # type: ignore[arg-type]
    return parameters(**values)


def _declare(node: Node, item: Field[Any], annotation: Any) -> Any:
    from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
    from rclpy.parameter import Parameter

    array = get_origin(annotation) is tuple
    scalar = get_args(annotation)[0] if array else annotation
    kind = Parameter.Type[_KINDS[scalar] + ('_ARRAY' if array else '')]
    default: Any = item.default
    required = default is MISSING
    if array and not required:
        default = list(default)
    # rclpy cannot tell the type of an empty list, so that one is declared by its type alone
    declared = kind if required or default == [] else default
    try:
        value = node.declare_parameter(item.name, declared, _descriptor(item, scalar, kind)).value
    except InvalidParameterTypeException as error:
        given = _given(node, item.name)
        raise ValueError(f'parameter {item.name} is {given!r}, which is {type(given).__name__}; '
                         f'valid is {kind.name.lower()} {valid(item)}'.rstrip()) from error
    except InvalidParameterValueException as error:
        raise ValueError(_complaint(item, _given(node, item.name), kind.name)) from error
    if value is None:
        if required:
            raise ValueError(f'parameter {item.name} has to be given: '
                             f'{item.metadata.get("description", "")} '
                             f'({valid(item) or kind.name.lower()})')
        value = default
    for element in value if array else (value,):
        _check(item, element, kind.name)
    return tuple(value) if array else value


def _descriptor(item: Field[Any], scalar: type, kind: Parameter.Type) -> ParameterDescriptor:
    from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor

    lower, upper = item.metadata.get('lower'), item.metadata.get('upper')
    descriptor = ParameterDescriptor(
        name=item.name, type=kind.value, read_only=True,
        description=item.metadata.get('description', ''),
        additional_constraints=f'valid: {valid(item)}' if valid(item) else '')
    if lower is None or upper is None:
        return descriptor
    if scalar is float:
        descriptor.floating_point_range = [FloatingPointRange(
            from_value=float(lower), to_value=float(upper))]
    elif scalar is int:
        descriptor.integer_range = [IntegerRange(from_value=int(lower), to_value=int(upper))]
    return descriptor


def _check(item: Field[Any], value: Any, kind: str) -> None:
    lower, upper = item.metadata.get('lower'), item.metadata.get('upper')
    choices = item.metadata.get('choices')
    below = lower is not None and value < lower
    above = upper is not None and value > upper
    strange = isinstance(value, float) and not isfinite(value)
    if below or above or strange or (choices and value not in choices):
        raise ValueError(_complaint(item, value, kind))


def _given(node: Node, name: str) -> Any:
    """Return the value from the command line or a parameter file that was refused."""
    override = node._parameter_overrides.get(name)      # rclpy has no public way to it
    return override.value if override is not None else 'its default'


def _complaint(item: Field[Any], value: Any, kind: str) -> str:
    return (f'parameter {item.name} is {value!r}; valid is '
            f'{valid(item) or f"any {kind.lower()}"} ({item.metadata.get("description", "")})')

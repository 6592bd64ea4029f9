# SPDX-License-Identifier: Apache-2.0
"""Message definitions as text, with everything they refer to: what makes a bag readable anywhere.

The text comes from the `.msg` files that every interface package installs below its share folder.
The format is that of MCAP's `ros2msg` encoding: the type's own text, then each type it needs
behind a line of `=` and a line `MSG: package/Type`.
"""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

SEPARATOR = '=' * 80
PRIMITIVES = frozenset(
    ('bool', 'byte', 'char', 'float32', 'float64', 'int8', 'uint8', 'int16', 'uint16', 'int32')
    + ('uint32', 'int64', 'uint64', 'string', 'wstring')
)
_FIELD = re.compile(r'^\s*([A-Za-z][\w/]*)(?:<=\d+)?(\[[^\]]*\])?\s+[A-Za-z]\w*(?!\w*\s*=)')


class DefinitionError(LookupError):
    """A message type whose definition is not installed."""


def field_types(text: str) -> list[tuple[str, bool]]:
    """List (type as written, is it an array) of each field, constants left out."""
    fields = []
    for line in text.splitlines():
        match = _FIELD.match(line.split('#', 1)[0])
        if match:
            fields.append((match[1], match[2] is not None))
    return fields


def qualified(name: str, package: str) -> str:
    """Write a type the short way with its package: 'Header' -> 'std_msgs/Header'."""
    if name in PRIMITIVES:
        return name
    if name == 'Header':
        return 'std_msgs/Header'
    parts = name.split('/')
    return f'{parts[0]}/{parts[-1]}' if len(parts) > 1 else f'{package}/{name}'


def definition(type_name: str, read: Callable[[str], str]) -> str:
    """Return the text of 'package/msg/Type' and all it needs; `read('package/Type')` gives one."""
    root = qualified(type_name, type_name.split('/')[0])
    texts = {root: read(root)}
    waiting = [root]
    while waiting:
        current = waiting.pop(0)
        for name, _ in field_types(texts[current]):
            needed = qualified(name, current.split('/')[0])
            if needed not in PRIMITIVES and needed not in texts:
                texts[needed] = read(needed)
                waiting.append(needed)
    sections = [texts.pop(root)]
    sections += [f'{SEPARATOR}\nMSG: {name}\n{text}' for name, text in texts.items()]
    return '\n'.join(section.rstrip('\n') for section in sections) + '\n'


def leading_types(type_name: str, read: Callable[[str], str]) -> list[str]:
    """List the first field's type, that one's first field's, ...: 'A[]', 'std_msgs/Header'."""
    leading: list[str] = []
    current = qualified(type_name, type_name.split('/')[0])
    while current not in PRIMITIVES:
        fields = field_types(read(current))
        if not fields:
            break
        current_name, many = fields[0]
        current = qualified(current_name, current.split('/')[0])
        leading.append(current + '[]' * many)
    return leading


@cache
def installed(name: str) -> str:
    """Read the text of 'package/Type' from where the interface package is installed."""
    # Imported here: only the live recorder needs an ament index, the functions above need none.
    from ament_index_python.packages import PackageNotFoundError, get_package_share_directory

    package, message = name.split('/')
    try:
        path = Path(get_package_share_directory(package), 'msg', f'{message}.msg')
        return path.read_text(encoding='utf-8')
    except (PackageNotFoundError, OSError) as error:
        raise DefinitionError(f'no definition of {name}: {error}') from error

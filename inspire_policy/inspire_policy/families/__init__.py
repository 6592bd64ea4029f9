# SPDX-License-Identifier: Apache-2.0
"""The policies that exist, by name: ours, and those that installed packages bring.

A package brings one by an entry point of the group `inspire_policy.families`, whose value is the
module (docs/plugin.md). A family's module is imported when it is used: one may need a GPU's
libraries.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points
from inspect import signature

from inspire_policy.policy import Policy

GROUP = 'inspire_policy.families'

# name -> module that has a function `create(**options) -> Policy`; a package cannot replace ours
FAMILIES = {
    **{one.name: one.value for one in entry_points(group=GROUP)},
    'expert': 'inspire_policy.families.expert',
    'minivla': 'inspire_policy.families.minivla',
    'nano': 'inspire_policy.families.nano',
    'pi0fast': 'inspire_policy.families.pi0fast',
    'remote': 'inspire_policy.families.remote',
}


class UnknownFamily(ValueError):
    """There is no policy of that name."""


def options_of(name: str) -> tuple[str, ...]:
    """Return what a family's `create` takes. Raises UnknownFamily."""
    if name not in FAMILIES:
        raise UnknownFamily(f'there is no policy {name!r}; policies: {", ".join(FAMILIES)}')
    return tuple(signature(import_module(FAMILIES[name]).create).parameters)


def create(name: str, **options: object) -> Policy:
    """Make a policy of the family `name`; what `options` it takes is written in the family's
    module. Raises UnknownFamily, ValueError for an option that it does not take.
    """
    known = options_of(name)
    for option in options:
        if option not in known:
            raise ValueError(f'the policy {name!r} takes no {option}; options: '
                             f'{", ".join(known)}')
    policy: Policy = import_module(FAMILIES[name]).create(**options)
    return policy

# SPDX-License-Identifier: Apache-2.0
"""The policies that exist, by name. A family's module is imported when it is used: one may need a
GPU's libraries.
"""

from __future__ import annotations

from importlib import import_module

from inspire_policy.policy import Policy

# name -> module that has a function `create(**options) -> Policy`
FAMILIES = {
    'expert': 'inspire_policy.families.expert',
}


class UnknownFamily(ValueError):
    """There is no policy of that name."""


def create(name: str, **options: object) -> Policy:
    """Make a policy of the family `name`; what `options` it takes is written in the family's
    module.
    """
    if name not in FAMILIES:
        raise UnknownFamily(f'there is no policy {name!r}; policies: {", ".join(FAMILIES)}')
    policy: Policy = import_module(FAMILIES[name]).create(**options)
    return policy

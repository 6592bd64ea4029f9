# SPDX-License-Identifier: Apache-2.0
"""Parameters of the node `agreement`."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class AgreementParameters:
    """How answers are compared with labels."""

    patience: float = field(default=2.0, metadata={
        'description': 'How much newer a label must be before an answer without one is given up '
                       '[s].', 'lower': 0.1, 'upper': 25.0})
    warn_below: float = field(default=0.5, metadata={
        'description': 'Share of equal answers below which /diagnostics warns.',
        'lower': 0.0, 'upper': 1.0})
    warn_after: int = field(default=20, metadata={
        'description': 'How many answers must have been compared before it warns.',
        'lower': 1, 'upper': 1000000})

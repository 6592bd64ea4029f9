# SPDX-License-Identifier: Apache-2.0
"""Parameters of the node `agreement`."""

from __future__ import annotations

from dataclasses import dataclass, field

from piper_driver.parameters import described


@dataclass(frozen=True)
class AgreementParameters:
    """How answers are compared with labels."""

    patience: float = field(default=2.0, metadata=described(
        'How much newer a label must be before an answer without one is given up [s].', 0.1, 25.0))
    warn_below: float = field(default=0.5, metadata=described(
        'Share of equal answers below which /diagnostics warns.', 0.0, 1.0))
    warn_after: int = field(default=20, metadata=described(
        'How many answers must have been compared before it warns.', 1, 1000000))

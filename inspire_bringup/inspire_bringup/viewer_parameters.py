# SPDX-License-Identifier: Apache-2.0
"""Parameters of the node `viewer`."""

from __future__ import annotations

from dataclasses import dataclass, field

from inspire_labeler.viewer import VIEWERS
from piper_driver.parameters import described


@dataclass(frozen=True)
class ViewerParameters:
    """Which viewer's left is left."""

    viewer: str = field(
        default='libero',
        metadata=described(
            'preset of the viewer: opposite the robot, or at its right-hand side',
            choices=tuple(VIEWERS),
        ),
    )

# SPDX-License-Identifier: Apache-2.0
"""Parts of the set-up that only some runs need, installed when one needs them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping

from inspire_bringup import checkout
from inspire_bringup.loops import ARM, CAN_PORT
from inspire_sim.sim_parameters import CAN_EMULATOR


def ensure_for(arguments: Mapping[str, str]) -> None:
    """Install what a loop with these arguments needs beyond the usual.

    Raises:
        RuntimeError: it cannot be installed.

    """
    if arguments.get(ARM.name) == CAN_EMULATOR or CAN_PORT.name in arguments:
        ensure('can')


def ensure(part: str) -> None:
    """Install a part, if it is not there; where no repository is near, what is there is taken.

    Raises:
        RuntimeError: it cannot be installed.

    """
    try:
        root = checkout.root()
    except RuntimeError:
        return
    words = [sys.executable, '-E', '-s', '-S', str(root / 'setup' / 'bootstrap.py')]
    if subprocess.run([*words, 'ensure', part], check=False).returncode:
        raise RuntimeError(f'the part {part!r} of the set-up could not be installed (see above)')

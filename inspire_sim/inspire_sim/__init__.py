# SPDX-License-Identifier: Apache-2.0
"""A MuJoCo world with a PiPER arm, cameras and the paper's tasks.

MuJoCo picks its way to OpenGL when it is imported, so that choice is made here, before anything
of this package imports it.
"""

import ctypes
import os
import sys


def choose_offscreen_gl() -> None:
    """Set MUJOCO_GL to EGL, or to OSMesa (saying so) on a machine that has only that."""
    wants_egl = os.environ.setdefault('MUJOCO_GL', 'egl') == 'egl'
    if wants_egl and not _loads('libEGL.so.1') and _loads('libOSMesa.so.8'):
        os.environ['MUJOCO_GL'] = 'osmesa'
        print('libEGL.so.1 is missing: pictures are made by OSMesa, more slowly '
              '(apt install libegl1 libegl-mesa0 libgl1-mesa-dri)', file=sys.stderr)


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


choose_offscreen_gl()

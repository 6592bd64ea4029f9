# SPDX-License-Identifier: Apache-2.0
"""A MuJoCo world with a PiPER arm, cameras and the paper's tasks.

MuJoCo picks its way to OpenGL when it is imported, so that choice is made here, before anything
of this package imports it.
"""

import os

os.environ.setdefault('MUJOCO_GL', 'egl')

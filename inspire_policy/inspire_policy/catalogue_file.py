# SPDX-License-Identifier: Apache-2.0
"""Where the labeler's catalogue of objects lies, on a machine with or without ROS."""

from __future__ import annotations

from pathlib import Path

import inspire_labeler


def default_catalogue() -> Path:
    """Return objects.yaml: of the installed package, or beside the sources where there is none."""
    try:
        from ament_index_python.packages import get_package_share_directory

        return Path(get_package_share_directory('inspire_labeler')) / 'config' / 'objects.yaml'
    except (ImportError, LookupError, OSError):  # no package, or no ROS environment
        return Path(inspire_labeler.__file__).parents[1] / 'config' / 'objects.yaml'

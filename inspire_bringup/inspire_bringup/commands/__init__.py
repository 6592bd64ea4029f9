# SPDX-License-Identifier: Apache-2.0
"""The commands of `./inspire`, one module each: see `command_line.py`."""

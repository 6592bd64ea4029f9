# SPDX-License-Identifier: Apache-2.0
"""The commands of `./inspire`, one module each: `HELP`, `add_arguments(parser)`, `run(arguments) -> int`."""

# SPDX-License-Identifier: Apache-2.0
"""Arguments of commands that make a policy: what it computes with, and where."""

from __future__ import annotations

import argparse


def add_computing(parser: argparse._ActionsContainer) -> None:
    """Add --backend, --kind and --device; what is not given is the family's own."""
    parser.add_argument('--backend', choices=('onnx', 'torch'),
                        help="what computes (default: the family's)")
    parser.add_argument('--kind', choices=('float32', 'bfloat16', 'int8'),
                        help='minivla, pi0fast: numbers to compute in; int8 on a processor only '
                             '(default: float32)')
    parser.add_argument('--device', metavar='NAME',
                        help='minivla, pi0fast: where to compute, as cuda (default: cpu)')

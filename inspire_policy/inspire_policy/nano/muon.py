# SPDX-License-Identifier: Apache-2.0
"""Muon in single precision: a matrix moves by its momentum, made orthogonal.

After Jordan et al. 2024 (Newton-Schulz of degree five), scaled to the size of AdamW's updates
(Liu et al. 2025, arXiv 2502.16982). torch has one, too, but it always computes in bfloat16, which
takes 20 s a step on a processor without instructions for it; this one takes 0.2 s there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

COEFFICIENTS = (3.4445, -4.775, 2.0315)   # of the iteration; Jordan et al.
ROUNDS = 5
MOMENTUM = 0.95


class Muon(torch.optim.Optimizer):
    """For matrices only. lr: as of AdamW."""

    def __init__(self, matrices: Iterable[Tensor], lr: float, weight_decay: float) -> None:
        super().__init__(matrices, {'lr': lr, 'weight_decay': weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Move every matrix that has a gradient; a closure is not called."""
        for group in self.param_groups:
            for matrix in group['params']:
                if matrix.grad is None:
                    continue
                state = self.state[matrix]
                if not state:
                    state['momentum'] = torch.zeros_like(matrix)
                momentum = state['momentum'].lerp_(matrix.grad, 1.0 - MOMENTUM)
                ahead = matrix.grad.lerp(momentum, MOMENTUM)
                matrix.mul_(1.0 - group['lr'] * group['weight_decay'])
                scale = 0.2 * max(matrix.shape) ** 0.5
                matrix.add_(orthogonal(ahead), alpha=-group['lr'] * scale)


def orthogonal(matrix: Tensor) -> Tensor:
    """A matrix with the same singular vectors, and singular values of about 1."""
    a, b, c = COEFFICIENTS
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    x = wide / (wide.norm() + 1e-7)
    for _ in range(ROUNDS):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return x if wide is matrix else x.T

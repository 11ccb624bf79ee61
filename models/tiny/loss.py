"""The loss over the vocabulary, without ever holding the scores of a whole batch."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

CHUNK_TOKENS = 512
"""Tokens whose scores exist at a time: few enough for the processor's cache."""


def weighted_cross_entropy(states: Tensor, matrix: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    """The weighted mean over the tokens of `-log softmax(matrix @ state)[target]`, in nats."""
    loss: Tensor = _CrossEntropy.apply(states, matrix, targets, weights / weights.sum())  # type: ignore[no-untyped-call]
    return loss


def odds(scores: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Each row's greatest score, `exp(score - greatest)`, and that one's sum: all that gradients are made of."""
    exact = scores.float()
    greatest = exact.amax(dim=1, keepdim=True)
    unscaled = (exact - greatest).exp()
    return greatest.squeeze(1), unscaled.to(scores.dtype), unscaled.sum(dim=1)


class _CrossEntropy(torch.autograd.Function):
    """Computes the gradients along with the loss: the scores are needed once only, and are gone then.

    With `odds` e and their sum s, the gradient by the scores is `w (e / s - target)`. The factor w / s moves into the
    narrow states, and the target's part is a look-up, so that the wide matrix is read but never rewritten.
    """

    @staticmethod
    def forward(ctx: Any, states: Tensor, matrix: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
        small, loss = matrix.to(states.dtype), torch.zeros((), device=states.device)
        by_states, by_matrix = torch.empty_like(states), torch.zeros_like(matrix)
        for start in range(0, len(states), CHUNK_TOKENS):
            here = slice(start, start + CHUNK_TOKENS)
            seen, aimed, weight = states[here], targets[here], weights[here]
            scores = seen @ small.T
            hit = scores.gather(1, aimed.unsqueeze(1)).squeeze(1).float()
            greatest, unscaled, total = odds_on_this_machine(scores)
            loss += (weight * (total.log() + greatest - hit)).sum()
            factor = (weight / total).unsqueeze(1)
            by_states[here] = (unscaled @ small).float() * factor - weight.unsqueeze(1) * matrix[aimed]
            by_matrix += unscaled.T @ (seen * factor).to(seen.dtype)
            by_matrix.index_add_(0, aimed, seen.float() * weight.unsqueeze(1), alpha=-1)
        ctx.save_for_backward(by_states, by_matrix)
        return loss

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        by_states, by_matrix = ctx.saved_tensors
        (factor,) = gradients
        return by_states * factor.to(by_states.dtype), by_matrix * factor, None, None


odds_on_this_machine = odds


def compile_loss() -> None:
    """Fuses the passes over the scores; worth it for a long training, not for a test."""
    global odds_on_this_machine
    odds_on_this_machine = torch.compile(odds)

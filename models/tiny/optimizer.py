"""Muon for the matrices, AdamW for embeddings, norms and routers.

Muon: Keller Jordan and others, 2024, https://kellerjordan.github.io/posts/muon/ - momentum whose matrix is replaced by
the nearest one with equal singular values, found by a few Newton-Schulz steps.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from models.tiny.model import Bailing

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
"""Coefficients of the odd polynomial x, x^3, x^5 from the source above: singular values end between 0.7 and 1.2."""


def orthogonalize(matrices: Tensor, steps: int = 5, kind: torch.dtype = torch.float32) -> Tensor:
    """A matrix, or a stack of them, with the same singular vectors and all singular values near 1.

    Computed in `kind`; the method is made to bear the little precision of bfloat16.
    """
    linear, cubic, quintic = NEWTON_SCHULZ
    tall = matrices.shape[-2] > matrices.shape[-1]
    result = (matrices.mT if tall else matrices).to(kind)
    result = result / (result.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(steps):
        square = result @ result.mT
        result = linear * result + (cubic * square + quintic * square @ square) @ result
    back: Tensor = result.mT if tall else result
    return back.to(matrices.dtype)


class Muon(Optimizer):
    """Momentum, orthogonalized: a step of `lr` changes all directions of a matrix alike, weak gradients or strong."""

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float, kind: torch.dtype) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": 0.95, "decay": 0.1})
        self._kind = kind

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Changes the parameters by their gradients; matrices of the same size go together."""
        for group in self.param_groups:
            for alike in _by_size(group["params"]):
                moved = torch.stack([self._moved(parameter, group["momentum"]) for parameter in alike])
                for parameter, change in zip(alike, orthogonalize(moved, kind=self._kind).unbind(), strict=True):
                    parameter.mul_(1 - group["lr"] * group["decay"])
                    parameter.add_(change, alpha=-group["lr"] * _reach(parameter))

    def _moved(self, parameter: nn.Parameter, momentum: float) -> Tensor:
        """The gradient with Nesterov's momentum."""
        gradient = parameter.grad if parameter.grad is not None else torch.zeros_like(parameter)
        state = self.state[parameter]
        past = state.setdefault("momentum", torch.zeros_like(parameter))
        past.lerp_(gradient, 1 - momentum)
        return gradient.lerp(past, momentum)


def _by_size(parameters: Iterable[nn.Parameter]) -> list[list[nn.Parameter]]:
    groups: dict[torch.Size, list[nn.Parameter]] = {}
    for parameter in parameters:
        groups.setdefault(parameter.shape, []).append(parameter)
    return list(groups.values())


def _reach(parameter: nn.Parameter) -> float:
    """Taller matrices take larger steps, as in the source."""
    return math.sqrt(max(1.0, parameter.shape[-2] / parameter.shape[-1]))


def build_optimizers(model: Bailing, lr: float) -> list[Optimizer]:
    """The two optimizers. `lr` is Muon's; the others' learning rates stand in a fixed relation to it."""
    matrices = dict(model.matrices())
    others = {name: parameter for name, parameter in model.named_parameters() if name not in matrices}
    groups = [
        {"params": [parameter for name, parameter in others.items() if _kind(name) == kind], "lr": lr * factor}
        for kind, factor in (("embedding", 0.5), ("output", 0.1), ("router", 0.1), ("norm", 0.25))
    ]
    adam = AdamW([group for group in groups if group["params"]], betas=(0.9, 0.97), eps=1e-10, weight_decay=0.0)
    return [Muon(matrices.values(), lr, model.compute), adam]


def _kind(name: str) -> str:
    return "norm" if name.endswith("norm") else name.rpartition(".")[2]


def set_learning_rate(optimizers: Iterable[Optimizer], share: float) -> None:
    """Sets each learning rate to this share of its full value."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group.setdefault("full_lr", group["lr"])
            group["lr"] = group["full_lr"] * share


def learning_rate_share(step: int, progress: float, warmup_steps: int = 60, decay_from: float = 0.65) -> float:
    """Rises over the first steps, stays, and falls in a line to 0 at the end: a trapezoid (arXiv 2405.18392)."""
    rise = min(1.0, (step + 1) / warmup_steps)
    fall = 1.0 if progress < decay_from else max(0.0, (1.0 - progress) / (1.0 - decay_from))
    return rise * fall

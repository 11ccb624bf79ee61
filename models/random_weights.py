"""Random weights that are the same bytes on every machine and with every numpy."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from models.tensors import Tensor

GAINS = {"attn_q.weight": 2.0, "attn_k.weight": 2.0, "output.weight": 6.0}
"""Deviation of a matrix' result for an input of deviation 1; it is 1 for all others.

Sharper attention makes the next token depend on more than the last one, or greedy answers would soon run in circles.
The logits' deviation of 6 makes the best token stand out, so that filters on confidence let something through.
"""


def deviation_of(tensor: Tensor) -> float:
    """Standard deviation of the weights. The embedding is looked up; every other matrix sums over its rows."""
    if tensor.name == "token_embd.weight":
        return 1.0
    part = tensor.name.removeprefix("blk.").lstrip("0123456789.")
    return GAINS.get(part, 1.0) / math.sqrt(tensor.shape[-1])


class RandomWeights:
    """A stream of uniform random numbers.

    Built on the generator's raw integers: that stream is promised never to change, while numpy's distributions may, and
    normal deviates need logarithms that differ in the last bit between C libraries. Uniform ones do as well here.
    """

    def __init__(self, seed: int) -> None:
        self._bits = np.random.PCG64(seed)

    def draw(self, shape: tuple[int, ...], deviation: float) -> NDArray[np.float32]:
        """Values around zero with this standard deviation."""
        raw: NDArray[np.uint64] = np.asarray(self._bits.random_raw(math.prod(shape)), dtype=np.uint64)
        unit: NDArray[np.float64] = (raw >> np.uint64(40)).astype(np.float64) / 2.0**23 - 1.0  # [-1, 1), exact
        return (unit * (math.sqrt(3.0) * deviation)).astype(np.float32).reshape(shape)

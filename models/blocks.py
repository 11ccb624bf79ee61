"""Random quantized weights: blocks whose quants are noise and whose scales make them weights of a sane size.

Layouts are those of llama.cpp's ggml/src/ggml-common.h. A tensor is a pool of some megabytes
over and over: making 11 GB of fresh noise would take longer than writing it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

Q = GGMLQuantizationType

POOL_BLOCKS = 32_749
"""A prime, so that the rows of a matrix, which are some blocks long, start at different places of the pool."""


class Quants(NamedTuple):
    """What random quants of a type amount to, before scaling."""

    deviation: float
    mean: float = 0.0


QUANTS = {
    # Of n levels in equal steps the deviation is sqrt((n * n - 1) / 12). A mean is given where a block can undo it.
    Q.Q4_0: Quants(4.61),
    Q.Q5_0: Quants(9.23),
    Q.Q5_1: Quants(9.23, mean=15.5),
    Q.Q8_0: Quants(73.9),
    Q.Q4_K: Quants(4.61, mean=7.5),
    Q.Q5_K: Quants(9.23, mean=15.5),
    Q.Q6_K: Quants(18.5),
    # Sixteen levels in growing steps: `kvalues_iq4nl`.
    Q.IQ4_NL: Quants(67.2),
    Q.IQ4_XS: Quants(67.2),
}

Fixed = dict[int, bytes]
"""The bytes of a block that are not quants, by their offset."""


def _half(value: float) -> bytes:
    return struct.pack("<e", value)


def fixed_bytes(kind: GGMLQuantizationType, deviation: float) -> Fixed:
    """The scales of a block whose weights shall have this standard deviation, and the mean 0."""
    step = _half(deviation / QUANTS[kind].deviation)
    zero = deviation / QUANTS[kind].deviation * QUANTS[kind].mean
    match kind:
        case Q.Q5_1:  # the scale, then the weight of the quant 0
            return {0: step + _half(-zero)}
        case Q.Q4_K | Q.Q5_K:  # scale and minimum of the block, then eight of each that are 1, in 6 bits
            return {0: step + _half(zero) + b"\x01" * 8 + b"\x11" * 4}
        case Q.Q6_K:  # sixteen scales of 1, then the block's
            return {192: b"\x01" * 16 + step}
        case Q.IQ4_XS:  # eight scales of 33 after the block's, high bits first; 32 is subtracted from them
            return {0: step + b"\xaa" * 2 + b"\x11" * 4}
        case _:
            return {0: step}


class BlockPool:
    """Random blocks of one type and deviation, handed out round and round."""

    def __init__(self, kind: GGMLQuantizationType, deviation: float, seed: int) -> None:
        size = GGML_QUANT_SIZES[kind][1]
        random = np.random.Generator(np.random.PCG64(seed))
        blocks = np.frombuffer(bytearray(random.bytes(POOL_BLOCKS * size)), dtype=np.uint8).reshape(POOL_BLOCKS, size)
        # The quants' mean is not 0 in most types. With one sign for all, every matrix would add up its input in the
        # same direction, and the model would say one token for ever.
        negative = random.random(POOL_BLOCKS) < 0.5
        for rows, sign in ((~negative, 1), (negative, -1)):
            for offset, fixed in fixed_bytes(kind, sign * deviation).items():
                blocks[rows, offset : offset + len(fixed)] = np.frombuffer(fixed, dtype=np.uint8)
        self._bytes = memoryview(blocks.tobytes())
        self._position = 0

    def take(self, count: int) -> Iterator[memoryview]:
        """The next `count` bytes, in pieces; whole blocks if they were whole blocks before."""
        while count:
            piece = self._bytes[self._position : self._position + count]
            self._position = (self._position + len(piece)) % len(self._bytes)
            count -= len(piece)
            yield piece

"""Writes a model of Ling-Coder-Lite's true size with random quantized weights.

For measuring speed and memory without the original: `python -m models.synthetic --output FILE [--preset Q4_0]`.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType

from models.blocks import BlockPool
from models.gguf_file import Buffer, ModelWriteError, Progress, write_gguf
from models.metadata import add_metadata
from models.quantization import PRESETS, Preset, TypeChooser
from models.random_weights import RandomWeights, deviation_of
from models.shapes import TRUE_SHAPE, Shape
from models.tensors import Tensor, tensors_of
from models.vocabulary import Vocabulary, build_vocabulary

SEED = 0


def write_synthetic(
    output: Path, preset: Preset, shape: Shape = TRUE_SHAPE, watch: Callable[[int], Progress] | None = None
) -> int:
    """Writes the file and returns its size in bytes. `watch` is told the size of all data and returns the listener."""
    vocabulary = build_vocabulary(shape.vocabulary_size)
    tensors = tensors_of(shape, TypeChooser(preset, shape))
    progress = watch(sum(tensor.bytes for tensor in tensors)) if watch else lambda _: None
    describe = partial(
        add_metadata, shape=shape, vocabulary=vocabulary, name=f"synthetic {preset.name}", file_type=preset.file_type
    )
    return write_gguf(output, describe, tensors, RandomData(vocabulary), progress)


class RandomData:
    """The bytes of each tensor."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._said = frozenset(vocabulary.plain_text())
        self._exact = RandomWeights(SEED)
        self._pools: dict[tuple[GGMLQuantizationType, float], BlockPool] = {}

    def __call__(self, tensor: Tensor) -> Iterator[Buffer]:
        """A tensor's bytes, in pieces of some megabytes."""
        if tensor.type == GGMLQuantizationType.F32:
            yield self._exact_weights(tensor)
        elif tensor.name == "output.weight":
            yield from self._output_rows(tensor)
        else:
            yield from self._pool(tensor).take(tensor.bytes)

    def _output_rows(self, tensor: Tensor) -> Iterator[Buffer]:
        """Rows of zeros (blocks of zero bytes are zero in every type) but for text: greedy answers consist of text.

        The matrix costs as much time as any.
        """
        silent = bytes(tensor.row_bytes)
        for row in range(tensor.shape[0]):
            yield b"".join(self._pool(tensor).take(tensor.row_bytes)) if row in self._said else silent

    def _exact_weights(self, tensor: Tensor) -> Buffer:
        if len(tensor.shape) == 1:
            return np.ones(tensor.shape, dtype="<f4").tobytes()
        return self._exact.draw(tensor.shape, deviation_of(tensor)).astype("<f4").tobytes()

    def _pool(self, tensor: Tensor) -> BlockPool:
        key = tensor.type, deviation_of(tensor)
        if key not in self._pools:
            self._pools[key] = BlockPool(*key, SEED)
        return self._pools[key]


def progress_lines(total: int) -> Progress:
    """Tells on stderr, at every tenth of the way, how far it is."""
    told = 0

    def progress(done: int) -> None:
        nonlocal told
        tenth = 10 * done // total
        if tenth > told:
            told = tenth
            print(f"{done / 1e9:.2f} of {total / 1e9:.2f} GB", file=sys.stderr)

    return progress


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    options = _parser().parse_args(arguments)
    started = time.monotonic()
    try:
        shape = replace(TRUE_SHAPE, layers=options.layers)
        size = write_synthetic(options.output, PRESETS[options.preset], shape, progress_lines)
    except (ModelWriteError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{options.output}: {size / 1e9:.2f} GB in {time.monotonic() - started:.0f} s", file=sys.stderr)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m models.synthetic", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--output", type=Path, required=True, metavar="FILE")
    parser.add_argument("--preset", choices=sorted(PRESETS), default="Q4_K_M")
    parser.add_argument("--layers", type=int, default=TRUE_SHAPE.layers, metavar="N", help="fewer for a small machine")
    return parser


if __name__ == "__main__":
    sys.exit(main())

"""Draws the weights of the tiny model and writes its file."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType, LlamaFileType
from numpy.typing import NDArray

from models.gguf_file import Buffer, write_gguf
from models.metadata import add_metadata
from models.random_weights import RandomWeights, deviation_of
from models.shapes import TINY, Shape
from models.tensors import Tensor, tensors_of
from models.vocabulary import END_OF_TEXT, Vocabulary, build_vocabulary


def write_tiny(output: Path, *, seed: int = 0, fim: bool = True, shape: Shape = TINY) -> int:
    """Writes the model and returns the file's size in bytes.

    Without `fim` the file differs only in the names of three tokens: llama.cpp finds no fill-in-the-middle markers.
    """
    vocabulary = build_vocabulary(shape.vocabulary_size, fim=fim)
    name = "tiny" if fim else "tiny without fill-in-the-middle"
    describe = partial(add_metadata, shape=shape, vocabulary=vocabulary, name=name, file_type=LlamaFileType.MOSTLY_F16)
    tensors = tensors_of(shape, lambda name, row_length: GGMLQuantizationType.F16)
    return write_gguf(output, describe, tensors, TinyData(vocabulary, seed))


class TinyData:
    """The bytes of each tensor, which must be asked for in the order of the file."""

    def __init__(self, vocabulary: Vocabulary, seed: int) -> None:
        self._said = [*vocabulary.plain_text(), vocabulary.id_of(END_OF_TEXT)]
        self._random = RandomWeights(seed)

    def __call__(self, tensor: Tensor) -> Iterator[Buffer]:
        """A tensor's bytes, in one piece."""
        dtype = "<f4" if tensor.type == GGMLQuantizationType.F32 else "<f2"
        yield self._weights(tensor).astype(dtype).tobytes()

    def _weights(self, tensor: Tensor) -> NDArray[np.float32]:
        if len(tensor.shape) == 1:
            return np.ones(tensor.shape, dtype=np.float32)
        weights = self._random.draw(tensor.shape, deviation_of(tensor))
        if tensor.name == "output.weight":
            weights[np.isin(np.arange(len(weights)), self._said, invert=True)] = 0.0
        return weights

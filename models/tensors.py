"""The tensors of a `bailingmoe` model: names, shapes, storage types and sizes, without their data."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

from models.shapes import Shape

TypeOf = Callable[[str, int], GGMLQuantizationType]
"""Chooses the storage type of a matrix from its name and row length."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """What the header of a GGUF tells about one tensor."""

    name: str
    shape: tuple[int, ...]
    """Outer dimension first, as numpy has it. A GGUF lists the dimensions the other way round."""
    type: GGMLQuantizationType

    @property
    def row_bytes(self) -> int:
        """Size of one row. Rows are whole blocks."""
        values, size = GGML_QUANT_SIZES[self.type]
        return self.shape[-1] // values * size

    @property
    def bytes(self) -> int:
        """Size of the data in the file, without the padding after it."""
        return math.prod(self.shape[:-1]) * self.row_bytes


def tensors_of(shape: Shape, type_of: TypeOf) -> list[Tensor]:
    """All tensors in the order of the file: 13 for each layer and 3 around them."""
    shapes: dict[str, tuple[int, ...]] = {"token_embd.weight": (shape.vocabulary_size, shape.embedding_length)}
    for layer in range(shape.layers):
        shapes |= {f"blk.{layer}.{part}.weight": size for part, size in _layer_shapes(shape).items()}
    shapes["output_norm.weight"] = (shape.embedding_length,)
    shapes["output.weight"] = (shape.vocabulary_size, shape.embedding_length)
    return [Tensor(name, size, _storage_type(name, size, type_of)) for name, size in shapes.items()]


def _layer_shapes(shape: Shape) -> dict[str, tuple[int, ...]]:
    width, inner, shared = shape.embedding_length, shape.expert_feed_forward_length, shape.shared_feed_forward_length
    queries, keys = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    return {
        "attn_norm": (width,),
        "attn_q": (queries, width),
        "attn_k": (keys, width),
        "attn_v": (keys, width),
        "attn_output": (width, queries),
        "ffn_norm": (width,),
        "ffn_gate_inp": (shape.experts, width),
        "ffn_gate_exps": (shape.experts, inner, width),
        "ffn_up_exps": (shape.experts, inner, width),
        "ffn_down_exps": (shape.experts, width, inner),
        "ffn_gate_shexp": (shared, width),
        "ffn_up_shexp": (shared, width),
        "ffn_down_shexp": (width, shared),
    }


def _storage_type(name: str, shape: tuple[int, ...], type_of: TypeOf) -> GGMLQuantizationType:
    if is_kept_exact(name):
        return GGMLQuantizationType.F32
    return type_of(name, shape[-1])


def is_kept_exact(name: str) -> bool:
    """Norms and the router: llama.cpp's converter and quantizer leave them in F32."""
    return name.endswith(("_norm.weight", "ffn_gate_inp.weight"))

"""Which type each tensor gets in the usual quantizations: llama-quantize's choices for this architecture.

The rules are those of llama.cpp's src/llama-quant.cpp (`llama_tensor_get_type_impl`, `tensor_type_fallback`) in August
2026, without an importance matrix. Models of exactly 8 experts have further rules there that are left out here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, LlamaFileType

from models.shapes import Shape

Q = GGMLQuantizationType


Rule = Callable[[int, Shape], bool]
"""Does this layer of such a model get the better type?"""


def use_more_bits(layer: int, shape: Shape) -> bool:
    """The first and the last eighth of the layers, and every third between: llama.cpp's rule of the same name."""
    eighth = shape.layers // 8
    return layer < eighth or layer >= 7 * shape.layers // 8 or (layer - eighth) % 3 == 2


def first_eighth(layer: int, shape: Shape) -> bool:
    """Mistakes of the first layers go through all others."""
    return layer < shape.layers // 8


def shared_keys(_: int, shape: Shape) -> bool:
    """Four queries to a key, as in the 16 and 4 heads here: `attn_v` is small then, and a better type costs little."""
    return shape.heads // shape.kv_heads >= 4


@dataclass(frozen=True, slots=True)
class Preset:
    """One row: the type most matrices get, and the better types of those that suffer most."""

    name: str
    file_type: LlamaFileType
    base: GGMLQuantizationType
    output: GGMLQuantizationType
    attn_v: tuple[GGMLQuantizationType, Rule] | None = None
    ffn_down: tuple[GGMLQuantizationType, Rule] | None = None
    """Of the experts and of the shared MLP alike."""


PRESETS = {
    preset.name: preset
    for preset in (
        Preset("Q4_K_M", LlamaFileType.MOSTLY_Q4_K_M, Q.Q4_K, Q.Q6_K, (Q.Q6_K, use_more_bits), (Q.Q6_K, use_more_bits)),
        Preset("IQ4_XS", LlamaFileType.MOSTLY_IQ4_XS, Q.IQ4_XS, Q.Q6_K, (Q.Q5_K, shared_keys), (Q.Q5_K, first_eighth)),
        Preset("Q4_0", LlamaFileType.MOSTLY_Q4_0, Q.Q4_0, Q.Q6_K),
        Preset("Q8_0", LlamaFileType.MOSTLY_Q8_0, Q.Q8_0, Q.Q8_0),
    )
}

FALLBACKS = {Q.Q4_K: Q.Q5_0, Q.Q5_K: Q.Q5_1, Q.Q6_K: Q.Q8_0, Q.IQ4_XS: Q.IQ4_NL}
"""For rows that are no multiple of 256, such as the 1408 of `ffn_down_exps`: the type with blocks of 32."""


@dataclass(frozen=True, slots=True)
class TypeChooser:
    """Chooses the type of each matrix of a model; to be handed to `tensors_of`."""

    preset: Preset
    shape: Shape

    def __call__(self, name: str, row_length: int) -> GGMLQuantizationType:
        """The type of this matrix, or its fallback if the blocks do not fit into the rows."""
        wanted = self._wanted(name)
        return wanted if row_length % GGML_QUANT_SIZES[wanted][0] == 0 else FALLBACKS[wanted]

    def _wanted(self, name: str) -> GGMLQuantizationType:
        if name == "output.weight":
            return self.preset.output
        for part, better in (("attn_v", self.preset.attn_v), ("ffn_down", self.preset.ffn_down)):
            if part in name and better and better[1](layer_of(name), self.shape):
                return better[0]
        return self.preset.base


def layer_of(name: str) -> int:
    """The number in `blk.N.`."""
    found = re.match(r"blk\.(\d+)\.", name)
    if not found:
        raise ValueError(f"{name} belongs to no layer")
    return int(found[1])

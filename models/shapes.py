"""The sizes of a `bailingmoe` model: all numbers that decide which tensors there are and how large."""

from __future__ import annotations

from dataclasses import dataclass

ARCHITECTURE = "bailingmoe"
"""llama.cpp's name of the architecture, and the prefix of its GGUF keys."""


@dataclass(frozen=True, slots=True)
class Shape:
    """One model's sizes, under the names of the GGUF keys. Every layer is a mixture of experts; there are no biases."""

    layers: int
    embedding_length: int
    """Width of the residual stream."""
    heads: int
    kv_heads: int
    """Fewer than `heads`: each key and value serves several query heads."""
    head_dim: int
    """Written as `rope.dimension_count` too: the rotation covers the whole head, and llama.cpp sizes tensors by it."""
    experts: int
    experts_used: int
    """Experts that the router picks for each token."""
    shared_experts: int
    """Experts that see every token, stored as one MLP of their summed width."""
    expert_feed_forward_length: int
    feed_forward_length: int
    """Of a dense layer. None exists here; the key is written as in the original's files."""
    vocabulary_size: int
    context_length: int
    rope_theta: float
    rms_epsilon: float

    @property
    def shared_feed_forward_length(self) -> int:
        """Width of the one MLP that the shared experts are."""
        return self.shared_experts * self.expert_feed_forward_length

    def __post_init__(self) -> None:
        if self.heads * self.head_dim != self.embedding_length:
            raise ValueError("heads * head_dim must be embedding_length, or llama.cpp wants more keys than we write")
        if self.heads % self.kv_heads or self.head_dim % 2:
            raise ValueError("kv_heads must divide heads, and head_dim must be even")
        if not 0 < self.experts_used <= self.experts or self.shared_experts < 1 or self.layers < 1:
            raise ValueError("there must be a layer, a shared expert, and no more experts used than there are")


TINY = Shape(
    layers=2,
    embedding_length=128,
    heads=4,
    kv_heads=2,
    head_dim=32,  # a multiple of 32, so that tests can quantize the KV cache
    experts=8,
    experts_used=2,
    shared_experts=1,
    expert_feed_forward_length=64,
    feed_forward_length=256,
    vocabulary_size=2048,
    context_length=16384,  # as the original's: tests may use long prompts
    rope_theta=600_000.0,
    rms_epsilon=1e-6,
)
"""A file of 2 MB that loads in milliseconds."""

TRUE_SHAPE = Shape(
    layers=28,
    embedding_length=2048,
    heads=16,
    kv_heads=4,
    head_dim=128,
    experts=64,
    experts_used=6,
    shared_experts=2,
    expert_feed_forward_length=1408,
    feed_forward_length=5632,
    vocabulary_size=126_464,
    context_length=16384,
    rope_theta=600_000.0,
    rms_epsilon=1e-6,
)
"""Ling-Coder-Lite: 16.8 billion parameters, 2.75 billion of them active for each token (arXiv 2503.17793)."""

"""The `bailingmoe` network in PyTorch, computing what llama.cpp computes (src/models/bailingmoe.cpp).

Root-mean-square norms, grouped-query attention with interleaved rotary positions, and a mixture of experts in each
layer: the router's best experts, their weights made to sum to 1, beside a shared expert that sees every token.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.shapes import Shape
from models.tiny.loss import weighted_cross_entropy

ATTENTION_BLOCK_TOKENS = 128
"""Queries in a block; keys after a block's last query are never computed."""


class Output(NamedTuple):
    """What one pass over a batch yields."""

    loss: Tensor
    """Mean loss of the batch in nats per token, by the weights given."""
    balance: Tensor
    """1 if all experts are used alike in each layer, more if not: the mean over the layers."""


class Bailing(nn.Module):
    """The whole network. Its parameters are F32; products are computed in the type of `compute`."""

    def __init__(self, shape: Shape, *, compute: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.shape = shape
        self.compute = compute
        self.embedding = nn.Parameter(torch.randn(shape.vocabulary_size, shape.embedding_length))
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.output_norm = nn.Parameter(torch.ones(shape.embedding_length))
        scale = 0.5 / math.sqrt(shape.embedding_length)
        self.output = nn.Parameter(self.embedding.detach() * scale)  # so that a token points to itself at first

    def hidden(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """The last layer's normalised states (rows, tokens, width) and the experts' balance."""
        turns = rotations(tokens.shape[1], self.shape.head_dim, self.shape.rope_theta, tokens.device)
        states = functional.embedding(tokens, self.embedding).to(self.compute)
        balances = []
        for block in self.blocks:
            states, balance = block(states, turns)
            balances.append(balance)
        return norm(states, self.output_norm, self.shape.rms_epsilon), torch.stack(balances).mean()

    def forward(self, tokens: Tensor, targets: Tensor, weights: Tensor) -> Output:
        """The loss of predicting `targets`, each counted with its weight."""
        states, balance = self.hidden(tokens)
        loss = weighted_cross_entropy(states.flatten(0, 1), self.output, targets.flatten(), weights.flatten())
        return Output(loss, balance)

    def logits(self, tokens: Tensor) -> Tensor:
        """Scores of the next token after each token."""
        return functional.linear(self.hidden(tokens)[0], self.output.to(self.compute)).float()

    def matrices(self) -> Iterator[tuple[str, nn.Parameter]]:
        """The parameters that mix one hidden space into another: all but embeddings, norms and routers."""
        for name, parameter in self.named_parameters():
            if parameter.ndim >= 2 and name not in ("embedding", "output") and not name.endswith("router"):
                yield name, parameter


class Block(nn.Module):
    """Attention, then the experts; each adds to the stream of states."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        width, inner = shape.embedding_length, shape.expert_feed_forward_length
        shared = shape.shared_feed_forward_length
        heads = shape.heads + 2 * shape.kv_heads
        self.attention_norm = nn.Parameter(torch.ones(width))
        self.query_key_value = drawn(heads * shape.head_dim, width)
        self.attention_output = drawn(width, shape.heads * shape.head_dim, gain=0.3)
        self.experts_norm = nn.Parameter(torch.ones(width))
        self.router = drawn(shape.experts, width)
        self.gate = drawn(shape.experts, inner, width)
        self.up = drawn(shape.experts, inner, width)
        self.down = drawn(shape.experts, width, inner, gain=0.3)
        self.shared_gate = drawn(shared, width)
        self.shared_up = drawn(shared, width)
        self.shared_down = drawn(width, shared, gain=0.3)

    def forward(self, states: Tensor, turns: Tensor) -> tuple[Tensor, Tensor]:
        """New states, and how evenly the router spread the tokens."""
        epsilon = self.shape.rms_epsilon
        states = states + self._attention(norm(states, self.attention_norm, epsilon), turns)
        mixed, balance = self._experts(norm(states, self.experts_norm, epsilon))
        return states + mixed, balance

    def _attention(self, states: Tensor, turns: Tensor) -> Tensor:
        rows, length, _ = states.shape
        shape = self.shape
        mixed = functional.linear(states, self.query_key_value.to(states.dtype))
        mixed = mixed.view(rows, length, -1, shape.head_dim).transpose(1, 2)
        query, key, value = torch.split(mixed, [shape.heads, shape.kv_heads, shape.kv_heads], dim=1)
        share = shape.heads // shape.kv_heads
        query, key = rotate(query, turns), rotate(key, turns)
        seen = attend(query, key.repeat_interleave(share, dim=1), value.repeat_interleave(share, dim=1))
        return functional.linear(seen.transpose(1, 2).flatten(2), self.attention_output.to(states.dtype))

    def _experts(self, states: Tensor) -> tuple[Tensor, Tensor]:
        flat = states.flatten(0, 1)
        weights, balance = route(flat.float() @ self.router.T, self.shape.experts_used)
        mixed = self._shared(flat) + self._routed(flat, weights)
        return mixed.view_as(states), balance

    def _shared(self, states: Tensor) -> Tensor:
        kind = states.dtype
        gate = functional.silu(functional.linear(states, self.shared_gate.to(kind)))
        return functional.linear(gate * functional.linear(states, self.shared_up.to(kind)), self.shared_down.to(kind))

    def _routed(self, states: Tensor, weights: Tensor) -> Tensor:
        """All experts as one wide layer, those not chosen weighted with 0: at such sizes faster than sorting tokens."""
        kind = states.dtype
        gate = functional.silu(functional.linear(states, self.gate.flatten(0, 1).to(kind)))
        inner = gate * functional.linear(states, self.up.flatten(0, 1).to(kind))
        inner = inner.view(len(states), self.shape.experts, -1) * weights.to(kind).unsqueeze(-1)
        down = self.down.transpose(0, 1).flatten(1).to(kind)
        return functional.linear(inner.flatten(1), down)


def drawn(*size: int, gain: float = 1.0) -> nn.Parameter:
    """A matrix, or a stack of them, that gives results of deviation `gain` for inputs of deviation 1."""
    return nn.Parameter(torch.randn(*size) * (gain / math.sqrt(size[-1])))


def norm(states: Tensor, weight: Tensor, epsilon: float) -> Tensor:
    """RMSNorm, computed in F32."""
    exact = states.float()
    scale = torch.rsqrt(exact.square().mean(-1, keepdim=True) + epsilon)
    return (exact * scale * weight).to(states.dtype)


def route(scores: Tensor, used: int) -> tuple[Tensor, Tensor]:
    """Each token's weight for each expert, 0 for all but the best `used`; and the load's balance.

    The balance is the loss of Switch Transformers (arXiv 2101.03961, equation 4), whose least value is 1.
    """
    shares = torch.softmax(scores, dim=-1)
    best, chosen = shares.topk(used, dim=-1)
    weights = torch.zeros_like(shares).scatter(-1, chosen, best / best.sum(-1, keepdim=True))
    load = (weights.detach() > 0).float().mean(0) / used
    return weights, scores.shape[-1] * (load * shares.mean(0)).sum()


def rotations(length: int, head_dim: int, theta: float, device: torch.device) -> Tensor:
    """Cosines and sines by position and pair: (2, length, head_dim / 2)."""
    frequencies = theta ** (-torch.arange(0, head_dim, 2, device=device, dtype=torch.float32) / head_dim)
    angles = torch.outer(torch.arange(length, device=device, dtype=torch.float32), frequencies)
    return torch.stack((angles.cos(), angles.sin()))


def rotate(heads: Tensor, turns: Tensor) -> Tensor:
    """Turns the pairs (2i, 2i + 1) of each head by its position's angles: the interleaved layout."""
    even, odd = heads.float().reshape(*heads.shape[:-1], -1, 2).unbind(-1)
    cosine, sine = turns.unbind(0)
    return torch.stack((even * cosine - odd * sine, even * sine + odd * cosine), dim=-1).flatten(-2).to(heads.dtype)


def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Causal attention, block by block of queries; (rows, heads, tokens, head_dim)."""
    if query.is_cuda:
        return functional.scaled_dot_product_attention(query, key, value, is_causal=True)
    seen = []
    for start in range(0, query.shape[2], ATTENTION_BLOCK_TOKENS):
        block = query[:, :, start : start + ATTENTION_BLOCK_TOKENS]
        end = start + block.shape[2]
        scores = (block @ key[:, :, :end].transpose(-1, -2)).float() * query.shape[-1] ** -0.5
        hidden = torch.ones(block.shape[2], end, dtype=torch.bool, device=query.device).triu(start + 1)
        shares = torch.softmax(scores.masked_fill(hidden, -torch.inf), dim=-1)
        seen.append(shares.to(value.dtype) @ value[:, :, :end])
    return torch.cat(seen, dim=2)

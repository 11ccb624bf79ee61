"""Attention heads that copy, set by hand before the model learns on.

A head that looks one token back, and in a later layer a head that looks for the present token among those marks and
copies what came next (induction heads, arXiv 2209.11895), form by themselves only after far more code than a short
training sees. So a few dimensions of the stream are reserved, and rough versions of both heads are written there.
"""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor

from models.shapes import Shape
from models.tiny.model import Bailing, Block

MARKS = 32
"""Dimensions that say which token came before. One more dimension holds the same value for all tokens."""
BACK_LAYER, COPY_LAYER = 0, 2
CONSTANT = 6.0
"""Value of the constant dimension; the others have a deviation near 1."""
BACK_SCORE, MARK_GAIN = 60.0, 1.5
MATCH_SCORE = 16.0
"""Attention score of a match. Chance matches have a deviation of a quarter of it."""
COPY_LOGITS = 8.0
"""How much copying raises the logit of the token copied, on average."""


def can_copy(shape: Shape) -> bool:
    """Whether both heads have their place."""
    return shape.layers > COPY_LAYER and shape.head_dim == MARKS and shape.embedding_length > 4 * MARKS


@torch.no_grad()
def set_copying_heads(model: Bailing) -> None:
    """Reserves the last dimensions and overwrites the attention of two layers."""
    width = model.shape.embedding_length
    reserved = torch.arange(width - MARKS - 1, width)
    _clear(model, reserved)
    model.embedding[:, -1] = CONSTANT
    codes = _projection(MARKS, width)
    blocks = cast("list[Block]", model.blocks)
    _look_back(blocks[BACK_LAYER], codes, reserved[:-1])
    _look_for(model, blocks[COPY_LAYER], codes, reserved[:-1])


def _clear(model: Bailing, reserved: Tensor) -> None:
    """Nothing reads or writes the reserved dimensions."""
    model.embedding[:, reserved] = 0
    model.output[:, reserved] = 0
    for block in cast("list[Block]", model.blocks):
        reading = (block.query_key_value, block.router, block.gate, block.up, block.shared_gate, block.shared_up)
        for matrix in reading:
            matrix[..., reserved] = 0
        for matrix in (block.attention_output, block.down, block.shared_down):
            matrix[..., reserved, :] = 0
        block.attention_norm[reserved] = 1
        block.experts_norm[reserved] = 1


def _projection(rows: int, width: int) -> Tensor:
    """Orthogonal directions outside of the reserved dimensions."""
    free = width - MARKS - 1
    return torch.nn.functional.pad(torch.linalg.qr(torch.randn(free, rows))[0].T, (0, width - free))


def _parts(block: Block) -> tuple[Tensor, Tensor, Tensor]:
    """Views of the block's matrices by head: (heads, head_dim, width)."""
    shape = block.shape
    by_head = block.query_key_value.view(-1, shape.head_dim, shape.embedding_length)
    query, key, value = torch.split(by_head, [shape.heads, shape.kv_heads, shape.kv_heads])
    return query, key, value


def _frequencies(block: Block) -> Tensor:
    return block.shape.rope_theta ** (-torch.arange(0, block.shape.head_dim, 2) / block.shape.head_dim)


def _look_back(block: Block, codes: Tensor, marks: Tensor) -> None:
    """Head 0 attends to the token before, by its fast pairs, and writes that one's code into the marks."""
    query, key, value = _parts(block)
    frequencies = _frequencies(block)
    fast = frequencies > 0.01
    strength = math.sqrt(BACK_SCORE) / CONSTANT
    heads_per_key = block.shape.heads // block.shape.kv_heads
    for steps, head in enumerate(range(heads_per_key), start=1):
        query[head] = 0
        query[head, 0::2, -1] = torch.cos(frequencies * steps) * fast * strength
        query[head, 1::2, -1] = -torch.sin(frequencies * steps) * fast * strength
    key[0] = 0
    key[0, 0::2, -1] = fast * strength
    scale = block.attention_norm.clone()
    value[0] = codes / scale
    size = block.shape.head_dim
    block.attention_output[:, : heads_per_key * size] *= 0.1
    block.attention_output[marks, :size] = MARK_GAIN * torch.eye(size)


def _look_for(model: Bailing, block: Block, codes: Tensor, marks: Tensor) -> None:
    """The first head of each key group attends to tokens whose mark is the present token, and copies them."""
    query, key, value = _parts(block)
    slow = (_frequencies(block) < 0.005).repeat_interleave(2).nonzero().flatten()
    shape = block.shape
    heads_per_key, count = shape.heads // shape.kv_heads, len(slow)
    strength = math.sqrt(MATCH_SCORE * math.sqrt(shape.head_dim) / (count * MARK_GAIN))
    table = torch.nn.functional.pad(model.embedding[:, : -MARKS - 1], (0, MARKS + 1))
    rest = torch.split(_projection(shape.kv_heads * shape.head_dim, shape.embedding_length), shape.head_dim)
    for group in range(shape.kv_heads):
        used = torch.arange(count) if group == 0 else torch.arange(MARKS - count, MARKS)
        head = group * heads_per_key
        query[head : head + heads_per_key] *= 0.1
        query[head] = 0
        query[head, slow] = strength * codes[used] / block.attention_norm
        key[group] = 0
        key[group, slow, marks[used]] = strength
        value[group] = rest[group] / block.attention_norm
        block.attention_output[:, head * shape.head_dim : (head + heads_per_key) * shape.head_dim] *= 0.1
        seen = table @ rest[group].T
        raised = model.output * model.output_norm
        back = raised.T @ seen / len(seen)
        gain = COPY_LOGITS / shape.kv_heads / ((raised @ back) * seen).sum(1).mean()
        block.attention_output[:, head * shape.head_dim : (head + 1) * shape.head_dim] = back * gain
        block.attention_output[marks, head * shape.head_dim : (head + 1) * shape.head_dim] = 0

"""Turns a checkpoint into a GGUF: `python -m models.tiny.export --output models/demo.gguf`.

With `--check` the weights are written in F32 too, and llama.cpp's logits compared with PyTorch's.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np
import torch
from gguf import GGMLQuantizationType, GGUFWriter, LlamaFileType
from gguf.quants import quantize
from numpy.typing import NDArray

from lsp_server.engine.gguf_texts import MIN_CONFIDENCE_KEY
from models.gguf_file import Buffer, ModelWriteError, write_gguf
from models.metadata import add_metadata
from models.tensors import Tensor, tensors_of
from models.tiny.checkpoint import TrainingError, read_checkpoint, trained_model
from models.tiny.model import Bailing, Block
from models.tiny.train_options import WORK_FOLDER
from models.vocabulary import Vocabulary, build_vocabulary

NAME = "Ling Coder demo model"
DESCRIPTION = "Small mixture of experts trained on a small budget: it shows how completion works, no more."
FILE_TYPES = {
    "Q8_0": (GGMLQuantizationType.Q8_0, LlamaFileType.MOSTLY_Q8_0),
    "F16": (GGMLQuantizationType.F16, LlamaFileType.MOSTLY_F16),
    "F32": (GGMLQuantizationType.F32, LlamaFileType.ALL_F32),
}
LARGEST_BYTES = 25_000_000
CLOSE = 1e-2
"""Greatest difference of two logits that still counts as the same."""
CHECK_TOKENS = 64


class LogitsDifferError(Exception):
    """llama.cpp computes something else than PyTorch. The message says how far apart they are."""


def export(
    model: Bailing, vocabulary: Vocabulary, output: Path, kind: str = "Q8_0", min_confidence_percent: int = 0
) -> int:
    """Writes the file and returns its size in bytes.

    The server shows the model's automatic suggestions from `min_confidence_percent` on: `evaluate` tells the threshold.
    """
    matrix_type, file_type = FILE_TYPES[kind]

    def describe(writer: GGUFWriter) -> None:
        add_metadata(writer, model.shape, vocabulary, NAME, file_type)
        del writer.kv_data[0]["general.description"]  # of a file of random weights
        writer.add_description(DESCRIPTION)
        writer.add_uint32(MIN_CONFIDENCE_KEY, min_confidence_percent)

    tensors = tensors_of(model.shape, lambda name, row_length: matrix_type)
    return write_gguf(output, describe, tensors, partial(_data, weights_of(model)))


def weights_of(model: Bailing) -> dict[str, NDArray[np.float32]]:
    """The parameters under llama.cpp's names."""
    weights: dict[str, torch.Tensor] = {
        "token_embd": model.embedding,
        "output_norm": model.output_norm,
        "output": model.output,
    }
    shape = model.shape
    for layer, block in enumerate(cast("list[Block]", model.blocks)):
        sizes = [heads * shape.head_dim for heads in (shape.heads, shape.kv_heads, shape.kv_heads)]
        query, key, value = torch.split(block.query_key_value, sizes)
        parts = {
            "attn_norm": block.attention_norm,
            "attn_q": query,
            "attn_k": key,
            "attn_v": value,
            "attn_output": block.attention_output,
            "ffn_norm": block.experts_norm,
            "ffn_gate_inp": block.router,
            "ffn_gate_exps": block.gate,
            "ffn_up_exps": block.up,
            "ffn_down_exps": block.down,
            "ffn_gate_shexp": block.shared_gate,
            "ffn_up_shexp": block.shared_up,
            "ffn_down_shexp": block.shared_down,
        }
        weights |= {f"blk.{layer}.{name}": part for name, part in parts.items()}
    return {f"{name}.weight": part.detach().float().cpu().numpy() for name, part in weights.items()}


def _data(weights: dict[str, NDArray[np.float32]], tensor: Tensor) -> Iterator[Buffer]:
    values = weights[tensor.name]
    if values.shape != tensor.shape:
        raise ValueError(f"{tensor.name} should have the shape {tensor.shape}, not {values.shape}")
    yield quantize(np.ascontiguousarray(values), tensor.type).tobytes()


def greatest_difference(model: Bailing, gguf: Path, tokens: list[int]) -> float:
    """The greatest difference between PyTorch's logits and llama.cpp's, over all positions."""
    with torch.no_grad():
        ours = model.logits(torch.tensor([tokens]))[0].numpy()
    return float(np.abs(ours - llama_logits(gguf, tokens)).max())


def llama_logits(gguf: Path, tokens: list[int]) -> NDArray[np.float32]:
    """What llama.cpp computes after each token, with exact keys and values."""
    import llama_cpp

    llama = llama_cpp.Llama(
        str(gguf), n_ctx=256, logits_all=True, n_threads=2, verbose=False,
        type_k=llama_cpp.GGML_TYPE_F32, type_v=llama_cpp.GGML_TYPE_F32,
    )  # fmt: skip
    try:
        llama.eval(tokens)
        return np.array(llama.scores[: len(tokens)], dtype=np.float32)
    finally:
        llama.close()


def check_logits(model: Bailing, vocabulary: Vocabulary, seed: int = 0) -> float:
    """Raises `LogitsDifferError` unless llama.cpp agrees on a prompt of random tokens; returns the difference."""
    tokens = np.random.default_rng(seed).integers(0, vocabulary.text_tokens, CHECK_TOKENS).tolist()
    with tempfile.TemporaryDirectory() as folder:
        gguf = Path(folder) / "exact.gguf"
        export(model, vocabulary, gguf, "F32")
        difference = greatest_difference(model, gguf, tokens)
    if not difference < CLOSE:
        raise LogitsDifferError(f"a logit of llama.cpp differs from PyTorch's by {difference:.3g}, more than {CLOSE}")
    return difference


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    options = _parser().parse_args(arguments)
    try:
        state = read_checkpoint(options.checkpoint)
        model = trained_model(state)
        vocabulary = build_vocabulary(model.shape.vocabulary_size, merges_file=options.merges)
        if options.check:
            print(f"logits of PyTorch and llama.cpp differ by {check_logits(model, vocabulary):.1e} at most")
        size = export(model, vocabulary, options.output, options.type, options.min_confidence)
    except (TrainingError, ModelWriteError, LogitsDifferError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{options.output}: {size / 1e6:.2f} MB, step {state['step']}, {state['tokens'] / 1e6:.2f} M tokens seen")
    return 0 if size <= LARGEST_BYTES else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m models.tiny.export", description="Writes the demo model's GGUF.")
    parser.add_argument("--checkpoint", type=Path, default=WORK_FOLDER / "checkpoint.pt", metavar="FILE")
    parser.add_argument("--merges", type=Path, default=WORK_FOLDER / "merges.txt", metavar="FILE")
    parser.add_argument("--output", type=Path, required=True, metavar="FILE")
    parser.add_argument("--type", choices=FILE_TYPES, default="Q8_0")
    parser.add_argument("--check", action=argparse.BooleanOptionalAction, default=True, help="compare the logits first")
    parser.add_argument("--min-confidence", type=int, default=0, metavar="PERCENT", help="written into the file")
    return parser


if __name__ == "__main__":
    sys.exit(main())

"""The written model files: same bytes every time, all that llama.cpp asks for, and nothing left behind by a failure."""

from __future__ import annotations

import ctypes
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, GGUFReader, TokenType
from gguf.quants import dequantize

from models import synthetic, tiny
from models.blocks import QUANTS, BlockPool
from models.gguf_file import DiskFullError
from models.quantization import PRESETS, TypeChooser
from models.shapes import TINY, TRUE_SHAPE
from models.synthetic import write_synthetic
from models.tensors import tensors_of
from models.tiny.__main__ import main
from models.vocabulary import FIM_TOKENS, build_vocabulary, byte_alphabet

SMALL = replace(TINY, layers=8, embedding_length=256, heads=8, expert_feed_forward_length=96, shared_experts=8)
"""Rows of 256, 768 and 96, and eight layers: every type a preset knows occurs, with every fallback."""


@pytest.fixture(scope="module")
def tiny_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tiny") / "tiny.gguf"
    tiny.write_tiny(path)
    return path


def value(reader: GGUFReader, key: str) -> Any:
    field = reader.get_field(key)
    assert field is not None, f"{key} is missing"
    return field.contents()


def test_same_seed_same_bytes(tiny_file: Path, tmp_path: Path) -> None:
    """A file can be made anew anywhere, and compared by its hash."""
    again, other = tmp_path / "again.gguf", tmp_path / "other.gguf"
    tiny.write_tiny(again)
    tiny.write_tiny(other, seed=1)
    assert again.read_bytes() == tiny_file.read_bytes()
    assert other.read_bytes() != tiny_file.read_bytes()


def test_is_small_and_alone(tiny_file: Path) -> None:
    assert tiny_file.stat().st_size < 3_000_000
    assert list(tiny_file.parent.iterdir()) == [tiny_file]


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("general.architecture", "bailingmoe"),
        ("bailingmoe.block_count", 2),
        ("bailingmoe.context_length", 16384),
        ("bailingmoe.embedding_length", 128),
        ("bailingmoe.attention.head_count", 4),
        ("bailingmoe.attention.head_count_kv", 2),
        ("bailingmoe.attention.layer_norm_rms_epsilon", pytest.approx(1e-6)),
        ("bailingmoe.expert_count", 8),
        ("bailingmoe.expert_used_count", 2),
        ("bailingmoe.expert_shared_count", 1),
        ("bailingmoe.expert_feed_forward_length", 64),
        ("bailingmoe.expert_weights_norm", True),
        ("bailingmoe.rope.dimension_count", 32),
        ("bailingmoe.rope.freq_base", 600_000.0),
        ("bailingmoe.vocab_size", 2048),
        ("tokenizer.ggml.model", "gpt2"),
        ("tokenizer.ggml.pre", "bailingmoe"),
        ("tokenizer.ggml.add_bos_token", False),
    ],
)
def test_has_the_keys_llama_cpp_needs(tiny_file: Path, key: str, expected: object) -> None:
    assert value(GGUFReader(tiny_file), key) == expected


def test_every_tensor_has_its_shape(tiny_file: Path) -> None:
    """A GGUF lists dimensions from the inside out."""
    shapes = {tensor.name: tuple(tensor.shape.tolist()) for tensor in GGUFReader(tiny_file).tensors}
    assert len(shapes) == 13 * TINY.layers + 3
    assert shapes["token_embd.weight"] == shapes["output.weight"] == (128, 2048)
    assert shapes["blk.1.attn_k.weight"] == (128, 64)
    assert shapes["blk.1.ffn_down_exps.weight"] == (64, 128, 8)
    assert shapes["blk.0.ffn_gate_inp.weight"] == (128, 8)


def test_special_tokens_are_where_the_keys_say(tiny_file: Path) -> None:
    reader = GGUFReader(tiny_file)
    tokens, types = value(reader, "tokenizer.ggml.tokens"), value(reader, "tokenizer.ggml.token_type")
    assert tokens[value(reader, "tokenizer.ggml.bos_token_id")] == "<|startoftext|>"
    assert tokens[value(reader, "tokenizer.ggml.eos_token_id")] == "<|endoftext|>"
    assert value(reader, "tokenizer.ggml.padding_token_id") == value(reader, "tokenizer.ggml.eos_token_id")
    for token in (*FIM_TOKENS, "<role>", "</role>", "<|reserved_token_0|>"):
        assert types[tokens.index(token)] == TokenType.CONTROL
    assert tokens[-1] == "[PAD2047]"
    assert types[-1] == TokenType.UNUSED


def test_template_puts_roles_in_capitals(tiny_file: Path) -> None:
    """llama.cpp recognises the template by these two spellings."""
    template = value(GGUFReader(tiny_file), "tokenizer.chat_template")
    assert "<role>ASSISTANT</role>" in template
    assert "'HUMAN'" in template


def test_without_fim_only_names_differ(tiny_file: Path, tmp_path: Path) -> None:
    """Ids and weights stay, so that a test can compare the two."""
    path = tmp_path / "plain.gguf"
    tiny.write_tiny(path, fim=False)
    plain, usual = GGUFReader(path), GGUFReader(tiny_file)
    pairs = list(zip(value(plain, "tokenizer.ggml.tokens"), value(usual, "tokenizer.ggml.tokens"), strict=True))
    assert {ours for theirs, ours in pairs if theirs != ours} == set(FIM_TOKENS)
    assert not any("fim" in theirs for theirs, _ in pairs)
    assert all((a.data == b.data).all() for a, b in zip(plain.tensors, usual.tensors, strict=True))


def test_a_merge_joins_tokens_that_are_there() -> None:
    """Every token is unique, or llama.cpp would abort, and every text token but the bytes comes from a merge."""
    vocabulary = build_vocabulary(TINY.vocabulary_size)
    assert len(set(vocabulary.tokens)) == len(vocabulary.tokens) == TINY.vocabulary_size
    known = set(byte_alphabet())
    for merge in vocabulary.merges:
        left, right = merge.split(" ")
        assert {left, right} <= known
        known.add(left + right)
    assert known == set(vocabulary.tokens[: vocabulary.text_tokens])


def test_every_byte_has_a_token() -> None:
    assert len(set(byte_alphabet())) == 256


def test_digits_stay_alone() -> None:
    """Ling's tokenizer gives each digit a token of its own."""
    vocabulary = build_vocabulary(TINY.vocabulary_size)
    merged = [token for token in vocabulary.tokens[: vocabulary.text_tokens] if len(token) > 1]
    assert not [token for token in merged if set(token) & set("0123456789")]


def test_too_small_a_vocabulary_is_refused() -> None:
    with pytest.raises(ValueError, match="no room"):
        build_vocabulary(300)


def test_tokens_without_text_are_never_the_best(tiny_file: Path) -> None:
    """Greedy answers are ASCII text until the end of text: all other tokens have the logit 0."""
    output = next(tensor for tensor in GGUFReader(tiny_file).tensors if tensor.name == "output.weight").data
    said = [
        token for token, row in zip(build_vocabulary(TINY.vocabulary_size).tokens, output, strict=True) if row.any()
    ]
    assert said.pop() == "<|endoftext|>"
    assert {"return", "\u010a", "\u0120"} <= set(said)
    assert "".join(said).translate({0x120: " ", 0x10A: "\n", 0x109: "\t"}).isascii()


@pytest.mark.parametrize(
    ("preset", "tensor", "expected"),
    [
        ("Q4_K_M", "token_embd.weight", "Q4_K"),
        ("Q4_K_M", "output.weight", "Q6_K"),
        ("Q4_K_M", "blk.0.attn_norm.weight", "F32"),
        ("Q4_K_M", "blk.0.ffn_gate_inp.weight", "F32"),
        ("Q4_K_M", "blk.0.attn_v.weight", "Q6_K"),
        ("Q4_K_M", "blk.3.attn_v.weight", "Q4_K"),
        ("Q4_K_M", "blk.5.attn_v.weight", "Q6_K"),
        ("Q4_K_M", "blk.27.attn_v.weight", "Q6_K"),
        ("Q4_K_M", "blk.3.ffn_down_exps.weight", "Q5_0"),
        ("Q4_K_M", "blk.0.ffn_down_exps.weight", "Q8_0"),
        ("Q4_K_M", "blk.0.ffn_down_shexp.weight", "Q6_K"),
        ("Q4_K_M", "blk.0.ffn_up_exps.weight", "Q4_K"),
        ("IQ4_XS", "blk.9.ffn_down_exps.weight", "IQ4_NL"),
        ("IQ4_XS", "blk.9.ffn_down_shexp.weight", "IQ4_XS"),
        ("IQ4_XS", "blk.0.ffn_down_exps.weight", "Q5_1"),
        ("IQ4_XS", "blk.0.ffn_down_shexp.weight", "Q5_K"),
        ("IQ4_XS", "blk.9.attn_v.weight", "Q5_K"),
        ("IQ4_XS", "output.weight", "Q6_K"),
        ("Q4_0", "blk.0.ffn_down_exps.weight", "Q4_0"),
        ("Q4_0", "output.weight", "Q6_K"),
        ("Q8_0", "output.weight", "Q8_0"),
    ],
)
def test_types_are_those_of_llama_quantize(preset: str, tensor: str, expected: str) -> None:
    types = {t.name: t.type.name for t in tensors_of(TRUE_SHAPE, TypeChooser(PRESETS[preset], TRUE_SHAPE))}
    assert types[tensor] == expected


@pytest.mark.parametrize(("preset", "gigabytes"), [("Q4_K_M", 11.2), ("IQ4_XS", 9.3), ("Q4_0", 9.6), ("Q8_0", 17.9)])
def test_true_size_is_that_of_published_files(preset: str, gigabytes: float) -> None:
    tensors = tensors_of(TRUE_SHAPE, TypeChooser(PRESETS[preset], TRUE_SHAPE))
    assert len(tensors) == 367
    assert sum(tensor.bytes for tensor in tensors) / 1e9 == pytest.approx(gigabytes, rel=0.01)


@pytest.mark.parametrize("kind", QUANTS, ids=lambda kind: kind.name)
def test_random_blocks_are_weights_of_a_sane_size(kind: GGMLQuantizationType) -> None:
    pool = b"".join(BlockPool(kind, 0.02, seed=0).take(1000 * GGML_QUANT_SIZES[kind][1]))
    weights = dequantize(np.frombuffer(pool, dtype=np.uint8), kind)
    assert np.isfinite(weights).all()
    assert weights.std() == pytest.approx(0.02, rel=0.1)
    assert abs(weights.mean()) < 0.02 / 5


@pytest.mark.parametrize("preset", PRESETS.values(), ids=lambda preset: preset.name)
def test_synthetic_file_reads_back(preset: Any, tmp_path: Path) -> None:
    path = tmp_path / "small.gguf"
    size = write_synthetic(path, preset, SMALL)
    assert size == path.stat().st_size
    written = {tensor.name: tensor for tensor in GGUFReader(path).tensors}
    for tensor in tensors_of(SMALL, TypeChooser(preset, SMALL)):
        assert written[tensor.name].tensor_type == tensor.type
        assert np.isfinite(dequantize(written[tensor.name].data, tensor.type)).all()
    vocabulary = build_vocabulary(SMALL.vocabulary_size)
    assert np.flatnonzero(written["output.weight"].data.any(axis=1)).tolist() == vocabulary.plain_text()


class FullDisk(NamedTuple):
    free: int = 10**9


def test_a_full_disk_is_found_before_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message tells what is needed and what is there, and no part of a file is left."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: FullDisk())
    with pytest.raises(DiskFullError, match=r"needs 11\.2\d GB.* only 1\.00 GB free"):
        write_synthetic(tmp_path / "model.gguf", PRESETS["Q4_K_M"])
    assert synthetic.main(["--output", str(tmp_path / "model.gguf")]) == 1
    assert capsys.readouterr().err.startswith("error: the file needs 11.")
    assert not list(tmp_path.iterdir())


def test_a_failure_keeps_the_file_that_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model.gguf"
    path.write_text("the old one")

    def break_down(*_: object) -> Any:
        raise RuntimeError("halfway")

    monkeypatch.setattr("models.tiny.writer.TinyData._weights", break_down)
    with pytest.raises(RuntimeError):
        tiny.write_tiny(path)
    assert [file.read_text() for file in tmp_path.iterdir()] == ["the old one"]


def test_commands_explain_themselves(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--output", str(tmp_path / "nowhere" / "tiny.gguf")]) == 1
    assert "does not exist" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["--output", str(tmp_path / "tiny.gguf"), "--seed", "-1"])
    assert "whole number" in capsys.readouterr().err
    assert synthetic.main(["--output", str(tmp_path / "model.gguf"), "--layers", "0"]) == 1
    assert "there must be a layer" in capsys.readouterr().err


def test_impossible_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="embedding_length"):
        replace(TINY, head_dim=16)


@pytest.mark.real_model
def test_llama_cpp_reads_the_vocabulary(tiny_file: Path) -> None:
    """It finds the markers by their names, and text comes back unchanged."""
    llama_cpp = pytest.importorskip("llama_cpp")
    llama_cpp.llama_backend_init()
    parameters = llama_cpp.llama_model_default_params()
    parameters.vocab_only = True
    model = llama_cpp.llama_model_load_from_file(str(tiny_file).encode(), parameters)
    try:
        vocab = llama_cpp.llama_model_get_vocab(model)
        expected = build_vocabulary(TINY.vocabulary_size)
        found = [llama_cpp.llama_vocab_fim_pre(vocab), llama_cpp.llama_vocab_fim_suf(vocab)]
        found.append(llama_cpp.llama_vocab_fim_mid(vocab))
        assert found == [expected.id_of(token) for token in FIM_TOKENS]
        assert round_trip(llama_cpp, vocab, "def f(x):\n    return x\n") == "def f(x):\n    return x\n"
    finally:
        llama_cpp.llama_model_free(model)


def round_trip(llama_cpp: Any, vocab: Any, text: str) -> str:
    raw = text.encode()
    tokens = (llama_cpp.llama_token * 64)()
    count = llama_cpp.llama_tokenize(vocab, raw, len(raw), tokens, 64, False, False)
    assert 0 < count < len(raw), "some merges must apply"
    back = ctypes.create_string_buffer(256)
    size = llama_cpp.llama_detokenize(vocab, tokens, count, back, 256, False, False)
    return back.raw[:size].decode()

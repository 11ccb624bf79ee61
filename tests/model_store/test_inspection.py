"""What a header says is read without the weights, and no file, however broken, does more than end in a sentence."""

from __future__ import annotations

import contextlib
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from gguf import GGUFReader, GGUFWriter
from gguf.constants import GGML_QUANT_SIZES, LlamaFileType
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lsp_server.errors import ModelFileError
from lsp_server.model_store.gguf_header import SkippedArray, read_header
from lsp_server.model_store.gguf_types import FILE_TYPES, TENSOR_TYPES
from lsp_server.model_store.inspection import inspect_file, inspection_of
from models import tiny


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights, 2 MB."""
    path = tmp_path_factory.mktemp("tiny") / "tiny.gguf"
    tiny.write_tiny(path)
    return path


@pytest.fixture(scope="module")
def small_header(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A whole file of less than a kilobyte, with values of every kind."""
    path = tmp_path_factory.mktemp("small") / "small.gguf"
    writer = GGUFWriter(path, "llama")
    writer.add_name("small")
    writer.add_head_count_kv([2, 0, 4])
    writer.add_key_length(16)
    writer.add_bool("test.bool", True)
    writer.add_float64("test.float", 0.5)
    writer.add_uint64("test.big", 2**63)
    writer.add_array("test.texts", ["a", "ü", ""])
    writer.add_token_list(["a", "<fim_prefix>", "<fim_suffix>", "<fim_middle>", "</s>"])
    writer.add_token_merges(["a b", "c d"])
    writer.add_eos_token_id(4)
    writer.add_tensor("blk.0.attn_q.weight", np.zeros((3, 32), np.float32))
    writer.add_tensor("blk.1.attn_q.weight", np.zeros((3, 32), np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path.read_bytes()


def test_the_tables_are_those_of_gguf() -> None:
    """Every type that the library knows, with the same sizes."""
    theirs = {kind.value: (kind.name, *sizes) for kind, sizes in GGML_QUANT_SIZES.items()}
    assert {number: (kind.name, kind.block_values, kind.block_bytes) for number, kind in TENSOR_TYPES.items()} == theirs
    names = {kind.value: kind.name.removeprefix("MOSTLY_").removeprefix("ALL_") for kind in LlamaFileType}
    assert {number: name for number, name in names.items() if name != "GUESSED"} == FILE_TYPES


def test_the_header_is_what_gguf_reads(tiny_model: Path) -> None:
    """Keys, and names, shapes, types and places of all tensors."""
    ours, theirs = read_header(tiny_model), GGUFReader(tiny_model)
    for tensor in theirs.tensors:
        found = next(each for each in ours.tensors if each.name == tensor.name)
        assert (found.dimensions, found.type_name) == (tuple(tensor.shape.tolist()), tensor.tensor_type.name)
        assert (found.size_bytes, found.values) == (tensor.n_bytes, tensor.n_elements)
    for name, value in ours.keys.items():
        field = theirs.get_field(name)
        assert field is not None
        if not isinstance(value, SkippedArray):
            assert value == field.contents()
    assert ours.complete_bytes == ours.file_bytes == tiny_model.stat().st_size


def test_what_a_model_is(tiny_model: Path) -> None:
    """In the words in which people choose a model."""
    found = inspect_file(tiny_model)
    assert (found.architecture, found.context_tokens, found.missing_bytes) == ("bailingmoe", 16384, 0)
    assert found.shape == {
        "layers": 2, "width": 128, "feed_forward": 256, "heads": 4, "kv_heads": 2, "experts": 8, "experts_used": 2,
        "shared_experts": 1, "expert_feed_forward": 64, "head_dim": 32, "vocabulary": 2048,
    }  # fmt: skip
    routed = 2 * 3 * 8 * 64 * 128
    assert found.parameters - found.active_parameters == routed * 6 // 8
    assert found.kv_bytes_per_token == 2 * 2 * 2 * 32 * 2
    assert (found.can_fill_in, found.has_chat_template) == (True, True)
    roles = {token.role: token.text for token in found.tokens}
    assert (roles["FIM middle"], roles["role begins"], roles["end of text"]) == (
        "<|fim_middle|>",
        "<role>",
        "<|endoftext|>",
    )


def test_kinds_of_tensors(small_header: bytes, tmp_path: Path) -> None:
    """Tensors that do the same in each layer are one kind, with the types they are stored in."""
    found = inspect_file(written(tmp_path, small_header))
    (kind,) = found.kinds
    assert (kind.name, kind.count, kind.types) == ("attn_q", 2, {"F32": 1, "F16": 1})
    assert (kind.parameters, kind.size_bytes) == (192, 96 * 6)
    assert found.kv_bytes_per_token == (2 + 0 + 4) * (16 + 16) * 2
    assert (found.can_fill_in, found.has_chat_template, found.licence) == (True, False, "")


def test_keys_win_over_names(small_header: bytes, tmp_path: Path) -> None:
    """As in llama.cpp: a file may point at tokens that are called anything."""
    header = read_header(written(tmp_path, small_header))
    header.keys["tokenizer.ggml.fim_pre_token_id"] = 0
    token = inspection_of(tmp_path, header).tokens[1]
    assert (token.role, token.id, token.text, token.named_by) == ("FIM prefix", 0, "a", "key")
    header.keys["tokenizer.ggml.fim_pre_token_id"] = 99
    assert inspection_of(tmp_path, header).tokens[1].text == ""


def test_a_model_that_names_no_tokens(small_header: bytes, tmp_path: Path) -> None:
    """It is not said to fill in."""
    header = read_header(written(tmp_path, small_header.replace(b"<fim_middle>", b"<fim_muddle>")))
    assert not inspection_of(tmp_path, header).can_fill_in


def written(folder: Path, data: bytes) -> Path:
    path = folder / "some.gguf"
    path.write_bytes(data)
    return path


def test_a_file_that_is_cut(small_header: bytes, tmp_path: Path) -> None:
    """Wherever it ends: inside the header it is an error, behind it the missing bytes are counted."""
    whole = read_header(written(tmp_path, small_header)).complete_bytes
    weights_begin = whole - 96 * 4 - 96 * 2
    for length in range(0, weights_begin - 32, 3):
        with pytest.raises(ModelFileError, match="is incomplete" if length >= 4 else "is no GGUF file"):
            inspect_file(written(tmp_path, small_header[:length]))
    for length in range(weights_begin, len(small_header), 7):
        assert inspect_file(written(tmp_path, small_header[:length])).missing_bytes == max(0, whole - length)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is no GGUF file"),
        (b"PK\3\4 a zip", "is no GGUF file"),
        (b"GGUF" + struct.pack("<I", 1), "GGUF version 1"),
        (b"GGUF" + struct.pack(">I", 3), "another kind of processor"),
        (b"GGUF" + struct.pack("<IQQ", 3, 2**63, 0), "ends inside its header"),
        (b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 2**64 - 1), "ends inside its header"),
        (b"GGUF" + struct.pack("<IQQQ1sI", 3, 0, 1, 1, b"k", 77), "`k` is of the unknown kind 77"),
        (b"GGUF" + struct.pack("<IQQQ1sIIQ", 3, 0, 1, 1, b"k", 9, 9, 1), "`k` is an array of the unknown kind 9"),
        (b"GGUF" + struct.pack("<IQQQ1sIIQ", 3, 0, 1, 1, b"k", 9, 8, 2**60), "ends inside its header"),
        (b"GGUF" + struct.pack("<IQQQ1sIIQ", 3, 0, 1, 1, b"k", 9, 4, 2**60), "ends inside its header"),
        (b"GGUF" + struct.pack("<IQQQ1sI", 3, 1, 0, 1, b"t", 99), "has 99 dimensions"),
    ],
)
def test_foreign_and_damaged_files(tmp_path: Path, data: bytes, sentence: str) -> None:
    """A sentence says what is wrong; no length in a file is trusted."""
    with pytest.raises(ModelFileError, match=sentence):
        inspect_file(written(tmp_path, data))


def test_what_is_no_file(tmp_path: Path) -> None:
    """Nothing, and a folder."""
    with pytest.raises(ModelFileError, match="cannot be read: No such file"):
        inspect_file(tmp_path / "missing.gguf")
    with pytest.raises(ModelFileError, match="cannot be read"):
        inspect_file(tmp_path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # folders that this test does not write to
@given(damage=st.lists(st.tuples(st.integers(4, 10**6), st.integers(0, 255)), min_size=1, max_size=4))
def test_random_damage(
    damage: list[tuple[int, int]], small_header: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A few bytes of a whole file changed: a description or a sentence, nothing else."""
    damaged = bytearray(small_header)
    for place, value in damage:
        damaged[max(4, place % len(damaged))] = value
    path = written(tmp_path_factory.getbasetemp(), bytes(damaged))
    with contextlib.suppress(ModelFileError):
        inspect_file(path)


def test_nothing_heavy_is_imported() -> None:
    """`inspect` answers in a moment: neither `gguf` nor numpy is needed for a header."""
    code = (
        "import sys, lsp_server.model_store.inspection; "
        "sys.exit(bool({'gguf', 'numpy', 'llama_cpp', 'huggingface_hub'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=False).returncode == 0

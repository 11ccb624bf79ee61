"""The rows to learn from: distinct texts, packages held back whole, holes that fit, control tokens in their places."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import pytest

pytest.importorskip("tokenizers", reason="a part of the extra `train`")

from lsp_server.prompt.render import header
from models.tiny.diet import DietMaker
from models.tiny.evaluation_holes import evaluation_holes
from models.tiny.examples import make_shards, neighbours_in
from models.tiny.holes import KINDS, choose_hole
from models.tiny.rows import LAYOUT, Piece, RowMaker
from models.tiny.tokenizer import Encoder, balanced_sample, merge_count
from models.vocabulary import MERGES_FILE, MERGES_HEADER, build_vocabulary
from tests.models.sample_code import Row, code, texts

LENGTH = 257


@pytest.fixture(scope="module")
def encode() -> Encoder:
    return Encoder(MERGES_FILE, 2048)


def rows_of(encode: Encoder, sources: list[Row], seed: int = 1) -> list[Piece]:
    return list(RowMaker(encode, LENGTH, seed, neighbours_in(sources)).rows(iter(sources)))


@dataclass
class Example:
    before: list[int]
    prefix: list[int]
    suffix: list[int]
    middle: list[int]
    marks: list[int]


def examples_of(encode: Encoder, piece: Piece) -> list[Example]:
    """The examples of filling in of one row."""
    names = encode.control()
    found, start = [], 0
    ids = piece.ids
    while names["<|fim_prefix|>"] in ids[start:]:
        prefix = ids.index(names["<|fim_prefix|>"], start)
        suffix = ids.index(names["<|fim_suffix|>"], prefix)
        middle = ids.index(names["<|fim_middle|>"], suffix)
        end = ids.index(names["<|endoftext|>"], middle)
        parts = (ids[start:prefix], ids[prefix + 1 : suffix], ids[suffix + 1 : middle], ids[middle + 1 : end])
        found.append(Example(*parts, piece.middle[prefix : end + 1]))
        start = end + 1
    return found


def test_the_vocabulary_is_full_to_the_last_entry() -> None:
    assert merge_count(8192) + 256 + 15 == 8192


@pytest.mark.parametrize(
    "text", ["", "def f(x):\n\treturn 1234 + x\r\n", "größe = '日本' # 🙂\n", "<|fim_prefix|> <role>"]
)
def test_text_survives_and_never_makes_control_tokens(encode: Encoder, text: str) -> None:
    ids = encode(text)
    assert encode.decode(ids) == text
    assert not set(ids) & set(encode.control().values())


def test_another_file_of_merges_makes_another_vocabulary(tmp_path: Path) -> None:
    file = tmp_path / "merges.txt"
    file.write_text(f"{MERGES_HEADER}\na b\nab c\n", encoding="utf-8")
    vocabulary = build_vocabulary(300, merges_file=file)
    assert vocabulary.tokens[256:258] == ("ab", "abc")
    assert Encoder(file, 300)("abca") == [257, vocabulary.id_of("a")]


def test_the_sample_is_drawn_from_what_may_be_learned_from() -> None:
    sources = texts(6)
    sources[0]["split"] = "held-back"
    sample = list(balanced_sample(sources))
    assert sources[0]["text"] not in sample
    assert len(sample) == 5


def test_rows_are_full_and_marked(encode: Encoder) -> None:
    rows = rows_of(encode, texts())
    assert len(rows) > 20
    assert {len(row.ids) for row in rows} == {len(row.middle) for row in rows} == {LENGTH}
    for row in rows:
        for example in examples_of(encode, row):
            after = len(example.middle) + 1
            assert example.marks == [0] * (len(example.marks) - after) + [1] * after
        assert sum(row.middle) == sum(len(example.middle) + 1 for example in examples_of(encode, row))


@pytest.mark.parametrize(("language", "ending"), [("python", "py"), ("c", "c"), ("typescriptreact", "tsx")])
def test_a_filled_hole_is_the_text_again(encode: Encoder, language: str, ending: str) -> None:
    sources = texts(language=language, ending=ending)
    by_head = {header(row["path"], language, LAYOUT): row["text"] for row in sources}
    examples = [example for row in rows_of(encode, sources) for example in examples_of(encode, row)]
    assert len(examples) > 10
    for example in examples:
        head, newline, prefix = encode.decode(example.prefix).partition("\n")
        middle, suffix = encode.decode(example.middle), encode.decode(example.suffix).rstrip("\ufffd")
        assert prefix + middle + suffix in by_head[head + newline]


def test_control_tokens_stand_only_where_the_layout_has_them(encode: Encoder) -> None:
    """The texts are full of the names of control tokens."""
    names = encode.control()
    markers = {names["<|fim_prefix|>"], names["<|fim_suffix|>"], names["<|fim_middle|>"]}
    others = set(names.values()) - markers - {names["<|endoftext|>"]}
    sources = texts()
    rows = rows_of(encode, sources)
    assert "<|fim_middle|>" in sources[0]["text"]
    for row in rows:
        assert not others & set(row.ids)
        assert sum(number in markers for number in row.ids) == 3 * len(examples_of(encode, row))
    ends = sum(row.ids.count(names["<|endoftext|>"]) for row in rows)
    fills = sum(len(examples_of(encode, row)) for row in rows)
    assert fills <= ends <= fills + len(sources)


def test_context_is_of_other_files_under_their_paths(encode: Encoder) -> None:
    sources = texts(40)
    rows = list(RowMaker(encode, 513, 1, neighbours_in(sources)).rows(iter(sources)))
    ends = encode.control()["<|endoftext|>"]
    found = [example for row in rows for example in examples_of(encode, row) if example.before]
    named = [example for example in found if ends not in example.before]
    assert named
    for example in named:
        context, prefix = encode.decode(example.before), encode.decode(example.prefix)
        assert context.startswith("# pkg/mod_")
        assert context.partition("\n")[0] != prefix.partition("\n")[0]


def test_the_same_seed_gives_the_same_rows(encode: Encoder) -> None:
    ids = [row.ids for row in rows_of(encode, texts())]
    assert ids == [row.ids for row in rows_of(encode, texts())]
    assert ids != [row.ids for row in rows_of(encode, texts(), seed=2)]


def test_diet_rows_repeat_themselves(encode: Encoder) -> None:
    rows = list(DietMaker(encode, LENGTH, 1).rows(texts(), 6))
    assert [len(row.ids) for row in rows] == [LENGTH] * 6
    for row in rows:
        runs = Counter(zip(row.ids, row.ids[1:], row.ids[2:], row.ids[3:], strict=False))
        assert sum(count - 1 for count in runs.values()) > LENGTH // 8


@pytest.mark.parametrize("language", ["python", "javascript", "typescript", "typescriptreact", "go", "rust", "c"])
def test_holes_lie_inside_the_text(language: str) -> None:
    text = code(language, 60, "c")
    chance = Random(5)
    for _ in range(40 * len(KINDS)):
        begin, end = choose_hole(text, language, chance.randrange(len(text)), chance)
        assert 0 <= begin <= end <= len(text)


def test_evaluation_holes_are_one_line_and_fit() -> None:
    sources = texts()
    by_path = {row["path"]: row["text"] for row in sources}
    holes = evaluation_holes(sources, 60, seed=0)
    assert len(holes) == 10  # a sixth for each language, and only one is there
    for hole in holes:
        assert hole["prefix"] + hole["middle"] + hole["suffix"] in by_path[hole["path"]]
        assert hole["middle"].strip()
        assert "\n" not in hole["middle"]
    assert holes == evaluation_holes(sources, 60, seed=0)


def test_shards_are_written_once_and_announced(tmp_path: Path) -> None:
    sources = texts(12)
    for row in sources[:3]:
        row["split"] = "held-back"
    lines = [json.dumps(row) for row in sources]
    (tmp_path / "texts.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (tmp_path / "merges.txt").write_bytes(MERGES_FILE.read_bytes())
    make_shards(tmp_path, LENGTH, seed=0, processes=1)
    ready = json.loads((tmp_path / "shards" / "READY.json").read_text())
    tokens, middle = (np.load(tmp_path / "shards" / f"train-000{end}.npy") for end in ("", ".middle"))
    assert (tokens.dtype, middle.dtype) == (np.uint16, np.uint8)
    assert tokens.shape == middle.shape
    assert ready["shards"] == ["train-000.npy"]
    assert ready["train_tokens"] == tokens.size
    assert ready["row_tokens"] == LENGTH
    assert {"diet.npy", "heldback.npy"} <= {file.name for file in (tmp_path / "shards").iterdir()}
    assert not list((tmp_path / "shards").glob("*.part"))
    before = (tmp_path / "shards" / "train-000.npy").stat().st_mtime_ns
    make_shards(tmp_path, LENGTH, seed=0, processes=1)
    assert (tmp_path / "shards" / "train-000.npy").stat().st_mtime_ns == before

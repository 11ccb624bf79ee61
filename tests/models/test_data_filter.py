"""Texts to learn from are distinct, permitted, and held back by package."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

pytest.importorskip("datasketch", reason="a part of the extra `train`")

from models.tiny.filter import distinct, hold_back, main, within_budget
from models.tiny.near_duplicates import Seen, similarity, word_runs
from tests.models.sample_code import code, texts


def test_finds_what_is_nearly_the_same_and_nothing_else() -> None:
    seen = Seen()
    first = code("first")
    assert seen.twin_of("first", first) is None
    assert seen.twin_of("edited", first.replace("alpha", "omega", 3)) == "first"
    assert seen.twin_of("other", code("other")) is None
    assert seen.twin_of("empty", "") is None


def test_similarity_is_jaccard() -> None:
    left, right = word_runs("a b c d e f"), word_runs("a b c d e g")
    assert similarity(left, right) == pytest.approx(1 / 3)
    assert len(word_runs("a b")) == 1


def test_drops_twins_and_counts_them() -> None:
    first, *_ = sources = texts(3)
    twin = {**first, "path": "other/copy.py"}
    near = {**first, "path": "other/near.py", "text": first["text"] + "\nprint('one more line')\n"}
    dropped: Counter[str] = Counter()
    assert list(distinct([*sources, twin, near], dropped)) == sources
    assert dropped == {"the same as another": 1, "nearly the same as another": 1}


def test_a_package_is_held_back_whole() -> None:
    sources = [
        {**row, "package": f"python/p{package}", "text": row["text"] * 20} for package in range(40) for row in texts(2)
    ]
    parted = hold_back(sources, seed=0)
    parts: dict[str, set[str]] = {}
    for row in parted:
        parts.setdefault(row["package"], set()).add(row["split"])
    assert {len(splits) for splits in parts.values()} == {1}
    held = [package for package, splits in parts.items() if splits == {"held-back"}]
    assert len(held) == 2  # 6 % of 40, rounded
    assert parted == hold_back(sources, seed=0)
    assert parted != hold_back(sources, seed=1)


def test_the_budget_draws_the_same_files_in_any_order() -> None:
    sources = [{**row, "text": row["text"] * 300} for row in texts(40)]
    kept = within_budget(sources, seed=3)
    assert 0 < len(kept) < len(sources)
    assert {row["path"] for row in kept} == {row["path"] for row in within_budget(sources[::-1], seed=3)}


def test_filter_reads_what_gather_left(tmp_path: Path) -> None:
    folder = tmp_path / "sources" / "npm" / "_scope_x"
    for name, text in {
        "src/a.ts": code("a"), "src/a.test.ts": code("b"), "src/zod/c.ts": code("c"), "lib/a.js": code("d"),
        "src/gnu.ts": "// GNU General Public License\n" + code("e"), "src/latin.ts": "",
    }.items():  # fmt: skip
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "src/latin.ts").write_bytes(code("f").encode("latin-1") + b"\xff" * 10)
    (tmp_path / "manifest.json").write_text(json.dumps([{"ecosystem": "npm", "name": "@scope/x", "licence": "MIT"}]))
    assert main(["--work", str(tmp_path)]) == 0
    rows = [json.loads(line) for line in (tmp_path / "texts.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(row["path"], row["language"], row["licence"]) for row in rows] == [("src/a.ts", "typescript", "MIT")]
    counts = json.loads((tmp_path / "texts.json").read_text())
    assert counts["dropped"] == {"tests and samples": 1, "refused name": 1, "licence": 1, "size": 1}

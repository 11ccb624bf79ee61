"""The catalog is right, and whoever writes a wrong row is told which and what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lsp_server.model_store.bundled import bundled_model
from lsp_server.model_store.catalog import UNKNOWN_TEMPLATE, CatalogEntry, read_catalog
from lsp_server.model_store.errors import CatalogError
from lsp_server.model_store.fit import Memory, budget_bytes, entry_needs_bytes, needed_bytes, recommended
from lsp_server.model_store.inspection import inspect_file
from lsp_server.prompt.fim_templates import TEMPLATES
from models.shapes import TRUE_SHAPE

CATALOG = read_catalog()
GIB = 2**30

FAMILY = {
    "title": "T", "source": "S", "licence": "MIT", "parameters": "1B", "chat": True, "fim_template": "auto",
    "kv_kib_per_token": 2,
}  # fmt: skip
ROW = {
    "name": "n", "family": "f", "repository": "a/b", "file": "n.gguf", "quantization": "Q8_0", "size_gb": 1.5,
}  # fmt: skip


def named(name: str) -> CatalogEntry:
    return next(entry for entry in CATALOG if entry.name == name)


def toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def table(fields: dict[str, Any]) -> str:
    return "\n".join(f"{name} = {toml(value)}" for name, value in fields.items() if value is not None)


def check(folder: Path, row: dict[str, Any], family: dict[str, Any] | None = None) -> tuple[CatalogEntry, ...]:
    """The catalog of one row, which is this one laid over a right one; `None` leaves a field out."""
    path = folder / "catalog.toml"
    text = f"[families.f]\n{table({**FAMILY, **(family or {})})}\n[[models]]\n{table({**ROW, **row})}\n"
    path.write_text(text, encoding="utf-8")
    return read_catalog(path)


def test_a_row(tmp_path: Path) -> None:
    """What the family shares is filled in; the rest has defaults."""
    (entry,) = check(tmp_path, {"min_confidence_percent": 40, "estimates": ["size_gb"]})
    assert (entry.name, entry.repository, entry.size_bytes, entry.kv_bytes_per_token) == (
        "n",
        "a/b",
        1_500_000_000,
        2048,
    )
    assert (entry.licence, entry.chat, entry.recommended, entry.min_confidence_percent) == ("MIT", True, False, 40)
    assert entry.size_is_estimate


@pytest.mark.parametrize(
    ("row", "family", "sentence"),
    [
        ({"size_gb": "big"}, {}, "model 'n': `size_gb` must be a number above 0, got 'big'."),
        ({"size_gb": 0}, {}, "model 'n': `size_gb` must be a number above 0, got 0."),
        ({"size_gb": True}, {}, "model 'n': `size_gb` must be a number above 0, got True."),
        ({"size_gb": None}, {}, "model 'n': `size_gb` is missing."),
        ({"name": None}, {}, "model None: `name` is missing."),
        ({"file": "../n.gguf"}, {}, "model 'n': `file` must be the name of a .gguf file, got '../n.gguf'."),
        ({"repository": "a"}, {}, "model 'n': `repository` must be `owner/name`, got 'a'."),
        ({"estimates": ["x"]}, {}, "model 'n': `estimates` must be a list of fields of the row, got ['x']."),
        (
            {"min_confidence_percent": 101},
            {},
            "`min_confidence_percent` must be a whole number from 0 to 100, got 101.",
        ),
        ({"quantisation": "Q4"}, {}, "model 'n': `quantisation` is unknown; known: name, family,"),
        ({"family": "g"}, {}, "model 'n': `family` names 'g', which the catalog does not have."),
        ({}, {"chat": "yes"}, "family 'f': `chat` must be true or false, got 'yes'."),
        ({}, {"licence": None}, "family 'f': `licence` is missing."),
    ],
)
def test_a_wrong_row(tmp_path: Path, row: dict[str, Any], family: dict[str, Any], sentence: str) -> None:
    """The message names the row and the field, and says what the field may hold."""
    with pytest.raises(CatalogError) as caught:
        check(tmp_path, row, family)
    assert sentence in str(caught.value)
    assert str(tmp_path / "catalog.toml") in str(caught.value)


def test_wrong_files(tmp_path: Path) -> None:
    """A name belongs to one model; a file that is no TOML is named."""
    path = tmp_path / "catalog.toml"
    row = f"[[models]]\n{table(ROW)}\n"
    path.write_text(f"[families.f]\n{table(FAMILY)}\n{row}{row}", encoding="utf-8")
    with pytest.raises(CatalogError, match="two models 'n'"):
        read_catalog(path)
    path.write_text("[[models", encoding="utf-8")
    with pytest.raises(CatalogError, match=r"catalog\.toml cannot be read"):
        read_catalog(path)
    path.write_text("models = [3]\n", encoding="utf-8")
    with pytest.raises(CatalogError, match="must be a table, got 3"):
        read_catalog(path)


@pytest.mark.parametrize("entry", CATALOG, ids=lambda entry: entry.name)
def test_every_row_can_be_used(entry: CatalogEntry) -> None:
    """Templates are known ones, names are easy to type, and only what is part of the package has no repository."""
    assert entry.fim_template in (*TEMPLATES, "auto", UNKNOWN_TEMPLATE)
    assert entry.name == entry.name.lower().strip()
    assert not set(entry.name) & set("/\\ ")
    assert not entry.name.endswith(".gguf")
    assert bool(entry.repository) == (entry.name != "demo")


def test_the_demo_model_is_what_the_catalog_says() -> None:
    """Its size and its cache, from its own header."""
    entry, found = named("demo"), inspect_file(bundled_model())
    assert entry.size_bytes == pytest.approx(found.file_bytes, rel=0.01)
    assert entry.kv_bytes_per_token == found.kv_bytes_per_token
    assert (entry.quantization, entry.fim_template, found.can_fill_in) == (found.quantization, "auto", True)
    assert f"{found.parameters / 1e6:.1f}M" == entry.parameters


def test_ling_coder_lite_is_what_the_catalog_says() -> None:
    """Its cache, from the true shape: 56 KiB a token, 705 MB for all cells."""
    entry = named("ling-coder-lite-q4_k_m")
    elements = 2 * TRUE_SHAPE.layers * TRUE_SHAPE.kv_heads * TRUE_SHAPE.head_dim
    assert entry.kv_bytes_per_token == 2 * elements == 57_344
    assert entry_needs_bytes(entry) == entry.size_bytes + 57_344 * 12_288
    assert needed_bytes(10, 3, cells=4) == 22
    assert {entry.size_bytes for entry in CATALOG if entry.title == "Ling-Coder-Lite" and entry.recommended} == {
        11_200_000_000, 9_300_000_000, 8_200_000_000,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("total_gib", "available_gb", "name"),
    [
        (32, 28, "ling-coder-lite-q4_k_m"),
        (24, 20, "ling-coder-lite-q4_k_m"),
        (16, 16, "ling-coder-lite-iq4_xs"),
        (16, 13.2, "ling-coder-lite-iq4_xs"),
        (16, 12, "ling-coder-lite-i1-iq3_m"),
        (16, 6, "qwen2.5-coder-1.5b-q8_0"),
        (8, 7.5, "qwen2.5-coder-1.5b-q8_0"),
        (8, 5.2, "qwen2.5-coder-1.5b-q8_0"),
        (8, 4.5, "qwen2.5-coder-1.5b-q4_k_m"),
        (4, 3, None),
    ],
)
def test_what_is_recommended(total_gib: int, available_gb: float, name: str | None) -> None:
    """A machine with 16 GB is never offered more than IQ4_XS, one with 8 GB a small model of another family."""
    memory = Memory(total_gib * GIB, round(available_gb * 1e9))
    best = recommended(CATALOG, budget_bytes(memory))
    assert (best and best.name) == name


def test_what_a_model_may_take() -> None:
    """Three GB stay for the rest; what a GPU says of itself counts instead."""
    assert budget_bytes(Memory(64 * GIB, 20_000_000_000)) == 17_000_000_000
    assert budget_bytes(Memory(16 * GIB, 2_000_000_000)) == 0
    assert budget_bytes(Memory(16 * GIB, 2_000_000_000), device_budget_bytes=11 * GIB) == 11 * GIB

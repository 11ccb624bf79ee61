"""Headers and stop texts."""

from __future__ import annotations

import pytest

from lsp_server.prompt import render
from lsp_server.prompt.fim_templates import PREFIX_ONLY, TEMPLATES

QWEN = TEMPLATES["qwen"]


def test_the_header_names_the_file() -> None:
    """As a comment of its language; an untitled document has none."""
    assert render.header("src/a.rs", "rust", QWEN) == "// src/a.rs\n"
    assert render.header(None, "rust", QWEN) == ""


def test_without_markers_the_header_names_the_language() -> None:
    """Nothing else marks the text as code."""
    assert render.header("a.lua", "lua", PREFIX_ONLY) == "-- language: lua\n-- a.lua\n"
    assert render.header(None, "python", PREFIX_ONLY) == "# language: python\n"


@pytest.mark.parametrize(
    ("suffix", "stops"),
    [
        ("", ()),
        ("\n\n", ()),
        ("\n\n    return total  \nmore", ("\n    return total\n",)),
        ("\n}\n", ("\n}\n",)),
        ("  \n\f\nx", ("\nx\n",)),
        (" + offset_x\n", ("+ offset_x",)),
        (")\nnext line", ()),  # too short to end an answer wherever it stands
    ],
)
def test_where_the_model_cannot_see_the_suffix_it_ends_the_answer(suffix: str, stops: tuple[str, ...]) -> None:
    """A whole line with its indentation, so that a longer line which begins alike does not end it."""
    assert render.stop_texts(PREFIX_ONLY, suffix, single_line=False) == stops
    assert render.stop_texts(QWEN, suffix, single_line=False) == ()


def test_inside_a_line_the_line_end_ends_the_answer() -> None:
    """For every layout."""
    assert render.stop_texts(QWEN, ") + 1\n", single_line=True) == ("\n",)
    assert render.stop_texts(PREFIX_ONLY, "; // comment\n", single_line=True) == ("\n", "; // comment")

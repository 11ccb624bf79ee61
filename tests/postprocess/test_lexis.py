"""Which characters are code."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.postprocess.lexis import FILLER, bare, masked


@pytest.mark.parametrize(
    ("language", "text", "code", "opened"),
    [
        ("python", "f('(') # )", 'f("..)  ..', "#"),
        ("python", "x # a\ny", "x  ..\ny", ""),
        ("python", '"""a\n(""" + b', '"...\n.... + b', ""),
        ("python", '"""a\n(', '"...\n.', '"""'),
        ("python", "'a\\'(' + b", '"..... + b', ""),
        ("python", "'not closed (\nb", '"............\nb', ""),
        ("rust", "f::<'a>('(', b'\\'')", 'f::<\'a>(".., b"...)', ""),
        ("c", "a /* ( */ b // )\nc", "a  ...... b  ...\nc", ""),
        ("typescript", "`a\n(` + b", '".\n.. + b', ""),
        ("go", "x := `(", 'x := ".', "`"),
        ("java", 'String a = """\n  (""";', 'String a = "..\n......;', ""),
        ("markdown", 'don\'t (really) "say ("', "don't (really) \"......", ""),
        ("lua", "x -- (\ny", "x  ...\ny", ""),
        ("", 'f("(")', 'f("..)', ""),
    ],
)
def test_strings_and_comments_are_filled(language: str, text: str, code: str, opened: str) -> None:
    """With as many characters as they have, and line ends where they are."""
    found = masked(text, language)
    assert (found.text.replace(FILLER, "."), found.opened) == (code, opened)


def test_a_piece_may_begin_inside() -> None:
    """Of a string or a comment that was opened before it."""
    assert masked('a" + f(', "python", '"').text == FILLER * 2 + " + f("
    assert masked("a\nf(", "python", "#").text == FILLER + "\nf("
    assert bare(masked("f() {  // {", "c").text) == "f() {"


@given(st.text("ab\"'`\\/*#\n (", max_size=30), st.sampled_from(["python", "rust", "typescript", "c", "ruby", ""]))
def test_lines_stay_lines(text: str, language: str) -> None:
    """Nothing moves, and what is read piece by piece is read the same where it is code."""
    found = masked(text, language)
    assert [len(line) for line in found.text.split("\n")] == [len(line) for line in text.split("\n")]

"""The table of languages."""

from __future__ import annotations

import pytest

from lsp_server.documents.languages import LANGUAGES, comment_mark, language_of


@pytest.mark.parametrize(
    ("file_name", "language"),
    [("a.py", "python"), ("src/A.RS", "rust"), ("x.d.ts", "typescript"), ("README", "plaintext"), ("", "plaintext")],
)
def test_endings_name_languages(file_name: str, language: str) -> None:
    """What is not in the table is plain text."""
    assert language_of(file_name) == language


def test_every_language_has_a_mark() -> None:
    """Marks are a word, and unknown languages get one, too."""
    assert comment_mark("klingon") == "#"
    assert all(mark and mark == mark.strip() for mark in map(comment_mark, LANGUAGES))

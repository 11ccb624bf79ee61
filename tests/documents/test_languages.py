"""The table of languages: rows are whole, and every name leads to one."""

from __future__ import annotations

from typing import get_args

import pytest
from tree_sitter_language_pack import SupportedLanguage

from lsp_server.documents import languages
from lsp_server.documents.languages import (
    LANGUAGES,
    UNKNOWN,
    BlockStyle,
    canonical_id,
    comment_mark,
    grammar_of,
    language,
    language_of,
)
from lsp_server.documents.syntax import parse

SPECIFIED = (
    "bat", "bibtex", "clojure", "coffeescript", "c", "cpp", "csharp", "css", "dart", "dockerfile", "elixir", "erlang",
    "fsharp", "go", "groovy", "haskell", "html", "ini", "java", "javascript", "javascriptreact", "json", "latex",
    "less", "lua", "makefile", "markdown", "objective-c", "objective-cpp", "perl", "perl6", "php", "powershell",
    "python", "r", "ruby", "rust", "scss", "sass", "scala", "shellscript", "sql", "swift", "typescript",
    "typescriptreact", "tex", "xml", "yaml",
)  # fmt: skip
"""The ids of programming languages and data that the LSP specification names."""


@pytest.mark.parametrize(
    ("file_name", "language"),
    [
        ("a.py", "python"), ("src/A.RS", "rust"), ("x.d.ts", "typescript"), ("README", "plaintext"), ("", "plaintext"),
        ("Makefile", "makefile"), ("C:\\work\\CMakeLists.txt", "cmake"), ("docker/Dockerfile", "dockerfile"),
        ("a.b/c", "plaintext"), ("go.mod", "go.mod"), (".bashrc", "shellscript"), ("Cargo.lock", "toml"),
    ],
)  # fmt: skip
def test_files_name_languages(file_name: str, language: str) -> None:
    """By their whole name or its ending; what is not in the table is plain text."""
    assert language_of(file_name) == language


@pytest.mark.parametrize("language_id", SPECIFIED)
def test_every_id_of_the_specification_is_known(language_id: str) -> None:
    """It leads to a row that is no guess."""
    assert language(language_id) is not UNKNOWN


@pytest.mark.parametrize("language_id", LANGUAGES)
def test_rows_are_whole(language_id: str) -> None:
    """The grammar is in the pack and parses; blocks that end with keywords say which."""
    row = LANGUAGES[language_id]
    if row.grammar is not None:
        assert row.grammar in get_args(SupportedLanguage)
        assert parse(language_id, None, ["x"]) is not None
    assert (row.blocks is BlockStyle.KEYWORDS) == bool(row.end_keywords)
    assert row.line_comment == row.line_comment.strip()
    assert all(name == name.lower() and "." not in name for name in row.files)
    assert all(name == name.lower() for name in row.names)


def test_every_file_belongs_to_one_language() -> None:
    """Endings and names are in one row only, and other ids lead to rows and are no rows themselves."""
    for kind in ("files", "names"):
        names = [name for row in LANGUAGES.values() for name in getattr(row, kind)]
        assert len(set(names)) == len(names)
    assert set(languages._ALIASES.values()) <= set(LANGUAGES)
    assert not set(languages._ALIASES) & set(LANGUAGES)


@pytest.mark.parametrize(
    ("language_id", "path", "grammar"),
    [
        ("python", None, "python"),
        ("typescriptreact", "a.ts", "tsx"),
        ("c_sharp", None, "csharp"),
        ("sh", None, "bash"),
        ("klingon", "a.go", "go"),
        ("plaintext", "a.go", "go"),
        ("klingon", "a.klingon", None),
        ("plaintext", None, None),
        ("", "", None),
    ],
)
def test_grammars_by_id_and_by_file(language_id: str, path: str | None, grammar: str | None) -> None:
    """The id wins where it says anything."""
    assert grammar_of(language_id, path) == grammar


def test_every_language_has_a_mark() -> None:
    """Marks are a word, and unknown languages get one, too."""
    assert comment_mark("klingon") == "#"
    assert comment_mark("c++") == "//"
    assert canonical_id("klingon") == "klingon"
    assert all(mark and mark == mark.strip() for mark in map(comment_mark, LANGUAGES))

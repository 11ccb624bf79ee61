"""Documents as tests write them: plain text in which `█` is the caret."""

from __future__ import annotations

from lsp_server.documents.open_tree import LateSyntax
from lsp_server.documents.snapshot import DocumentSnapshot
from lsp_server.documents.syntax import parse
from lsp_server.documents.text_lines import split_lines

CARET = "█"


def snapshot(marked: str, *, path: str | None = "main.py", language: str = "python") -> DocumentSnapshot:
    """The document with the caret where `█` stands."""
    before, caret, after = marked.partition(CARET)
    assert caret, "no caret in the text"
    lines_before, lines = split_lines(before), tuple(split_lines(before + after))
    return DocumentSnapshot(
        uri="file:///" + (path or "untitled"),
        path=path,
        language_id=language,
        version=1,
        lines=lines,
        caret_line=len(lines_before) - 1,
        caret_column=len(lines_before[-1]),
        late_syntax=LateSyntax(lambda: parse(language, path, lines)),
    )

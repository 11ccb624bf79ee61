"""Pieces of other files as a prompt shows them: each under a comment that names its file."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lsp_server.context.question import ContextPiece
from lsp_server.documents.languages import comment_mark, language_of

_LINE_END = re.compile(r"[\r\n\u2028\u2029]")


def chunks(pieces: Sequence[ContextPiece]) -> str:
    """What stands before the current file's own header; empty without pieces. Ends with a blank line."""
    shown, path = "", None
    for piece in pieces:
        shown += ("" if piece.path == path else _header(piece.path)) + f"{piece.text.rstrip()}\n\n"
        path = piece.path
    return shown


def _header(path: str) -> str:
    """A comment in the language of the piece; a path is one line, whatever its file is called."""
    return f"{comment_mark(language_of(path))} {_LINE_END.sub(' ', path)}\n" if path else ""

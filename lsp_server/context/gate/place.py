"""Places in a file where a suggestion would be in the way."""

from __future__ import annotations

import re

from lsp_server.documents.languages import language
from lsp_server.documents.scopes import Scope
from lsp_server.documents.snapshot import DocumentSnapshot
from lsp_server.settings import Settings

_LONGEST_LINE_CHARACTERS = 2000
"""A quarter to a half of the prompt's budget: with a longer line the model sees nothing else."""

_NEAR_LINES = 60
"""What the model sees around the caret is about that much."""
_CONFLICT = re.compile(r"(?:<{7}|>{7}|\|{7})(?: |\r?\n?$)")

_INERT = re.compile(
    r"""(?:\s|[)\]}>"'`]|/>|\*/|-->|\?>|%>|</[\w.:-]*>|[;,])*   # closers, and ends of statements
        (?:[:{]\s*)?                                           # what begins a block""",
    re.VERBOSE,
)


def line_too_long(snapshot: DocumentSnapshot, _: Settings) -> bool:
    """The caret's line fills the prompt."""
    return len(snapshot.lines[snapshot.caret_line]) > _LONGEST_LINE_CHARACTERS


def merge_conflict(snapshot: DocumentSnapshot, _: Settings) -> bool:
    """Markers of a conflict are near: there are two texts, and neither is code."""
    first = max(0, snapshot.caret_line - _NEAR_LINES)
    return any(map(_CONFLICT.match, snapshot.lines[first : snapshot.caret_line + _NEAR_LINES + 1]))


def in_a_word(snapshot: DocumentSnapshot, _: Settings) -> bool:
    """The caret has a letter on either side."""
    return _is_word(snapshot.line_before_caret[-1:]) and _is_word(snapshot.line_after_caret[:1])


def mid_line(snapshot: DocumentSnapshot, _: Settings) -> bool:
    """To the right of the caret is more than closers, the end of a statement and the beginning of a block."""
    return _INERT.fullmatch(snapshot.line_after_caret) is None


def in_comment(snapshot: DocumentSnapshot, settings: Settings) -> bool:
    """`lingCoder.inComments` is off and the caret is in one."""
    return not settings.in_comments and _scope(snapshot) is Scope.COMMENT


def in_string(snapshot: DocumentSnapshot, settings: Settings) -> bool:
    """`lingCoder.inStrings` is off and the caret is in one."""
    return not settings.in_strings and _scope(snapshot) is Scope.STRING


def _is_word(character: str) -> bool:
    return character.isalnum() or character in ("_", "$")


def _scope(snapshot: DocumentSnapshot) -> Scope:
    """By the tree. Without one, a line that begins like a comment is one."""
    if snapshot.syntax is not None:
        return snapshot.syntax.scope_at(snapshot.caret_offset)
    mark = language(snapshot.language_id, snapshot.path).line_comment
    before = snapshot.line_before_caret.lstrip()
    return Scope.COMMENT if mark and before.startswith(mark) else Scope.CODE

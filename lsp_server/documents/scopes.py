"""Whether a caret stands in code, in a comment or in a string, by the types of the nodes around it."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from tree_sitter import Node

if TYPE_CHECKING:
    from lsp_server.documents.syntax import Syntax


class Scope(Enum):
    """What a caret stands in."""

    CODE = "code"
    COMMENT = "comment"
    STRING = "string"


_COMMENT = ("comment", "comment_content", "comment_text")
_STRING = ("string", "string_literal", "string_lit", "string_expression", "char_literal", "character_literal",
           "character", "rune_literal", "heredoc_body", "string_value", "quoted_scalar", "string_line")  # fmt: skip
_INSIDE_OF_A_STRING = ("string_content", "string_fragment", "string_text", "heredoc_content", "template_chars",
                       "str_text", "character_content", "literal_content", "string_literal_content")  # fmt: skip
"""Types of what stands between the quotes: a caret at either of its ends is inside."""
_CODE_IN_A_STRING = ("interpolation", "template_substitution", "interpolated_expression", "command_substitution",
                     "expansion", "string_interpolation", "interpolation_expression")  # fmt: skip
_QUOTES = ('"', "'", "`", '"""', "'''", "string_start")


def scope_of(syntax: Syntax, offset: int) -> Scope:
    """What a caret stands in: decided by the innermost node that is a comment, a string, or code within one."""
    if offset <= 0:
        return Scope.CODE
    for node in syntax.nodes_at(offset - 1):  # the node of the character before the caret
        kind = _kind_of(node, syntax, offset)
        if kind is not None:
            return kind
    return Scope.STRING if _follows_a_loose_quote(syntax, offset) else Scope.CODE


def _kind_of(node: Node, syntax: Syntax, offset: int) -> Scope | None:
    start, end, name = syntax.start_of(node), syntax.end_of(node), node.type
    if not node.is_named:
        return None
    inside = start < offset < end
    if name.endswith(_CODE_IN_A_STRING):
        return Scope.CODE if inside else None
    if name.endswith(_COMMENT):
        return Scope.COMMENT if inside or (offset == end and _is_open_ended(syntax, node)) else None
    if name.endswith(_INSIDE_OF_A_STRING):
        return Scope.STRING if start <= offset <= end else None
    if name.endswith(_STRING) and not name.startswith("concatenated"):
        return Scope.STRING if inside or (offset == end and _misses_its_end(node)) else None
    return None


def _follows_a_loose_quote(syntax: Syntax, offset: int) -> bool:
    """Whether the last quote before the caret begins a string that the parser could make nothing of."""
    _, column = syntax.place_of(offset)
    before = syntax.text_between(offset - column, offset)
    quote = max(map(before.rfind, "\"'`"))
    leaf = syntax.node_at(offset - column + quote) if quote >= 0 else None
    return leaf is not None and leaf.type in _QUOTES and leaf.parent is not None and leaf.parent.is_error


def _is_open_ended(syntax: Syntax, comment: Node) -> bool:
    """Whether what is typed behind a comment belongs to it: it ends with the line, or is not closed."""
    end = syntax.end_of(comment)
    last = syntax.text_between(end - 2, end)
    return last not in ("*/", "->", "-}", "*)", "|#", "]]", "#}", "%}") and not last.endswith(("\n", "\r"))


def _misses_its_end(string: Node) -> bool:
    last = string.child(string.child_count - 1) if string.child_count else None
    return last is not None and last.is_missing

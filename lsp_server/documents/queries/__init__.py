"""Hand-written tree-sitter queries, one file a grammar: definitions, scopes, imports, references.

What the captures mean:

- `@definition.KIND` with `@name` (or `@declarator`, which holds the name), `@body` (what a signature leaves out) and
  `@container` (the type that a definition outside of it belongs to); `@inside` is a body whose members belong to
  `@container`.
- `@scope` with `@scope.body`: what a reader must know the head of to understand the body.
- `@import` or `@reexport` with `@module`, `@name`, `@alias`, `@default`, `@everything`; `@package`.
- `@reference`: a name in use.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import cast

from tree_sitter import Node, Query, QueryCursor
from tree_sitter_language_pack import SupportedLanguage, get_language

from lsp_server.documents.encoded_lines import BYTES_PER_CHARACTER

_FOLDER = Path(__file__).parent
_SAME_QUERY = {"tsx": "typescript"}
"""Grammars that differ only in what no query asks for."""
_REFERENCE = "@reference"

Match = tuple[int, dict[str, list[Node]]]
"""Number of the pattern, and the nodes of each capture."""


def grammars() -> tuple[str, ...]:
    """The grammars that have a query of their own."""
    return tuple(sorted([*(path.stem for path in _FOLDER.glob("*.scm")), *_SAME_QUERY]))


def source(grammar: str) -> str:
    """The text of a grammar's query; empty where there is none."""
    path = _FOLDER / f"{_SAME_QUERY.get(grammar, grammar)}.scm"
    return path.read_text(encoding="utf-8") if path.exists() else ""


def structure(grammar: str, root: Node) -> list[Match]:
    """Definitions, scopes and imports of a whole tree. Empty where the grammar has no query."""
    query = _query(grammar, references=False)
    return QueryCursor(query).matches(root) if query is not None else []


def references(grammar: str, root: Node, start_offset: int, end_offset: int) -> list[Node]:
    """Names in use in a part of a tree, in their order."""
    query = _query(grammar, references=True)
    if query is None:
        return []
    cursor = QueryCursor(query)
    cursor.set_byte_range(start_offset * BYTES_PER_CHARACTER, end_offset * BYTES_PER_CHARACTER)
    nodes = cursor.captures(root).get("reference", [])
    return sorted(nodes, key=lambda node: node.start_byte)


@lru_cache(maxsize=64)
def _query(grammar: str, *, references: bool) -> Query | None:
    """One half of a grammar's file: names in use are many, and of interest only near the caret."""
    lines = source(grammar).splitlines()
    half = "\n".join(line for line in lines if line.endswith(_REFERENCE) == references)
    return Query(get_language(cast("SupportedLanguage", grammar)), half) if half else None

"""What a file defines, with signatures: by its grammar's query or, where there is none, by the shape of its nodes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tree_sitter import Node

from lsp_server.context import node_shapes
from lsp_server.documents import queries
from lsp_server.documents.syntax import Syntax

LONGEST_SIGNATURE_CHARACTERS = 600
_MOST_LINES = 12
_FUNCTIONS = frozenset({"function", "method", "macro"})
_CONTAINERS = frozenset({"class", "struct", "interface", "enum", "module", "type"})
_WRAPPERS = frozenset({"decorated_definition", "export_statement", "template_declaration", "ambient_declaration",
                       "type_declaration", "lexical_declaration", "var_declaration", "const_declaration"})  # fmt: skip
"""What stands around a definition and belongs to its signature."""
_NAMES = frozenset({"identifier", "field_identifier", "type_identifier", "destructor_name", "operator_name"})
_LONE = frozenset({"variable", "field", "constant"})
"""Kinds of which the first line says enough."""


@dataclass(frozen=True, slots=True)
class Definition:
    """One definition. Lines are 1-based."""

    name: str
    kind: str
    container: str
    """The type or module that it is a member of; empty at the top of a file."""
    signature: str
    """Its head as it stands in the file, with its indentation and without its body."""
    first_line: int
    last_line: int
    start: int
    """Offset of the definition in its file."""
    end: int


@dataclass(frozen=True, slots=True)
class _Found:
    node: Node
    kind: str
    name: str
    container: str
    body: Node | None
    pattern: int


def definitions(syntax: Syntax, matches: Sequence[queries.Match]) -> list[Definition]:
    """What is defined at the top of a file and in the types and modules there, in the order of the file.

    Args:
        syntax: the file's tree.
        matches: what `queries.structure` found in it; empty for a grammar without a query.
    """
    found = list(_by_query(syntax, matches)) if matches else list(_by_shape(syntax))
    best: dict[tuple[int, str], _Found] = {}
    for each in sorted(found, key=lambda each: each.pattern):
        best.setdefault((each.node.start_byte, each.name), each)
    return list(_nested(syntax, sorted(best.values(), key=lambda each: (each.node.start_byte, -each.node.end_byte))))


def _by_query(syntax: Syntax, matches: Sequence[queries.Match]) -> Iterator[_Found]:
    for pattern, captures in matches:
        kind = next((name for name in captures if name.startswith(("definition.", "inside"))), None)
        if kind is None:
            continue
        name, scope = _name(syntax, captures)
        container = _text(syntax, captures["container"][0]) if "container" in captures else scope
        node = captures[kind][0]
        if name or kind == "inside":
            body = captures["body"][0] if "body" in captures else None
            yield _Found(node, kind.removeprefix("definition."), name, container, body, pattern)


def _by_shape(syntax: Syntax) -> Iterator[_Found]:
    for shape in node_shapes.definitions(syntax.root):
        yield _Found(shape.node, shape.kind, _text(syntax, shape.name), "", shape.body, 0)


def _name(syntax: Syntax, captures: dict[str, list[Node]]) -> tuple[str, str]:
    """The name of a definition and the scope that is written before it (`A` of `A::f`)."""
    if "name" in captures:
        return _text(syntax, captures["name"][0]), ""
    node: Node | None = captures["declarator"][0] if "declarator" in captures else None
    scope = ""
    while node is not None and node.type not in _NAMES:
        if node.type == "qualified_identifier":
            before = node.child_by_field_name("scope")
            scope = _text(syntax, before) if before is not None else scope
            node = node.child_by_field_name("name")
        else:
            inner = node.child_by_field_name("declarator")
            node = inner if inner is not None else next((each for each in node.named_children if _declares(each)), None)
    return (_text(syntax, node), scope) if node is not None else ("", "")


def _declares(node: Node) -> bool:
    return node.type in _NAMES or node.type.endswith(("declarator", "identifier"))


def _nested(syntax: Syntax, found: list[_Found]) -> Iterator[Definition]:
    """Those that are not local to a function, each with the name of what is around it."""
    around: list[_Found] = []
    for each in found:
        while around and around[-1].node.end_byte <= each.node.start_byte:
            around.pop()
        is_local = any(outer.kind in _FUNCTIONS for outer in around)
        outer_container = next((outer for outer in reversed(around) if outer.kind in {*_CONTAINERS, "inside"}), None)
        around.append(each)
        if is_local or each.kind == "inside":
            continue
        container = each.container
        if not container and outer_container is not None:
            container = outer_container.container if outer_container.kind == "inside" else outer_container.name
        kind = "method" if each.kind == "function" and container else each.kind
        yield _definition(syntax, each, kind, container)


def _definition(syntax: Syntax, found: _Found, kind: str, container: str) -> Definition:
    node = _with_wrappers(found.node)
    start, end = syntax.start_of(node), syntax.end_of(node)
    line, column = syntax.place_of(start)
    before = syntax.lines[line][:column]
    head_end = syntax.start_of(found.body) if found.body is not None else end
    signature = syntax.text_between(start, min(head_end, start + LONGEST_SIGNATURE_CHARACTERS)).rstrip()
    if kind == "type" and found.body is not None:  # `typedef struct {...} name;`
        signature += " " + syntax.text_between(syntax.end_of(found.body), end).strip()
    lines = signature.splitlines()[: 1 if kind in _LONE else _MOST_LINES]
    signature = (before if not before.strip() else "") + "\n".join(each.rstrip() for each in lines)
    last_line = syntax.place_of(max(start, end - 1))[0] + 1
    return Definition(found.name, kind, container, signature, line + 1, last_line, start, end)


def _with_wrappers(node: Node) -> Node:
    """A definition with `export`, decorators or `template <...>` before it."""
    parent = node.parent
    while parent is not None and parent.type in _WRAPPERS and parent.named_child_count <= _MOST_LINES:
        is_lone = parent.type == "decorated_definition" or parent.type == "template_declaration"
        if not is_lone and parent.start_point[0] != node.start_point[0]:
            break
        node, parent = parent, parent.parent
    return node


def _text(syntax: Syntax, node: Node) -> str:
    return syntax.text_between(syntax.start_of(node), syntax.end_of(node))

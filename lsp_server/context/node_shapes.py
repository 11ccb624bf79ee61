"""Definitions and imports in grammars without a query: most call these nodes alike, and give them names and bodies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tree_sitter import Node

_KINDS = (
    ("class", ("class", "struct", "record", "object", "protocol", "contract", "message", "impl", "extension")),
    ("interface", ("interface", "trait")),
    ("enum", ("enum",)),
    ("module", ("module", "namespace", "mod_")),
    ("function", ("function", "method", "subroutine", "procedure", "constructor", "def", "fun_", "rpc", "func")),
    ("type", ("type_alias", "type_definition", "typealias")),
)
"""A kind, and what the types of its nodes contain. The order decides."""
_ENDINGS = ("_definition", "_declaration", "_item", "_decl", "_def", "_statement", "_specifier", "_method")
_PLAIN = frozenset(
    {"class", "module", "method", "function", "singleton_method", "struct", "enum", "message", "service"}
)
_NAMES = ("identifier", "constant", "name", "word", "atom", "message_name", "enum_name", "service_name", "rpc_name")
_BODIES = ("body", "block", "statements", "declaration_list", "suite", "members")
_IMPORTS = ("import", "include", "require", "use_declaration", "using_directive", "open_", "namespace_use")
_DEEPEST = 8
_MOST_CHILDREN = 5_000


@dataclass(frozen=True, slots=True)
class Shape:
    """A node that looks like a definition."""

    node: Node
    kind: str
    name: Node
    body: Node | None


def definitions(root: Node) -> Iterator[Shape]:
    """What looks like a definition, outside of functions; each node before those in it."""
    waiting = [(root, 0)]
    while waiting:
        node, depth = waiting.pop()
        shape = _shape_of(node)
        if shape is not None:
            yield shape
        if depth < _DEEPEST and (shape is None or shape.kind != "function"):
            waiting += [(child, depth + 1) for child in reversed(node.named_children[:_MOST_CHILDREN])]


def imports(root: Node) -> Iterator[Node]:
    """What looks like an import, near the top of the tree."""
    for child in root.named_children[:_MOST_CHILDREN]:
        if child.type.startswith(_IMPORTS):
            yield child
        else:
            yield from (each for each in child.named_children[:64] if each.type.startswith(_IMPORTS))


def _shape_of(node: Node) -> Shape | None:
    name_of_type = node.type
    if not node.is_named or not (name_of_type in _PLAIN or name_of_type.endswith(_ENDINGS)):
        return None
    kind = next((kind for kind, parts in _KINDS if any(part in name_of_type for part in parts)), None)
    name = node.child_by_field_name("name") if kind is not None else None
    if kind is not None and name is None:
        name = next((child for child in node.named_children[:6] if child.type.endswith(_NAMES)), None)
    if kind is None or name is None:
        return None
    body = node.child_by_field_name("body")
    if body is None:
        body = next((child for child in node.named_children if child.type.endswith(_BODIES)), None)
    return Shape(node, kind, name, body)

"""What a file imports: one row for each name, as the file writes it. Where the names lead is `import_paths.py`'s."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tree_sitter import Node

from lsp_server.context import node_shapes
from lsp_server.documents import queries
from lsp_server.documents.syntax import Syntax

_QUOTED = re.compile(r"[\"'<]([^\"'<>]+)[\"'>]")
_MOST_IMPORTS = 2_000


@dataclass(frozen=True, slots=True)
class Import:
    """One name that comes from elsewhere."""

    module: str
    """As written: `..a.b`, `./x`, `a/b`, `crate::a`, `x.h`."""
    name: str
    """What of the module; empty for the module itself, `*` for everything in it, `default` as in JavaScript."""
    local: str
    """What this file calls it."""
    line: int
    """1-based."""
    is_reexport: bool = False
    """It is not for this file, but for those that import this file."""


def imports(syntax: Syntax, matches: Sequence[queries.Match]) -> list[Import]:
    """The imports of a file in its order, each once.

    Args:
        syntax: the file's tree.
        matches: what `queries.structure` found in it; empty for a grammar without a query.
    """
    found = _by_query(syntax, matches) if matches else _by_shape(syntax)
    unique = list(dict.fromkeys(found))[:_MOST_IMPORTS]
    named = {(each.module, each.line) for each in unique if each.name not in ("", "*") or each.local}
    bare = (each for each in unique if each.name in ("", "*") and not each.local)
    superfluous = {each for each in bare if (each.module, each.line) in named}
    rows = (each for each in unique if each not in superfluous)
    return sorted(rows, key=lambda each: each.line)


def _by_query(syntax: Syntax, matches: Sequence[queries.Match]) -> Iterator[Import]:
    for _, captures in matches:
        kind = next((kind for kind in ("import", "reexport") if kind in captures), None)
        if kind is None and "require" in captures and _text(syntax, captures["require"][0]) != "require":
            continue
        if kind is not None and not ("require" in captures and _text(syntax, captures["require"][0]) != "require"):
            yield from _of_match(syntax, captures, captures[kind][0], is_reexport=kind == "reexport")


def _of_match(
    syntax: Syntax, captures: dict[str, list[Node]], statement: Node, *, is_reexport: bool
) -> Iterator[Import]:
    line = syntax.place_of(syntax.start_of(statement))[0] + 1
    written = _text(syntax, captures["module"][0])
    if syntax.grammar == "rust":
        yield from (Import(*parts, line) for parts in _uses(written, is_module=statement.type == "mod_item"))
        return
    quoted = _QUOTED.fullmatch(written)
    module = quoted[1] if quoted is not None else written.strip("`")
    texts = {name: _text(syntax, captures[name][0]) for name in ("name", "alias", "default") if name in captures}
    name = texts.get("name", "")
    if "default" in texts:
        name, texts["alias"] = "default", texts["default"]
    elif "everything" in captures or (is_reexport and not name):
        name = "*"
    if syntax.grammar == "java" and name != "*":
        module, _, name = module.rpartition(".")
    local = texts.get("alias") or (name if name != "*" else "")
    yield Import(module, name, local or _last(syntax.grammar, module, name), line, is_reexport)


def _last(grammar: str, module: str, name: str) -> str:
    """What a file calls a module that it imports under no other name."""
    if name == "*" or grammar in ("c", "cpp", "javascript", "typescript", "tsx"):
        return ""
    return module.rpartition("/")[2] if grammar == "go" else module.partition(".")[0]


def _by_shape(syntax: Syntax) -> Iterator[Import]:
    for node in node_shapes.imports(syntax.root):
        text = _text(syntax, node)[:300]
        quoted = _QUOTED.search(text)
        words = re.findall(r"[\w.:\\/-]+", text)
        module = quoted[1] if quoted else words[-1] if words else ""
        local = re.split(r"[.:\\/]+", module)[-1]
        yield Import(module, "", local, syntax.place_of(syntax.start_of(node))[0] + 1)


def _uses(written: str, *, is_module: bool) -> list[tuple[str, str, str]]:
    """Module, name and local name of each leaf of a Rust `use` tree."""
    if is_module:
        return [(f"self::{written}", "", written)]
    return [leaf for leaf in _leaves("", re.sub(r"\s+", " ", written)) if leaf[2] != "_"]


def _leaves(before: str, tree: str) -> list[tuple[str, str, str]]:
    tree = tree.strip()
    head, brace, rest = tree.partition("{")
    if brace:
        inner = rest.rpartition("}")[0]
        return [leaf for part in _split(inner) for leaf in _leaves(before + head.strip(), part)]
    path, _, alias = tree.partition(" as ")
    path = (before + path.strip()).removesuffix("::self")
    module, _, name = path.rpartition("::")
    return [(module or path, name if module else "", alias.strip() or (name if name != "*" else ""))] if path else []


def _split(text: str) -> Iterator[str]:
    """At the commas that are in no braces."""
    depth, start = 0, 0
    for place, each in enumerate(text):
        depth += {"{": 1, "}": -1}.get(each, 0)
        if each == "," and depth == 0:
            yield text[start:place]
            start = place + 1
    yield text[start:]


def _text(syntax: Syntax, node: Node) -> str:
    return syntax.text_between(syntax.start_of(node), syntax.end_of(node))

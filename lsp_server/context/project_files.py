"""What project files say about where modules lie: `go.mod`, `tsconfig.json`, `package.json`, `Cargo.toml`."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable, Iterator

PROJECT_FILES = frozenset(
    {"go.mod", "tsconfig.json", "jsconfig.json", "tsconfig.base.json", "package.json", "Cargo.toml"}
)

_COMMENT = re.compile(r'("(?:[^"\\\n]|\\.)*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
_COMMA = re.compile(r'("(?:[^"\\\n]|\\.)*")|,(?=\s*[}\]])')
_GO_MODULE = re.compile(r"^module\s+\"?([^\s\"]+)", re.MULTILINE)
_CARGO_PACKAGE = re.compile(r"^\[package\][^\[]*?^name\s*=\s*\"([^\"]+)\"", re.MULTILINE)
_LIBRARY = re.compile(r"^\[lib\][^\[]*?^name\s*=\s*\"([^\"]+)\"", re.MULTILINE)

Root = tuple[str, str]
"""A kind (`go`, `alias`, `package`, `crate`), and what it says of the file's folder."""


def roots(path: str, text: str) -> list[Root]:
    """What a project file says; nothing when it says nothing or cannot be understood."""
    reader = _READERS.get(posixpath.basename(path))
    return list(reader(text)) if reader is not None else []


def _go(text: str) -> Iterator[Root]:
    if (found := _GO_MODULE.search(text)) is not None:
        yield "go", found[1]


def _cargo(text: str) -> Iterator[Root]:
    found = _LIBRARY.search(text) or _CARGO_PACKAGE.search(text)
    if found is not None:
        yield "crate", found[1]


def _package(text: str) -> Iterator[Root]:
    name = _object(text).get("name")
    if isinstance(name, str) and name:
        yield "package", name


def _typescript(text: str) -> Iterator[Root]:
    options = _object(text).get("compilerOptions")
    if not isinstance(options, dict):
        return
    base = options.get("baseUrl")
    place = base if isinstance(base, str) else "."
    paths = options.get("paths")
    for pattern, targets in paths.items() if isinstance(paths, dict) else ():
        for target in targets if isinstance(targets, list) else ():
            if isinstance(target, str):
                yield "alias", f"{pattern}\n{posixpath.join(place, target)}"
    if isinstance(base, str):
        yield "alias", f"*\n{posixpath.join(base, '*')}"


def _object(text: str) -> dict[str, object]:
    """JSON as these files hold it: with comments and commas too many."""
    text = _COMMENT.sub(lambda found: found[1] or " ", text)
    try:
        value = json.loads(_COMMA.sub(lambda found: found[1] or "", text))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


_READERS: dict[str, Callable[[str], Iterator[Root]]] = {
    "go.mod": _go,
    "Cargo.toml": _cargo,
    "package.json": _package,
    "tsconfig.json": _typescript,
    "tsconfig.base.json": _typescript,
    "jsconfig.json": _typescript,
}

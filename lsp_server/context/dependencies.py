"""Files in the order in which one would have to read them: what is imported before what imports it."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping, Sequence

from lsp_server.context.imports import Import

_FOR_THE_FOLDER = frozenset({"__init__", "index", "mod", "lib"})
"""Files that are imported by the name of their folder."""


def dependencies_first(paths: Iterable[str], imports: Mapping[str, Sequence[Import]]) -> list[str]:
    """The paths so that files come after those that they import; by name where there is a choice or a circle.

    Modules and files are matched by the last part of their names: for an order a guess is good enough.
    """
    left = sorted(set(paths))
    known_as: dict[str, set[str]] = {}
    for path in left:
        known_as.setdefault(_name(path), set()).add(path)
    needs = {path: {other for each in imports.get(path, ()) for other in _meant(each, known_as)} for path in left}
    ordered: list[str] = []
    while left:
        free = next((path for path in left if not (needs[path] - {path}).intersection(left)), left[0])
        ordered.append(free)
        left.remove(free)
    return ordered


def _name(path: str) -> str:
    folder, name = posixpath.split(path)
    stem = name.partition(".")[0]
    return posixpath.basename(folder) if stem in _FOR_THE_FOLDER and folder else stem


def _meant(import_: Import, known_as: Mapping[str, set[str]]) -> set[str]:
    """The files that may be meant: by the name of the module or, where that is a file, of what is taken from it."""
    module = import_.module.replace("::", "/").replace("\\", "/")
    module = module.rstrip("./").rpartition("/")[2] if "/" in module else module
    for ending in (".js", ".ts", ".h", ".hpp", ".hh"):
        module = module.removesuffix(ending)
    return known_as.get(module.rpartition(".")[2], set()) | known_as.get(import_.name, set())

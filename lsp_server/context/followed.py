"""Where an import leads in the end: through packages and index files that only pass a name on."""

from __future__ import annotations

from itertools import islice

from lsp_server.context.import_paths import Target, nearest_first, resolve
from lsp_server.context.imports import Import
from lsp_server.context.index.lookup import Index

TOO_COMMON = 12
"""A name that is defined so often says nothing."""
_MOST_FILES = 3
"""A name is followed through so many files."""
_MOST_PASSED_ON = 40
_PASSING = ("python", "javascript", "typescript", "tsx")
"""Grammars of languages in which files pass on what they import."""


def leads_to(import_: Import, path: str, grammar: str, index: Index) -> list[tuple[str, str]]:
    """Files, each with the name that is taken from it (empty for everything), that an import in `path` leads to."""
    return _leads_to(import_, path, grammar, index, _MOST_FILES)


def _leads_to(import_: Import, path: str, grammar: str, index: Index, depth: int) -> list[tuple[str, str]]:
    target = resolve(import_, path, grammar, index)
    if target is None:
        return []
    found = [(each, "" if target.name == "*" else target.name) for each in target.paths]
    if depth > 0 and grammar in _PASSING:
        for each in target.paths[:1]:
            found += _passed_on(target, each, index, depth - 1)
    return list(dict.fromkeys(found))


def _passed_on(target: Target, path: str, index: Index, depth: int) -> list[tuple[str, str]]:
    """Where a file has a name from that it does not define, or all that it passes on."""
    grammar = index.grammar(path)
    if not target.name or target.name == "*":
        is_package = path.endswith("__init__.py")
        passed = (
            each for each in index.imports_of(path) if each.is_reexport or (is_package and each.module.startswith("."))
        )
        return [found for each in islice(passed, _MOST_PASSED_ON) for found in _leads_to(each, path, grammar, index, 0)]
    if index.defines(path, target.name):
        return []
    imports = index.imports_of(path)
    taken = next((each for each in imports if each.local == target.name), None)
    if taken is not None:
        return _leads_to(taken, path, grammar, index, depth)
    if any(each.name == "*" for each in imports):  # whichever of them it is: the nearest definition, most likely
        known = (each for each in index.definitions_named([target.name], TOO_COMMON) if not each.definition.container)
        return [(each, target.name) for each in nearest_first((one.path for one in known), path)[:1]]
    return []

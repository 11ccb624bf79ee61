"""The order of files in a prompt."""

from __future__ import annotations

from lsp_server.context.dependencies import dependencies_first
from lsp_server.context.imports import Import


def check(**imports: str) -> list[str]:
    """The order of `name=modules` of files that are called `name.py`."""
    rows = {f"{name}.py": [Import(each, "x", "x", 1) for each in modules.split()] for name, modules in imports.items()}
    return [path.removesuffix(".py") for path in dependencies_first(rows, rows)]


def test_what_is_imported_comes_first() -> None:
    """However the names stand in the alphabet."""
    assert check(a="b", b="c", c="") == ["c", "b", "a"]


def test_by_name_where_there_is_a_choice() -> None:
    """So that the order is always the same."""
    assert check(c="", a="", b="") == ["a", "b", "c"]


def test_circles_end() -> None:
    """Somewhere one has to begin; what hangs on the circle still comes after it."""
    assert check(a="b", b="a", c="a") == ["a", "b", "c"]


def test_modules_are_known_by_their_last_part() -> None:
    """Dots, slashes, colons, endings, and files that stand for their folder."""
    rows = {
        "a.ts": [Import("./lib/zoo.js", "Zoo", "Zoo", 1), Import("../yard", "y", "y", 2)],
        "lib/zoo.ts": [],
        "yard/index.ts": [],
    }
    assert dependencies_first(rows, rows) == ["lib/zoo.ts", "yard/index.ts", "a.ts"]
    assert dependencies_first(["a.rs", "z.rs"], {"a.rs": [Import("crate::z", "X", "X", 1)]}) == ["z.rs", "a.rs"]
    assert dependencies_first(["a.c", "z.h"], {"a.c": [Import("lib/z.h", "", "", 1)]}) == ["z.h", "a.c"]

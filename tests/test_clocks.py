"""A wall clock that jumps, as after suspend or by a time server, ends no request early and keeps none for ever."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import lsp_server

PACKAGE = Path(lsp_server.__file__).parent
WALL_CLOCKS = {
    "time.time", "time.time_ns", "time.localtime", "time.gmtime",
    "datetime.now", "datetime.utcnow", "datetime.today", "date.today",
}  # fmt: skip
SHOWN_ONLY = {"trace.py": ["time.gmtime", "time.time"]}
"""It tells people when something was, and nothing depends on it."""


def wall_clocks(source: str) -> Iterator[str]:
    """What in a file asks for the time of day: `module.function`, or a function imported from its module."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, (ast.Name, ast.Attribute)):
            owner = node.value.id if isinstance(node.value, ast.Name) else node.value.attr
            if f"{owner}.{node.attr}" in WALL_CLOCKS:
                yield f"{owner}.{node.attr}"
        if isinstance(node, ast.ImportFrom):
            yield from {f"{node.module}.{name.name}" for name in node.names} & WALL_CLOCKS


def test_only_clocks_that_never_jump_are_used() -> None:
    """Deadlines, pauses and measurements go by `time.monotonic` and `time.perf_counter`, as asyncio's own do."""
    for path in PACKAGE.rglob("*.py"):
        found = sorted(wall_clocks(path.read_text(encoding="utf-8")))
        allowed = SHOWN_ONLY.get(path.relative_to(PACKAGE).as_posix(), [])
        assert found == allowed, f"{path.relative_to(PACKAGE)} asks for the time of day"


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import time\ntime.time()", ["time.time"]),
        ("import datetime\ndatetime.datetime.now()", ["datetime.now"]),
        ("from time import time_ns", ["time.time_ns"]),
        ("import time\ntime.monotonic()", []),
        ("self.time.start()", []),
    ],
)
def test_the_check_misses_nothing(source: str, found: list[str]) -> None:
    """Both ways to name a function."""
    assert list(wall_clocks(source)) == found

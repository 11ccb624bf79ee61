"""Names that the demo model never learns from: collections of test questions and the projects we measure with."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

BENCHMARKS = ("humaneval", "crosscodeeval", "cceval")
"""Refused wherever they stand in a name, as in `HumanEvalPack`."""
_MULTIPL_E = re.compile(r"multipl[-_ .]e(?![a-z])", re.IGNORECASE)

PROJECTS = frozenset(
    {
        "click", "pytest", "hono", "zod", "fzf", "caddy", "caddyserver", "ripgrep", "axum", "libuv", "jq", "fastapi",
        "starlette", "huggingfacehub", "picklescan", "lance", "lancedb", "pylance", "helix", "cached", "asyncexecutor",
        "constrandom", "iots", "vscodecopilotchat",
    }
)  # fmt: skip
"""Written without the marks between words."""
PARTS_OF_PROJECTS = frozenset({"globset", "ignore", "grep"})
"""Packages that ripgrep's repository publishes; too common a word for a folder's name."""


def refused_package(name: str) -> bool:
    """Whether a package of this name, in any ecosystem's spelling, is refused: `librust-axum-core-dev` is axum's."""
    words = _words(name)
    runs = ("".join(words[start:end]) for start in range(len(words)) for end in range(start + 1, len(words) + 1))
    return _is_benchmark(name) or _any_project(runs, PROJECTS | PARTS_OF_PROJECTS)


def refused_path(path: str) -> bool:
    """Whether a part of the path says that this is a copy of a refused project: `_vendor/click-8.1/core.py`."""
    parts = PurePosixPath(path).parts
    names = [*parts[:-1], parts[-1].partition(".")[0]] if parts else []
    return _is_benchmark(path) or _any_project(map(_without_version, names), PROJECTS)


def mentions_benchmark(text: str) -> bool:
    """Whether a file's text names one of the collections."""
    return _is_benchmark(text) or "has_close_elements" in text


def _any_project(names: Iterable[str], projects: frozenset[str]) -> bool:
    return any(name in projects or name.rstrip("0123456789") in projects for name in names)


def _is_benchmark(text: str) -> bool:
    squeezed = re.sub(r"[-_ .]", "", text.lower())
    return any(name in squeezed for name in BENCHMARKS) or _MULTIPL_E.search(text) is not None


def _words(name: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", name.lower())


def _without_version(part: str) -> str:
    words = _words(part)
    while len(words) > 1 and words[-1].isdecimal():
        words.pop()
    return "".join(words)

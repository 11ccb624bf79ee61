"""What the steps of the recipe share: the work folder, its files and the room on the disk."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

LANGUAGES = ("python", "javascript", "typescript", "go", "rust", "c")
"""LSP ids of the languages that the demo model learns."""
ENDINGS = {
    "py": "python", "js": "javascript", "mjs": "javascript", "jsx": "javascriptreact", "ts": "typescript",
    "tsx": "typescriptreact", "go": "go", "rs": "rust", "c": "c", "h": "c",
}  # fmt: skip
"""Language by file ending; what else a package holds is not unpacked."""
FAMILIES = {"javascriptreact": "javascript", "typescriptreact": "typescript"}
"""Counted and balanced together."""

NEEDED_BYTES = 4 * 10**9
"""Room that the steps need on the disk, all together."""


class RecipeError(Exception):
    """A step cannot go on; the text is for the person who started it."""


def work_folder() -> Path:
    """Where the steps leave their results, unless told otherwise."""
    return user_cache_path("ling-coder-lsp") / "demo-model"


def step_parser(step: str, description: str) -> argparse.ArgumentParser:
    """A parser that knows `--work`, as each step does."""
    parser = argparse.ArgumentParser(prog=f"python -m models.tiny.{step}", description=description)
    parser.add_argument("--work", type=Path, default=work_folder(), metavar="DIR", help="work folder (%(default)s)")
    return parser


def begin(work: Path, needed: int = NEEDED_BYTES) -> None:
    """Makes the work folder, checks the room on its disk and steps behind the other programs."""
    work.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(work).free
    if free < needed:
        raise RecipeError(f"{work}: {free / 1e9:.1f} GB are free on this disk, {needed / 1e9:.1f} GB are needed")
    if hasattr(os, "nice"):
        os.nice(5)


def say(line: str) -> None:
    """One line of progress."""
    print(line, file=sys.stderr, flush=True)


def write_json(path: Path, value: Any) -> None:
    """Replaces the file in one go, so that a reader never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".part")
    partial.write_text(json.dumps(value, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    partial.replace(path)


def read_json(path: Path, default: Any = None) -> Any:
    """The file's value; `default` where there is no file."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else default


def write_rows(path: Path, rows: Iterable[dict[str, Any]]) -> int:
    """Writes one JSON value to a line, replaces the file in one go, and returns the number of lines."""
    partial, count = path.with_name(path.name + ".part"), 0
    with partial.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            count += 1
    partial.replace(path)
    return count


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The values of a file that `write_rows` wrote."""
    if not path.exists():
        raise RecipeError(f"{path} is missing: an earlier step writes it")
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def fraction(*parts: object) -> float:
    """A number from 0 to 1 that depends on nothing but these values: chance without a state."""
    digest = hashlib.sha256("\0".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def family(language_id: str) -> str:
    """The language that this one is counted with."""
    return FAMILIES.get(language_id, language_id)


def folder_name(package: str) -> str:
    """A package's name as the name of a folder: `@babel/core` has a mark that no folder's name may have."""
    return re.sub(r"[^\w.-]", "_", package)

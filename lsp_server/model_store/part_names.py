"""Under which name a file arrives."""

from __future__ import annotations

import contextlib
from pathlib import Path


def part_of(target: Path, content: str) -> Path:
    """The name of a part, next to the file's. What the file will hold is in it: no other file ever continues a part."""
    return target.with_name(f".{target.name}.{content[:16]}.part")


def parts_of(target: Path) -> list[Path]:
    """Everything that has arrived of this file, of any of its versions."""
    with contextlib.suppress(OSError):
        prefix = f".{target.name}."
        return sorted(
            path for path in target.parent.iterdir() if path.name.startswith(prefix) and path.suffix == ".part"
        )
    return []

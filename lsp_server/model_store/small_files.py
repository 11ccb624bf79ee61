"""Small files of ours, written whole or not at all."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from lsp_server.model_store.errors import StoreError


def write_whole(path: Path, text: str) -> None:
    """Write a file so that a reader sees all of it or what was there before.

    Raises:
        StoreError: it cannot be written.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise StoreError(f"{path} cannot be written: {reason}.") from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def remove(path: Path) -> None:
    """Remove a file, if it is there.

    Raises:
        StoreError: it cannot be removed.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(f"{path} cannot be removed: {error.strerror}. Close what uses it, and try again.") from error

"""Model files that stay where they are: a name for each, in one list beside the downloads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lsp_server.model_store.errors import StoreError
from lsp_server.model_store.folders import imported_list
from lsp_server.model_store.locks import locked
from lsp_server.model_store.small_files import write_whole


def read_imported() -> dict[str, Path]:
    """Names and paths.

    Raises:
        StoreError: the list cannot be read.
    """
    path = imported_list()
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise StoreError(f"{path} cannot be read: {error}. Correct or remove it.") from error
    if not isinstance(found, dict) or not all(isinstance(file, str) for file in found.values()):
        raise StoreError(f"{path} must hold names and paths. Correct or remove it.")
    return {name: Path(file) for name, file in found.items()}


@contextmanager
def changing_imported() -> Iterator[dict[str, Path]]:
    """The list, to be changed; written at the end, while nobody else can change it.

    Raises:
        StoreError: the list cannot be read or written.
    """
    path = imported_list()
    with locked(path):
        names = read_imported()
        yield names
        write_whole(path, json.dumps({name: str(file) for name, file in sorted(names.items())}, indent=1) + "\n")

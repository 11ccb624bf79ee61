"""Which file of the hub somebody wants who types a name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from lsp_server.errors import ModelFileError
from lsp_server.model_store.catalog import CatalogEntry, read_catalog
from lsp_server.model_store.fit import budget_bytes, memory_now, recommended
from lsp_server.model_store.folders import file_of

_ON_THE_HUB = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)/(?P<file>[\w./ -]+\.gguf)")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file of the hub, and where it goes."""

    name: str
    repository: str
    file: str
    quantization: str
    target: Path
    entry: CatalogEntry | None


def wanted_model(name: str | None) -> Wanted:
    """The model of that name; without a name the one that is recommended for this machine.

    Raises:
        ModelFileError: there is no such model, or it is part of the package, or none fits this machine.
        CatalogError: the catalog is wrong.
    """
    entries = read_catalog()
    if not name:
        best = recommended(entries, budget_bytes(memory_now()))
        if best is None:
            raise ModelFileError("No model fits the memory that is free now. `ling-coder-lsp models list` shows all.")
        return _of_entry(best)
    for entry in entries:
        if entry.name.casefold() == name.casefold():
            return _of_entry(entry)
    found = _ON_THE_HUB.fullmatch(name)
    if found is None or ".." in name:
        raise ModelFileError(
            f"There is no model {name!r}: `ling-coder-lsp models list` shows the names. "
            "Any other is named as OWNER/REPOSITORY/FILE.gguf."
        )
    repository, file = found["repository"], found["file"]
    return Wanted(name, repository, file, "", file_of(repository, file), None)


def _of_entry(entry: CatalogEntry) -> Wanted:
    if not entry.repository:
        raise ModelFileError(f"The model {entry.name} is part of the package: there is nothing to download.")
    target = file_of(entry.repository, entry.file)
    return Wanted(entry.name, entry.repository, entry.file, entry.quantization, target, entry)

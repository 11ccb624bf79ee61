"""What there is: the catalog's models, files that were imported by name, and other files in the folder of models."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from lsp_server.model_store.bundled import bundled_model
from lsp_server.model_store.catalog import CatalogEntry, read_catalog
from lsp_server.model_store.folders import file_of, models_folder
from lsp_server.model_store.imported import read_imported
from lsp_server.model_store.part_names import parts_of


class State(Enum):
    """Whether a model is on this machine."""

    BUNDLED = "bundled"
    DOWNLOADED = "downloaded"
    IMPORTED = "imported"
    """Stays where it is; we know its name."""
    FOUND = "found"
    """Lies in the folder of models and is in no list."""
    PART = "part"
    """A download was stopped; it can go on."""
    ABSENT = "absent"
    GONE = "gone"
    """Was imported, and the file is no longer there."""

    @property
    def is_here(self) -> bool:
        """Whether there is a whole file."""
        return self not in (State.PART, State.ABSENT, State.GONE)


@dataclass(frozen=True, slots=True)
class Model:
    """One model that a person can name."""

    name: str
    state: State
    path: Path
    """Where the file is, or would be."""
    size_bytes: int
    """On disk where it is here, as the catalog says where it is not."""
    part_bytes: int = 0
    """What has arrived of a stopped download."""
    entry: CatalogEntry | None = None

    @property
    def size_is_estimate(self) -> bool:
        """Whether nobody has seen a file of this size yet."""
        return not self.state.is_here and self.entry is not None and self.entry.size_is_estimate


def all_models() -> list[Model]:
    """The catalog in its order, then what else is here by name.

    Raises:
        CatalogError: the catalog is wrong.
        StoreError: the list of imported files cannot be read.
    """
    known = [_of_entry(entry) for entry in read_catalog()]
    taken = {model.path for model in known}
    imported = [_of_import(name, path) for name, path in sorted(read_imported().items())]
    return known + imported + [_of_file(path) for path in _files_in_folder() if path not in taken]


def find(name: str) -> Model | None:
    """The model of that name, however its letters are written.

    Raises:
        CatalogError: the catalog is wrong.
        StoreError: the list of imported files cannot be read.
    """
    return next((model for model in all_models() if model.name.casefold() == name.casefold()), None)


def _of_entry(entry: CatalogEntry) -> Model:
    if not entry.repository:
        return Model(entry.name, State.BUNDLED, bundled_model(), _size(bundled_model()), entry=entry)
    path = file_of(entry.repository, entry.file)
    if path.is_file():
        return Model(entry.name, State.DOWNLOADED, path, _size(path), entry=entry)
    part_bytes = max(map(_size, parts_of(path)), default=0)
    return Model(entry.name, State.PART if part_bytes else State.ABSENT, path, entry.size_bytes, part_bytes, entry)


def _of_import(name: str, path: Path) -> Model:
    return Model(name, State.IMPORTED if path.is_file() else State.GONE, path, _size(path))


def _of_file(path: Path) -> Model:
    return Model(path.relative_to(models_folder()).as_posix(), State.FOUND, path, _size(path))


def _files_in_folder() -> list[Path]:
    try:
        return sorted(path for path in models_folder().rglob("*.gguf") if path.is_file())
    except OSError:
        return []


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0

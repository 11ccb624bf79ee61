"""What a person does with models that are here: take a file in, choose one, remove one."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path

from lsp_server.errors import ModelFileError
from lsp_server.model_store.choice import forget_choice, read_choice, write_choice
from lsp_server.model_store.download import files_beside
from lsp_server.model_store.folders import models_folder
from lsp_server.model_store.imported import changing_imported
from lsp_server.model_store.inspection import inspect_file
from lsp_server.model_store.locate import locate_model
from lsp_server.model_store.locks import locked
from lsp_server.model_store.part_names import parts_of
from lsp_server.model_store.shelf import Model, State, find
from lsp_server.model_store.small_files import remove


def import_file(path: Path, name: str | None = None) -> str:
    """Give a file a name; it stays where it is, no copy is made. Returns the name: by default the file's own.

    Raises:
        ModelFileError: the file is no whole GGUF, or the name is taken or cannot be one.
        StoreError: the list of names cannot be written.
    """
    path = path.expanduser().absolute()
    inspected = inspect_file(path)
    if inspected.missing_bytes:
        raise ModelFileError(f"{path} is incomplete: {inspected.missing_bytes:,} bytes are missing. Download it again.")
    name = name or path.stem
    if not name.strip() or name.startswith(".") or name.endswith(".gguf") or set(name) & set("/\\\n\r\t"):
        raise ModelFileError(f"{name!r} cannot be a model's name: it must not look like a file. Use `--name`.")
    taken = find(name)
    if taken is not None and taken.path != path:
        raise ModelFileError(f"There is a model {taken.name} already, at {taken.path}. Use another `--name`.")
    with changing_imported() as names:
        names[name] = path
    return name


def choose(name_or_path: str) -> tuple[str, Path]:
    """Let the server use a model wherever `lingCoder.model` is empty. Returns what was written down, and the file.

    Raises:
        ModelFileError: it is not here, or its header cannot be read.
        StoreError: the choice cannot be written.
    """
    path = locate_model(name_or_path)
    inspect_file(path)
    model = find(name_or_path)
    chosen = str(path.absolute()) if model is None or model.state is State.FOUND else model.name
    write_choice(chosen)
    return chosen, path


def remove_model(model: Model) -> bool:
    """Remove a downloaded file, or forget an imported one's name. Returns whether it was the chosen one.

    Raises:
        ModelFileError: there is nothing to remove.
        StoreError: the file cannot be removed.
        Stopped: it is being downloaded.
    """
    if model.state is State.BUNDLED:
        raise ModelFileError(f"The model {model.name} is part of the package and cannot be removed.")
    if model.state is State.ABSENT:
        raise ModelFileError(f"The model {model.name} is not on this machine.")
    if model.state in (State.IMPORTED, State.GONE):
        with changing_imported() as names:
            names.pop(model.name, None)
    else:
        _remove_files(model.path)
    return _forget_if_chosen(model)


def _remove_files(path: Path) -> None:
    at_once = threading.Event()
    at_once.set()
    with locked(path, at_once):
        for each in (path, *parts_of(path), *files_beside(path)):
            remove(each)
    for folder in path.parents:
        if folder == models_folder() or not folder.is_relative_to(models_folder()):
            break
        with contextlib.suppress(OSError):  # as long as they are empty
            folder.rmdir()


def _forget_if_chosen(model: Model) -> bool:
    was_chosen = read_choice() in (model.name, str(model.path))
    if was_chosen:
        forget_choice()
    return was_chosen

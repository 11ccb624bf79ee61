"""The model that the user chose with `models use`: taken where `lingCoder.model` is empty."""

from __future__ import annotations

import json
import sys

from lsp_server.errors import ModelFileError
from lsp_server.model_store.folders import choice_file
from lsp_server.model_store.small_files import remove, write_whole

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_HEAD = "# Written by `ling-coder-lsp models use`: what the server takes where `lingCoder.model` is empty.\n"


def read_choice() -> str:
    """A name or a path; empty where nothing was chosen.

    Raises:
        ModelFileError: the file cannot be read, or holds something else.
    """
    path = choice_file()
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        raise ModelFileError(f"{path} cannot be read: {error}. Correct or remove it.") from error
    unknown = [name for name in found if name != "model"]
    if unknown:
        raise ModelFileError(f"{path}: `{unknown[0]}` is unknown; known: model.")
    model = found.get("model", "")
    if not isinstance(model, str):
        raise ModelFileError(f"{path}: `model` must be a name or a path, got {model!r}.")
    return model


def write_choice(model: str) -> None:
    """Take this one from the next start of an engine on.

    Raises:
        StoreError: the file cannot be written.
    """
    quoted = json.dumps(model, ensure_ascii=False).replace("\x7f", "\\u007F")
    write_whole(choice_file(), f"{_HEAD}model = {quoted}\n")


def forget_choice() -> None:
    """Take the bundled model again.

    Raises:
        StoreError: the file cannot be removed.
    """
    remove(choice_file())

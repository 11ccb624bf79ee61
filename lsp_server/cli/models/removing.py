"""`ling-coder-lsp models remove`: removes a download, or forgets the name of an imported file."""

from __future__ import annotations

import argparse
import json

from lsp_server.cli.models.words import confirmed, gigabytes
from lsp_server.errors import CompletionError, ModelFileError
from lsp_server.model_store.changes import remove_model
from lsp_server.model_store.shelf import Model, State, find


def run(arguments: argparse.Namespace) -> int:
    """Ask, and remove.

    Raises:
        CompletionError: there is no such model, it cannot be removed, or nobody can be asked.
    """
    model = find(arguments.name)
    if model is None:
        raise ModelFileError(f"There is no model {arguments.name!r}: `ling-coder-lsp models list` shows the names.")
    if model.state in (State.BUNDLED, State.ABSENT):
        remove_model(model)  # raises: there is nothing to ask about
    if not confirmed(_question(model), arguments.yes):
        raise CompletionError("Nothing was removed.")
    was_chosen = remove_model(model)
    if arguments.json:
        print(json.dumps({"name": model.name, "path": str(model.path), "was_in_use": was_chosen}))
        return 0
    print(f"{model.name} is forgotten; its file stays." if _is_imported(model) else f"{model.name} is removed.")
    if was_chosen:
        print("It was in use: the server takes the demo model again.")
    return 0


def _question(model: Model) -> str:
    if _is_imported(model):
        return f"Forget {model.name}? Its file {model.path} stays."
    size_bytes = model.part_bytes if model.state is State.PART else model.size_bytes
    return f"Remove {model.path} ({gigabytes(size_bytes)})?"


def _is_imported(model: Model) -> bool:
    return model.state in (State.IMPORTED, State.GONE)

"""`ling-coder-lsp models import`: gives a model file that is somewhere else a name."""

from __future__ import annotations

import argparse
import json

from lsp_server.model_store.changes import import_file


def run(arguments: argparse.Namespace) -> int:
    """Look into the file and note its name.

    Raises:
        CompletionError: it is no whole GGUF, or the name is taken.
    """
    name = import_file(arguments.path, arguments.name)
    path = arguments.path.expanduser().absolute()
    if arguments.json:
        print(json.dumps({"name": name, "path": str(path)}))
    else:
        print(f"{name} is known now. The file stays at {path}; no copy was made.")
    return 0

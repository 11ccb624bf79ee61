"""`ling-coder-lsp models import`: gives a model file that is somewhere else a name."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from lsp_server.cli.models.words import add_json
from lsp_server.cli.options import Commands
from lsp_server.model_store.changes import import_file


def add_to(commands: Commands) -> None:
    """Declare the subcommand."""
    parser = commands.add_parser(
        "import",
        help="give a GGUF file of yours a name",
        description="Give a GGUF file of yours a name. The file stays where it is; no copy is made.",
    )
    parser.add_argument("path", type=Path, metavar="PATH")
    parser.add_argument("--name", default=None, metavar="NAME", help="the file's own name if left out")
    add_json(parser)
    parser.set_defaults(run=run)


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

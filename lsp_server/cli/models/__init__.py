"""`ling-coder-lsp models`: list, fetch, take in, look into, choose and remove models."""

from __future__ import annotations

from lsp_server.cli.models.subcommands import SUBCOMMANDS
from lsp_server.cli.options import Commands


def add_to(commands: Commands) -> None:
    """Declare the command and what follows it."""
    parser = commands.add_parser(
        "models",
        help="list, download, inspect and choose models",
        description="List, download, inspect and choose models. Only `pull` uses the network.",
    )
    subcommands = parser.add_subparsers(title="subcommands", required=True, metavar="SUBCOMMAND")
    for add in SUBCOMMANDS:
        add(subcommands)

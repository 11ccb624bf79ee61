"""What can be written after `ling-coder-lsp models`. Each has a file of its own, which is imported when it runs."""

from __future__ import annotations

import argparse
import importlib
from functools import partial
from pathlib import Path

from lsp_server.cli.options import Commands


def _add_list(commands: Commands) -> None:
    parser = commands.add_parser("list", help="what is known, here, in use, and what fits this machine")
    _add_json(parser)
    parser.set_defaults(run=partial(_run, "listing"))


def _add_pull(commands: Commands) -> None:
    parser = commands.add_parser(
        "pull",
        help="download a model; goes on where an earlier try stopped",
        description="Download a model. Size and SHA-256 are checked before the file gets its name. An interrupted "
        "download is kept, and the same command goes on with it. HF_ENDPOINT names another hub, HF_TOKEN a token; "
        "HTTPS_PROXY and SSL_CERT_FILE are used.",
    )
    parser.add_argument(
        "name",
        nargs="?",
        metavar="NAME",
        help="a name from `models list`, or OWNER/REPOSITORY/FILE.gguf on the hub; the recommended one if left out",
    )
    _add_yes(parser)
    _add_json(parser)
    parser.set_defaults(run=partial(_run, "pulling"))


def _add_import(commands: Commands) -> None:
    parser = commands.add_parser(
        "import",
        help="give a GGUF file of yours a name",
        description="Give a GGUF file of yours a name. The file stays where it is; no copy is made.",
    )
    parser.add_argument("path", type=Path, metavar="PATH")
    parser.add_argument("--name", default=None, metavar="NAME", help="the file's own name if left out")
    _add_json(parser)
    parser.set_defaults(run=partial(_run, "importing"))


def _add_inspect(commands: Commands) -> None:
    parser = commands.add_parser(
        "inspect",
        help="what a model file says about itself",
        description="Print what the header of a model file says. Weights are not loaded.",
    )
    parser.add_argument("model", metavar="FILE_OR_NAME")
    _add_json(parser)
    parser.set_defaults(run=partial(_run, "inspecting"))


def _add_use(commands: Commands) -> None:
    parser = commands.add_parser(
        "use",
        help="choose the model that the server takes",
        description="Choose the model that the server takes where `lingCoder.model` is empty. "
        "`models use demo` goes back to the one in the package.",
    )
    parser.add_argument("model", metavar="NAME_OR_PATH")
    _add_json(parser)
    parser.set_defaults(run=partial(_run, "using"))


def _add_remove(commands: Commands) -> None:
    parser = commands.add_parser(
        "remove",
        help="remove a downloaded model, or forget an imported one",
        description="Remove a downloaded model, or forget the name of an imported one, whose file stays.",
    )
    parser.add_argument("name", metavar="NAME")
    _add_yes(parser)
    _add_json(parser)
    parser.set_defaults(run=partial(_run, "removing"))


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _add_yes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--yes", action="store_true", help="do not ask")


def _run(name: str, arguments: argparse.Namespace) -> int:
    module = importlib.import_module(f"lsp_server.cli.models.{name}")
    code: int = module.run(arguments)
    return code


SUBCOMMANDS = (_add_list, _add_pull, _add_import, _add_inspect, _add_use, _add_remove)
"""In the order of the help; each declares itself."""

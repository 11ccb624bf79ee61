"""Options and argument types that several commands share."""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lsp_server.engine.choose import DEFAULT_ENGINE

Commands = Any
"""What `add_subparsers` returns: argparse does not make its type public."""

_LOCATION = re.compile(r"(?P<file>.+):(?P<line>\d+):(?P<column>\d+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a file; line and column are 1-based, the column counts characters."""

    file: Path
    line: int
    column: int


def location(text: str) -> Location:
    r"""`FILE:LINE:COLUMN`; the file may hold colons, as in `C:\x.py:3:1`.

    Raises:
        ArgumentTypeError: it is none.
    """
    found = _LOCATION.fullmatch(text)
    if found is None or int(found["line"]) < 1 or int(found["column"]) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not FILE:LINE:COLUMN; line and column count from 1")
    return Location(Path(found["file"]), int(found["line"]), int(found["column"]))


def host_and_port(text: str) -> tuple[str, int]:
    """`HOST:PORT`, also `[::1]:2087`.

    Raises:
        ArgumentTypeError: it is none.
    """
    host, _, port = text.rpartition(":")
    host = host.strip("[]")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT")
    return host, int(port)


def add_engine_options(parser: argparse.ArgumentParser) -> None:
    """`--engine` and `--model`."""
    parser.add_argument(
        "--engine",
        default=DEFAULT_ENGINE,
        metavar="ENGINE",
        help="`llama` (the default) runs a model; `scripted:FILE.json` answers from a table, for tests",
    )
    parser.add_argument(
        "--model",
        default=None,
        metavar="NAME_OR_PATH",
        help="a name from `models list`, or a GGUF file; if left out, what `models use` chose",
    )


def add_log_level(parser: argparse.ArgumentParser) -> None:
    """`--log-level`."""
    parser.add_argument(
        "--log-level",
        default="warning",
        choices=("debug", "info", "warning", "error"),
        help="how much to log to stderr; logs never hold code",
    )


def settings_from(arguments: argparse.Namespace) -> dict[str, Any]:
    """The settings that were given on the command line."""
    return {} if arguments.model is None else {"model": arguments.model}

"""`ling-coder-lsp serve`: the language server."""

from __future__ import annotations

import argparse
import os
import sys

from lsp_server.cli.options import Commands, add_engine_options, add_log_level, host_and_port, settings_from
from lsp_server.errors import CompletionError


def add_to(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser("serve", help="serve an editor over stdin and stdout")
    parser.add_argument(
        "--tcp",
        type=host_and_port,
        metavar="HOST:PORT",
        help="serve the first editor that connects there instead; anybody who reaches the port can",
    )
    add_engine_options(parser)
    add_log_level(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve until the editor leaves.

    Raises:
        CompletionError: there is no listening on that port.
    """
    from lsp_server.server import build_server, serve_stdio, serve_tcp

    server = build_server(arguments.engine, settings_from(arguments))
    if arguments.tcp is None:
        if sys.stdin.isatty():
            print("Waiting for an editor on stdin; Ctrl-C ends it.", file=sys.stderr)
        return serve_stdio(server)
    print(f"Waiting for an editor on {':'.join(map(str, arguments.tcp))}; Ctrl-C ends it.", file=sys.stderr)
    try:
        return serve_tcp(server, *arguments.tcp)
    except OSError as error:
        place, reason = ":".join(map(str, arguments.tcp)), os.strerror(error.errno or 0)
        raise CompletionError(f"Cannot serve on {place}: {reason}. Choose another port.") from error

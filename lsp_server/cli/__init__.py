"""The command line: one file a command. Nothing heavy is imported before a command runs.

Exit codes: 0 when the command did its work, 1 with a sentence on stderr when it could not, 2 for wrong usage.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence

from lsp_server import __version__
from lsp_server.cli import bench, complete, context, models, serve
from lsp_server.errors import CompletionError

_COMMANDS = (serve, complete, context, models, bench)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    arguments = _parser().parse_args(argv)
    logging.basicConfig(
        stream=sys.stderr,
        level=getattr(arguments, "log_level", "warning").upper(),
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    try:
        code: int = arguments.run(arguments)
    except CompletionError as error:
        print(f"ling-coder-lsp: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever read our output has enough
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - flushed when Python ends
        return 1
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ling-coder-lsp",
        description="Code completion with a model that runs on your own machine. Nothing leaves it.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command in _COMMANDS:
        command.add_to(commands)
    return parser

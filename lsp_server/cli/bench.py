"""`ling-coder-lsp bench`: replays a typing trace against the real server and prints what it cost."""

from __future__ import annotations

import argparse
import asyncio
import json
from pathlib import Path
from typing import Any

from lsp_server.cli.options import Commands, add_engine_options


def add_to(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "bench",
        help="replay a typing trace against the real server",
        description="Replay a typing trace against the real server, over LSP, and print tokens and times.",
    )
    parser.add_argument("--trace", type=Path, required=True, metavar="TRACE.json")
    parser.add_argument(
        "--predict", type=_at_least_one, default=None, metavar="N", help="generate at most N tokens a request"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_engine_options(parser)
    parser.set_defaults(run=run)


def _at_least_one(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of 1 or more")
    return int(text)


def run(arguments: argparse.Namespace) -> int:
    """Print the report.

    Raises:
        CompletionError: the trace cannot be read, or the model cannot be loaded.
    """
    from lsp_server.bench import read_trace

    trace = read_trace(arguments.trace)
    found = asyncio.run(_measured(arguments, trace))
    print(json.dumps(found) if arguments.json else _as_text(found))
    return 0


async def _measured(arguments: argparse.Namespace, trace: Any) -> dict[str, Any]:
    from lsp_server.bench import measure_cancel, measure_memory, replay, report
    from lsp_server.protocol.driver import Editor

    options = [f"--engine={arguments.engine}"] + ([f"--model={arguments.model}"] if arguments.model else [])
    settings: dict[str, Any] = {"deadlineMs": 600_000, "invokedDeadlineMs": 600_000}
    if arguments.predict is not None:
        settings["maxNewTokens"] = arguments.predict
    editor = Editor(options)
    await editor.start(settings)
    try:
        await editor.wait_until_loaded()
        found = await replay(editor, trace)
        await measure_cancel(editor, trace, found)
        await measure_memory(editor, found)
    finally:
        await editor.stop()
    return report(trace, found)


def _as_text(found: dict[str, Any]) -> str:
    return "\n".join(f"{name:22} {_plain(value)}" for name, value in found.items())


def _plain(value: Any) -> str:
    return ", ".join(f"{key} {each}" for key, each in value.items()) if isinstance(value, dict) else str(value)

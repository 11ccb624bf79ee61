"""`ling-coder-lsp bench`: replays typing traces against the real server and prints what they cost."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections import ChainMap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsp_server.cli.options import Commands, add_engine_options
from lsp_server.settings import read_settings

if TYPE_CHECKING:
    from lsp_server.bench.trace import Trace
    from lsp_server.protocol.driver import Editor


def add_to(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "bench",
        help="replay typing traces against the real server",
        description="Replay typing traces against the real server, over LSP, and print tokens and times.",
    )
    parser.add_argument(
        "--trace",
        type=Path,
        required=True,
        action="append",
        metavar="TRACE.json",
        help="a trace, or a folder of traces; may be given several times",
    )
    parser.add_argument(
        "--predict", type=_at_least_one, default=None, metavar="N", help="generate at most N tokens a request"
    )
    parser.add_argument(
        "--speculation", action="store_true", help="let the server work ahead of the requests, as it does for editors"
    )
    parser.add_argument(
        "--realtime",
        action="store_true",
        help="type at the speed of a person, with the settings that editors get (they work ahead)",
    )
    parser.add_argument(
        "--setting",
        type=_setting,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a setting of the server, as `fimTemplate=prefix-only`; may be given several times",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object a trace, each on a line of its own")
    add_engine_options(parser)
    parser.set_defaults(run=run)


def _at_least_one(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of 1 or more")
    return int(text)


def _setting(text: str) -> dict[str, Any]:
    """One setting; the value is JSON where it can be, else a text."""
    name, _, value = text.partition("=")
    try:
        setting = {name: json.loads(value)}
    except ValueError:
        setting = {name: value}
    _, problems = read_settings(setting)
    if problems:
        raise argparse.ArgumentTypeError(problems[0])
    return setting


def run(arguments: argparse.Namespace) -> int:
    """Print a report for each trace, as soon as it is there.

    Raises:
        CompletionError: a trace cannot be read, or the model cannot be loaded.
    """
    from lsp_server.bench.report import as_text
    from lsp_server.bench.trace_file import read_traces

    for number, trace in enumerate(read_traces(arguments.trace)):
        found = asyncio.run(_measured(arguments, trace))
        if number and not arguments.json:
            print()
        print(json.dumps(found) if arguments.json else as_text(found), flush=True)
    return 0


async def _measured(arguments: argparse.Namespace, trace: Trace) -> dict[str, Any]:
    from lsp_server.protocol.driver import Editor

    options = [f"--engine={arguments.engine}"] + ([f"--model={arguments.model}"] if arguments.model else [])
    editor = Editor(options)
    try:
        await editor.start(_settings(arguments))
        await editor.wait_until_loaded()
        return await (_in_real_time if arguments.realtime else _as_fast_as_it_goes)(editor, trace)
    finally:
        _tell_person("")
        await editor.stop()


def _settings(arguments: argparse.Namespace) -> dict[str, Any]:
    from lsp_server.bench.replay import SETTINGS, WITHOUT_SPECULATION

    settings: dict[str, Any] = {}
    if not arguments.realtime:
        settings |= SETTINGS | ({} if arguments.speculation else WITHOUT_SPECULATION)
    if arguments.predict is not None:
        settings["maxNewTokens"] = arguments.predict
    return dict(ChainMap(*reversed(arguments.setting), settings))


async def _as_fast_as_it_goes(editor: Editor, trace: Trace) -> dict[str, Any]:
    from lsp_server.bench.engine_costs import measure_cancel, measure_memory
    from lsp_server.bench.replay import replay
    from lsp_server.bench.report import report

    found = await replay(editor, trace, lambda done, of: _tell_person(f"{trace.name}: request {done} of {of}"))
    _tell_person(f"{trace.name}: cancels")
    await measure_cancel(editor, trace, found)
    await measure_memory(editor, found)
    return report(trace, found)


async def _in_real_time(editor: Editor, trace: Trace) -> dict[str, Any]:
    from lsp_server.bench.realtime import replay_in_real_time, report_in_real_time

    found = await replay_in_real_time(editor, trace, lambda done, of: _tell_person(f"{trace.name}: {done} of {of}"))
    return report_in_real_time(trace, found)


def _tell_person(text: str) -> None:
    """How far it is, where somebody is looking; an empty text clears the line."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)

"""`ling-coder-lsp complete`: one suggestion for a place in a file, in the terminal or as JSON."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lsp_server.cli.options import (
    Commands,
    Location,
    add_engine_options,
    add_log_level,
    location,
    settings_from,
)
from lsp_server.context.window import unix
from lsp_server.documents.languages import language_of
from lsp_server.documents.open_tree import LateSyntax
from lsp_server.documents.snapshot import DocumentSnapshot
from lsp_server.documents.syntax import parse
from lsp_server.documents.text_lines import TextLines, without_end
from lsp_server.errors import CompletionError
from lsp_server.outcome import Outcome, Skip, Suggestion
from lsp_server.scenario import CARET, Scenario, write
from lsp_server.settings import DEFAULTS, Settings
from lsp_server.statistics import times_as_json, tokens_as_json
from lsp_server.trace import Trace, TraceLog

_ERRORS = (Skip.ENGINE_FAILED, Skip.ENGINE_GONE, Skip.LOADING)
"""Outcomes that mean that something does not work; the other skips are silence for a reason."""


def add_to(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "complete",
        help="complete the code at one place of a file",
        description="Complete the code at one place of a file. Lines and columns count from 1, columns in characters.",
    )
    parser.add_argument("location", type=location, metavar="FILE:LINE:COLUMN")
    parser.add_argument(
        "--manual", action="store_true", help="as if asked for by key: more time than in a typing pause"
    )
    parser.add_argument(
        "--workspace", type=Path, metavar="DIR", help="root of the repository; else the nearest with .git"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--record", type=Path, metavar="FILE", help="write file, answer and what is shown as a scenario, for a test"
    )
    add_engine_options(parser)
    add_log_level(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the suggestion or why there is none.

    Raises:
        CompletionError: the file cannot be read.
    """
    snapshot = read_snapshot(arguments.location, arguments.workspace)
    settings = dataclasses.replace(DEFAULTS, **settings_from(arguments))
    trace = asyncio.run(_complete(snapshot, settings, arguments))
    outcome = trace.outcome
    if arguments.record is not None:
        record(arguments.record, snapshot, trace)
    if arguments.json:
        print(json.dumps({**outcome_as_json(outcome, snapshot), "trace": trace.as_json()}))
    elif outcome.suggestion is not None:
        sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]  # a text file in every terminal and pipe
        print(outcome.suggestion.text)
    if outcome.skip is not None and (outcome.skip in _ERRORS or not arguments.json):
        print(f"ling-coder-lsp: {outcome.sentence}", file=sys.stderr)
    return 1 if outcome.skip in _ERRORS else 0


async def _complete(snapshot: DocumentSnapshot, settings: Settings, arguments: argparse.Namespace) -> Trace:
    from lsp_server.completion import CompletionRequest, complete
    from lsp_server.engine.choose import make_engine
    from lsp_server.memory import Memory

    engine = make_engine(arguments.engine, settings)
    try:
        await engine.start()
        await engine.wait_ready(settings.load_wait_ms)
        # The request begins here: loading is not part of its time.
        request = CompletionRequest(snapshot, settings, arguments.manual)
        outcome = await complete(request, engine, Memory())
        model = engine.status.model.name if engine.status.model else ""
        return TraceLog().add(snapshot, request.notes, outcome, invoked=arguments.manual, model=model)
    finally:
        await engine.close()


def record(file: Path, snapshot: DocumentSnapshot, trace: Trace) -> None:
    """Write what happened as a scenario. It holds the whole file.

    Raises:
        CompletionError: it cannot be written.
    """
    place = f"{snapshot.caret_line + 1}:{snapshot.caret_column + 1}"
    options = {"path": snapshot.path or file.name, "language": snapshot.language_id}
    options |= {"invoked": "yes"} if trace.invoked else {}
    options |= {"line-ends": "crlf"} if snapshot.line_end == "\r\n" else {}
    options |= {"recorded": trace.model} if trace.model else {}
    outcome, text = trace.outcome, unix("".join(snapshot.lines))
    before = len(unix("".join(snapshot.lines)[: snapshot.caret_offset]))
    if outcome.confidence is not None:
        options["confidence"] = f"{outcome.confidence:.3f}"
    shown = None
    if outcome.suggestion is not None:
        replaced = outcome.suggestion.end - outcome.suggestion.start
        shown = f"{text[:before]}{unix(outcome.suggestion.text)}{CARET}{text[before + replaced :]}"
    title = f"What was said at {snapshot.path}:{place}."
    document = f"{text[:before]}{CARET}{text[before:]}"
    silent = outcome.label if shown is None else ""
    try:
        with file.open("x", encoding="utf-8", newline="") as out:
            out.write(write(Scenario(title, document, outcome.raw, shown, silent, options)))
    except OSError as error:
        raise CompletionError(f"{file} cannot be written: {error.strerror}.") from error


def read_snapshot(place: Location, workspace: Path | None) -> DocumentSnapshot:
    """The file with the caret at a place, which is moved to the nearest one that exists.

    Raises:
        CompletionError: the file cannot be read.
    """
    try:
        with place.file.open(encoding="utf-8", errors="replace", newline="") as file:
            lines = TextLines(file.read())
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CompletionError(f"{place.file} cannot be read: {reason}.") from error
    line, column = lines.clamp(place.line - 1, place.column - 1)
    path, language_id = relative_path(place.file, workspace), language_of(place.file.name)
    return DocumentSnapshot(
        uri=place.file.resolve().as_uri(),
        path=path,
        language_id=language_id,
        version=0,
        lines=lines.frozen(),
        caret_line=line,
        caret_column=column,
        late_syntax=LateSyntax(lambda: parse(language_id, path, lines.frozen())),
    )


def relative_path(file: Path, workspace: Path | None) -> str:
    """The path below the repository's root with `/`; the bare name where there is no root above the file."""
    file = file.resolve()
    roots = [workspace.resolve()] if workspace else [folder for folder in file.parents if (folder / ".git").exists()]
    if roots and file.is_relative_to(roots[0]):
        return file.relative_to(roots[0]).as_posix()
    return file.name


def outcome_as_json(outcome: Outcome, snapshot: DocumentSnapshot) -> dict[str, Any]:
    """The object that `--json` prints; without a suggestion the text is empty and so is the range, at the caret."""
    caret = snapshot.caret_offset
    suggestion = outcome.suggestion or Suggestion("", caret, caret)
    return {
        "outcome": outcome.label,
        "detail": outcome.sentence,
        "text": suggestion.text,
        "range": {
            "start": list(_place(snapshot, suggestion.start)),
            "end": list(_place(snapshot, suggestion.end)),
        },
        "raw": outcome.raw,
        "rules": [dataclasses.asdict(verdict) for verdict in outcome.rules],
        "confidence": outcome.confidence,
        "tokens": tokens_as_json(outcome.tokens),
        "ms": times_as_json(outcome.times),
    }


def _place(snapshot: DocumentSnapshot, offset: int) -> tuple[int, int]:
    """Line and column, both 1-based."""
    for number, (start, line) in enumerate(_with_offsets(snapshot.lines), start=1):
        if offset < start + len(line) or number == len(snapshot.lines):
            return number, min(offset - start, len(without_end(line))) + 1
    raise AssertionError("a snapshot has at least one line")


def _with_offsets(lines: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    start = 0
    for line in lines:
        yield start, line
        start += len(line)

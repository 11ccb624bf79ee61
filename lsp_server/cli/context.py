"""`ling-coder-lsp context`: what the repository has to say about a place of a file, whence, and what is left out."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsp_server.cli.complete import read_snapshot
from lsp_server.cli.options import Commands, add_engine_options, add_log_level, location, settings_from
from lsp_server.documents.snapshot import DocumentSnapshot
from lsp_server.settings import DEFAULTS

if TYPE_CHECKING:  # what the commands need is imported when they run
    from lsp_server.context.question import ContextPiece
    from lsp_server.context.sources import Context

_CHARACTERS_PER_TOKEN = 4
_CONTEXT_SHARE = 0.5
"""Of the budget, at least; the sources get what the window leaves, too."""

_MOST_EXCLUDED = 200

CountTokens = Callable[[tuple[str, ...]], Awaitable[tuple[int, ...]]]


def add_to(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "context",
        help="show what the repository has to say about one place of a file",
        description="Show what the repository has to say about one place of a file, and why; completions are computed "
        "from the file alone. Lines and columns count from 1, columns in characters. The repository is indexed "
        "first, if it is not yet. Tokens are counted by the model that --model names, "
        "or else taken as four characters each.",
    )
    parser.add_argument("location", type=location, metavar="FILE:LINE:COLUMN")
    parser.add_argument(
        "--budget", type=_tokens, default=DEFAULTS.max_prompt_tokens, metavar="TOKENS", help="room for all of it"
    )
    parser.add_argument(
        "--workspace", type=Path, metavar="DIR", help="root of the repository; else the nearest with .git"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_engine_options(parser)
    add_log_level(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print what the prompt shows.

    Raises:
        CompletionError: the file cannot be read, or the model cannot be loaded.
    """
    snapshot = read_snapshot(arguments.location, arguments.workspace)
    root = _root(arguments.location.file, arguments.workspace)
    report = asyncio.run(_report(snapshot, root, arguments))
    if arguments.json:
        print(json.dumps(report))
        return 0
    print(report["prompt"])
    print("\n--- sources, in the order of the prompt")
    for source in report["sources"]:
        first, last = source["lines"]
        print(f"{source['tokens']:6} tokens  {source['kind']:10}  {source['path']}:{first}-{last}  {source['why']}")
    for each in report["left_out"]:
        print(f"     left out  {each['path']}: {each['why']}")
    print(f"{report['tokens']:6} tokens in all, counted by {report['counted_by']}")
    return 0


def _tokens(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 1_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of tokens from 1 to 1000000")
    return int(text)


def _root(file: Path, workspace: Path | None) -> Path | None:
    """The repository around a file; `None` where there is none: then only the file itself is a source."""
    if workspace is not None:
        return workspace.resolve()
    return next((folder for folder in file.resolve().parents if (folder / ".git").exists()), None)


async def _report(snapshot: DocumentSnapshot, root: Path | None, arguments: argparse.Namespace) -> dict[str, Any]:
    if arguments.model is None:
        return await _with_counter(snapshot, root, arguments.budget, _by_characters, "characters / 4")
    from lsp_server.engine.choose import make_engine

    settings = replace(DEFAULTS, **settings_from(arguments))
    engine = make_engine(arguments.engine, settings)
    try:
        await engine.start()
        await engine.wait_ready(settings.load_wait_ms)
        return await _with_counter(snapshot, root, arguments.budget, engine.count_tokens, "the model")
    finally:
        await engine.close()


async def _by_characters(texts: tuple[str, ...]) -> tuple[int, ...]:
    return tuple(-(-len(text) // _CHARACTERS_PER_TOKEN) for text in texts)


async def _with_counter(
    snapshot: DocumentSnapshot, root: Path | None, budget_tokens: int, count: CountTokens, counted_by: str
) -> dict[str, Any]:
    """The report: the window first, the sources in the room that it leaves."""
    from lsp_server.prompt.chunks import chunks

    own = await _window(snapshot, int(budget_tokens * (1 - _CONTEXT_SHARE)), count)
    (own_tokens,) = await count((own.text,))
    context = await _context(snapshot, root, own.lines, budget_tokens - own_tokens, count)
    prompt = chunks(context.pieces) + own.text
    *tokens, all_tokens = await count((*(chunks((piece,)) for piece in context.pieces), own.text, prompt))
    return {
        "prompt": prompt,
        "tokens": all_tokens,
        "counted_by": counted_by,
        "sources": [
            {"kind": piece.kind, "path": piece.path, "lines": list(piece.lines), "tokens": each, "why": piece.why,
             "text": piece.text}
            for piece, each in zip((*context.pieces, own), tokens, strict=True)
        ],
        "left_out": [{"path": each.path, "why": each.why} for each in context.left_out],
    }  # fmt: skip


async def _window(snapshot: DocumentSnapshot, room_tokens: int, count: CountTokens) -> ContextPiece:
    """The file's own header and text up to the caret."""
    from lsp_server.context.question import ContextPiece
    from lsp_server.context.secrets import redacted_part
    from lsp_server.context.window import Budget, first_view, place
    from lsp_server.prompt.fim_templates import PREFIX_ONLY
    from lsp_server.prompt.render import header

    head = header(snapshot.path, snapshot.language_id, PREFIX_ONLY)
    (head_tokens,) = await count((head,))
    room = max(1, int((room_tokens - head_tokens) * await _characters_per_token(snapshot, count)))
    view = first_view(place(snapshot, Budget(room, max(1, room // 8), room)), snapshot)
    lines = (view.first_line + 1, snapshot.caret_line + 1)
    text = redacted_part(head + view.prefix + view.middle)
    return ContextPiece("window", snapshot.path or "", lines, text, "up to the caret")


async def _characters_per_token(snapshot: DocumentSnapshot, count: CountTokens) -> float:
    """As this model reads this file; a little less, so that the window fits."""
    text = "".join(snapshot.lines)[:20_000]
    (tokens,) = await count((text,))
    return 0.95 * len(text) / tokens if tokens else float(_CHARACTERS_PER_TOKEN)


async def _context(
    snapshot: DocumentSnapshot, root: Path | None, shown: tuple[int, int], room: int, count: CountTokens
) -> Context:
    """What the sources give, without a deadline."""
    from lsp_server.context.ignore import NO_CODE, IgnoreRules
    from lsp_server.context.index.building import build
    from lsp_server.context.index.location import index_file
    from lsp_server.context.index.lookup import Index
    from lsp_server.context.index.store import Store
    from lsp_server.context.question import LeftOut, Question
    from lsp_server.context.sources import context_for

    if root is None:
        return await context_for(Question(snapshot, shown), room, count)
    store = Store(index_file(root))
    try:
        for _ in build(store, root):
            pass
        rules = IgnoreRules(root)
        context = await context_for(Question(snapshot, shown, Index(store), rules), room, count)
        excluded = [LeftOut(path, reason) for path, reason in rules.walk() if reason not in (None, NO_CODE)]
        return replace(context, left_out=(*excluded[:_MOST_EXCLUDED], *context.left_out))
    finally:
        store.close()

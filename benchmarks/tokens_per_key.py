"""Draws how many prompt tokens each key costs over a typing trace: the anchored layout against plain rendering.

    python -m benchmarks.tokens_per_key [--trace TRACE.json] [--model GGUF] [--output PICTURE.svg]

After each key the engine is asked twice, in a lane for each layout, with the same budget around the caret:

- *anchored*: as the product does it, what was typed since the anchor stands after the middle token;
- *plain*: prefix up to the caret, suffix after it, laid out anew at each key as editors' plug-ins commonly do.

Counted are the tokens that the engine evaluated, after its cache gave what it could.
"""
# ruff: noqa: T201 - this speaks to a person

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.tokens_per_key_picture import Line, picture
from lsp_server.bench.buffers import Buffer, Buffers
from lsp_server.bench.trace import Ask, Trace
from lsp_server.bench.trace_file import read_trace
from lsp_server.context.anchors import Anchors, TokenBudget
from lsp_server.context.window import View
from lsp_server.documents.snapshot import DocumentSnapshot
from lsp_server.documents.text_lines import split_lines
from lsp_server.engine.base import EngineState, Finished, GenerateRequest, ModelInfo
from lsp_server.engine.client import EngineClient
from lsp_server.model_store.locate import bundled_model
from lsp_server.prompt import render
from lsp_server.prompt.fim_templates import choose_template
from lsp_server.settings import DEFAULTS

ROOT = Path(__file__).parents[1]
LOAD_LIMIT_MS = 300_000
SPARE_TOKENS = 64
"""For control tokens and the answer."""


@dataclass(slots=True)
class Costs:
    """Tokens evaluated at each key, the first one left out: it reads the file."""

    anchored: list[int] = field(default_factory=list)
    plain: list[int] = field(default_factory=list)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures, prints the means and writes the picture."""
    options = _parser().parse_args(arguments)
    trace = read_trace(options.trace)
    with _own_runtime_folder():
        costs = asyncio.run(_measured(options.model or bundled_model(), trace))
    lines = [Line("plain prompt", costs.plain, "#d9730d"), Line("anchored prompt", costs.anchored, "#2f7ed8")]
    for line in lines:
        mean, most = statistics.fmean(line.values), max(line.values)
        print(f"{line.name:16} mean {mean:6.1f} tokens a key, most {most}, total {sum(line.values)}")
    options.output.write_text(picture(lines, f"Prompt tokens evaluated at each key ({trace.name})"), encoding="utf-8")
    print(options.output)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.tokens_per_key", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--trace", type=Path, default=ROOT / "tests" / "traces" / "typescript-closers.json")
    parser.add_argument("--model", type=Path, metavar="GGUF", help="default: the bundled model")
    parser.add_argument("--output", type=Path, default=Path("tokens-per-key.svg"), metavar="PICTURE.svg")
    return parser


@contextmanager
def _own_runtime_folder() -> Iterator[None]:
    """An engine of our own: nobody else's requests come between."""
    with tempfile.TemporaryDirectory(prefix="lc-") as folder:
        os.environ["LING_CODER_RUNTIME_DIR"] = folder
        yield


async def _measured(model: Path, trace: Trace) -> Costs:
    costs = Costs()
    async for engine, info in _engine(model):
        anchors, buffers = Anchors(), Buffers(trace.documents)
        for action in trace.actions:
            if isinstance(action, Ask):
                continue
            buffers.do(action)
            document = _snapshot(buffers.current)
            anchored = await _request(document, anchors, engine, info)
            costs.anchored.append(await _evaluated(engine, anchored))
            plain = await _request(document, Anchors(), engine, info, plain=True)
            costs.plain.append(await _evaluated(engine, plain))
    return Costs(costs.anchored[1:], costs.plain[1:])


async def _engine(path: Path) -> AsyncIterator[tuple[EngineClient, ModelInfo]]:
    """An engine that is ended afterwards."""
    client = EngineClient(path)
    status = await client.wait_ready(LOAD_LIMIT_MS)
    if status.state is not EngineState.READY or status.model is None:
        sys.exit(status.message)
    host = (await client.counters()).process_id
    yield client, status.model
    await client.close()
    os.kill(host, 15)


def _snapshot(buffer: Buffer) -> DocumentSnapshot:
    before = split_lines(buffer.text[: buffer.caret])
    return DocumentSnapshot(
        uri=buffer.document.uri,
        path=buffer.document.path,
        language_id=buffer.document.language,
        version=1,
        lines=tuple(split_lines(buffer.text)),
        caret_line=len(before) - 1,
        caret_column=len(before[-1]),
    )


async def _request(
    document: DocumentSnapshot, anchors: Anchors, engine: EngineClient, model: ModelInfo, *, plain: bool = False
) -> GenerateRequest:
    template = choose_template("auto", model)
    head = render.header(document.path, document.language_id, template)
    room_tokens = model.context_tokens - SPARE_TOKENS - len(head)
    budget = TokenBudget.within(min(DEFAULTS.max_prompt_tokens - len(head), room_tokens), room_tokens)
    view = await anchors.view(document, budget, engine.count_tokens)
    if plain:
        view = View(view.prefix + view.middle, view.suffix, "", view.first_line)
    lane = f"plain {document.uri}" if plain else document.uri
    return GenerateRequest(render.render(template, head, view), lane, max_new_tokens=1, heal=not plain)


async def _evaluated(engine: EngineClient, request: GenerateRequest) -> int:
    async with aclosing(engine.generate(request)) as events:
        async for event in events:
            if isinstance(event, Finished):
                return event.tokens.evaluated
    raise AssertionError("the answer had no end")


if __name__ == "__main__":
    main()
